"""The covariance of the aggregate posterior, drawn to the identity."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.draws import drawn, with_terms
from vaelab.objectives.settings import DipSettings


class Dip(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta KL + a sum_{i != j} C_ij^2 + b sum_i (C_ii - 1)^2, C a covariance over the batch.

    Of the `means`, C = Cov[mu(x)] (DIP I); of the `draws`, C = Cov[mu(x)] + E[diag sigma^2(x)] (DIP II). Kumar, Sattigeri and
    Balakrishnan, "Variational inference of disentangled latent concepts from unlabeled observations", ICLR 2018, eqs. 6 and 7.
    """

    of_draws: bool = eqx.field(static=True)
    off_diagonal: float = eqx.field(static=True)
    diagonal: float = eqx.field(static=True)

    @classmethod
    def build(cls, settings: DipSettings) -> "Dip":
        return cls(settings.of == "draws", settings.off_diagonal, settings.diagonal)

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        model = players[MODEL]
        found = drawn(model, batch, keys)
        posteriors, flat = found.terms.posterior, model.latent.flat
        means = jax.vmap(lambda posterior: flat(posterior.centre))(posteriors)
        centred = means - means.mean(axis=0, keepdims=True)
        covariance = centred.T @ centred / means.shape[0]  # (latent, latent)
        if self.of_draws:
            log_variance = jax.vmap(lambda posterior: flat(posterior.marginal_log_variance))(posteriors)
            covariance = covariance + jnp.diag(jnp.exp(log_variance).mean(axis=0))
        on = jnp.diag(covariance)
        off_diagonal, diagonal = jnp.sum(covariance**2) - jnp.sum(on**2), jnp.sum((on - 1.0) ** 2)
        weighted = {"off_diagonal": (self.off_diagonal, off_diagonal), "diagonal": (self.diagonal, diagonal)}
        return with_terms(found, beta, weighted, state)
