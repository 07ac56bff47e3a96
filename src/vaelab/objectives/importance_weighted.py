"""The importance-weighted bound."""

import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.model import Model, elbo_terms
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss, of_the_model
from vaelab.objectives.settings import ImportanceWeightedSettings
from vaelab.objectives.terms import dropout_key


class ImportanceWeighted(AbstractObjective):
    """loss = -log 1/k sum_i w_i, with w_i = p(x|z_i) p(z_i) / q(z_i|x) and z_i ~ q(z|x).

    Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, eq. 8. The bound has no exact parts:
    `reconstruction` is -log p(x|z) averaged by the normalised weights, and `kl` is what is left of the loss. While beta is below 1
    the weights are p(x|z) (p(z) / q(z|x))^beta. Held-out images are scored by the same bound.
    """

    samples: int = eqx.field(static=True)

    @classmethod
    def build(cls, settings: ImportanceWeightedSettings) -> "ImportanceWeighted":
        return cls(settings.samples)

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        return of_the_model(self._terms(players[MODEL], batch, beta, keys, in_training=True), state)

    def score(
        self, model: Model, batch: Batch, beta: Float[Array, ""], keys: Key[Array, " batch"]
    ) -> dict[str, Float[Array, " batch"]]:
        return self._terms(model, batch, beta, keys, in_training=False)

    def _terms(
        self,
        model: Model,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
        *,
        in_training: bool,
    ) -> dict[str, Float[Array, " batch"]]:
        prior = model.prior_density()

        def one_image(image: Array, key: PRNGKeyArray, label: Array | None) -> tuple[Array, Array]:
            terms = jax.vmap(lambda key: elbo_terms(model, prior, image, key, label, dropout_key(key, in_training)))(
                jr.split(key, self.samples)
            )
            assert terms.log_weight is not None
            log_ratio = terms.log_weight - terms.reconstruction  # log p(z) - log q(z|x)
            log_weights = terms.reconstruction + beta * log_ratio
            share = jax.lax.stop_gradient(jax.nn.softmax(log_weights))
            return math.log(self.samples) - jax.nn.logsumexp(log_weights), -jnp.sum(share * terms.reconstruction)

        loss, reconstruction = jax.vmap(one_image)(batch.images, keys, batch.labels)
        kl = (loss - reconstruction) / jnp.maximum(beta, 1e-6)
        return {"loss": loss, "reconstruction": reconstruction, "kl": kl}
