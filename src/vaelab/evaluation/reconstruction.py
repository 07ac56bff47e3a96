"""What the decoder makes of given codes, and of draws from the prior."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num, PRNGKeyArray

from vaelab.densities import sample_many
from vaelab.evaluation.aggregate_posterior import image_chunks
from vaelab.model import Model
from vaelab.pixels import scaled

CHUNK = 2000


class ReconstructionScores(NamedTuple):
    """For each image: log p(x|z) in nats, and the squared error of the decoder's mean, summed over pixels."""

    log_prob: Float[np.ndarray, " images"]
    squared_error: Float[np.ndarray, " images"]


def reconstruction_scores(
    model: Model, images: Num[np.ndarray, "images ..."], z: Float[np.ndarray, "images latent"]
) -> ReconstructionScores:
    """Each image scored by its own code; images as the model sees them (uint8 is scaled)."""
    chunks = zip(image_chunks(images, CHUNK), image_chunks(np.asarray(z), CHUNK), strict=True)
    parts = [_scores(model, jnp.asarray(chunk), jnp.asarray(code)) for chunk, code in chunks]
    joined = (np.concatenate([np.asarray(part, np.float64) for part in term]) for term in zip(*parts, strict=True))
    return ReconstructionScores(*(values[: len(images)] for values in joined))


def sample_means(model: Model, key: PRNGKeyArray, count: int) -> Float[np.ndarray, "samples ..."]:
    """Decoder means at `count` draws of the prior, clipped to [0, 1]: the images that a user is shown."""
    z = np.asarray(sample_many(model.prior.density(model), key, count))
    parts = [np.asarray(_means(model, jnp.asarray(chunk))) for chunk in image_chunks(z, CHUNK)]
    return np.clip(np.concatenate(parts)[:count], 0.0, 1.0)


@eqx.filter_jit
def _scores(model: Model, images: Num[Array, "images ..."], z: Float[Array, "images latent"]) -> tuple[Array, Array]:
    def one(image: Array, z: Array) -> tuple[Array, Array]:
        likelihood = model.likelihood(z)
        return likelihood.log_prob(image), jnp.sum((image - likelihood.mean) ** 2)

    return jax.vmap(one)(scaled(images), z)


@eqx.filter_jit
def _means(model: Model, z: Float[Array, "samples latent"]) -> Float[Array, "samples ..."]:
    return jax.vmap(lambda z: model.likelihood(z).mean)(z)
