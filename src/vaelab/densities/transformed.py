"""A Gaussian sent through invertible steps."""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.densities.base import AbstractCentredDensity
from vaelab.densities.normal import DiagonalNormal


class AbstractStep(eqx.Module):
    """An invertible map of vectors whose Jacobian has a determinant that is quick to have, and positive."""

    @abstractmethod
    def forward(self, z: Float[Array, " dim"]) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        """f(z), and log det df/dz."""

    @abstractmethod
    def inverse(self, value: Float[Array, " dim"]) -> Float[Array, " dim"]:
        """The z with f(z) = value; differentiable in the step's arrays and in the value."""

    def shared(self) -> PyTree[bool]:
        """True for each array that the steps of all densities of a family have in common."""
        return jax.tree.map(lambda _: False, self)


class Transformed(AbstractCentredDensity):
    """z_T = f_T(... f_1(z_0)), z_0 ~ N(mean, diag(exp(log_variance))).

    log q(z_T) = log N(z_0) - sum_t log det df_t / dz_t-1 (Rezende and Mohamed, "Variational inference with normalizing flows", ICML 2015,
    eq. 13). A draw knows its own; of any other value z_0 is found by inverting the steps, exactly. The centre is where the Gaussian's own
    goes: not the mean, which has no closed form.
    """

    draws_and_scores_at_once: ClassVar[bool] = True
    quick_elsewhere: ClassVar[bool] = False
    centre_is_mean: ClassVar[bool] = False
    base: DiagonalNormal
    steps: tuple[AbstractStep, ...]

    @property
    def centre(self) -> Float[Array, " dim"]:
        return self._sent(self.base.mean)[0]

    def sample(self, key: PRNGKeyArray) -> Float[Array, " dim"]:
        return self._sent(self.base.sample(key))[0]

    def sample_and_log_prob(self, key: PRNGKeyArray) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        first = self.base.sample(key)
        value, log_determinant = self._sent(first)
        return value, self.base.log_prob(first) - log_determinant

    def log_prob(self, value: Float[Array, " dim"]) -> Float[Array, ""]:
        for step in reversed(self.steps):
            value = step.inverse(value)
        return self.base.log_prob(value) - self._sent(value)[1]

    def shared(self) -> PyTree[bool]:
        mask = jax.tree.map(lambda _: False, self)
        return eqx.tree_at(lambda it: it.steps, mask, tuple(step.shared() for step in self.steps))

    def _sent(self, z: Float[Array, " dim"]) -> tuple[Float[Array, " dim"], Float[Array, ""]]:
        total = jnp.zeros(())
        for step in self.steps:
            z, log_determinant = step.forward(z)
            total = total + log_determinant
        return z, total
