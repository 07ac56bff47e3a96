"""All that resuming needs, in one file: the state, the best weights so far, and how far the run has come."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PyTree

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.migration import migrated_arrays
from vaelab.naming import named_arrays, with_named_arrays
from vaelab.objectives.base import MODEL
from vaelab.tensors import read_tensors, write_tensors
from vaelab.training.trainer import TrainingState

FORMAT = "vaelab-checkpoint-2"

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Progress:
    """How far a run has come."""

    epoch: int = 0
    best_loss: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0  # of training so far, over all its parts


def with_players(arrays: Mapping[str, np.ndarray]) -> Arrays:
    """The arrays of a checkpoint of format 1, which knew of one player, the model, under the names that they have now."""
    renamed = {"state.parameters.": "state.players.model.", "state.optimiser.": "state.optimisers.model."}

    def now(name: str) -> str:
        for old, new in renamed.items():
            if name.startswith(old):
                return new + name.removeprefix(old)
        return name

    return {now(name): array for name, array in arrays.items()}


RENAMINGS: dict[str, tuple[Callable[[Mapping[str, np.ndarray]], Arrays], ...]] = {
    "vaelab-checkpoint-1": (with_players, partial(migrated_arrays, format_name="vaelab-checkpoint-1")),
    FORMAT: (),
}
"""For each format that is read, what its arrays go through, one after the other."""


def save_checkpoint(path: Path, state: TrainingState, best: PyTree | None, progress: Progress) -> None:
    write_tensors(path, named_arrays({"state": state, "best": best}), {"format": FORMAT, "progress": asdict(progress)})


def load_checkpoint(path: Path, like: TrainingState) -> tuple[TrainingState, PyTree | None, Progress]:
    """The checkpoint, in the shapes of a fresh state.

    Raises:
        VaelabError: where the file is damaged, of a format that is not known, or does not fit the run's configuration.
    """
    arrays, header = read_tensors(path)
    if header.get("format") not in RENAMINGS:
        raise VaelabError(
            translated(
                "{path}: is of format {get!r}, this vaelab reads {names}. Upgrade: pip install -U vaelab",
                path=path,
                get=header.get("format"),
                names=", ".join(RENAMINGS),
            )
        )
    for renamed in RENAMINGS[header["format"]]:
        arrays = renamed(arrays)
    progress = Progress(**header["progress"])
    has_best = any(name.startswith("best.") for name in arrays)
    template: dict[str, Any] = {"state": like, "best": like.players[MODEL] if has_best else None}
    filled = with_named_arrays(template, arrays, source=str(path))
    return filled["state"], filled["best"], progress
