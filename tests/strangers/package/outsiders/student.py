"""A prior with heavy tails and a learned scale."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jax.scipy.special import gammaln
from jaxtyping import Array, Float, PRNGKeyArray

from outsiders.settings import StudentSettings
from vaelab.conditional import AbstractConditional
from vaelab.densities import AbstractDensity
from vaelab.priors.base import AbstractPrior, Shapes


class Student(AbstractDensity):
    """Student's t in each dimension, independent: log p(z) = sum_i log t_nu(z_i / s_i) - log s_i."""

    log_scale: Float[Array, " latent"]
    freedom: float = eqx.field(static=True)

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        nu = self.freedom
        constant = gammaln((nu + 1.0) / 2.0) - gammaln(nu / 2.0) - 0.5 * jnp.log(nu * jnp.pi)
        square = (value * jnp.exp(-self.log_scale)) ** 2
        return jnp.sum(constant - (nu + 1.0) / 2.0 * jnp.log1p(square / nu) - self.log_scale)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        return jnp.exp(self.log_scale) * jr.t(key, self.freedom, self.log_scale.shape)


class StudentPrior(AbstractPrior):
    """p(z) of independent Student's t of one fixed number of degrees of freedom, each of its own learned scale."""

    log_scale: Float[Array, " latent"]
    freedom: float = eqx.field(static=True)

    @classmethod
    def build(cls, settings: StudentSettings, shapes: Shapes, *, key: PRNGKeyArray) -> "StudentPrior":
        del key
        return cls(jnp.zeros(shapes.latent_dim), settings.freedom)

    def settings(self) -> StudentSettings:
        return StudentSettings(freedom=self.freedom)

    @property
    def latent_dim(self) -> int:
        return self.log_scale.shape[0]

    def density(self, encoder: AbstractConditional | None = None) -> Student:
        del encoder
        return Student(self.log_scale, self.freedom)
