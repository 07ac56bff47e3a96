"""Gaussian pixels of one scale: fixed, learned, or at its optimum."""

import math
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.densities import IsotropicNormal
from vaelab.families.base import AbstractFamily
from vaelab.families.scale import OptimalScale
from vaelab.families.settings import GaussianLikelihoodSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class GaussianPixels(AbstractFamily):
    """N(mean(z), scale^2 I), in units of the pixels as the model sees them.

    A learned scale is floor + softplus(s), one number for all pixels (the gamma of Dai and Wipf, "Diagnosing and enhancing VAE
    models", ICLR 2019): without the floor the density of data on a thin manifold has no bound. An optimal scale follows the root of the
    mean squared error (Rybkin, Daniilidis and Levine, "Simple and effective VAE training with calibrated decoders", ICML 2021), above the
    same floor.
    """

    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    free_scale: Float[Array, ""] | None
    optimal_scale: OptimalScale | None
    fixed_scale: float = eqx.field(static=True)
    floor: float = eqx.field(static=True)
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape, *, scale: float, learned: bool | Literal["optimal"], floor: float):
        self.space = Space.of_shape(shape)
        optimal = learned == "optimal"
        self.free_scale = jnp.array(math.log(math.expm1(scale - floor))) if learned and not optimal else None
        self.optimal_scale = (
            OptimalScale.beginning_at(scale, floor=floor, entries=self.space.size, information=2.0) if optimal else None
        )
        self.fixed_scale, self.floor = scale, floor

    @classmethod
    def build(cls, settings: GaussianLikelihoodSettings, shape: Shape, *, key: PRNGKeyArray) -> "GaussianPixels":
        del key
        return cls(shape, scale=settings.beginning, learned=settings.learned, floor=settings.floor)

    @property
    def scale(self) -> Float[Array, ""]:
        """The standard deviation of every pixel."""
        if self.optimal_scale is not None:
            return self.optimal_scale()
        if self.free_scale is None:
            return jnp.float32(self.fixed_scale)
        return self.floor + jax.nn.softplus(self.free_scale)

    def parameters(self) -> dict[str, Shape]:
        return {"mean": self.space.shape}

    def __call__(self, *, mean: Float[Array, " *shape"]) -> IsotropicNormal:  # pyright: ignore[reportIncompatibleMethodOverride]
        return IsotropicNormal(mean, self.scale)

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        return {"mean": mean}

    def own_paced(self) -> PyTree[bool]:
        mask = jax.tree.map(lambda _: False, self)
        return mask if self.optimal_scale is None else eqx.tree_at(lambda it: it.optimal_scale.log_scale, mask, True)

    def on_page(self) -> dict[str, Any]:
        return {"form": "gaussian", "scale": float(self.scale)}
