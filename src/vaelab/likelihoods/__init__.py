"""p(x|z): a network with the head that turns its features into a density over images."""

from vaelab.likelihoods.base import AbstractLikelihood
from vaelab.likelihoods.bernoulli import BernoulliLikelihood
from vaelab.likelihoods.continuous_bernoulli import ContinuousBernoulliLikelihood
from vaelab.likelihoods.gaussian import GaussianLikelihood

__all__ = ["AbstractLikelihood", "BernoulliLikelihood", "ContinuousBernoulliLikelihood", "GaussianLikelihood"]
