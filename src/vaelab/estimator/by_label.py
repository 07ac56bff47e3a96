"""What an estimator says of labels by the marginal over them: log p(x) or log p(x|y) of each row, and p(y|x)."""

from typing import Any

import jax.random as jr
import numpy as np
from jaxtyping import Float, Int

from vaelab.estimator.fitted import FittedVAE
from vaelab.evaluation.by_label import LogProbsByLabel, joined, log_probs_by_label, of_each_label, quadrature_serves
from vaelab.evaluation.elbo import ElboParts, elbo_of
from vaelab.evaluation.likelihood import importance_weighted_bound, proposal_widths
from vaelab.evaluation.row_numbers import row_numbers
from vaelab.labels import check_conditional

SAMPLES = 100
"""Draws of z for each image and label, where the latent space is too large for quadrature."""


def scores_of_labels(
    vae: FittedVAE, images: np.ndarray, samples: int | None = None, *, exact: bool = True
) -> LogProbsByLabel:
    """log p(x|y) of each row for every label: by quadrature in one and two dimensions (`exact`), else by importance samples, whose noise is
    keyed on the row's pixels.

    Raises:
        VaelabError: for a model that sees no labels, and an autoencoder.
    """
    model = vae.model_
    check_conditional(model)
    if exact and quadrature_serves(model):
        return log_probs_by_label(model, images)
    return log_probs_by_label(
        model, images, samples=samples or SAMPLES, key=jr.key(0), indices=np.asarray(row_numbers(images))
    )


def bounds_given(
    vae: FittedVAE, images: np.ndarray, labels: Int[np.ndarray, " n"], samples: int
) -> Float[np.ndarray, " n"]:
    """The importance-weighted bound on log p(x|y) of each row given its label."""
    numbers = np.asarray(row_numbers(images))

    def of(one: Any, chosen: np.ndarray, told: Any) -> np.ndarray:
        del told
        return importance_weighted_bound(
            one, one.prior_density(), images[chosen], samples=samples, key=jr.key(0),
            widths=proposal_widths(one.latent_dim), indices=numbers[chosen],
        ).log_prob  # fmt: skip

    return joined(of_each_label(vae.model_, labels, of, lambda done, total: None), labels, lambda part: part)


def elbo_given(vae: FittedVAE, images: np.ndarray, labels: Int[np.ndarray, " n"]) -> ElboParts:
    """The evidence lower bound on log p(x|y) of each row given its label."""
    found = of_each_label(
        vae.model_, labels, lambda one, chosen, told: elbo_of(one, images[chosen]), lambda done, total: None
    )
    per_dimension = None
    if all(part.kl_per_dimension is not None for part in found.values()):
        per_dimension = joined(found, labels, lambda part: np.asarray(part.kl_per_dimension))
    values = {
        name: joined(found, labels, lambda part, name=name: getattr(part, name))
        for name in ("elbo", "reconstruction", "kl", "standard_error")
    }
    return ElboParts(kl_per_dimension=per_dimension, **values)
