"""Log-densities of many points under many components, in pieces that fit in memory.

An aggregate posterior has a component for every training image, and is asked for its density at tens of thousands of points: 10^9
pairs. Points come in chunks, components in blocks, and the logarithm of the sum runs along.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from vaelab.batching import in_batches, in_blocks
from vaelab.densities import (
    EXACT_DIMENSIONS,
    LOG_TWO_PI,
    AbstractDensity,
    DiagonalNormal,
    Mixture,
    log_probs_by_products,
    of_each,
    rows_of,
    stack_size,
)

POINTS, COMPONENTS = 1024, 8192  # 32 MB of log-densities at once

VALUES, OF_A_PAIR = 2**23, 64
"""Numbers at once where components are no diagonal Gaussians: a pair of a point and a component takes so many, or as many as z has."""


def log_probs(density: AbstractDensity, points: Float[np.ndarray, "points latent"]) -> Float[np.ndarray, " points"]:
    """log p (nats) at each of many points, chunked; mixtures of diagonal Gaussians by one pass of matrix products, other mixtures
    by blocks of their components.
    """
    points = np.asarray(points, np.float32)
    if len(points) == 0:
        return np.zeros(0, np.float32)
    mixture = isinstance(density, Mixture)
    size = min(POINTS, len(points)) if mixture else min(8192, len(points))
    compute = _mixture_log_probs if mixture else _any_log_probs
    return in_batches(lambda rows: compute(density, rows), points, rows=size)


@jax.jit
def _any_log_probs(density: AbstractDensity, points: Float[Array, "points latent"]) -> Float[Array, " points"]:
    return jax.vmap(density.log_prob)(points)


@jax.jit
def _mixture_log_probs(density: Mixture, points: Float[Array, "points latent"]) -> Float[Array, " points"]:
    return mixture_log_prob_of_points(density, points)


def prior_log_probs(density: AbstractDensity, z: Float[Array, "points latent"]) -> Float[Array, " points"]:
    """log p of a few points at once under any density, for use inside a jitted function."""
    if isinstance(density, Mixture):
        return mixture_log_prob_of_points(density, z)
    return jax.vmap(density.log_prob)(z)


def mixture_log_prob_of_points(density: Mixture, points: Float[Array, "points latent"]) -> Float[Array, " points"]:
    """log sum_k w_k p_k(z) at each point, for use inside a jitted function.

    One block of components where they are few; otherwise a scan over blocks, the last filled up with components of weight 0.
    """
    components = density.components
    if not isinstance(components, DiagonalNormal):
        return _of_any_components(density, points)
    if len(components.mean) <= COMPONENTS:
        return jax.nn.logsumexp(
            _pairwise(points, density.log_weights, components.mean, components.log_variance), axis=1
        )
    log_weights = in_blocks(density.log_weights, COMPONENTS, filler=-jnp.inf)
    mean, log_variance = in_blocks(components.mean, COMPONENTS), in_blocks(components.log_variance, COMPONENTS)

    def add(total: Array, block: tuple[Array, Array, Array]) -> tuple[Array, None]:
        here = jax.nn.logsumexp(_pairwise(points, *block), axis=1)
        return jnp.logaddexp(total, here), None

    nothing = jnp.full(points.shape[0], -jnp.inf, points.dtype)
    return jax.lax.scan(add, nothing, (log_weights, mean, log_variance))[0]


def _of_any_components(density: Mixture, points: Float[Array, "points latent"]) -> Float[Array, " points"]:
    """A component at a time meets all points: of a Gaussian that is one triangular solve of many right-hand sides."""
    count = stack_size(density.components)
    together = max(1, VALUES // (len(points) * max(points.shape[1], OF_A_PAIR)))

    def of(log_weights: Array, components: AbstractDensity) -> Float[Array, "components points"]:
        return log_weights[:, None] + of_each(lambda one: jax.vmap(one.log_prob)(points), components)

    if count <= together:
        return jax.nn.logsumexp(of(density.log_weights, density.components), axis=0)
    places = in_blocks(
        jnp.arange(count), together, filler=count - 1
    )  # the last block is filled up with the last component, of weight 0
    log_weights = in_blocks(density.log_weights, together, filler=-jnp.inf)

    def add(total: Array, block: tuple[Array, Array]) -> tuple[Array, None]:
        log_weights, places = block
        return jnp.logaddexp(
            total, jax.nn.logsumexp(of(log_weights, rows_of(density.components, places)), axis=0)
        ), None

    nothing = jnp.full(points.shape[0], -jnp.inf, points.dtype)
    return jax.lax.scan(add, nothing, (log_weights, places))[0]


def _pairwise(
    points: Float[Array, "points latent"],
    log_weights: Float[Array, " components"],
    mean: Float[Array, "components latent"],
    log_variance: Float[Array, "components latent"],
) -> Float[Array, "points components"]:
    """log w_k + log N(z_i; m_k, diag(v_k)) for each i, k."""
    latent = points.shape[1]
    if latent > EXACT_DIMENSIONS:
        components = DiagonalNormal(mean, log_variance)
        return log_weights[None] + jax.vmap(lambda point: log_probs_by_products(components, point))(points)
    inverse = jnp.exp(-log_variance)
    constant = log_weights - 0.5 * (latent * LOG_TWO_PI + jnp.sum(log_variance, axis=1))
    square = jnp.zeros((points.shape[0], mean.shape[0]), points.dtype)
    for d in range(latent):
        square += (points[:, d, None] - mean[None, :, d]) ** 2 * inverse[None, :, d]
    return constant[None] - 0.5 * square
