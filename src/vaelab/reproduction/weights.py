"""The final weights of a row in half precision: a row can be measured again, and other priors fitted to it, without its training."""

import dataclasses
from pathlib import Path

import equinox as eqx
import jax.random as jr
import numpy as np

from vaelab.building import build_model
from vaelab.config import Config
from vaelab.migration import migrated_arrays
from vaelab.model import Model
from vaelab.naming import named_arrays, with_named_arrays
from vaelab.tensors import read_tensors, write_tensors

FORMAT = "vaelab-weights-half-2"
READABLE = ("vaelab-weights-half-1", FORMAT)


@dataclasses.dataclass(frozen=True)
class TrainedRow:
    """What is left of a training: the model, how many epochs it had, and the seconds that they took."""

    model: Model
    epochs: int
    seconds: float


def weights_file(results: Path, row: str, seed: int) -> Path:
    return results / "weights" / f"{row}-{seed}.safetensors"


def keep_weights(path: Path, trained: TrainedRow, config: Config) -> None:
    """Write the model's floats in half precision; what is no float (a flow's masks) as it is."""
    arrays = {
        name: array.astype(np.float16) if array.dtype == np.float32 else array
        for name, array in named_arrays(trained.model).items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    header = {"format": FORMAT, "config": config.model_dump(mode="json", exclude_none=True)}
    write_tensors(path, arrays, {**header, "epochs": trained.epochs, "training_seconds": trained.seconds})


def kept_weights(path: Path, config: Config) -> TrainedRow | None:
    """The row's weights; None where none are kept, or they are of another configuration than the row has now.

    Raises:
        VaelabError: for a file that is damaged.
    """
    if not path.is_file():
        return None
    arrays, header = read_tensors(path)
    found = header.get("format")
    if found not in READABLE or Config.from_values(header["config"], source=str(path)) != config:
        return None
    arrays = migrated_arrays(arrays, found)
    shapes = eqx.filter_eval_shape(build_model, config.model, jr.key(0))
    return TrainedRow(with_named_arrays(shapes, arrays, source=str(path)), header["epochs"], header["training_seconds"])
