"""The few densities that everything here is made of, one a file; KL divergences in closed form beside them."""

from vaelab.densities.base import AbstractCentredDensity, AbstractDensity, sample_many
from vaelab.densities.bernoulli import Bernoulli
from vaelab.densities.continuous_bernoulli import ContinuousBernoulli, continuous_bernoulli_mean
from vaelab.densities.divergence import kl_divergence
from vaelab.densities.flat import Flat, Unflat
from vaelab.densities.full_normal import FullNormal
from vaelab.densities.laplace import IsotropicLaplace
from vaelab.densities.levels import (
    CategoricalLevels,
    DiscretisedLogistic,
    DiscretisedLogisticMixture,
    clipped_logistic_mean,
    logistic_level_log_probs,
    logistic_location,
)
from vaelab.densities.mixture import EXACT_DIMENSIONS, Mixture, log_probs_by_products
from vaelab.densities.normal import LOG_TWO_PI, DiagonalNormal, IsotropicNormal, standard_normal
from vaelab.densities.point import Delta
from vaelab.densities.stacks import of_each, own_and_shared, rows_of, stack_of, stack_size

__all__ = [
    "EXACT_DIMENSIONS",
    "LOG_TWO_PI",
    "AbstractCentredDensity",
    "AbstractDensity",
    "Bernoulli",
    "CategoricalLevels",
    "ContinuousBernoulli",
    "Delta",
    "DiagonalNormal",
    "DiscretisedLogistic",
    "DiscretisedLogisticMixture",
    "Flat",
    "FullNormal",
    "IsotropicLaplace",
    "IsotropicNormal",
    "Mixture",
    "Unflat",
    "clipped_logistic_mean",
    "continuous_bernoulli_mean",
    "kl_divergence",
    "log_probs_by_products",
    "logistic_level_log_probs",
    "logistic_location",
    "of_each",
    "own_and_shared",
    "rows_of",
    "sample_many",
    "stack_of",
    "stack_size",
    "standard_normal",
]
