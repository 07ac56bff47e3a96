"""Draws from q(z|x) of training images: what a prior is fitted to."""

import jax
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from vaelab.batching import in_batches
from vaelab.labels import labels_given
from vaelab.model import Model
from vaelab.pixels import Pixels, seen

CHUNK = 1000


def posterior_draws(
    model: Model,
    images: np.ndarray,
    pixels: Pixels,
    labels: Int[np.ndarray, " images"] | None = None,
    *,
    key: PRNGKeyArray,
) -> Float[np.ndarray, "images latent"]:
    """One fresh draw z ~ q(z|x) for each image, as the pixel treatment shows it to the encoder; for an autoencoder its code.

    A conditional model encodes each given its label; any other looks away from `labels`.

    Draws and never means: the aggregate posterior that a prior should match is the density of the draws.
    """
    return in_batches(
        # a key a batch
        lambda part, places, *given: _draws(model, part, jr.fold_in(key, int(places[0]) // CHUNK), pixels, *given),
        images,
        np.arange(len(images)),
        *labels_given(model, labels, len(images)),
        rows=CHUNK,
    )


def _draw_part(
    model: Model,
    images: Array,
    key: PRNGKeyArray,
    pixels: Pixels,
    labels: Int[Array | np.ndarray, " images"] | None = None,
) -> Float[Array, "images latent"]:
    pixel_key, latent_key = jr.split(key)
    return jax.vmap(lambda image, label, key: model.posterior(image, condition=label).sample(key))(
        seen(images, pixels, pixel_key), labels, jr.split(latent_key, len(images))
    )


_draws = jax.jit(_draw_part, static_argnames="pixels")
