"""The mixture of densities of one family."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.densities.base import AbstractDensity
from vaelab.densities.normal import LOG_TWO_PI, DiagonalNormal
from vaelab.densities.stacks import of_each, rows_of

EXACT_DIMENSIONS = 8
"""Up to here a mixture's squares are summed difference by difference; beyond, by matrix products, whose rounding no longer matters
beside the 10 nats and more that such densities spread over."""


class Mixture(AbstractDensity):
    """Sum_k weight_k p_k(x), the components stacked along a leading axis of one density's arrays (`stacks.py`)."""

    log_weights: Float[Array, " components"]  # normalised: logsumexp is 0
    components: AbstractDensity

    def component_log_probs(self, value: Float[Array, " dim"]) -> Float[Array, " components"]:
        """log weight_k + log p_k(x), for each k."""
        if isinstance(self.components, DiagonalNormal) and value.shape[-1] > EXACT_DIMENSIONS:
            return self.log_weights + log_probs_by_products(self.components, value)
        return self.log_weights + of_each(lambda component: component.log_prob(value), self.components)

    def log_prob(self, value: Float[Array, " dim"]) -> Float[Array, ""]:
        return jax.nn.logsumexp(self.component_log_probs(value))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " dim"]:
        which_key, value_key = jr.split(key)
        which = jr.categorical(which_key, self.log_weights)
        return rows_of(self.components, which).sample(value_key)

    def shared(self) -> PyTree[bool]:
        return eqx.tree_at(lambda it: it.components, jax.tree.map(lambda _: False, self), self.components.shared())


def log_probs_by_products(components: DiagonalNormal, value: Float[Array, " dim"]) -> Float[Array, " components"]:
    """log N(x; m_k, diag(v_k)) for each k of stacked components, by two products: sum_i (x_i - m_ki)^2 / v_ki, multiplied out.

    Under `vmap` these are matrix products, and so are their gradients: for 500 components and 100 values of 40 entries 34 times
    as fast as the squares of all differences (`benchmarks/mixture_densities.py`). The price is a rounding of about 1e-6 of
    (m / sigma)^2; the centre of the components is taken off first, so that their spread counts and not where they lie.
    """
    centre = jax.lax.stop_gradient(components.mean.mean(axis=0))
    mean, value = components.mean - centre[None], value - centre
    precision = jnp.exp(-components.log_variance)
    weighted = mean * precision
    multiply = partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)
    square = multiply(precision, value**2) - 2.0 * multiply(weighted, value) + jnp.sum(mean * weighted, axis=1)
    return -0.5 * (value.shape[0] * LOG_TWO_PI + jnp.sum(components.log_variance, axis=1) + square)
