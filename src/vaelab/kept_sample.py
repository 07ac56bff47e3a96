"""The sample of its data that a saved estimator keeps in its run folder, so that figures, diagnosis and explorer have images to show."""

from pathlib import Path

import numpy as np
from jaxtyping import Integer

from vaelab.data import Split
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.tensors import read_tensors, write_tensors

FORMAT = "vaelab-sample-1"
SEED = 0
"""Of which images are kept, where not all are."""


def chosen_rows(count: int, most: int) -> Integer[np.ndarray, " chosen"]:
    """At most so many of `count` images: a random choice by a fixed seed, in their old order; of fewer, a part of that of more."""
    return np.sort(np.random.RandomState(SEED).permutation(count)[:most])


def write_sample(
    path: Path, train: Split, validation: Split | None, most: int, label_names: tuple[str, ...] | None = None
) -> None:
    """Keep at most so many images of each part, a random choice by a fixed seed, in their old order."""
    arrays = {}
    for name, part in (("train", train), ("validation", validation)):
        if part is None or not len(part):
            continue
        chosen = chosen_rows(len(part), most)
        arrays[f"{name}.images"] = part.images[chosen]
        if part.labels is not None:
            arrays[f"{name}.labels"] = part.labels[chosen]
    write_tensors(path, arrays, {"format": FORMAT, "label_names": label_names})


def read_sample(path: Path) -> tuple[Split, Split, tuple[str, ...] | None]:
    """Training images, validation images (none, where none were kept), and the names of their labels.

    Raises:
        VaelabError: where the file is damaged, altered, or of a newer version.
    """
    arrays, header = read_tensors(path)
    if header.get("format") != FORMAT or "train.images" not in arrays:
        raise VaelabError(
            translated(
                "{path}: is of format {get!r}, this vaelab reads {format!r}. Upgrade: pip install -U vaelab",
                path=path,
                get=header.get("format"),
                format=FORMAT,
            )
        )
    train = Split(arrays["train.images"], arrays.get("train.labels"))
    nothing = Split(train.images[:0], None if train.labels is None else train.labels[:0])
    held_out = arrays.get("validation.images")
    validation = nothing if held_out is None else Split(held_out, arrays.get("validation.labels"))
    names = header.get("label_names")
    return train, validation, None if names is None else tuple(map(str, names))
