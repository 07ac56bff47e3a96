"""An objective with a second player: a critic tells codes from draws of the prior, and the encoder works against it."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from outsiders.settings import AdversarialSettings
from vaelab.model import Model, elbo_terms
from vaelab.networks.linear import Linear
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss


class Critic(eqx.Module):
    """The log-odds that a vector is a draw of the prior."""

    first: Linear
    last: Linear

    def __init__(self, size: int, width: int, *, key: PRNGKeyArray):
        first_key, last_key = jr.split(key)
        self.first, self.last = Linear(size, width, key=first_key), Linear(width, 1, key=last_key)

    def __call__(self, z: Float[Array, " latent"]) -> Float[Array, ""]:
        return self.last(jax.nn.relu(self.first(z)))[0]


class Adversarial(AbstractObjective):
    """E_q[-log p(x|z)] + beta (KL + the critic's loss turned round), the critic by a rate of its own.

    Makhzani et al., "Adversarial autoencoders", 2015, beside the KL.
    """

    width: int = eqx.field(static=True)

    @classmethod
    def build(cls, settings: AdversarialSettings) -> "Adversarial":
        return cls(settings.width)

    def players(self, model: Model, *, key: PRNGKeyArray) -> dict[str, eqx.Module]:
        return {"critic": Critic(model.latent_dim, self.width, key=key)}

    def optimisers(self) -> dict[str, dict[str, Any]]:
        return {"critic": {"optimiser": "adam", "optimiser_options": {}, "learning_rate": 2e-4}}

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        model, critic = players[MODEL], players["critic"]
        prior = model.prior_density()
        terms = jax.vmap(lambda image, key: elbo_terms(model, prior, image, key))(batch.images, keys)
        codes = jax.vmap(model.latent.flat)(terms.z)
        drawn = jax.vmap(prior.sample)(keys)
        against = jax.vmap(critic)(codes)
        telling = (jax.nn.softplus(against) + jax.nn.softplus(-jax.vmap(critic)(drawn))).mean()
        reconstruction, kl = -terms.reconstruction.mean(), terms.rate.mean()
        loss = reconstruction + beta * kl
        shown = {"loss": loss, "reconstruction": reconstruction, "kl": kl, "critic": telling}
        return Loss({MODEL: loss + beta * jax.nn.softplus(-against).mean(), "critic": telling}, shown, state)
