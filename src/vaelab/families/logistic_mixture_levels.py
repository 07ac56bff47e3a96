"""The 256 levels of a pixel by a mixture of discretised logistics."""

import math
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import DiscretisedLogisticMixture, logistic_location
from vaelab.families.base import AbstractFamily
from vaelab.families.places import channels_of, places_of, spread_over
from vaelab.families.scale import bounded_log_scale
from vaelab.families.settings import LogisticMixtureSettings
from vaelab.space import Shape, Space
from vaelab.support import LEVELS, Support


class LogisticMixtureLevels(AbstractFamily):
    """At each place of the image a mixture of K discretised logistics; which of them it is, its channels share."""

    support: ClassVar[Support] = LEVELS  # pyright: ignore[reportIncompatibleVariableOverride]
    components: int = eqx.field(static=True)
    first_scale: float = eqx.field(static=True)
    floor: float = eqx.field(static=True)
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape, *, components: int, scale: float, floor: float):
        self.space = Space.of_shape(shape)
        self.components, self.first_scale, self.floor = components, scale, floor

    @classmethod
    def build(cls, settings: LogisticMixtureSettings, shape: Shape, *, key: PRNGKeyArray) -> "LogisticMixtureLevels":
        del key
        return cls(shape, components=settings.components, scale=settings.beginning, floor=settings.floor)

    def parameters(self) -> dict[str, Shape]:
        places, each = places_of(self.space.shape), channels_of(self.space.shape) * self.components
        return {"logits": (*places, self.components), "mean": (*places, each), "log_scale": (*places, each)}

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, *, logits: Float[Array, "..."], mean: Float[Array, "..."], log_scale: Float[Array, "..."]
    ) -> DiscretisedLogisticMixture:
        by_channel = (-1, channels_of(self.space.shape), self.components)
        return DiscretisedLogisticMixture(
            logits.reshape(-1, self.components),
            mean.reshape(by_channel),
            bounded_log_scale(log_scale, self.first_scale, self.floor).reshape(by_channel),
            self.space.shape,
        )

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        """All components of a pixel begin at one place; their weights tell them apart from the first step on."""
        location = logistic_location(mean, jnp.float32(math.log(self.first_scale)))
        return {"mean": spread_over(location, self.components)}
