"""A critic that tells codes from draws of the prior."""

from collections.abc import Mapping
from typing import Any

import jax
from jaxtyping import Array, Float, Key, PyTree

from vaelab.objectives.base import MODEL, Batch, Loss
from vaelab.objectives.critic import CRITIC, AbstractWithCriticOfCodes, taken_for_true, telling_apart
from vaelab.objectives.draws import drawn, drawn_from_prior, with_terms


class Adversarial(AbstractWithCriticOfCodes):
    """loss = E_q[-log p(x|z)] + beta KL + weight E_q(z)[-log D(z)], and the critic D tells draws of p(z) from codes.

    With beta = 0 it is the adversarial autoencoder of Makhzani et al., "Adversarial autoencoders", 2015, section 2, with the encoder's
    loss that does not saturate. A learned prior moves by the KL alone: the critic sees its draws as they are.
    """

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        critic = jax.vmap(players[CRITIC])
        found = drawn(players[MODEL], batch, keys)
        from_prior = jax.lax.stop_gradient(drawn_from_prior(found.prior, batch.labels, keys))
        told = telling_apart(critic(from_prior), critic(jax.lax.stop_gradient(found.z)))
        deceived = taken_for_true(critic(found.z))
        return with_terms(found, beta, {"adversarial": (self.weight, deceived)}, state, players={CRITIC: told})
