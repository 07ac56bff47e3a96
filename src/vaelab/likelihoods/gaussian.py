"""Gaussian pixels, of one fixed or learned scale."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import DiagonalNormal
from vaelab.likelihoods.base import AbstractLikelihood
from vaelab.networks import Linear, Mlp


class GaussianLikelihood(AbstractLikelihood):
    """p(x|z) = N(mean(z), scale^2 I), in units of the pixels as the model sees them.

    A learned scale is floor + softplus(s), one number for all pixels (the gamma of Dai and Wipf, "Diagnosing and enhancing VAE
    models", ICLR 2019): without the floor the density of data on a thin manifold has no bound.
    """

    kind: ClassVar[str] = "gaussian"
    network: Mlp
    mean: Linear
    free_scale: Float[Array, ""] | None
    scale: float = eqx.field(static=True)
    floor: float = eqx.field(static=True)
    image_shape: tuple[int, ...] = eqx.field(static=True)

    def __init__(
        self,
        network: Mlp,
        image_shape: tuple[int, ...],
        *,
        scale: float,
        learned: bool,
        floor: float,
        key: PRNGKeyArray,
    ):
        self.network = network
        self.mean = Linear(network.out_features, math.prod(image_shape), key=key)
        self.scale, self.floor = scale, floor
        self.free_scale = jnp.array(math.log(math.expm1(scale - floor))) if learned else None
        self.image_shape = image_shape

    def __call__(self, z: Float[Array, " latent"]) -> DiagonalNormal:
        mean = jnp.reshape(self.mean(self.network(z)), self.image_shape)
        scale = self.scale if self.free_scale is None else self.floor + jax.nn.softplus(self.free_scale)
        return DiagonalNormal(mean, jnp.full(self.image_shape, 2.0 * jnp.log(scale)))
