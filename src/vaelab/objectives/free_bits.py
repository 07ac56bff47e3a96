"""Free bits."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.draws import drawn, with_terms
from vaelab.objectives.settings import FreeBitsSettings


class FreeBits(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta sum_d max(lambda, KL_d), with KL_d of dimension d averaged over the batch.

    Kingma et al., "Improved variational inference with inverse autoregressive flow", NeurIPS 2016, eq. 15: a dimension is not pushed
    below lambda nats, so that it does not die before the decoder uses it. Over the `whole` of z it is max(lambda, KL). What the floor
    adds is shown as `floor`.
    """

    free_nats: float = eqx.field(static=True)
    by_dimension: bool = eqx.field(static=True)

    @classmethod
    def build(cls, settings: FreeBitsSettings) -> "FreeBits":
        return cls(settings.free_nats, settings.of == "dimensions")

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        found = drawn(players[MODEL], batch, keys)
        if self.by_dimension:
            assert found.terms.rate_by_entry is not None  # else refused
            kl = found.terms.rate_by_entry.mean(axis=0)
        else:
            kl = found.kl
        floor = jnp.sum(jnp.maximum(self.free_nats - kl, 0.0))
        return with_terms(found, beta, {"floor": (beta, floor)}, state)
