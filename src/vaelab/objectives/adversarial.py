"""A critic that tells codes from draws of the prior."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.model import Model
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.critic import CRITIC, Critic, by_adam, taken_for_true, telling_apart
from vaelab.objectives.draws import drawn, drawn_from_prior, with_terms
from vaelab.objectives.settings import AdversarialSettings


class Adversarial(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta KL + weight E_q(z)[-log D(z)], and the critic D tells draws of p(z) from codes.

    With beta = 0 it is the adversarial autoencoder of Makhzani et al., "Adversarial autoencoders", 2015, section 2, with the encoder's
    loss that does not saturate. A learned prior moves by the KL alone: the critic sees its draws as they are.
    """

    weight: float = eqx.field(static=True)
    widths: tuple[int, ...] = eqx.field(static=True)
    rate: float = eqx.field(static=True)

    @classmethod
    def build(cls, settings: AdversarialSettings) -> "Adversarial":
        return cls(settings.weight, settings.critic, settings.critic_rate)

    def players(self, model: Model, *, key: PRNGKeyArray) -> dict[str, eqx.Module]:
        return {CRITIC: Critic(model.latent_dim, self.widths, key=key)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return by_adam(self.rate)

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
