"""Gaussians whose entries are independent."""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity

LOG_TWO_PI = 1.8378770664093453


class DiagonalNormal(AbstractCentredDensity):
    """A Gaussian with independent entries: N(mean, exp(log_variance)), any shape.

    log p(x) = -1/2 sum_i [ log 2 pi + log_variance_i + (x_i - mean_i)^2 / exp(log_variance_i) ].
    """

    mean: Float[Array, " *shape"]
    log_variance: Float[Array, " *shape"]

    @property
    def centre(self) -> Float[Array, " *shape"]:
        return self.mean

    @property
    def marginal_log_variance(self) -> Float[Array, " *shape"]:
        return self.log_variance

    @property
    def standard_deviation(self) -> Float[Array, " *shape"]:
        return jnp.exp(0.5 * self.log_variance)

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        square = (value - self.mean) ** 2 * jnp.exp(-self.log_variance)
        return -0.5 * jnp.sum(LOG_TWO_PI + self.log_variance + square)

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        square = (value - self.mean) ** 2 * jnp.exp(-self.log_variance)
        return -0.5 * jnp.sum(seen * (LOG_TWO_PI + self.log_variance + square))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        return self.mean + self.standard_deviation * jr.normal(key, self.mean.shape, self.mean.dtype)


class IsotropicNormal(AbstractCentredDensity):
    """N(mean, scale^2 I), any shape: one scale for all entries.

    log p(x) = -1/2 sum_i [ log 2 pi + 2 log scale + (x_i - mean_i)^2 / scale^2 ].
    """

    mean: Float[Array, " *shape"]
    scale: Float[Array, ""]

    @property
    def centre(self) -> Float[Array, " *shape"]:
        return self.mean

    @property
    def marginal_log_variance(self) -> Float[Array, " *shape"]:
        return jnp.full(self.mean.shape, 2.0 * jnp.log(self.scale))

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return DiagonalNormal(self.mean, self.marginal_log_variance).log_prob(value)

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return DiagonalNormal(self.mean, self.marginal_log_variance).log_prob_where(seen, value)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        return DiagonalNormal(self.mean, self.marginal_log_variance).sample(key)


def standard_normal(size: int) -> DiagonalNormal:
    """N(0, I) in `size` dimensions."""
    return DiagonalNormal(jnp.zeros(size), jnp.zeros(size))
