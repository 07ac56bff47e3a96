"""Draws from q(z|x) of training images: what a prior is fitted to."""

import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.batching import in_batches
from vaelab.model import Model
from vaelab.pixels import Pixels, seen

CHUNK = 1000


def posterior_draws(
    model: Model, images: np.ndarray, pixels: Pixels, *, key: PRNGKeyArray
) -> Float[np.ndarray, "images latent"]:
    """One fresh draw z ~ q(z|x) for each image, as the pixel treatment shows it to the encoder; for an autoencoder its code.

    Draws and never means: the aggregate posterior that a prior should match is the density of the draws.
    """
    return in_batches(
        lambda part, places: _draws(model, part, jr.fold_in(key, int(places[0]) // CHUNK), pixels),  # a key a batch
        images,
        np.arange(len(images)),
        rows=CHUNK,
    )


def _draw_part(model: Model, images: Array, key: PRNGKeyArray, pixels: Pixels) -> Float[Array, "images latent"]:
    pixel_key, latent_key = jr.split(key)
    posteriors = jax.vmap(model.posterior)(seen(images, pixels, pixel_key))
    return jax.vmap(lambda posterior, key: posterior.sample(key))(posteriors, jr.split(latent_key, len(images)))


_draws = jax.jit(_draw_part, static_argnames="pixels")
