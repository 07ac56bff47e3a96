"""How well the prior fits the codes: the rate split, what a better prior could gain, and how much of the prior is hole."""

import dataclasses
import math
from typing import NamedTuple

import jax.random as jr
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from vaelab.densities import AbstractDensity, DiagonalNormal, sample_many
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.bounds import MOST_HELD_OUT, MOST_TRAINING
from vaelab.evaluation.figure import Figure, counted, mean_figure, share_figure
from vaelab.evaluation.latents import per_dimension
from vaelab.evaluation.mixture_log_probs import log_probs

SATURATED = 0.5
"""Nats: a mutual information this near to log N says no more than that every image has a code of its own."""
QUANTILE = 0.01
FEWEST_CODES = 100
"""Of which a 1 % quantile can be taken at all."""


@dataclasses.dataclass(frozen=True)
class PriorFit:
    """Nats, and shares.

    - `mutual_information`: I(x; z) of held-out images, E_q[log q(z|x) - log q(z)], with q(z) the aggregate of the same images
    - `marginal_kl`: KL(q(z) || p(z)) of the same; the two add up to the rate, KL(q(z|x) || p(z)) (Hoffman and Johnson, "ELBO surgery",
      NeurIPS workshop 2016, eq. 8). Only this part can be removed by a better prior.
    - `log_images`: log N, which bounds the mutual information
    - `saturated`: the mutual information is within half a nat of that bound, so the split says little
    - `achievable_gain`: E[log q_train(z) - log p(z)] at codes of held-out images, with q_train the aggregate of the training images:
      what the prior that is the training images' own aggregate would gain in the ELBO of images it has not seen
    - `hole_fraction`: P over z ~ p of log q_train(z) < t, with t the 1 % quantile of log q_train at codes of held-out images. A perfect
      prior has 0.01. None of fewer than 100 held-out images, which have no 1 % quantile.
    - `uncovered_fraction`: its mirror, P over codes z of held-out images of log p(z) < t', with t' the 1 % quantile of log p at z ~ p:
      an over-narrow prior has no holes, and fails here. Again 0.01 for a perfect prior.

    Without training images there is no gain and no hole fraction.
    """

    mutual_information: Figure
    marginal_kl: Figure
    log_images: float
    saturated: bool
    achievable_gain: Figure | None
    hole_fraction: Figure | None
    uncovered_fraction: Figure


def prior_fit(
    prior: AbstractDensity,
    held_out: AggregatePosterior,
    training: AggregatePosterior | None,
    *,
    key: PRNGKeyArray,
    prior_draws: int = 10_000,
) -> PriorFit:
    """The fit of a prior to the posteriors of held-out images and of training images, the first 10,000 and 60,000 of them at most."""
    held_out = held_out.first(MOST_HELD_OUT)
    count = held_out.mean.shape[0]
    coverage = prior_coverage(prior, held_out, training, key=key, prior_draws=prior_draws)
    z = coverage.codes
    log_posterior = held_out.codes.log_probs(z)
    information = log_posterior - held_out.log_probs(z)
    rate = closed_form_rate(held_out, prior)
    rate = log_posterior - coverage.log_prior if rate is None else rate
    over = counted(count, "held-out image")
    log_training = coverage.log_training
    gain = None if log_training is None else mean_figure(log_training - coverage.log_prior, over)
    return PriorFit(
        mutual_information=mean_figure(information, over),
        marginal_kl=mean_figure(rate - information, over),
        log_images=math.log(count),
        saturated=bool(information.mean() > math.log(count) - SATURATED),
        achievable_gain=gain,
        hole_fraction=coverage.hole_fraction,
        uncovered_fraction=coverage.uncovered_fraction,
    )


class PriorCoverage(NamedTuple):
    """The two shares of a `PriorFit`, and what they were made of: a code of each held-out image, its log q_train(z) and log p(z)."""

    hole_fraction: Figure | None
    uncovered_fraction: Figure
    codes: Float[np.ndarray, "images latent"]
    log_training: Float[np.ndarray, " images"] | None
    log_prior: Float[np.ndarray, " images"]


def prior_coverage(
    prior: AbstractDensity,
    held_out: AggregatePosterior,
    training: AggregatePosterior | None,
    *,
    key: PRNGKeyArray,
    prior_draws: int = 10_000,
) -> PriorCoverage:
    """Where the prior is and the codes are not, and where the codes are and the prior is not."""
    held_out = held_out.first(MOST_HELD_OUT)
    posterior_key, prior_key = jr.split(key)
    z = held_out.draws(posterior_key)
    log_prior = log_probs(prior, z)
    drawn = np.asarray(sample_many(prior, prior_key, prior_draws))
    hole = log_training = None
    if training is not None:
        training = training.first(MOST_TRAINING)
        log_training = training.log_probs(z)
    if training is not None and log_training is not None and len(z) >= FEWEST_CODES:
        hole = share_below(training.log_probs(drawn), log_training, "draws of the prior and held-out images")
    uncovered = share_below(log_prior, log_probs(prior, drawn), "held-out images and draws of the prior")
    return PriorCoverage(hole, uncovered, z, log_training, log_prior)


def closed_form_rate(posteriors: AggregatePosterior, prior: AbstractDensity) -> Float[np.ndarray, " images"] | None:
    """KL(q(z|x) || p(z)) of each image where it has a closed form."""
    if isinstance(prior, DiagonalNormal) and posteriors.codes.is_diagonal:
        return per_dimension(posteriors, prior).sum(axis=1)
    found = posteriors.codes.divergences(prior)
    return None if found is None else found.astype(np.float64).sum(axis=1)


def share_below(values: Float[np.ndarray, " values"], reference: Float[np.ndarray, " reference"], over: str) -> Figure:
    """The share of `values` below the 1 % quantile of `reference`: 0.01 where both come from one distribution.

    Its error has two parts: that of a share of so many values, and that of the quantile, whose level is off by sqrt(0.01 0.99 / m) in m
    references: half of what the share moves between the quantiles so much lower and higher, which cannot leave [0, 1] as a slope would.
    """
    level_error = math.sqrt(QUANTILE * (1.0 - QUANTILE) / len(reference))
    levels = np.clip([QUANTILE, QUANTILE - level_error, QUANTILE + level_error], 0.0, 1.0)
    threshold, lower, higher = np.quantile(reference, levels)
    own = share_figure(values < threshold, over)
    assert own.standard_error is not None
    of_quantile = 0.5 * float(np.mean((values >= lower) & (values < higher)))
    return Figure(own.value, math.hypot(own.standard_error, of_quantile), over, len(values))
