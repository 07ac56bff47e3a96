"""Continuous Bernoulli pixels: the proper likelihood for grey values."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import ContinuousBernoulli
from vaelab.families.base import AbstractFamily
from vaelab.families.settings import ContinuousBernoulliSettings
from vaelab.space import Shape, Space
from vaelab.support import UNIT_INTERVAL, Support


class ContinuousBernoulliPixels(AbstractFamily):
    """Independent continuous Bernoulli pixels (Loaiza-Ganem and Cunningham, NeurIPS 2019).

    The density at a black or a white pixel grows without bound with the logit, so the logits are bounded, smoothly, to
    (-LOGIT_BOUND, LOGIT_BOUND) by b tanh(l / b). The picture shown is the mean, not the parameter.
    """

    LOGIT_BOUND: ClassVar[float] = 50.0
    support: ClassVar[Support] = UNIT_INTERVAL  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape):
        self.space = Space.of_shape(shape)

    @classmethod
    def build(
        cls, settings: ContinuousBernoulliSettings, shape: Shape, *, key: PRNGKeyArray
    ) -> "ContinuousBernoulliPixels":
        del settings, key
        return cls(shape)

    def parameters(self) -> dict[str, Shape]:
        return {"logits": self.space.shape}

    def __call__(self, *, logits: Float[Array, " *shape"]) -> ContinuousBernoulli:  # pyright: ignore[reportIncompatibleMethodOverride]
        return ContinuousBernoulli(self.LOGIT_BOUND * jnp.tanh(logits / self.LOGIT_BOUND))

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        """The Bernoulli's logit of each pixel's mean, kept away from 0 and 1: near enough, for the mean of this density is none of it."""
        return {"logits": jax.scipy.special.logit(jnp.clip(mean, 1e-3, 1.0 - 1e-3))}

    def on_page(self) -> dict[str, Any]:
        return {"form": "continuous-bernoulli"}
