"""The box of latent space over which an integral is taken: nearly all of the prior, and every posterior."""

import numpy as np
from jaxtyping import Float

from vaelab.densities import AbstractDensity
from vaelab.densities.box import box_of

POSTERIOR_SIGMAS = 6.0
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
    prior_low, prior_high = box_of(prior, latent)
    middle, farthest = 0.5 * (prior_low + prior_high), 0.5 * FARTHEST * (prior_high - prior_low)
    low = np.maximum(np.minimum(prior_low, (mean - reach).min(axis=0)), middle - farthest)
    high = np.minimum(np.maximum(prior_high, (mean + reach).max(axis=0)), middle + farthest)
    return low.astype(np.float64), high.astype(np.float64)
