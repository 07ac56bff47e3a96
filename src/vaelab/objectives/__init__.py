"""What training minimises: positive nats, averaged over a batch."""

from vaelab.config import ObjectiveConfig
from vaelab.objectives.base import AbstractObjective, Batch, LossTerms
from vaelab.objectives.elbo import Elbo
from vaelab.objectives.importance_weighted import ImportanceWeighted

__all__ = ["AbstractObjective", "Batch", "Elbo", "ImportanceWeighted", "LossTerms", "build_objective"]


def build_objective(config: ObjectiveConfig) -> AbstractObjective:
    """The objective that a configuration names."""
    return Elbo(config.samples) if config.kind == "elbo" else ImportanceWeighted(config.samples)
