"""A folder of IDX files under their usual names, plain or gzipped."""

import re
from pathlib import Path

import numpy as np

from vaelab.data.dataset import Split
from vaelab.data.idx import read_idx
from vaelab.data.image_values import as_images, as_part
from vaelab.data.labels import as_labels, paired
from vaelab.data.parts import Parts
from vaelab.errors import VaelabError
from vaelab.language import translated

# train-images-idx3-ubyte, train-images.idx3-ubyte.gz, t10k-labels-idx1-ubyte, emnist-digits-test-images-idx3-ubyte
_NAME = re.compile(
    r"(?:^|[-_.])(train|t10k|test|validation|valid|val)[-_.](images|labels)[-_.].*(?:idx|ubyte)", re.IGNORECASE
)
_PARTS = {"train": "train", "t10k": "test", "test": "test"}


def has_idx_files(folder: Path) -> bool:
    """Whether some file in the folder has the name of an IDX file of images or labels."""
    return any(_NAME.search(path.name) for path in folder.iterdir())


def read_idx_folder(folder: Path) -> Parts:
    """The parts in `folder`: `train-images-idx3-ubyte` and its kind, `t10k-` or `test-` for the test part.

    Labels and the test and validation parts may be missing. A plain file is preferred to its gzipped twin.

    Raises `VaelabError` where the training images are missing or two different files claim one part, and as
    `read_idx` does.
    """
    files = _files(folder)
    train = _part(files, "train", None)
    if train is None:
        raise VaelabError(
            translated(
                "{folder} has IDX files but no training images; expected one called train-images-idx3-ubyte",
                folder=folder,
            )
        )
    return Parts(train, _part(files, "validation", train.images), _part(files, "test", train.images))


def _files(folder: Path) -> dict[tuple[str, str], Path]:
    files: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.iterdir()):  # "x" sorts before "x.gz"
        match = _NAME.search(path.name)
        if match is None or not path.is_file():
            continue
        part, kind = match[1].lower(), match[2].lower()
        first = files.setdefault((_PARTS.get(part, "validation"), kind), path)
        if path not in (first, first.with_name(f"{first.name}.gz")):
            raise VaelabError(
                translated(
                    "{folder} has two files for the same part: {name} and {path_name}; leave one, or give each data "
                    "set its own folder",
                    folder=folder,
                    name=first.name,
                    path_name=path.name,
                )
            )
    return files


def _part(files: dict[tuple[str, str], Path], part: str, train: np.ndarray | None) -> Split | None:
    images, labels = files.get((part, "images")), files.get((part, "labels"))
    if images is None:
        return None
    values = None if labels is None else as_labels(read_idx(labels), str(labels))[0]
    array = read_idx(images)
    pixels = as_images(array, str(images)) if train is None else as_part(array, str(images), train)
    return paired(pixels, values, images.name, str(labels))
