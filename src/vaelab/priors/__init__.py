"""p(z): one prior a file. Most are densities themselves."""

from jaxtyping import PRNGKeyArray

from vaelab.config import PriorConfig
from vaelab.priors.base import AbstractPrior
from vaelab.priors.normal import NormalPrior

__all__ = ["AbstractPrior", "NormalPrior", "build_prior"]


def build_prior(config: PriorConfig, latent_dim: int, image_shape: tuple[int, ...], key: PRNGKeyArray) -> AbstractPrior:
    """The prior that a configuration names, with its initial parameters."""
    del config, image_shape, key
    return NormalPrior(latent_dim)
