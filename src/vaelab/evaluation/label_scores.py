"""How well p(y|x) of a conditional model tells labels, and whether it means its shares: accuracy and calibration."""

import dataclasses

import numpy as np
from jaxtyping import Float, Int

from vaelab.evaluation.by_label import LogProbsByLabel
from vaelab.evaluation.figure import Figure, mean_figure

BINS = 15
"""Of confidence, from 0 to 1 and equally wide, as in Guo et al."""


@dataclasses.dataclass(frozen=True)
class LabelScores:
    """Of p(y|x), on images whose labels are known.

    - `accuracy`: the share whose likeliest label is their own
    - `log_loss`: -log p(y|x) of their own label, nats
    - `calibration_error`: the expected calibration error, sum_b n_b / n abs(accuracy_b - confidence_b) over bins of the likeliest label's
      share (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017, eq. 3)
    - `reliability`: for each bin that has images its mean confidence, its accuracy, and how many
    """

    accuracy: Figure
    log_loss: Figure
    calibration_error: Figure
    reliability: tuple[tuple[float, float, int], ...]


def label_scores(found: LogProbsByLabel, labels: Int[np.ndarray, " images"], over: str) -> LabelScores:
    """The scores of p(y|x) on images of these labels."""
    posterior = found.posterior
    right = posterior.argmax(axis=1) == labels
    own = found.joint[np.arange(len(labels)), labels] - found.marginal
    reliability = reliability_of(posterior.max(axis=1), right)
    error = sum(count * abs(accuracy - confidence) for confidence, accuracy, count in reliability) / len(labels)
    return LabelScores(
        mean_figure(right.astype(np.float64), over),
        mean_figure(-own, over),
        Figure(float(error), None, over, len(labels)),
        reliability,
    )


def reliability_of(
    confidence: Float[np.ndarray, " images"], right: np.ndarray, bins: int = BINS
) -> tuple[tuple[float, float, int], ...]:
    """(mean confidence, accuracy, how many) of each bin ((b - 1) / bins, b / bins] that has images, lowest first."""
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    return tuple(
        (float(confidence[place == one].mean()), float(right[place == one].mean()), int((place == one).sum()))
        for one in np.unique(place).tolist()
    )
