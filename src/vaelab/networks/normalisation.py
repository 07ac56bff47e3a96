"""Group normalisation."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

GROUP = 8
"""Channels of a group."""
SMALLEST_VARIANCE = 1e-5


class GroupNorm(eqx.Module):
    """y = (x - mean) / sqrt(variance + 1e-5) * weight + bias, over all places and a group of 8 channels of ONE map.

    Wu and He, "Group normalization", ECCV 2018, eqs. 1, 2 and 7. What one image becomes never depends on another, as it would by the
    statistics of a batch. Channels that are no multiple of 8 are one group.
    """

    weight: Float[Array, " channels"]
    bias: Float[Array, " channels"]

    def __init__(self, channels: int):
        self.weight = jnp.ones(channels)
        self.bias = jnp.zeros(channels)

    def __call__(self, x: Float[Array, "height width channels"]) -> Float[Array, "height width channels"]:
        return vaelab_group_norm(x, self.weight, self.bias)


@jax.jit
def vaelab_group_norm(
    x: Float[Array, "height width channels"], weight: Float[Array, " channels"], bias: Float[Array, " channels"]
) -> Float[Array, "height width channels"]:
    """By its name a reader of jaxprs knows it (`graph/`)."""
    height, width, channels = x.shape
    group = GROUP if channels % GROUP == 0 else channels
    grouped = jnp.reshape(x, (height, width, channels // group, group))
    centred = grouped - grouped.mean(axis=(0, 1, 3), keepdims=True)
    variance = jnp.square(centred).mean(axis=(0, 1, 3), keepdims=True)
    normal = jnp.reshape(centred * jax.lax.rsqrt(variance + SMALLEST_VARIANCE), x.shape)
    return normal * weight[None, None] + bias[None, None]
