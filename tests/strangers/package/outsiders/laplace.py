"""A family, as good for q(z|x) as for p(x|z): Laplace's double exponential, of three numbers an entry more than it needs."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import AbstractCentredDensity
from vaelab.families.base import AbstractFamily
from vaelab.settings import PartSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class Laplace(AbstractCentredDensity):
    """p(x) = prod_i exp(-|x_i - m_i| / s_i) / (2 s_i); each entry's variance is 2 s_i^2."""

    location: Float[Array, " *shape"]
    log_scale: Float[Array, " *shape"]

    @property
    def centre(self) -> Float[Array, " *shape"]:
        return self.location

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        distance = jnp.abs(value - self.location) * jnp.exp(-self.log_scale)
        return -jnp.sum(distance + self.log_scale + math.log(2.0))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        return self.location + jnp.exp(self.log_scale) * jr.laplace(key, self.location.shape)


class LaplaceFamily(AbstractFamily):
    """Location, log-scale, and a gate that closes the location: three numbers an entry, where our families have one or two."""

    support: ClassVar[Support] = REALS
    space: Space = eqx.field(static=True)

    @classmethod
    def build(cls, settings: PartSettings, shape: Shape, *, key: PRNGKeyArray) -> "LaplaceFamily":
        del settings, key
        return cls(Space.of_shape(shape))

    def parameters(self) -> dict[str, Shape]:
        return {"location": self.space.shape, "log_scale": self.space.shape, "gate": self.space.shape}

    def __call__(self, *, location: Array, log_scale: Array, gate: Array) -> Laplace:
        return Laplace(location * jax.nn.sigmoid(gate), jnp.clip(log_scale, -6.0, 3.0))
