"""A capacity of the code that rises."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.draws import drawn
from vaelab.objectives.settings import CapacitySettings


class Capacity(AbstractObjective):
    """loss = E_q[-log p(x|z)] + gamma abs(KL - C), with the KL averaged over the batch.

    Burgess et al., "Understanding disentangling in beta-VAE", 2018, eq. 8. C rises from 0 to `capacity` as beta rises over the warm-up,
    and in cycles where that has some; beta itself weighs the KL in the loss that is shown, and nothing that is minimised.
    """

    capacity: float = eqx.field(static=True)
    gamma: float = eqx.field(static=True)
    highest_beta: float = eqx.field(static=True)

    @classmethod
    def build(cls, settings: CapacitySettings) -> "Capacity":
        return cls(settings.capacity, settings.gamma, settings.beta)

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        found = drawn(players[MODEL], batch, keys)
        risen = beta / self.highest_beta if self.highest_beta > 0.0 else jnp.float32(1.0)
        capacity = self.capacity * risen
        minimised = found.reconstruction + self.gamma * jnp.abs(found.kl - capacity)
        shown = {
            "loss": found.reconstruction + beta * found.kl,
            "reconstruction": found.reconstruction,
            "kl": found.kl,
            "capacity": capacity,
            "minimised": minimised,
        }
        return Loss({MODEL: minimised}, shown, state)
