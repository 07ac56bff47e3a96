"""The KL in three parts, each with a weight of its own."""

import math
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PyTree

from vaelab.densities import AbstractDensity
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.draws import Drawn, drawn, with_terms
from vaelab.objectives.settings import TotalCorrelationSettings


class TotalCorrelation(AbstractObjective):
    """loss = E_q[-log p(x|z)] + beta (alpha I(x; z) + b TC + gamma D), which is the ELBO where alpha = b = gamma = 1.

    The KL averaged over the images is I(x; z) + KL(q(z) || prod_d q(z_d)) + KL(prod_d q(z_d) || p(z)), q(z) being the aggregate
    posterior; under a prior that does not factorise, too.
    Chen et al., "Isolating sources of disentanglement in variational autoencoders", NeurIPS 2018, eqs. 2 and 4, with their beta for b.
    What a weight differs from 1 by is multiplied with the part's estimate, and the rest is the KL as the ELBO has it, in closed form
    where there is one. Estimates are of log q(z) from one batch and so too low, that of the whole z more than those of its entries: in
    many dimensions the total correlation that is shown is too low as well, and may be below 0.
    """

    mutual_information: float = eqx.field(static=True)
    total_correlation: float = eqx.field(static=True)
    dimensions: float = eqx.field(static=True)
    images: int | None = eqx.field(static=True)  # None: the batch's own mixture

    @classmethod
    def build(cls, settings: TotalCorrelationSettings) -> "TotalCorrelation":
        images = settings.images if settings.estimator == "stratified" else None
        return cls(settings.mutual_information, settings.total_correlation, settings.dimensions, images)

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        found = drawn(players[MODEL], batch, keys)
        parts = parts_of_kl(found, self.images)
        weights = {
            "mutual_information": self.mutual_information,
            "total_correlation": self.total_correlation,
            "dimensions_kl": self.dimensions,
        }
        weighted = {name: (beta * (weight - 1.0), parts[name]) for name, weight in weights.items()}
        return with_terms(found, beta, weighted, state)


def parts_of_kl(found: Drawn, images: int | None) -> dict[str, Float[Array, ""]]:
    """The three parts in nats; their sum is the mean of log q(z|x) - log p(z) over the batch."""
    terms = found.terms
    assert terms.log_weight is not None  # else refused
    log_posterior, log_joint, log_marginals = log_aggregates(terms.posterior, found.z, images)
    log_prior = log_posterior - (terms.reconstruction - terms.log_weight)
    log_product = log_marginals.sum(axis=1)
    return {
        "mutual_information": jnp.mean(log_posterior - log_joint),
        "total_correlation": jnp.mean(log_joint - log_product),
        "dimensions_kl": jnp.mean(log_product - log_prior),
    }


def log_aggregates(
    posteriors: AbstractDensity, z: Float[Array, "batch latent"], images: int | None
) -> tuple[Float[Array, " batch"], Float[Array, " batch"], Float[Array, "batch latent"]]:
    """log q(z_i|x_i), log q(z_i) and log q(z_id), the last two estimated from the batch's posteriors, stacked.

    `images` = N: q(z_i) = q(z_i|x_i) / N + (N - 1) / N mean_j q(z_i|x_j) over the other M - 1 images, whose expectation over batches is
    1/N sum_n q(z_i|x_n) exactly. Chen et al.'s minibatch-stratified sampling (appendix C.2) has the same expectation; it gives one of the
    others a weight of its own, here all have the same.
    None: the batch's mixture 1/M sum_j q(z_i|x_j). It is their minibatch-weighted sampling (eq. S3) but for the constant log N, which no
    gradient sees, and it takes a batch in which codes lie apart for less correlated than it is.
    """

    def entries(posterior: AbstractDensity, z: Array) -> Array:
        return jax.vmap(lambda entry, value: entry.log_prob(value))(posterior, z)

    pairs = jax.vmap(lambda z: jax.vmap(lambda posterior: entries(posterior, z))(posteriors))(z)  # (i, j, latent)
    log_weights = jnp.asarray(_log_weights(z.shape[0], images), z.dtype)
    log_joint = jax.nn.logsumexp(log_weights + pairs.sum(axis=2), axis=1)
    log_marginals = jax.nn.logsumexp(log_weights[:, :, None] + pairs, axis=1)
    return jnp.einsum("iid->i", pairs), log_joint, log_marginals


def _log_weights(batch: int, images: int | None) -> np.ndarray:
    """Of q(z_i|x_j), for each i and j; each row sums to 1."""
    if images is None:
        return np.full((batch, batch), -math.log(batch))
    others = math.log((images - 1) / (images * (batch - 1))) if images > 1 else -math.inf
    return np.where(np.eye(batch, dtype=bool), -math.log(images), others)
