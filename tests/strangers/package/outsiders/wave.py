"""A network: sines of affine maps of the input."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from outsiders.settings import WaveSettings
from vaelab.networks.base import AbstractNetwork
from vaelab.space import Shape, Space


class Wave(AbstractNetwork):
    """sin(W x + b), with W ~ N(0, 1 / in) and b uniform over a period."""

    frequencies: Float[Array, "in waves"]
    phases: Float[Array, " waves"]
    given: Space = eqx.field(static=True)
    out_shape: Shape = eqx.field(static=True)

    @classmethod
    def build(cls, settings: WaveSettings, given: Space, *, key: PRNGKeyArray) -> "Wave":
        first, second = jr.split(key)
        frequencies = jr.normal(first, (given.size, settings.waves)) / given.size**0.5
        phases = jr.uniform(second, (settings.waves,), maxval=2.0 * jnp.pi)
        return cls(frequencies, phases, given, (settings.waves,))

    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " waves"]:
        del condition, key
        return jnp.sin(self.given.flat(given) @ self.frequencies + self.phases)
