"""The posterior on a sphere."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.sphere import VonMisesFisher
from vaelab.families.base import AbstractFamily
from vaelab.families.settings import VonMisesFisherSettings
from vaelab.space import Shape, Space
from vaelab.support import SPHERE, Support


class VonMisesFisherFamily(AbstractFamily):
    """A direction, the network's vector brought to length 1, and a concentration 1 + softplus(s), kept below a million.

    Davidson et al., "Hyperspherical variational auto-encoders", UAI 2018, section 3 and appendix: z has d + 1 numbers on S^d.
    """

    MOST: ClassVar[float] = 1e6
    support: ClassVar[Support] = SPHERE  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)

    @classmethod
    def build(cls, settings: VonMisesFisherSettings, shape: Shape, *, key: PRNGKeyArray) -> "VonMisesFisherFamily":
        del settings, key
        return cls(Space.of_shape(shape))

    def parameters(self) -> dict[str, Shape]:
        return {"direction": self.space.shape, "concentration": ()}

    def __call__(self, *, direction: Float[Array, " size"], concentration: Float[Array, ""]) -> VonMisesFisher:  # pyright: ignore[reportIncompatibleMethodOverride]
        # a vector of zeros has no direction; one of the axes then stands for it
        first = jnp.zeros_like(direction).at[0].set(1e-12)
        unit = (direction + first) / jnp.sqrt(jnp.maximum(jnp.sum((direction + first) ** 2), 1e-24))
        return VonMisesFisher(unit, jnp.minimum(1.0 + jax.nn.softplus(concentration), self.MOST))
