"""A family whose z is a tree with a map in it: half of the numbers as rows and columns, half as a vector."""

from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import AbstractCentredDensity, DiagonalNormal
from vaelab.errors import VaelabError
from vaelab.families.base import AbstractFamily
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class TwoNormals(AbstractCentredDensity):
    """Independent Gaussians over `map` and `vector`."""

    map: DiagonalNormal
    vector: DiagonalNormal

    @property
    def centre(self) -> dict[str, Array]:
        return {"map": self.map.mean, "vector": self.vector.mean}

    @property
    def marginal_log_variance(self) -> dict[str, Array]:
        return {"map": self.map.log_variance, "vector": self.vector.log_variance}

    def log_prob(self, value: dict[str, Array]) -> Float[Array, ""]:
        return self.map.log_prob(value["map"]) + self.vector.log_prob(value["vector"])

    def sample(self, key: PRNGKeyArray) -> dict[str, Array]:
        first, second = jr.split(key)
        return {"map": self.map.sample(first), "vector": self.vector.sample(second)}


class MapAndVector(AbstractFamily):
    """z = {map: (n, 2, 1), vector: (2 n,)} for `latent_dim` = 4 n."""

    support: ClassVar[Support] = REALS
    space: Space = eqx.field(static=True)

    @classmethod
    def build(cls, settings: Any, shape: Shape, *, key: PRNGKeyArray) -> "MapAndVector":
        del settings, key
        (size,) = shape
        if size % 4:
            raise VaelabError(f"model.latent_dim: map-and-vector takes a multiple of 4; found {size}")
        return cls(Space.of({"map": (size // 4, 2, 1), "vector": (size // 2,)}))

    def parameters(self) -> dict[str, Shape]:
        shapes = self.space.tree_of_shapes
        return {f"{name}_{what}": shape for name, shape in shapes.items() for what in ("mean", "log_variance")}

    def __call__(self, **numbers: Array) -> TwoNormals:
        both = {
            name: DiagonalNormal(numbers[f"{name}_mean"], jnp.clip(numbers[f"{name}_log_variance"], -30.0, 20.0))
            for name in ("map", "vector")
        }
        return TwoNormals(**both)
