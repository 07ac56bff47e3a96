"""The mixture of Gaussians, learned with the model or fitted afterwards."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.conditional import AbstractConditional
from vaelab.densities import DiagonalNormal, FullNormal, Mixture
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.settings import MixturePriorSettings

Covariance = Literal["diagonal", "full"]

WIDE = 0.5
"""The least variance that a component begins with."""


class MixturePrior(AbstractPrior):
    """p(z) = sum_k w_k N(z; m_k, L_k L_k^T), w = softmax(logits).

    The scale L_k has the diagonal exp(log_scales_k); below it stands `lower_k` for a full covariance, and nothing for a diagonal
    one. It begins spread over N(0, I): every component has variance s^2 = max(K^(-2/d), 1/2), and the means are drawn from
    N(0, (1 - s^2) I): mixed, they have the covariance I. With K^(-2/d) the components would tile the volume of the unit ball; in few
    dimensions they are wider than that, and overlap, for narrow ones hold the codes where they first fell.
    """

    logits: Float[Array, " components"]
    means: Float[Array, "components latent"]
    log_scales: Float[Array, "components latent"]
    lower: Float[Array, "components latent latent"] | None
    latent_dim: int = eqx.field(static=True)

    def __init__(self, latent_dim: int, components: int, covariance: Covariance, *, key: PRNGKeyArray):
        variance = min(max(components ** (-2.0 / latent_dim), WIDE), 0.99)
        self.logits = jnp.zeros(components)
        self.means = (1.0 - variance) ** 0.5 * jr.normal(key, (components, latent_dim))
        self.log_scales = jnp.full((components, latent_dim), 0.5 * float(np.log(variance)))
        self.lower = jnp.zeros((components, latent_dim, latent_dim)) if covariance == "full" else None
        self.latent_dim = latent_dim

    @classmethod
    def build(cls, settings: MixturePriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "MixturePrior":
        return cls(shapes.latent_dim, settings.components, settings.covariance, key=key)

    def settings(self) -> MixturePriorSettings:
        return MixturePriorSettings(
            components=self.components, covariance="full" if self.lower is not None else "diagonal"
        )

    @property
    def components(self) -> int:
        return self.logits.shape[0]

    @classmethod
    def of(
        cls,
        weights: Float[np.ndarray, " components"],
        means: Float[np.ndarray, "components latent"],
        scales: Float[np.ndarray, "components latent latent"],
    ) -> "MixturePrior":
        """The mixture with these weights, means and lower Cholesky factors of the covariances."""
        components, latent_dim = means.shape
        blank = cls(latent_dim, components, "full", key=jr.key(0))
        values = (
            np.log(np.maximum(weights, 1e-30)),
            means,
            np.log(np.diagonal(scales, axis1=1, axis2=2)),
            np.tril(scales, -1),
        )
        parameters = tuple(jnp.asarray(value, jnp.float32) for value in values)
        return eqx.tree_at(lambda prior: (prior.logits, prior.means, prior.log_scales, prior.lower), blank, parameters)

    def density(self, encoder: AbstractConditional | None = None) -> Mixture:
        del encoder
        log_weights = jax.nn.log_softmax(self.logits)
        if self.lower is None:
            return Mixture(log_weights, DiagonalNormal(self.means, 2.0 * self.log_scales))

        def component(mean: Array, log_scale: Array, lower: Array) -> FullNormal:
            return FullNormal(mean, jnp.tril(lower, -1) + jnp.diag(jnp.exp(log_scale)))

        return Mixture(log_weights, jax.vmap(component)(self.means, self.log_scales, self.lower))
