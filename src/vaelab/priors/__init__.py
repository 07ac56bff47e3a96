"""p(z): one prior a file. Trained with the model or fitted afterwards, they are the same kind of object."""

from jaxtyping import PRNGKeyArray

from vaelab.config import (
    ClassPriorConfig,
    FlowPriorConfig,
    MixturePriorConfig,
    NormalPriorConfig,
    PriorConfig,
)
from vaelab.errors import VaelabError
from vaelab.priors.base import AbstractPrior, Scoring
from vaelab.priors.by_class import ByClassPrior
from vaelab.priors.by_label import DensityByLabel, class_count
from vaelab.priors.chosen import TRAINED, checked_name, fingerprint, fitted_prior, prior_path
from vaelab.priors.flow import FlowArchitecture, FlowPrior
from vaelab.priors.kernel import KernelPrior
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.normal import NormalPrior
from vaelab.priors.per_class import ClassPrior
from vaelab.priors.second_stage import SecondStageArchitecture, SecondStagePrior
from vaelab.priors.stored import load_prior, read_prior, save_prior
from vaelab.priors.vamp import VampPrior

__all__ = [
    "TRAINED",
    "AbstractPrior",
    "ByClassPrior",
    "ClassPrior",
    "DensityByLabel",
    "FlowArchitecture",
    "FlowPrior",
    "KernelPrior",
    "MixturePrior",
    "NormalPrior",
    "Scoring",
    "SecondStageArchitecture",
    "SecondStagePrior",
    "VampPrior",
    "build_prior",
    "checked_name",
    "class_count",
    "fingerprint",
    "fitted_prior",
    "load_prior",
    "prior_path",
    "read_prior",
    "save_prior",
]


def build_prior(config: PriorConfig, latent_dim: int, image_shape: tuple[int, ...], key: PRNGKeyArray) -> AbstractPrior:
    """The prior that a configuration names, with its initial parameters.

    Raises:
        VaelabError: for a class prior whose number of classes is not known yet.
    """
    if isinstance(config, NormalPriorConfig):
        return NormalPrior(latent_dim)
    if isinstance(config, MixturePriorConfig):
        return MixturePrior(latent_dim, config.components, config.covariance, key=key)
    if isinstance(config, FlowPriorConfig):
        architecture = FlowArchitecture(latent_dim, config.flow, config.layers, config.width, config.knots)
        return FlowPrior(architecture, config.affine, key=key)
    if isinstance(config, ClassPriorConfig):
        if config.classes is None:
            raise VaelabError("model.prior.classes: expected the number of classes, such as 10; found none")
        return ClassPrior(latent_dim, config.classes, key=key)
    return VampPrior(latent_dim, config.components, image_shape, config.start, key=key)
