"""Bernoulli pixels."""

import math
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import Bernoulli
from vaelab.likelihoods.base import AbstractLikelihood
from vaelab.networks import Linear, Mlp


class BernoulliLikelihood(AbstractLikelihood):
    """Independent Bernoulli pixels. On grey values its negative log is the binary cross-entropy: a loss, not a likelihood."""

    kind: ClassVar[str] = "bernoulli"
    network: Mlp
    logits: Linear
    image_shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, network: Mlp, image_shape: tuple[int, ...], *, key: PRNGKeyArray):
        self.network = network
        self.logits = Linear(network.out_features, math.prod(image_shape), key=key)
        self.image_shape = image_shape

    def __call__(self, z: Float[Array, " latent"]) -> Bernoulli:
        return Bernoulli(jnp.reshape(self.logits(self.network(z)), self.image_shape))  # pyright: ignore[reportCallIssue]
