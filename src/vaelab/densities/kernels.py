"""Sums of Gaussian kernels on many points."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.batching import in_blocks

CHUNK = 512


def log_sum_of_kernels(
    points: Float[Array, "draws latent"],
    value: Float[Array, " latent"],
    log_weights: Float[Array, " draws"] | None = None,
) -> Float[Array, ""]:
    """Log sum_n w_n exp(-|value - point_n|^2 / 2), by a running maximum over chunks: memory does not grow with the points.

    The weights are 1 unless given; they are finite.
    """
    if log_weights is None:
        log_weights = jnp.zeros(len(points))

    def add(carry: tuple[Array, Array], chunk: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        highest, total = carry
        here, log_weight = chunk
        exponents = log_weight - 0.5 * jnp.sum((here - value[None]) ** 2, axis=1)
        # every chunk holds a point, so its maximum is finite; the shift cancels and needs no gradient
        new = jax.lax.stop_gradient(jnp.maximum(highest, exponents.max()))
        return (new, total * jnp.exp(highest - new) + jnp.sum(jnp.exp(exponents - new))), None

    start = (jnp.full((), -jnp.inf), jnp.zeros(()))
    (highest, total), _ = jax.lax.scan(
        add, start, (in_blocks(points, CHUNK), in_blocks(log_weights, CHUNK, filler=-jnp.inf))
    )
    return highest + jnp.log(total)
