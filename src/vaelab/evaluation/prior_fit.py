"""How well the prior fits the codes: the rate split, what a better prior could gain, and how much of the prior is hole."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Float, PRNGKeyArray

from vaelab.densities import AbstractDensity, DiagonalNormal, sample_many
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.figure import Figure, mean_figure
from vaelab.evaluation.latents import per_dimension
from vaelab.evaluation.mixture_log_probs import log_probs

SATURATED = 0.5
"""Nats: a mutual information this near to log N says no more than that every image has a code of its own."""
QUANTILE = 0.01


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
      prior has 0.01.
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
    """The fit of a prior to the posteriors of held-out and of training images."""
    posterior_key, prior_key = jr.split(key)
    count = held_out.mean.shape[0]
    z = held_out.draws(posterior_key)
    log_posterior = np.asarray(_own_log_probs(held_out.mean, held_out.log_variance, jnp.asarray(z)))
    log_aggregate = held_out.log_probs(z)
    log_prior = log_probs(prior, z)
    drawn = np.asarray(sample_many(prior, prior_key, prior_draws))
    information = log_posterior - log_aggregate
    rate = closed_form_rate(held_out, prior)
    rate = log_posterior - log_prior if rate is None else rate
    over = f"{count:,} held-out images"
    gain = hole = None
    if training is not None:
        log_training = training.log_probs(z)
        gain = mean_figure(log_training - log_prior, over)
        hole = share_below(training.log_probs(drawn), log_training, "draws of the prior and held-out images")
    return PriorFit(
        mutual_information=mean_figure(information, over),
        marginal_kl=mean_figure(rate - information, over),
        log_images=math.log(count),
        saturated=bool(information.mean() > math.log(count) - SATURATED),
        achievable_gain=gain,
        hole_fraction=hole,
        uncovered_fraction=share_below(log_prior, log_probs(prior, drawn), "held-out images and draws of the prior"),
    )


def closed_form_rate(posteriors: AggregatePosterior, prior: AbstractDensity) -> Float[np.ndarray, " images"] | None:
    """KL(q(z|x) || p(z)) of each image where it has a closed form."""
    if not isinstance(prior, DiagonalNormal):
        return None
    return per_dimension(posteriors, prior).sum(axis=1)


def share_below(values: Float[np.ndarray, " values"], reference: Float[np.ndarray, " reference"], over: str) -> Figure:
    """The share of `values` below the 1 % quantile of `reference`: 0.01 where both come from one distribution.

    Its error has two parts: that of a share of so many values, and that of the quantile, which moves the share by about
    share / 0.01 for each unit of its own.
    """
    threshold = np.quantile(reference, QUANTILE)
    share = float(np.mean(values < threshold))
    own = share * (1.0 - share) / len(values)
    of_quantile = (share / QUANTILE) ** 2 * QUANTILE * (1.0 - QUANTILE) / len(reference)
    return Figure(share, math.sqrt(own + of_quantile), over, len(values))


@jax.jit
def _own_log_probs(mean: jax.Array, log_variance: jax.Array, z: jax.Array) -> jax.Array:
    """log q(z_n|x_n), each draw under its own posterior."""
    return jax.vmap(lambda m, v, z: DiagonalNormal(m, v).log_prob(z))(mean, log_variance, z)
