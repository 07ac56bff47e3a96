"""The Gaussian posterior of any covariance."""

from functools import lru_cache
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PRNGKeyArray

from vaelab.densities import FullNormal
from vaelab.families.base import AbstractFamily
from vaelab.families.diagonal_gaussian import DiagonalGaussian
from vaelab.families.settings import FullGaussianPosteriorSettings
from vaelab.space import Shape, Space
from vaelab.support import REALS, Support


class FullGaussian(AbstractFamily):
    """N(mean, L L^T), L lower triangular: L_ii = s_i, L_ij = s_i lower_ij for j < i, s = exp(log_variance / 2), all by the network.

    Kingma and Welling, "An introduction to variational autoencoders", 2019, section 2.5.1. Here a row of the factor is in units of its own
    diagonal, so that `lower` says how z_i leans on those before it, however wide it is: given them, z_i has the variance s_i^2. Both are
    cut far outside of what any trained model uses, `log_variance` as that of a diagonal posterior.
    """

    STEEPEST: ClassVar[float] = 30.0
    support: ClassVar[Support] = REALS  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)

    @classmethod
    def build(cls, settings: FullGaussianPosteriorSettings, shape: Shape, *, key: PRNGKeyArray) -> "FullGaussian":
        del settings, key
        return cls(Space.of_shape(shape))

    def parameters(self) -> dict[str, Shape]:
        size = self.space.size
        return {"mean": (size,), "log_variance": (size,)} | ({"lower": (size * (size - 1) // 2,)} if size > 1 else {})

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        *,
        mean: Float[Array, " dim"],
        log_variance: Float[Array, " dim"],
        lower: Float[Array, " below"] | None = None,
    ) -> FullNormal:
        below = jnp.zeros(0) if lower is None else jnp.clip(lower, -self.STEEPEST, self.STEEPEST)
        rows = jnp.concatenate([below, jnp.array([0.0, 1.0])])[_places(self.space.size)]
        return FullNormal(mean, jnp.exp(0.5 * jnp.clip(log_variance, *DiagonalGaussian.BOUNDS))[:, None] * rows)


@lru_cache
def _places(size: int) -> Int[np.ndarray, "dim dim"]:
    """Of each entry of a unit lower triangular matrix among the entries below the diagonal, row by row, and after them 0 and 1."""
    below = size * (size - 1) // 2
    places = np.full((size, size), below)
    places[np.tril_indices(size, -1)] = np.arange(below)
    np.fill_diagonal(places, below + 1)
    return places
