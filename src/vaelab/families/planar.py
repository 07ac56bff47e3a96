"""The posterior of planar flows."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import DiagonalNormal
from vaelab.densities.planar_step import PlanarStep
from vaelab.densities.transformed import Transformed
from vaelab.families.base import AbstractFamily
from vaelab.families.diagonal_gaussian import DiagonalGaussian
from vaelab.families.settings import PlanarSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class Planar(AbstractFamily):
    """A diagonal Gaussian through planar steps, each with u, w and b by the network for each image.

    Rezende and Mohamed, "Variational inference with normalizing flows", ICML 2015, section 4.1.
    """

    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)
    steps: int = eqx.field(static=True)

    @classmethod
    def build(cls, settings: PlanarSettings, shape: Shape, *, key: PRNGKeyArray) -> "Planar":
        del key
        return cls(Space.of_shape(shape), settings.steps)

    def parameters(self) -> dict[str, Shape]:
        size, steps = self.space.size, self.steps
        return {"mean": (size,), "log_variance": (size,), "u": (steps, size), "w": (steps, size), "b": (steps,)}

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *,
        mean: Float[Array, " dim"],
        log_variance: Float[Array, " dim"],
        u: Float[Array, "steps dim"],
        w: Float[Array, "steps dim"],
        b: Float[Array, " steps"],
    ) -> Transformed:
        base = DiagonalNormal(mean, jnp.clip(log_variance, *DiagonalGaussian.BOUNDS))
        return Transformed(base, tuple(PlanarStep(u[t], w[t], b[t]) for t in range(self.steps)))
