"""The kernel density estimate."""

import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.conditional import AbstractConditional
from vaelab.densities import LOG_TWO_PI, AbstractDensity
from vaelab.densities.kernels import log_sum_of_kernels
from vaelab.priors.base import AbstractPrior, Scoring, Shapes
from vaelab.priors.settings import KernelPriorSettings


class KernelPrior(AbstractPrior):
    """p(z) = 1/N sum_n N(z; z_n, diag(bandwidth^2)): a Gaussian kernel on each of N draws z_n ~ q(z|x_n)."""

    points: Float[Array, "draws latent"]
    bandwidth: Float[Array, " latent"]

    def __init__(self, points: Float[Array, "draws latent"], bandwidth: Float[Array, " latent"]):
        self.points, self.bandwidth = points, bandwidth

    @classmethod
    def build(cls, settings: KernelPriorSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "KernelPrior":
        del key
        return cls(jnp.zeros((settings.draws, shapes.latent_dim)), jnp.ones(shapes.latent_dim))

    def settings(self) -> KernelPriorSettings:
        return KernelPriorSettings(draws=self.points.shape[0])

    @property
    def latent_dim(self) -> int:
        return self.points.shape[1]

    @property
    def scoring(self) -> Scoring:
        return "quadrature"

    def density(self, encoder: AbstractConditional | None = None) -> "KernelDensity":
        del encoder
        return KernelDensity(self.points, self.bandwidth)


class KernelDensity(AbstractDensity):
    """Exact, but each `log_prob` visits all N points, a chunk at a time."""

    points: Float[Array, "draws latent"]
    bandwidth: Float[Array, " latent"]

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        count, latent_dim = self.points.shape
        log_kernels = log_sum_of_kernels(self.points / self.bandwidth[None], value / self.bandwidth)
        return log_kernels - jnp.log(float(count)) - 0.5 * latent_dim * LOG_TWO_PI - jnp.sum(jnp.log(self.bandwidth))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        which_key, noise_key = jr.split(key)
        centre = self.points[jr.randint(which_key, (), 0, self.points.shape[0])]
        return centre + self.bandwidth * jr.normal(noise_key, centre.shape, centre.dtype)
