"""Laplace pixels of one scale: fixed, or at its optimum."""

from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.densities import IsotropicLaplace
from vaelab.families.base import AbstractFamily
from vaelab.families.scale import OptimalScale
from vaelab.families.settings import LaplaceSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class LaplacePixels(AbstractFamily):
    """Laplace(mean(z), scale), in units of the pixels as the model sees them: errors count by their size, not by its square.

    An optimal scale follows the mean absolute error, above its floor.
    """

    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    optimal_scale: OptimalScale | None
    fixed_scale: float = eqx.field(static=True)
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape, *, scale: float, learned: Literal[False, "optimal"], floor: float):
        self.space = Space.of_shape(shape)
        self.fixed_scale = scale
        self.optimal_scale = (
            OptimalScale.beginning_at(scale, floor=floor, entries=self.space.size, information=1.0) if learned else None
        )

    @classmethod
    def build(cls, settings: LaplaceSettings, shape: Shape, *, key: PRNGKeyArray) -> "LaplacePixels":
        del key
        return cls(shape, scale=settings.beginning, learned=settings.learned, floor=settings.floor)

    @property
    def scale(self) -> Float[Array, ""]:
        """The scale of every pixel; its standard deviation is the root of 2 times that."""
        return jnp.float32(self.fixed_scale) if self.optimal_scale is None else self.optimal_scale()

    def parameters(self) -> dict[str, Shape]:
        return {"mean": self.space.shape}

    def __call__(self, *, mean: Float[Array, " *shape"]) -> IsotropicLaplace:  # pyright: ignore[reportIncompatibleMethodOverride]
        return IsotropicLaplace(mean, self.scale)

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        return {"mean": mean}

    def own_paced(self) -> PyTree[bool]:
        return jax.tree.map(lambda _: self.optimal_scale is not None, self)

    def on_page(self) -> dict[str, Any]:
        return {"form": "laplace", "scale": float(self.scale)}
