"""The second stage: a VAE on the latents of a VAE."""

import math
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.conditional import AbstractConditional, ConditionalDensity
from vaelab.densities import LOG_TWO_PI, AbstractDensity, standard_normal
from vaelab.densities.kernels import log_sum_of_kernels
from vaelab.families.diagonal_gaussian import DiagonalGaussian
from vaelab.families.gaussian_pixels import GaussianPixels
from vaelab.networks.mlp import Mlp
from vaelab.priors.base import AbstractPrior, Scoring, Shapes
from vaelab.priors.settings import SecondStagePriorSettings

SMALLEST_SCALE = 0.05
"""The floor of the learned gamma, in standard deviations of the latents: so that the quadrature's grid resolves it."""

STARTING_SCALE = 0.2
"""Where gamma begins: near 1 the decoder would learn to ignore u before it learns anything else."""

NODES = {1: 4096, 2: 160}
"""Nodes an axis of the quadrature over u."""

BOUND_SAMPLES = 64
"""Importance samples of u in the bound."""


@dataclass(frozen=True)
class SecondStageArchitecture:
    """All of a second stage but its arrays."""

    latent_dim: int
    width: int = 128


class SecondStagePrior(AbstractPrior):
    """p(z) = integral of N(u; 0, I) N(y; f(u), gamma^2 I) du, y = (z - centre) / spread: itself a VAE, with q(u|y) Gaussian.

    Dai and Wipf, "Diagnosing and enhancing VAE models", ICLR 2019, section 4; u has as many dimensions as z. In one or two
    dimensions `log_prob` does the integral (`scoring` is `quadrature`); in more it is an importance-weighted lower bound
    (`scoring` is `bound`), and nothing exact follows from it.
    """

    encoder: ConditionalDensity
    decoder: ConditionalDensity
    centre: Float[Array, " latent"]
    spread: Float[Array, " latent"]
    architecture: SecondStageArchitecture = eqx.field(static=True)

    def __init__(self, architecture: SecondStageArchitecture, *, key: PRNGKeyArray):
        size, hidden = architecture.latent_dim, (architecture.width, architecture.width)
        keys = jr.split(key, 4)
        scaled = GaussianPixels((size,), scale=STARTING_SCALE, learned=True, floor=SMALLEST_SCALE)
        self.encoder = ConditionalDensity(
            Mlp(size, hidden, "relu", key=keys[0]), DiagonalGaussian((size,)), key=keys[1]
        )
        self.decoder = ConditionalDensity(Mlp(size, hidden, "relu", key=keys[2]), scaled, key=keys[3])
        self.centre, self.spread = jnp.zeros(size), jnp.ones(size)
        self.architecture = architecture

    def with_scale(
        self, centre: Float[np.ndarray, " latent"], spread: Float[np.ndarray, " latent"]
    ) -> "SecondStagePrior":
        """The second stage about `centre`, `spread` times as wide: its networks work in standard units."""
        scale = jnp.asarray(centre, jnp.float32), jnp.asarray(spread, jnp.float32)
        return eqx.tree_at(lambda prior: (prior.centre, prior.spread), self, scale)

    @classmethod
    def build(cls, settings: SecondStagePriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "SecondStagePrior":
        return cls(SecondStageArchitecture(shapes.latent_dim, settings.width), key=key)

    def settings(self) -> SecondStagePriorSettings:
        return SecondStagePriorSettings(width=self.architecture.width)

    @property
    def gamma(self) -> Float[Array, ""]:
        """The standard deviation of p(y|u), one for all u."""
        assert isinstance(self.decoder.family, GaussianPixels)
        return self.decoder.family.scale

    @property
    def latent_dim(self) -> int:
        return self.architecture.latent_dim

    @property
    def scoring(self) -> Scoring:
        return "quadrature" if self.latent_dim in NODES else "bound"

    def density(self, encoder: AbstractConditional | None = None) -> AbstractDensity:
        del encoder
        if self.latent_dim in NODES:
            return quadrature_density(self, NODES[self.latent_dim])
        return SecondStageBound(self)

    def trainable(self) -> PyTree[bool]:
        mask = jax.tree.map(eqx.is_inexact_array, self)
        return eqx.tree_at(lambda mask: (mask.centre, mask.spread), mask, (False, False))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        """U ~ N(0, I), then y ~ p(y|u): exact, with or without a density."""
        u_key, y_key = jr.split(key)
        u = jr.normal(u_key, (self.latent_dim,))
        return self.centre + self.spread * self.decoder(u).sample(y_key)


class SecondStageQuadrature(AbstractDensity):
    """The integral over u as a weighted sum over nodes: a mixture of Gaussians, so its own integral over z is one."""

    prior: SecondStagePrior
    centres: Float[Array, "nodes latent"]  # f(u_j)
    log_weights: Float[Array, " nodes"]

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        prior = self.prior
        gamma = prior.gamma
        standard = (value - prior.centre) / prior.spread
        log_kernels = log_sum_of_kernels(self.centres / gamma, standard / gamma, self.log_weights)
        log_scale = prior.latent_dim * (jnp.log(gamma) + 0.5 * LOG_TWO_PI) + jnp.sum(jnp.log(prior.spread))
        return log_kernels - log_scale

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        return self.prior.sample(key)


def quadrature_density(prior: SecondStagePrior, nodes: int) -> SecondStageQuadrature:
    """The density by so many nodes an axis, evenly over the ball of radius 5.5, which holds all but 3e-7 of N(0, I) in two dimensions."""
    radius = 5.5
    axis = (np.arange(nodes) + 0.5) / nodes * 2.0 * radius - radius
    grid = np.stack(np.meshgrid(*[axis] * prior.latent_dim, indexing="ij"), axis=-1).reshape(-1, prior.latent_dim)
    grid = grid[np.sum(grid**2, axis=1) <= radius**2]
    log_density = -0.5 * np.sum(grid**2, axis=1)
    log_weights = log_density - np.log(np.exp(log_density).sum())
    centres = jax.vmap(lambda u: prior.decoder(u).centre)(jnp.asarray(grid, jnp.float32))
    return SecondStageQuadrature(prior, centres, jnp.asarray(log_weights, jnp.float32))


class SecondStageBound(AbstractDensity):
    """log 1/K sum_k p(y|u_k) p(u_k) / q(u_k|y) <= log p(y) in expectation, with one fixed set of noise for every z.

    Burda, Grosse and Salakhutdinov, "Importance weighted autoencoders", ICLR 2016, eq. 8.
    """

    prior: SecondStagePrior

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        prior = self.prior
        standard = (value - prior.centre) / prior.spread
        posterior = prior.encoder(standard)
        first = standard_normal(prior.latent_dim)

        def log_weight(key: PRNGKeyArray) -> Float[Array, ""]:
            u = posterior.sample(key)
            return prior.decoder(u).log_prob(standard) + first.log_prob(u) - posterior.log_prob(u)

        log_weights = jax.vmap(log_weight)(jr.split(jr.key(0), BOUND_SAMPLES))
        return jax.nn.logsumexp(log_weights) - math.log(BOUND_SAMPLES) - jnp.sum(jnp.log(prior.spread))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        return self.prior.sample(key)
