"""Who tells two kinds of vectors apart."""

from typing import Any

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.networks.linear import Linear
from vaelab.networks.mlp import Mlp

CRITIC = "critic"
"""The player that it is."""


class Critic(eqx.Module):
    """A perceptron from a vector to the log-odds that it is a true one."""

    network: Mlp
    head: Linear

    def __init__(self, size: int, hidden: tuple[int, ...], *, key: PRNGKeyArray):
        network_key, head_key = jr.split(key)
        self.network = Mlp(size, hidden, "relu", key=network_key)
        self.head = Linear(self.network.out_shape[0], 1, key=head_key)

    def __call__(self, vector: Float[Array, " size"]) -> Float[Array, ""]:
        return self.head(self.network(vector))[0]


def telling_apart(true: Float[Array, " n"], others: Float[Array, " m"]) -> Float[Array, ""]:
    """A critic's loss in nats by its log-odds, E[-log D(true)] + E[-log(1 - D(others))]: 2 log 2 of one that guesses."""
    return taken_for_true(true) + jax.nn.softplus(others).mean()


def taken_for_true(log_odds: Float[Array, " n"]) -> Float[Array, ""]:
    """E[-log D] in nats, what those want small who would be taken for true; it does not saturate where the critic is sure.

    Goodfellow et al., "Generative adversarial nets", NeurIPS 2014, section 3.
    """
    return jax.nn.softplus(-log_odds).mean()


def by_adam(learning_rate: float) -> dict[str, dict[str, Any]]:
    """A critic's optimiser, whose first moment is short, for what it is to tell moves on as it learns."""
    return {
        CRITIC: {
            "optimiser": "adam",
            "optimiser_options": {"b1": 0.5, "b2": 0.9},
            "learning_rate": learning_rate,
        }
    }
