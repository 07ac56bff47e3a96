"""The kernel density estimate."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.conditional import AbstractConditional
from vaelab.densities import LOG_TWO_PI, AbstractDensity
from vaelab.priors.base import AbstractPrior, Scoring
from vaelab.priors.settings import KernelPriorSettings


class KernelPrior(AbstractPrior):
    """p(z) = 1/N sum_n N(z; z_n, diag(bandwidth^2)): a Gaussian kernel on each of N draws z_n ~ q(z|x_n)."""

    points: Float[Array, "draws latent"]
    bandwidth: Float[Array, " latent"]

    def __init__(self, points: Float[Array, "draws latent"], bandwidth: Float[Array, " latent"]):
        self.points, self.bandwidth = points, bandwidth

    @classmethod
    def build(
        cls, settings: KernelPriorSettings, latent_dim: int, image_shape: tuple[int, ...], *, key: PRNGKeyArray
    ) -> "KernelPrior":
        del image_shape, key
        return cls(jnp.zeros((settings.draws, latent_dim)), jnp.ones(latent_dim))

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


CHUNK = 512


def log_sum_of_kernels(
    points: Float[Array, "draws latent"],
    value: Float[Array, " latent"],
    log_weights: Float[Array, " draws"] | None = None,
) -> Float[Array, ""]:
    """Log sum_n w_n exp(-|value - point_n|^2 / 2), by a running maximum over chunks: memory does not grow with the points.

    The weights are 1 unless given; they are finite.
    """
    count, latent_dim = points.shape
    chunks = -(-count // CHUNK)
    if log_weights is None:
        log_weights = jnp.zeros(count)
    padded = jnp.pad(points, ((0, chunks * CHUNK - count), (0, 0))).reshape(chunks, CHUNK, latent_dim)
    weights = jnp.pad(log_weights, (0, chunks * CHUNK - count), constant_values=-jnp.inf).reshape(chunks, CHUNK)

    def add(carry: tuple[Array, Array], chunk: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        highest, total = carry
        here, log_weight = chunk
        exponents = log_weight - 0.5 * jnp.sum((here - value[None]) ** 2, axis=1)
        # every chunk holds a point, so its maximum is finite; the shift cancels and needs no gradient
        new = jax.lax.stop_gradient(jnp.maximum(highest, exponents.max()))
        return (new, total * jnp.exp(highest - new) + jnp.sum(jnp.exp(exponents - new))), None

    start = (jnp.full((), -jnp.inf), jnp.zeros(()))
    (highest, total), _ = jax.lax.scan(add, start, (padded, weights))
    return highest + jnp.log(total)
