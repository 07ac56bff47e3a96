"""Gaussian pixels, of one fixed or learned scale."""

import math
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import IsotropicNormal
from vaelab.families.base import AbstractFamily
from vaelab.families.settings import GaussianLikelihoodSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class GaussianPixels(AbstractFamily):
    """N(mean(z), scale^2 I), in units of the pixels as the model sees them.

    A learned scale is floor + softplus(s), one number for all pixels (the gamma of Dai and Wipf, "Diagnosing and enhancing VAE
    models", ICLR 2019): without the floor the density of data on a thin manifold has no bound.
    """

    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    free_scale: Float[Array, ""] | None
    fixed_scale: float = eqx.field(static=True)
    floor: float = eqx.field(static=True)
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape, *, scale: float, learned: bool, floor: float):
        self.free_scale = jnp.array(math.log(math.expm1(scale - floor))) if learned else None
        self.fixed_scale, self.floor = scale, floor
        self.space = Space.of_shape(shape)

    @classmethod
    def build(cls, settings: GaussianLikelihoodSettings, shape: Shape, *, key: PRNGKeyArray) -> "GaussianPixels":
        del key
        scale = 1.0 if settings.scale == "auto" else settings.scale  # what no data have resolved
        return cls(shape, scale=scale, learned=settings.learned, floor=settings.floor)

    @property
    def scale(self) -> Float[Array, ""]:
        """The standard deviation of every pixel."""
        if self.free_scale is None:
            return jnp.float32(self.fixed_scale)
        return self.floor + jax.nn.softplus(self.free_scale)

    def parameters(self) -> dict[str, Shape]:
        return {"mean": self.space.shape}

    def __call__(self, *, mean: Float[Array, " *shape"]) -> IsotropicNormal:  # pyright: ignore[reportIncompatibleMethodOverride]
        return IsotropicNormal(mean, self.scale)

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        return {"mean": mean}

    def on_page(self) -> dict[str, Any]:
        return {"scale": float(self.scale)}
