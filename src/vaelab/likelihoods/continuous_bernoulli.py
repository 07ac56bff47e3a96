"""Continuous Bernoulli pixels: the proper likelihood for grey values."""

import math
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import ContinuousBernoulli
from vaelab.likelihoods.base import AbstractLikelihood
from vaelab.networks import Linear, Mlp


class ContinuousBernoulliLikelihood(AbstractLikelihood):
    """Independent continuous Bernoulli pixels (Loaiza-Ganem and Cunningham, NeurIPS 2019).

    The density at a black or a white pixel grows without bound with the logit, so the logits are bounded, smoothly, to
    (-LOGIT_BOUND, LOGIT_BOUND) by b tanh(l / b). The picture shown is the mean, not the parameter.
    """

    LOGIT_BOUND: ClassVar[float] = 50.0
    kind: ClassVar[str] = "continuous-bernoulli"

    network: Mlp
    logits: Linear
    image_shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(self, network: Mlp, image_shape: tuple[int, ...], *, key: PRNGKeyArray):
        self.network = network
        self.logits = Linear(network.out_features, math.prod(image_shape), key=key)
        self.image_shape = image_shape

    def __call__(self, z: Float[Array, " latent"]) -> ContinuousBernoulli:
        logits = self.logits(self.network(z))
        bounded = self.LOGIT_BOUND * jnp.tanh(logits / self.LOGIT_BOUND)
        return ContinuousBernoulli(jnp.reshape(bounded, self.image_shape))  # pyright: ignore[reportCallIssue]
