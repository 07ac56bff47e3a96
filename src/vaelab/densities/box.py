"""The box in which a density has nearly all of its mass."""

from statistics import NormalDist

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Float

from vaelab.densities.base import AbstractDensity, sample_many
from vaelab.densities.full_normal import FullNormal
from vaelab.densities.mixture import Mixture
from vaelab.densities.normal import DiagonalNormal

OUTSIDE = 1e-6
"""The share of the density that may lie outside the box."""
DRAWS = 20_000


def box_of(density: AbstractDensity, size: int) -> tuple[Float[np.ndarray, " size"], Float[np.ndarray, " size"]]:
    """Lower and upper corner of a box that holds all but OUTSIDE of a density over vectors of `size` numbers.

    Gaussians and their mixtures by their quantiles; others by the extremes of 20,000 draws, widened by half their spread.
    """
    if isinstance(density, DiagonalNormal | FullNormal):
        return _corners(np.asarray(density.mean)[None], _sigmas(density)[None], size)
    if isinstance(density, Mixture) and isinstance(density.components, DiagonalNormal | FullNormal):
        counted = np.asarray(density.log_weights) > np.log(0.1 * OUTSIDE / density.log_weights.shape[0])
        return _corners(np.asarray(density.components.mean)[counted], _sigmas(density.components)[counted], size)
    draws = np.asarray(sample_many(density, jr.key(0), DRAWS))
    low, high = draws.min(axis=0), draws.max(axis=0)
    return low - 0.5 * draws.std(axis=0), high + 0.5 * draws.std(axis=0)


def _sigmas(density: DiagonalNormal | FullNormal) -> np.ndarray:
    """Standard deviations of the marginals."""
    if isinstance(density, DiagonalNormal):
        return np.exp(0.5 * np.asarray(density.log_variance))
    return np.asarray(jnp.sqrt(jnp.sum(density.scale**2, axis=-1)))


def _corners(mean: np.ndarray, sigma: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    # both tails of every dimension together hold OUTSIDE at most
    reach = -NormalDist().inv_cdf(OUTSIDE / (2 * size)) * sigma
    return (mean - reach).min(axis=0), (mean + reach).max(axis=0)
