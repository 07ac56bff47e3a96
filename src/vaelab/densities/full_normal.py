"""The Gaussian of any covariance."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity
from vaelab.densities.normal import LOG_TWO_PI

WRITTEN_OUT = 8
"""Up to here sums over dimensions are written out: for many points under many components a general solver is slow."""


class FullNormal(AbstractCentredDensity):
    """A Gaussian with any covariance L L^T, by its lower Cholesky factor `scale` (positive diagonal)."""

    mean: Float[Array, " dim"]
    scale: Float[Array, "dim dim"]

    @property
    def centre(self) -> Float[Array, " dim"]:
        return self.mean

    @property
    def marginal_log_variance(self) -> Float[Array, " dim"]:
        """Of each entry by itself: the diagonal of L L^T."""
        return jnp.log(jnp.sum(self.scale**2, axis=1))

    def log_prob(self, value: Float[Array, " dim"]) -> Float[Array, ""]:
        white = _solved(self.scale, value - self.mean)
        log_determinant = jnp.sum(jnp.log(jnp.diagonal(self.scale)))
        return -0.5 * jnp.sum(LOG_TWO_PI + white**2) - log_determinant

    def sample(self, key: PRNGKeyArray) -> Float[Array, " dim"]:
        return self.mean + self.scale @ jr.normal(key, self.mean.shape, self.mean.dtype)


def _solved(scale: Float[Array, "dim dim"], value: Float[Array, " dim"]) -> Float[Array, " dim"]:
    """L^-1 v, in few dimensions by forward substitution written out: for many points under many components a general solver is slow."""
    size = value.shape[0]
    if size > WRITTEN_OUT:
        return jax.scipy.linalg.solve_triangular(scale, value, lower=True)
    solved: list[Array] = []
    for row in range(size):
        known = sum((scale[row, column] * solved[column] for column in range(row)), jnp.zeros((), value.dtype))
        solved.append((value[row] - known) / scale[row, row])
    return jnp.stack(solved)
