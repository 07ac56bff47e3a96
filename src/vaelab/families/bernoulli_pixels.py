"""Bernoulli pixels."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import Bernoulli
from vaelab.families.base import AbstractFamily
from vaelab.families.settings import BernoulliSettings
from vaelab.space import Shape, Space
from vaelab.support import BINARY, Support


class BernoulliPixels(AbstractFamily):
    """Independent Bernoulli pixels. On grey values its negative log is the binary cross-entropy: a loss, not a likelihood."""

    support: ClassVar[Support] = BINARY  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape):
        self.space = Space.of_shape(shape)

    @classmethod
    def build(cls, settings: BernoulliSettings, shape: Shape, *, key: PRNGKeyArray) -> "BernoulliPixels":
        del settings, key
        return cls(shape)

    def parameters(self) -> dict[str, Shape]:
        return {"logits": self.space.shape}

    def __call__(self, *, logits: Float[Array, " *shape"]) -> Bernoulli:  # pyright: ignore[reportIncompatibleMethodOverride]
        return Bernoulli(logits)

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        """The logit of each pixel's mean, kept away from 0 and 1."""
        return {"logits": jax.scipy.special.logit(jnp.clip(mean, 1e-3, 1.0 - 1e-3))}

    def on_page(self) -> dict[str, Any]:
        return {"form": "bernoulli"}
