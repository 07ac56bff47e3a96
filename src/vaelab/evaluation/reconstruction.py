"""What the decoder makes of given codes, and of draws from the prior."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num, PRNGKeyArray

from vaelab.batching import features_of, in_batches
from vaelab.densities import sample_many
from vaelab.generating.coding import decode
from vaelab.labels import labels_given
from vaelab.model import Model
from vaelab.pixels import scaled


class ReconstructionScores(NamedTuple):
    """For each image: log p(x|z) in nats, and the squared error of the decoder's mean, summed over pixels."""

    log_prob: Float[np.ndarray, " images"]
    squared_error: Float[np.ndarray, " images"]


def reconstruction_scores(
    model: Model,
    images: Num[np.ndarray, "images ..."],
    z: Float[np.ndarray, "images latent"],
    labels: Int[np.ndarray, " images"] | None = None,
) -> ReconstructionScores:
    """Each image scored by its own code; images as the model sees them (uint8 is scaled), with their labels for a conditional one."""
    given = labels_given(model, labels, len(images))
    scores = in_batches(
        lambda *rows: _scores(model, *rows), images, np.asarray(z), *given, features=features_of(model.image_shape)
    )
    return ReconstructionScores(*(values.astype(np.float64) for values in scores))


def sample_means(model: Model, key: PRNGKeyArray, count: int) -> Float[np.ndarray, "samples ..."]:
    """Decoder means at `count` draws of the prior, clipped to [0, 1]: the images that a user is shown.

    Of a conditional model each has a label of its own, y ~ p(y).
    """
    if not model.is_conditional:
        z = np.asarray(sample_many(model.prior_density(), key, count))
        return np.clip(decode(model, z), 0.0, 1.0)
    z, labels = _by_label(model, jr.split(key, count))
    return np.clip(decode(model, np.asarray(z), np.asarray(labels)), 0.0, 1.0)


@eqx.filter_jit
def _by_label(model: Model, keys: Key[Array, " samples"]) -> tuple[Array, Array]:
    """y ~ p(y) and z ~ p(z|y)."""
    density, log_frequencies = model.prior_density(), model.log_frequencies
    assert log_frequencies is not None

    def one(key: PRNGKeyArray) -> tuple[Array, Array]:
        label_key, z_key = jr.split(key)
        label = jr.categorical(label_key, log_frequencies)
        return density.given(label).sample(z_key), label

    return jax.vmap(one)(keys)


@eqx.filter_jit
def _scores(
    model: Model,
    images: Num[Array | np.ndarray, "images ..."],
    z: Float[Array | np.ndarray, "images latent"],
    labels: Int[Array | np.ndarray, " images"] | None = None,
) -> tuple[Array, Array]:
    def one(image: Array, z: Array, label: Array | None) -> tuple[Array, Array]:
        likelihood = model.likelihood(z, label)
        return likelihood.log_prob(image), jnp.sum((image - likelihood.centre) ** 2)

    return jax.vmap(one)(scaled(jnp.asarray(images)), jnp.asarray(z), None if labels is None else jnp.asarray(labels))
