"""No spread at all: the codes of a plain autoencoder."""

from typing import ClassVar

import equinox as eqx
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import Delta
from vaelab.families.base import AbstractFamily
from vaelab.families.settings import DeterministicPosteriorSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class PointMass(AbstractFamily):
    """All mass at one code."""

    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape):
        self.space = Space.of_shape(shape)

    @classmethod
    def build(cls, settings: DeterministicPosteriorSettings, shape: Shape, *, key: PRNGKeyArray) -> "PointMass":
        del settings, key
        return cls(shape)

    def parameters(self) -> dict[str, Shape]:
        return {"mean": self.space.shape}

    def __call__(self, *, mean: Float[Array, " *shape"]) -> Delta:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Delta(mean)
