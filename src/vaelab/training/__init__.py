"""From a configuration and data to a trained model, in a run folder or in memory."""

from vaelab.training.loop import EpochReport, Outcome, Stopped, TrainingResult, train
from vaelab.training.sources import TrainingData

__all__ = ["EpochReport", "Outcome", "Stopped", "TrainingData", "TrainingResult", "train"]
