"""The box of latent space over which an integral is taken: nearly all of the prior, and every posterior."""

from statistics import NormalDist

import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Float

from vaelab.densities import AbstractDensity, DiagonalNormal, FullNormal, Mixture, sample_many

OUTSIDE = 1e-6
"""The share of the prior that may lie outside the box."""
POSTERIOR_SIGMAS = 6.0
DRAWS = 20_000
FARTHEST = 4.0
"""Posteriors that lie so many times the prior's own reach from its middle do not widen the box."""


def latent_box(
    prior: AbstractDensity, mean: Float[np.ndarray, "images latent"], log_variance: Float[np.ndarray, "images latent"]
) -> tuple[Float[np.ndarray, " latent"], Float[np.ndarray, " latent"]]:
    """Lower and upper corner of a box with all but 1e-6 of the prior and every posterior N(mean, exp(log_variance)) to 6 sigma.

    A posterior far from the prior (at more than four times its reach) is left out: it would make any lattice over the box coarse.

    Gaussians and their mixtures by their quantiles; other priors by the extremes of 20,000 draws, widened by half their spread (an
    integral over the box then shows how much of the prior it holds).
    """
    latent = mean.shape[1]
    reach = POSTERIOR_SIGMAS * np.exp(0.5 * log_variance)
    prior_low, prior_high = _prior_box(prior, latent)
    middle, farthest = 0.5 * (prior_low + prior_high), 0.5 * FARTHEST * (prior_high - prior_low)
    low = np.maximum(np.minimum(prior_low, (mean - reach).min(axis=0)), middle - farthest)
    high = np.minimum(np.maximum(prior_high, (mean + reach).max(axis=0)), middle + farthest)
    return low.astype(np.float64), high.astype(np.float64)


def _prior_box(prior: AbstractDensity, latent: int) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(prior, DiagonalNormal | FullNormal):
        return _corners(np.asarray(prior.mean)[None], _sigmas(prior)[None], latent)
    if isinstance(prior, Mixture) and isinstance(prior.components, DiagonalNormal | FullNormal):
        counted = np.asarray(prior.log_weights) > np.log(0.1 * OUTSIDE / prior.log_weights.shape[0])
        return _corners(np.asarray(prior.components.mean)[counted], _sigmas(prior.components)[counted], latent)
    draws = np.asarray(sample_many(prior, jr.key(0), DRAWS))
    low, high = draws.min(axis=0), draws.max(axis=0)
    return low - 0.5 * draws.std(axis=0), high + 0.5 * draws.std(axis=0)


def _sigmas(density: DiagonalNormal | FullNormal) -> np.ndarray:
    """Standard deviations of the marginals."""
    if isinstance(density, DiagonalNormal):
        return np.exp(0.5 * np.asarray(density.log_variance))
    return np.asarray(jnp.sqrt(jnp.sum(density.scale**2, axis=-1)))


def _corners(mean: np.ndarray, sigma: np.ndarray, latent: int) -> tuple[np.ndarray, np.ndarray]:
    # both tails of every dimension together hold OUTSIDE at most
    reach = -NormalDist().inv_cdf(OUTSIDE / (2 * latent)) * sigma
    return (mean - reach).min(axis=0), (mean + reach).max(axis=0)
