"""Who tells two kinds of vectors apart, and what objectives with such a player beside the model have in common."""

from typing import Any

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.model import Model
from vaelab.networks.linear import Linear
from vaelab.networks.mlp import Mlp
from vaelab.objectives.base import AbstractObjective
from vaelab.objectives.settings import AdversarialSettings, FactorSettings

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


class AbstractWithCriticOfCodes(AbstractObjective):
    """An objective with a `Critic` of codes beside the model, whose say has a `weight`."""

    weight: float = eqx.field(static=True)
    widths: tuple[int, ...] = eqx.field(static=True)  # of the critic's hidden layers
    rate: float = eqx.field(static=True)  # its learning rate

    @classmethod
    def build(cls, settings: AdversarialSettings | FactorSettings) -> "AbstractWithCriticOfCodes":
        return cls(settings.weight, settings.critic, settings.critic_rate)

    def players(self, model: Model, *, key: PRNGKeyArray) -> dict[str, eqx.Module]:
        return {CRITIC: Critic(model.latent_dim, self.widths, key=key)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return by_adam(self.rate)


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
