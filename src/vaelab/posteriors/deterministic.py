"""No spread at all: the encoder of a plain autoencoder."""

import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import Delta
from vaelab.networks import Linear, Mlp
from vaelab.posteriors.base import AbstractPosterior


class DeterministicPosterior(AbstractPosterior):
    """q(z|x) has all its mass at one code."""

    network: Mlp
    mean: Linear

    def __init__(self, network: Mlp, latent_dim: int, *, key: PRNGKeyArray):
        self.network = network
        self.mean = Linear(network.out_features, latent_dim, key=key)

    def __call__(self, image: Float[Array, " *image"]) -> Delta:
        return Delta(self.mean(self.network(jnp.ravel(image))))
