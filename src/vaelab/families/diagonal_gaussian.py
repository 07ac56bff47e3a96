"""The diagonal Gaussian posterior."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities import DiagonalNormal
from vaelab.families.base import AbstractFamily
from vaelab.families.settings import GaussianPosteriorSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class DiagonalGaussian(AbstractFamily):
    """N(mean, diag(exp(log_variance))), both by the network.

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, eq. 9. The log-variance is cut at BOUNDS, far outside of what
    any trained model uses: data of large values would otherwise overflow its exponential at the first step.
    """

    BOUNDS: ClassVar[tuple[float, float]] = (-30.0, 20.0)
    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)

    def __init__(self, shape: Shape):
        self.space = Space.of_shape(shape)

    @classmethod
    def build(cls, settings: GaussianPosteriorSettings, shape: Shape, *, key: PRNGKeyArray) -> "DiagonalGaussian":
        del settings, key
        return cls(shape)

    def parameters(self) -> dict[str, Shape]:
        return {"mean": self.space.shape, "log_variance": self.space.shape}

    def __call__(self, *, mean: Float[Array, " *shape"], log_variance: Float[Array, " *shape"]) -> DiagonalNormal:  # pyright: ignore[reportIncompatibleMethodOverride]
        return DiagonalNormal(mean, jnp.clip(log_variance, *self.BOUNDS))
