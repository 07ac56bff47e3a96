"""The 256 levels of a pixel by a discretised logistic."""

import math
from typing import Any, ClassVar, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.densities import DiscretisedLogistic, logistic_location
from vaelab.families.base import AbstractFamily
from vaelab.families.scale import LOGISTIC_INFORMATION, OptimalScale, bounded_log_scale
from vaelab.families.settings import DiscretisedLogisticSettings
from vaelab.space import Shape, Space
from vaelab.support import LEVELS, Support


class LogisticLevels(AbstractFamily):
    """Independent discretised logistics around mean(z). Their scale is one number, fixed or at its optimum, or the decoder's for each."""

    support: ClassVar[Support] = LEVELS  # pyright: ignore[reportIncompatibleVariableOverride]
    optimal_scale: OptimalScale | None
    learned: Literal[False, "optimal", "each"] = eqx.field(static=True)
    first_scale: float = eqx.field(static=True)
    floor: float = eqx.field(static=True)
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape, *, scale: float, learned: Literal[False, "optimal", "each"], floor: float):
        self.space = Space.of_shape(shape)
        self.learned, self.first_scale, self.floor = learned, scale, floor
        self.optimal_scale = (
            OptimalScale.beginning_at(scale, floor=None, entries=self.space.size, information=LOGISTIC_INFORMATION)
            if learned == "optimal"
            else None
        )

    @classmethod
    def build(cls, settings: DiscretisedLogisticSettings, shape: Shape, *, key: PRNGKeyArray) -> "LogisticLevels":
        del key
        return cls(shape, scale=settings.beginning, learned=settings.learned, floor=settings.floor)

    def parameters(self) -> dict[str, Shape]:
        shape = self.space.shape
        return {"mean": shape, "log_scale": shape} if self.learned == "each" else {"mean": shape}

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, *, mean: Float[Array, " *shape"], log_scale: Float[Array, " *shape"] | None = None
    ) -> DiscretisedLogistic:
        """`log_scale` is told apart from where learning begins, so that a head that gives 0 gives that."""
        if log_scale is not None:
            return DiscretisedLogistic(mean, bounded_log_scale(log_scale, self.first_scale, self.floor))
        if self.optimal_scale is not None:
            return DiscretisedLogistic(mean, self.optimal_scale.log)
        return DiscretisedLogistic(mean, jnp.float32(math.log(self.first_scale)))

    def starting_bias(self, mean: Float[Array, " *shape"]) -> dict[str, Array]:
        """The locations whose levels have this mean."""
        return {"mean": logistic_location(mean, jnp.float32(math.log(self.first_scale)))}

    def own_paced(self) -> PyTree[bool]:
        return jax.tree.map(lambda _: self.optimal_scale is not None, self)

    def on_page(self) -> dict[str, Any]:
        if self.learned == "each":
            return {}
        scale = self.first_scale if self.optimal_scale is None else float(self.optimal_scale())
        return {"form": "discretised-logistic", "scale": scale}
