"""One scale for all pixels: fixed, learned by the optimiser, or at its optimum."""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from vaelab.families.own_pace import at_own_pace


class OptimalScale(eqx.Module):
    """exp(log_scale), which follows its optimum in training (`own_pace.py`). A density needs a floor under it; probabilities do not."""

    log_scale: Float[Array, ""]
    floor: float | None = eqx.field(static=True)
    information: float = eqx.field(static=True)  # of log_scale, for one image

    @classmethod
    def beginning_at(cls, scale: float, *, floor: float | None, entries: int, information: float) -> "OptimalScale":
        """`information` is the Fisher information of the logarithm of the scale, for one entry."""
        return cls(jnp.array(math.log(scale)), floor, entries * information)

    @property
    def log(self) -> Float[Array, ""]:
        """The logarithm of the scale."""
        found = at_own_pace(self.log_scale, jnp.float32(self.information))
        return found if self.floor is None else jnp.maximum(found, math.log(self.floor))

    def __call__(self) -> Float[Array, ""]:
        return jnp.exp(self.log)


LOGISTIC_INFORMATION = (3.0 + math.pi**2) / 9.0
"""The Fisher information of the logarithm of a logistic's scale, for one entry."""


def bounded_log_scale(head: Float[Array, "*shape"], first: float, floor: float) -> Float[Array, "*shape"]:
    """What a head says of the logarithm of a scale, told from where learning begins: not below the floor, nor above LARGEST."""
    return jnp.clip(head + math.log(first), math.log(floor), math.log(LARGEST))


LARGEST = 20.0
"""The largest scale that a decoder may give a pixel of [0, 1]: beyond it only the two ends have any mass."""
