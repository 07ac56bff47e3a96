"""Pixels as the model sees them.

`grey` values in [0, 1] are the tutorial's: a cross-entropy on them is a loss, not a likelihood. `dynamic` binarises afresh each time an
image is seen: every pixel is a Bernoulli draw with its grey value as probability (Burda et al. 2016; Salakhutdinov and Murray 2008).
`threshold` cuts at one half. `static` is a file of the user's that was binarised once.
"""

from typing import Literal

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8

Pixels = Literal["grey", "dynamic", "threshold", "static"]


def scaled(images: UInt8[Array, "..."] | Float[Array, "..."]) -> Float[Array, "..."]:
    """uint8 images to [0, 1]; floating-point images as they are."""
    if images.dtype == jnp.uint8:
        return images.astype(jnp.float32) * jnp.float32(1.0 / 255.0)
    return images.astype(jnp.float32)


def seen(images: Array, pixels: Pixels, key: PRNGKeyArray) -> Float[Array, "..."]:
    """Images of any shape as a model with this treatment sees them; `key` matters to `dynamic` alone."""
    grey = scaled(images)
    if pixels == "dynamic":
        return bernoulli_draw(grey, key)
    if pixels == "threshold":
        return (grey > 0.5).astype(jnp.float32)
    return grey


def bernoulli_draw(probabilities: Float[Array, "..."], key: PRNGKeyArray) -> Float[Array, "..."]:
    """One 0 or 1 a pixel. 16 random bits decide each, so a probability is exact to 1/65536, and 0 and 1 are exact."""
    size = probabilities.size
    words = jr.bits(key, ((size + 1) // 2,), jnp.uint32)
    halves = jax.lax.bitcast_convert_type(words, jnp.uint16).reshape(-1)[:size].reshape(probabilities.shape)
    threshold = jnp.round(probabilities * 65536.0).astype(jnp.uint32)
    return (halves.astype(jnp.uint32) < threshold).astype(jnp.float32)


def seen_once(images: np.ndarray, pixels: Pixels, seed: int) -> np.ndarray:
    """Held-out images as they are scored: a dynamic treatment draws them once, by the stated seed.

    Returns uint8 (0 and 255) where they are binary, so that they take no more room than before.
    """
    if pixels in ("grey", "static"):
        return images
    drawn = seen(jnp.asarray(images), pixels, jr.key(seed))
    return np.asarray(drawn * 255.0).astype(np.uint8)
