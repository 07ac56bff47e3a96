"""The root of a rising function of one number."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

HALVINGS = 30


def rising_root(
    rises: Callable[[Float[Array, ""]], Float[Array, ""]], low: Float[Array, ""], high: Float[Array, ""]
) -> Float[Array, ""]:
    """Where a rising function is 0, between `low` and `high`, by 30 halvings: to the last bit or two of the interval's length.

    No gradient goes through it: the caller takes one step of Newton's from here, whose gradient is that of the root.
    """

    def halve(_: Any, ends: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = ends
        middle = 0.5 * (low + high)
        below = rises(middle) < 0.0
        return jnp.where(below, middle, low), jnp.where(below, high, middle)

    low, high = jax.lax.fori_loop(0, HALVINGS, halve, jax.lax.stop_gradient((low, high)))
    return jax.lax.stop_gradient(0.5 * (low + high))
