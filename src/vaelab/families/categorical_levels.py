"""The 256 levels of a pixel, each with a probability of its own."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import CategoricalLevels, logistic_level_log_probs, logistic_location
from vaelab.densities.levels import LEVELS as COUNT
from vaelab.families.base import AbstractFamily
from vaelab.families.places import channels_of, places_of
from vaelab.families.settings import CategoricalLevelsSettings
from vaelab.space import Shape, Space
from vaelab.support import LEVELS, Support


class CategoricalLevelPixels(AbstractFamily):
    """256 logits for each pixel. Where it begins at a picture, they are those of a discretised logistic."""

    support: ClassVar[Support] = LEVELS  # pyright: ignore[reportIncompatibleVariableOverride]
    first_scale: float = eqx.field(static=True)
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape, *, scale: float):
        self.space = Space.of_shape(shape)
        self.first_scale = scale

    @classmethod
    def build(cls, settings: CategoricalLevelsSettings, shape: Shape, *, key: PRNGKeyArray) -> "CategoricalLevelPixels":
        del key
        return cls(shape, scale=settings.beginning)

    def parameters(self) -> dict[str, Shape]:
        shape = self.space.shape
        return {"logits": (*places_of(shape), channels_of(shape) * COUNT)}

    def __call__(self, *, logits: Float[Array, "..."]) -> CategoricalLevels:  # pyright: ignore[reportIncompatibleMethodOverride]
        return CategoricalLevels(logits.reshape(-1, COUNT), self.space.shape)

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        log_scale = jnp.float32(math.log(self.first_scale))
        location = logistic_location(jnp.ravel(mean), log_scale)
        levels = jnp.arange(COUNT) / (COUNT - 1)
        logits = jax.vmap(
            lambda one: logistic_level_log_probs(levels, jnp.full(COUNT, one), jnp.full(COUNT, log_scale))
        )(location)
        return {"logits": logits.reshape(self.parameters()["logits"])}
