"""Images that were binarised once and for all: the fixed binarised MNIST of the papers, or a user's own file."""

import math
import os
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from vaelab.data.array_files import read_npy, read_npz
from vaelab.data.dataset import Split
from vaelab.data.parts import Parts
from vaelab.errors import VaelabError
from vaelab.language import translated

AMAT_PARTS = {"train": "train", "validation": "valid", "test": "test"}
"""The three files `binarized_mnist_train.amat`, `..._valid.amat`, `..._test.amat` (Larochelle and Murray, AISTATS 2011)."""


def read_static_binarised(path: str | os.PathLike[str], image_shape: tuple[int, ...] | None = None) -> Parts:
    """The images of a binarised set, uint8 with the values 0 and 255 alone, in the parts that it has.

    `.npz` and `.npy` as everywhere; `.amat`, text of one image a line with values 0 and 1 between spaces: where its name holds `train`,
    `valid` or `test` and the other two lie beside it, all three parts are read. A file without parts is all `train`. Flat images take
    `image_shape`, or a square where none is given and they fill one.

    **Raises:** `VaelabError` for a file that is missing or of another kind, values other than 0 and 1 (0 and 255 in uint8), and images of
    another shape.
    """
    path = Path(path)
    if not path.is_file():
        raise VaelabError(
            translated("{path}: no such file of binarised images; expected .npz, .npy or .amat", path=path)
        )
    suffix = path.suffix.lower()
    if suffix == ".amat":
        parts = _read_amat_parts(path)
    elif suffix in (".npz", ".npy"):
        parts = read_npz(path) if suffix == ".npz" else read_npy(path)
    else:
        raise VaelabError(
            translated(
                "{path}: binarised images come as .npz, .npy or .amat; found '{suffix}'", path=path, suffix=suffix
            )
        )

    def binary(split: Split | None) -> Split | None:
        if split is None:
            return None
        return Split(_shaped(_binary(split.images, path), image_shape, path), split.labels)

    train = binary(parts.train)
    assert train is not None
    return Parts(train, binary(parts.validation), binary(parts.test), parts.label_names)


def in_place_of(grey: Parts, binarised: Parts) -> Parts:
    """The binarised images with the labels of the grey ones, where they are the same images in the same order.

    They are, where a pixel that is black or white for certain has stayed so in every image: binarising draws each pixel with its grey
    value as probability. A validation part is then sought at the end of the training part, as in the published set. Labels that the
    binarised file brings itself stay.
    """
    train, validation, test = binarised.train, binarised.validation, binarised.test
    whole = train.images if validation is None else np.concatenate([train.images, validation.images])
    labels = _labels_of(whole, grey.train)
    if labels is not None:
        train = _labelled(train, labels[: len(train)])
        validation = None if validation is None else _labelled(validation, labels[len(train) :])
    if test is not None and grey.test is not None:
        test = _labelled(test, _labels_of(test.images, grey.test))
    return Parts(train, validation, test, grey.label_names)


def _labels_of(binary: np.ndarray, grey: Split) -> np.ndarray | None:
    if len(binary) != len(grey) or binary.shape != grey.images.shape:
        return None
    top = 255 if grey.images.dtype == np.uint8 else 1.0
    black, white = grey.images == 0, grey.images == top
    agree = not binary[black].any() and bool((binary[white] == 255).all())
    return grey.labels if agree else None


def _labelled(split: Split, labels: np.ndarray | None) -> Split:
    return Split(split.images, split.labels if split.labels is not None else labels)


def _read_amat_parts(path: Path) -> Parts:
    found = next((name for name in AMAT_PARTS.values() if name in path.stem), None)
    if found is None:
        return Parts(Split(_read_amat(path)))
    siblings = {part: path.with_name(path.name.replace(found, name)) for part, name in AMAT_PARTS.items()}
    here = {part: Split(_read_amat(file)) for part, file in siblings.items() if file.is_file()}
    if "train" not in here:
        return Parts(Split(_read_amat(path)))
    return Parts(here["train"], here.get("validation"), here.get("test"))


def _read_amat(path: Path) -> UInt8[np.ndarray, "images pixels"]:
    try:
        lines = [line for line in path.read_bytes().split(b"\n") if line.strip()]
        rows = [np.array(line.split(), dtype=np.float32) for line in lines]
    except (OSError, ValueError) as error:
        raise VaelabError(
            translated(
                "{path}: not a text file of numbers, one image a line ({error}); copy it again", path=path, error=error
            )
        ) from None
    if not rows:
        raise VaelabError(translated("{path}: holds no images; expected one a line", path=path))
    lengths = {len(row) for row in rows}
    if len(lengths) > 1:
        raise VaelabError(
            translated(
                "{path}: its lines have {fewest} to {most} values; expected as many on each. It may be cut short",
                path=path,
                fewest=min(lengths),
                most=max(lengths),
            )
        )
    return _binary(np.stack(rows), path)


def _binary(images: np.ndarray, path: Path) -> UInt8[np.ndarray, "images ..."]:
    top = 255 if images.dtype == np.uint8 and images.max() > 1 else 1
    if not np.isin(images, (0, top)).all():
        low, high = images.min(), images.max()
        raise VaelabError(
            translated(
                "{path}: expected pixels of 0 and {top} alone; found values from {low:g} to {high:g}. For grey "
                "images use --pixels dynamic",
                path=path,
                top=top,
                low=low,
                high=high,
            )
        )
    return (images == top).astype(np.uint8) * np.uint8(255)


def _shaped(images: np.ndarray, image_shape: tuple[int, ...] | None, path: Path) -> UInt8[np.ndarray, "images ..."]:
    own = images.shape[1:]
    if image_shape is None:
        side = math.isqrt(own[0])
        return images.reshape(-1, side, side) if len(own) == 1 and side * side == own[0] else images
    if math.prod(own) != math.prod(image_shape) or (len(own) > 1 and own != image_shape):
        raise VaelabError(
            translated(
                "{path}: has images of shape {own}; the data have {image_shape}. Give the binarised set of the "
                "same images",
                path=path,
                own=own,
                image_shape=image_shape,
            )
        )
    return images.reshape(-1, *image_shape)
