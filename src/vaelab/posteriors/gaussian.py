"""The diagonal Gaussian posterior."""

from typing import ClassVar

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import DiagonalNormal
from vaelab.networks import Linear, Mlp
from vaelab.posteriors.base import AbstractPosterior


class GaussianPosterior(AbstractPosterior):
    """q(z|x) = N(mean(x), diag(exp(log_variance(x)))), two linear heads on one network.

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, eq. 9. The log-variance is cut at BOUNDS, far outside of what
    any trained model uses: data of large values would otherwise overflow its exponential at the first step.
    """

    BOUNDS: ClassVar[tuple[float, float]] = (-30.0, 20.0)

    network: Mlp
    mean: Linear
    log_variance: Linear

    def __init__(self, network: Mlp, latent_dim: int, *, key: PRNGKeyArray):
        mean_key, variance_key = jr.split(key)
        self.network = network
        self.mean = Linear(network.out_features, latent_dim, key=mean_key)
        self.log_variance = Linear(network.out_features, latent_dim, key=variance_key)

    def __call__(self, image: Float[Array, " *image"]) -> DiagonalNormal:
        features = self.network(jnp.ravel(image))
        return DiagonalNormal(self.mean(features), jnp.clip(self.log_variance(features), *self.BOUNDS))
