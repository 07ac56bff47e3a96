"""The posterior of Sylvester flows."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import DiagonalNormal
from vaelab.densities.sylvester_step import SylvesterStep
from vaelab.densities.transformed import Transformed
from vaelab.families.base import AbstractFamily
from vaelab.families.diagonal_gaussian import DiagonalGaussian
from vaelab.families.settings import SylvesterSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class Sylvester(AbstractFamily):
    """A diagonal Gaussian through Sylvester steps, each with its matrices by the network for each image.

    van den Berg et al., "Sylvester normalizing flows for variational inference", UAI 2018, section 4.2 (H-SNF). One square matrix holds
    both triangles: above its diagonal that of R, below it that of S^T. The two diagonals are bounded, so that R_ii S_ii > -0.99.
    """

    LARGEST: ClassVar[float] = 0.995
    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)
    steps: int = eqx.field(static=True)
    reflections: int = eqx.field(static=True)

    @classmethod
    def build(cls, settings: SylvesterSettings, shape: Shape, *, key: PRNGKeyArray) -> "Sylvester":
        del key
        return cls(Space.of_shape(shape), settings.steps, settings.reflections)

    def parameters(self) -> dict[str, Shape]:
        size, steps = self.space.size, self.steps
        return {
            "mean": (size,),
            "log_variance": (size,),
            "reflections": (steps, self.reflections, size),
            "triangles": (steps, size, size),
            "diagonals": (steps, 2, size),
            "b": (steps, size),
        }

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *,
        mean: Float[Array, " dim"],
        log_variance: Float[Array, " dim"],
        reflections: Float[Array, "steps reflections dim"],
        triangles: Float[Array, "steps dim dim"],
        diagonals: Float[Array, "steps two dim"],
        b: Float[Array, "steps dim"],
    ) -> Transformed:
        base = DiagonalNormal(mean, jnp.clip(log_variance, *DiagonalGaussian.BOUNDS))
        bounded = self.LARGEST * jnp.tanh(diagonals)
        steps = tuple(
            SylvesterStep(
                reflections[t],
                jnp.triu(triangles[t], 1) + jnp.diag(bounded[t, 0]),
                jnp.triu(triangles[t].T, 1) + jnp.diag(bounded[t, 1]),
                b[t],
            )
            for t in range(self.steps)
        )
        return Transformed(base, steps)
