"""q(z|x): a network with the heads that turn its features into a density over the latent space."""

from vaelab.posteriors.base import AbstractPosterior
from vaelab.posteriors.deterministic import DeterministicPosterior
from vaelab.posteriors.gaussian import GaussianPosterior

__all__ = ["AbstractPosterior", "DeterministicPosterior", "GaussianPosterior"]
