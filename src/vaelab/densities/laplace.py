"""Laplace densities of one scale."""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity


class IsotropicLaplace(AbstractCentredDensity):
    """Independent Laplace entries around `mean`, any shape: one scale b for all of them.

    log p(x) = -sum_i [ log 2 b + abs(x_i - mean_i) / b ]. The variance of an entry is 2 b^2.
    """

    mean: Float[Array, " *shape"]
    scale: Float[Array, ""]

    @property
    def centre(self) -> Float[Array, " *shape"]:
        return self.mean

    @property
    def marginal_log_variance(self) -> Float[Array, " *shape"]:
        return jnp.full(self.mean.shape, jnp.log(2.0) + 2.0 * jnp.log(self.scale))

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return -jnp.sum(jnp.log(2.0 * self.scale) + jnp.abs(value - self.mean) / self.scale)

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return -jnp.sum(seen * (jnp.log(2.0 * self.scale) + jnp.abs(value - self.mean) / self.scale))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        return self.mean + self.scale * jr.laplace(key, self.mean.shape, self.mean.dtype)
