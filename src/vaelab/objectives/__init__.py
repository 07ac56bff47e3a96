"""What training minimises: positive nats, averaged over a batch; a loss for each player."""

from vaelab.config import ObjectiveConfig
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss, of_the_model
from vaelab.objectives.elbo import Elbo
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.objectives.terms import ImageTerms, elbo_of_images

__all__ = [
    "MODEL",
    "AbstractObjective",
    "Batch",
    "Elbo",
    "ImageTerms",
    "ImportanceWeighted",
    "Loss",
    "build_objective",
    "elbo_of_images",
    "of_the_model",
]


def build_objective(config: ObjectiveConfig) -> AbstractObjective:
    """The objective that a configuration names."""
    return Elbo(config.samples) if config.kind == "elbo" else ImportanceWeighted(config.samples)
