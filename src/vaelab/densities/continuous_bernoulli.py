"""Continuous Bernoulli pixels."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity


class ContinuousBernoulli(AbstractCentredDensity):
    """A proper density for grey pixels in [0, 1]: p(x) = C(l) exp(l x), by its logits l.

    With lambda = sigmoid(l): p(x) = C lambda^x (1 - lambda)^(1 - x), C = 2 artanh(1 - 2 lambda) / (1 - 2 lambda), and C(1/2) = 2
    (Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in variational autoencoders", NeurIPS 2019,
    eqs. 5 and 6). In logits the normaliser is log C - softplus(l) = log(l / (e^l - 1)); near l = 0 its Taylor series is used.
    """

    logits: Float[Array, " *shape"]

    @property
    def log_normaliser(self) -> Float[Array, " *shape"]:
        """log( l / (e^l - 1) ), elementwise; at l = 0 it is 0."""
        logits = self.logits
        near_zero = jnp.abs(logits) < 0.1
        safe = jnp.where(near_zero, 1.0, logits)
        size = jnp.abs(safe)
        # l / (e^l - 1) = |l| e^(-|l|) / (1 - e^(-|l|)) for l > 0, and |l| / (1 - e^(-|l|)) for l < 0
        exact = jnp.log(size) - jnp.maximum(safe, 0.0) - jnp.log(-jnp.expm1(-size))
        series = -logits / 2 - logits**2 / 24 + logits**4 / 2880
        return jnp.where(near_zero, series, exact)

    @property
    def mean(self) -> Float[Array, " *shape"]:
        return continuous_bernoulli_mean(self.logits)

    @property
    def centre(self) -> Float[Array, " *shape"]:
        return self.mean

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return jnp.sum(value * self.logits + self.log_normaliser)

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return jnp.sum(seen * (value * self.logits + self.log_normaliser))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        """By the inverse of the distribution function, x = log(1 + u (e^l - 1)) / l."""
        uniform = jr.uniform(key, self.logits.shape, self.logits.dtype)
        near_zero = jnp.abs(self.logits) < 1e-3
        safe = jnp.where(near_zero, 1.0, self.logits)
        size = jnp.abs(safe)
        # for l > 0 by symmetry, 1 - x of the draw for -l: no exponential that overflows
        below = -jnp.log1p(uniform * jnp.expm1(-size)) / size
        draw = jnp.where(safe > 0, 1.0 - below, below)
        return jnp.where(near_zero, uniform, jnp.clip(draw, 0.0, 1.0))


@jax.jit
def continuous_bernoulli_mean(logits: Float[Array, " *shape"]) -> Float[Array, " *shape"]:
    """E[x] = 1 / (1 - e^(-l)) - 1 / l, and 1/2 at l = 0 (Loaiza-Ganem and Cunningham 2019, eq. 8, in logits)."""
    near_zero = jnp.abs(logits) < 0.1
    safe = jnp.where(near_zero, 1.0, logits)
    size = jnp.abs(safe)
    above = -1.0 / jnp.expm1(-size) - 1.0 / size
    exact = jnp.where(safe > 0, above, 1.0 - above)
    series = 0.5 + logits / 12 - logits**3 / 720 + logits**5 / 30240
    return jnp.where(near_zero, series, exact)
