"""Draws from q(z|x) of training images: what a prior is fitted to."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

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
    given = labels_given(model, labels, len(images))
    parts = []
    for number, begin in enumerate(range(0, len(images), CHUNK)):
        part = images[begin : begin + CHUNK]
        # the last part is filled up, so that one compiled program serves all
        filled = np.concatenate([part, np.repeat(part[-1:], CHUNK - len(part), axis=0)])
        filled_labels = [np.resize(part[begin : begin + CHUNK], CHUNK) for part in given]
        drawn = _draws(model, jnp.asarray(filled), jr.fold_in(key, number), pixels, *filled_labels)
        parts.append(np.asarray(drawn)[: len(part)])
    return np.concatenate(parts)


def _draw_part(
    model: Model,
    images: Array,
    key: PRNGKeyArray,
    pixels: Pixels,
    labels: Int[Array | np.ndarray, " images"] | None = None,
) -> Float[Array, "images latent"]:
    pixel_key, latent_key = jr.split(key)
    posteriors = jax.vmap(lambda image, label: model.posterior(image, condition=label))(
        seen(images, pixels, pixel_key), labels
    )
    return jax.vmap(lambda posterior, key: posterior.sample(key))(posteriors, jr.split(latent_key, len(images)))


_draws = jax.jit(_draw_part, static_argnames="pixels")
