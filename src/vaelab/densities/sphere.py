"""Densities on the unit sphere S^d, of d + 1 numbers, in nats with respect to its area."""

import math
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity, AbstractDensity
from vaelab.densities.spherical_integrals import angle_at, log_integral, mean_gap, variance_of_cosine


def log_area(size: int) -> float:
    """Of the unit sphere of vectors of `size` numbers: log [2 pi^(n/2) / Gamma(n/2)]."""
    return math.log(2.0) + 0.5 * size * math.log(math.pi) - math.lgamma(0.5 * size)


class UniformSphere(AbstractDensity):
    """The same density for every direction: 1 over the area of the sphere."""

    size: int = eqx.field(static=True)

    def log_prob(self, value: Float[Array, " size"]) -> Float[Array, ""]:
        return jnp.full((), -log_area(self.size), value.dtype)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " size"]:
        return _direction(jr.normal(key, (self.size,)))


class VonMisesFisher(AbstractCentredDensity):
    """q(z) = exp(kappa mu.z) / C, mu a unit vector: the density on the sphere with a mean direction and a concentration.

    Davidson, Falorsi, De Cao, Kipf and Tomczak, "Hyperspherical variational auto-encoders", UAI 2018, eqs. 4 and 5. A draw is
    cos(t) mu + sin(t) v, with v any direction across mu, equally likely, and t the angle (`spherical_integrals.py`).
    """

    centre_is_mean: ClassVar[bool] = False
    direction: Float[Array, " size"]
    concentration: Float[Array, ""]

    @property
    def centre(self) -> Float[Array, " size"]:
        return self.direction

    @property
    def marginal_log_variance(self) -> Float[Array, " size"]:
        """Of each entry: Var[cos t] mu_i^2 + E[sin^2 t] (1 - mu_i^2) / (n - 1)."""
        a, kappa = self._a, self.concentration
        gap, along = mean_gap(kappa, a), variance_of_cosine(kappa, a)
        across = (2.0 * gap - gap**2 - along) / (a + 1)
        return jnp.log(jnp.maximum(across * (1.0 - self.direction**2) + along * self.direction**2, 1e-20))

    def log_prob(self, value: Float[Array, " size"]) -> Float[Array, ""]:
        """For a value of length 1: kappa (mu.z - 1) = -kappa (z - mu).(z - mu) / 2, which keeps its digits where the two are close."""
        away = -0.5 * self.concentration * jnp.sum((value - self.direction) ** 2)
        return away - log_area(self._a + 1) - log_integral(self.concentration, self._a)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " size"]:
        share_key, across_key = jr.split(key)
        angle = angle_at(jr.uniform(share_key), self.concentration, self._a)
        across = jr.normal(across_key, self.direction.shape)
        for _ in range(2):  # noise nearly along the direction loses its digits at first
            across = _direction(across - (across @ self.direction) * self.direction)
        return jnp.cos(angle) * self.direction + jnp.sin(angle) * across

    @property
    def _a(self) -> int:
        return self.direction.shape[0] - 2


def _direction(vector: Float[Array, " size"]) -> Float[Array, " size"]:
    return vector / jnp.sqrt(jnp.maximum(jnp.sum(vector**2), 1e-30))
