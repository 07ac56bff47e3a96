"""Arrays as images and labels: what is accepted, and what each kind becomes."""

import numpy as np
from jaxtyping import Int64, Shaped

from vaelab.data.dataset import Split
from vaelab.errors import VaelabError

_CHANNELS = (1, 3, 4)


def as_images(array: np.ndarray, source: str) -> Shaped[np.ndarray, "n ..."]:
    """`array` as images: uint8 in [0, 255] or finite float32, (n, features), (n, H, W) or (n, H, W, C).

    uint8 is kept as it is. Truth values become 0 and 255; other integers become uint8 and have to lie in
    [0, 255]. Floats become float32 and keep their range. `source` names the array in an error.

    Raises `VaelabError` for no images, another number of axes, channels in front of the rows, NaN, infinity
    (also where a value is too large for float32), integers outside [0, 255] and anything that is no number.
    """
    if array.ndim not in (2, 3, 4):
        raise VaelabError(
            f"{source}: images must have the shape (n, features), (n, H, W) or (n, H, W, C); got {array.shape}"
        )
    if 0 in array.shape:
        raise VaelabError(f"{source} holds no images: its shape is {array.shape}; give at least one")
    if array.ndim == 4 and array.shape[1] in _CHANNELS and array.shape[3] not in _CHANNELS:
        raise VaelabError(
            f"{source}: channels come last, as in (n, H, W, C); got {array.shape}. Save np.moveaxis(images, 1, -1)"
        )
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.integer):
        low, high = array.min(), array.max()
        if low < 0 or high > 255:
            raise VaelabError(
                f"{source}: integer images must lie in [0, 255]; found values from {low} to {high}. Rescale them, or "
                "save them as floats"
            )
        return array.astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        return _finite(array, source)
    raise VaelabError(f"{source}: images must be numbers (uint8 or floats); got {array.dtype}")


def _finite(array: np.ndarray, source: str) -> Shaped[np.ndarray, "n ..."]:
    with np.errstate(over="ignore"):  # too large for float32: becomes infinity, refused below
        images = array.astype(np.float32, copy=False)
    bad = ~np.isfinite(images)
    if bad.any():
        first = int(np.argmax(bad.reshape(len(images), -1).any(axis=1)))
        raise VaelabError(
            f"{source}: images must be finite; found {int(bad.sum()):,} NaN or infinite values, the first in image "
            f"{first}. Remove or replace them"
        )
    return images


def as_labels(array: np.ndarray, source: str) -> tuple[Int64[np.ndarray, " n"], tuple[str, ...] | None]:
    """`array` as labels, int64 of shape (n,), with their names where it holds text (sorted, label `i` the i-th).

    A second axis of length one is dropped. Floats are accepted where all are whole numbers.

    Raises `VaelabError` for more axes, negative numbers, and anything that is neither whole number nor text.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise VaelabError(
            f"{source}: labels must have the shape (n,); got {array.shape}. For one column a label, save "
            "labels.argmax(axis=1)"
        )
    if array.dtype.kind in "US":
        texts = array.astype(str)
        names = in_order(set(texts.tolist()))
        index = {name: label for label, name in enumerate(names)}
        return np.array([index[text] for text in texts.tolist()], dtype=np.int64), names
    if array.dtype.kind not in "buif" or not np.all(np.mod(array, 1) == 0 if array.dtype.kind == "f" else True):
        raise VaelabError(f"{source}: labels must be whole numbers or text; got {array.dtype}")
    labels = array.astype(np.int64)
    if len(labels) and labels.min() < 0:
        raise VaelabError(f"{source}: labels must be 0, 1, 2, ...; found {labels.min()}. Leave unlabelled images out")
    return labels, None


def in_order(names: set[str]) -> tuple[str, ...]:
    """The names sorted: as numbers where all are whole numbers ("2" before "10"), else as text."""
    if all(name.isdecimal() for name in names):
        return tuple(sorted(names, key=lambda name: (int(name), name)))
    return tuple(sorted(names))


def paired(
    images: Shaped[np.ndarray, "n ..."], labels: Int64[np.ndarray, " m"] | None, images_name: str, labels_name: str
) -> Split:
    """Images with their labels.

    Raises `VaelabError` unless there is one label for each image.
    """
    if labels is not None and len(labels) != len(images):
        raise VaelabError(
            f"{labels_name} has {len(labels):,} labels for the {len(images):,} images of {images_name}; expected one "
            "for each. Check that the two belong together"
        )
    return Split(images, labels)
