"""From a configuration and data to a trained model, in a run folder or in memory."""

from vaelab.training.loop import EpochReport, Outcome, Stopped, TrainingResult, train
from vaelab.training.sources import AbstractSource, InMemory, TrainingData

__all__ = [
    "AbstractSource",
    "EpochReport",
    "InMemory",
    "Outcome",
    "Stopped",
    "TrainingData",
    "TrainingResult",
    "train",
]
