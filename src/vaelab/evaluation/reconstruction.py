"""What the decoder makes of given codes, and of draws from the prior."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num, PRNGKeyArray

from vaelab.batching import features_of, in_batches
from vaelab.densities import sample_many
from vaelab.generating.coding import decode
from vaelab.model import Model
from vaelab.pixels import scaled


class ReconstructionScores(NamedTuple):
    """For each image: log p(x|z) in nats, and the squared error of the decoder's mean, summed over pixels."""

    log_prob: Float[np.ndarray, " images"]
    squared_error: Float[np.ndarray, " images"]


def reconstruction_scores(
    model: Model, images: Num[np.ndarray, "images ..."], z: Float[np.ndarray, "images latent"]
) -> ReconstructionScores:
    """Each image scored by its own code; images as the model sees them (uint8 is scaled)."""
    scores = in_batches(
        lambda rows, codes: _scores(model, rows, codes), images, np.asarray(z), features=features_of(model.image_shape)
    )
    return ReconstructionScores(*(values.astype(np.float64) for values in scores))


def sample_means(model: Model, key: PRNGKeyArray, count: int) -> Float[np.ndarray, "samples ..."]:
    """Decoder means at `count` draws of the prior, clipped to [0, 1]: the images that a user is shown."""
    z = np.asarray(sample_many(model.prior_density(), key, count))
    return np.clip(decode(model, z), 0.0, 1.0)


@eqx.filter_jit
def _scores(
    model: Model, images: Num[Array | np.ndarray, "images ..."], z: Float[Array | np.ndarray, "images latent"]
) -> tuple[Array, Array]:
    def one(image: Array, z: Array) -> tuple[Array, Array]:
        likelihood = model.likelihood(z)
        return likelihood.log_prob(image), jnp.sum((image - likelihood.centre) ** 2)

    return jax.vmap(one)(scaled(jnp.asarray(images)), jnp.asarray(z))
