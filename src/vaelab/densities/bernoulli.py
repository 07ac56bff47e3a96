"""Bernoulli pixels."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.base import AbstractCentredDensity


class Bernoulli(AbstractCentredDensity):
    """Independent Bernoulli pixels, by their logits; grey values in [0, 1] are taken as expectations.

    log p(x) = sum_i [ x_i l_i - softplus(l_i) ], minus the binary cross-entropy. A density only for x in {0, 1}.
    """

    logits: Float[Array, " *shape"]

    @property
    def mean(self) -> Float[Array, " *shape"]:
        return jax.nn.sigmoid(self.logits)

    @property
    def centre(self) -> Float[Array, " *shape"]:
        return self.mean

    def log_prob(self, value: Float[Array, " *shape"]) -> Float[Array, ""]:
        # flat: a batch of rows of 784 is summed faster than one of 28 x 28
        return jnp.sum(_bernoulli_log_prob(jnp.ravel(self.logits), jnp.ravel(value)))

    def log_prob_where(self, seen: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, ""]:
        return jnp.sum(seen * _bernoulli_log_prob(self.logits, value))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " *shape"]:
        return jr.bernoulli(key, self.mean).astype(self.logits.dtype)


@jax.custom_jvp
def _bernoulli_log_prob(logits: Float[Array, " *shape"], value: Float[Array, " *shape"]) -> Float[Array, " *shape"]:
    """x l - softplus(l), elementwise, with softplus(l) = max(l, 0) + log(1 + e^-|l|)."""
    return value * logits - jnp.maximum(logits, 0.0) - jnp.log(1.0 + jnp.exp(-jnp.abs(logits)))


@_bernoulli_log_prob.defjvp
def _bernoulli_log_prob_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    """The gradient is x - sigmoid(l): one exponential, where that of a general softplus takes several."""
    logits, value = primals
    logits_tangent, value_tangent = tangents
    gradient = (value - jax.nn.sigmoid(logits)) * logits_tangent + logits * value_tangent
    return _bernoulli_log_prob(logits, value), gradient
