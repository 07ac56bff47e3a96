"""The arrays that training runs over."""

from dataclasses import dataclass

import numpy as np

from vaelab.config import DataConfig
from vaelab.data import Dataset
from vaelab.errors import VaelabError

WATCHED = 2000
"""How many test images the snapshots of a run follow."""


@dataclass(frozen=True)
class TrainingData:
    """Images (n, *image_shape), uint8 or float32, with integer labels or None. Validation may be empty (None)."""

    images: np.ndarray
    labels: np.ndarray | None
    validation_images: np.ndarray | None = None
    validation_labels: np.ndarray | None = None
    watched_images: np.ndarray | None = None  # whose latent means the snapshots follow

    @property
    def image_shape(self) -> tuple[int, ...]:
        return self.images.shape[1:]

    @classmethod
    def from_dataset(cls, dataset: Dataset, config: DataConfig) -> "TrainingData":
        """The parts of a data set that the configuration asks for."""
        watched = dataset.test.images[:WATCHED]
        if config.validation == "held-out":
            held_out = dataset.validation
            return cls(dataset.train.images, dataset.train.labels, held_out.images, held_out.labels, watched)
        joined = dataset.train_and_validation
        if config.validation == "none":
            return cls(joined.images, joined.labels, watched_images=watched)
        return cls(joined.images, joined.labels, dataset.test.images, dataset.test.labels, watched)


def check_range(images: np.ndarray, likelihood: str, *, what: str = "images") -> None:
    """Refuse what a likelihood cannot score.

    Raises:
        VaelabError: for NaN or infinity, and for values outside [0, 1] under a (continuous) Bernoulli likelihood.
    """
    if images.dtype == np.uint8:
        return
    if not np.isfinite(images).all():
        bad = int((~np.isfinite(images.reshape(len(images), -1))).any(axis=1).sum())
        raise VaelabError(
            f"{what} must be finite; found NaN or infinity in {bad} of {len(images)}. Remove or fill them"
        )
    low, high = float(images.min()), float(images.max())
    if likelihood != "gaussian" and (low < 0.0 or high > 1.0):
        raise VaelabError(
            f"{what} must lie in [0, 1] for a {likelihood} likelihood; found values from {low:g} to {high:g}. "
            "Rescale them, or choose likelihood='gaussian'"
        )
