"""All that resuming needs, in one file: the state, the best weights so far, and how far the run has come."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jaxtyping import PyTree

from vaelab.naming import named_arrays, with_named_arrays
from vaelab.tensors import read_tensors, write_tensors
from vaelab.training.epoch import TrainingState


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    epoch: int = 0
    best_loss: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0  # of training so far, over all its parts


def save_checkpoint(path: Path, state: TrainingState, best: PyTree | None, progress: Progress) -> None:
    write_tensors(
        path,
        named_arrays({"state": state, "best": best}),
        {"format": "vaelab-checkpoint-1", "progress": asdict(progress)},
    )


def load_checkpoint(path: Path, like: TrainingState) -> tuple[TrainingState, PyTree | None, Progress]:
    """The checkpoint, in the shapes of a fresh state.

    Raises:
        VaelabError: where the file is damaged or does not fit the run's configuration.
    """
    arrays, header = read_tensors(path)
    progress = Progress(**header["progress"])
    has_best = any(name.startswith("best.") for name in arrays)
    template: dict[str, Any] = {"state": like, "best": like.parameters if has_best else None}
    filled = with_named_arrays(template, arrays, source=str(path))
    return filled["state"], filled["best"], progress
