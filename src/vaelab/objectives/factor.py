"""The total correlation as a critic tells it."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.objectives.base import MODEL, Batch, Loss
from vaelab.objectives.critic import CRITIC, AbstractWithCriticOfCodes, telling_apart
from vaelab.objectives.draws import drawn, with_terms


class Factor(AbstractWithCriticOfCodes):
    """loss = E_q[-log p(x|z)] + beta KL + weight E_q(z)[log D(z) - log(1 - D(z))], which is the total correlation for the best critic D.

    Kim and Mnih, "Disentangling by factorising", ICML 2018, eq. 3 and algorithm 2. The critic tells codes from codes whose dimensions were
    each shuffled over images. As there, the two are of different images: here of the two halves of a batch.
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
        log_odds = critic(found.z)
        fixed, half = jax.lax.stop_gradient(found.z), len(found.z) // 2
        shuffled = permuted_dimensions(fixed[half:], jr.fold_in(keys[0], 3))
        told = telling_apart(critic(fixed[:half]), critic(shuffled))
        return with_terms(
            found, beta, {"total_correlation": (self.weight, log_odds.mean())}, state, players={CRITIC: told}
        )


def permuted_dimensions(z: Float[Array, "batch latent"], key: PRNGKeyArray) -> Float[Array, "batch latent"]:
    """Each dimension shuffled over the batch by itself: draws of prod_d q(z_d). Algorithm 1 of the paper."""
    return jr.permutation(key, z, axis=0, independent=True)
