"""Arrays as labels: what is accepted, and what each kind becomes."""

import numpy as np
from jaxtyping import Int64, Shaped

from vaelab.data.dataset import Split
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated


def as_labels(array: np.ndarray, source: str) -> tuple[Int64[np.ndarray, " n"], tuple[str, ...] | None]:
    """`array` as labels, int64 of shape (n,), with their names where it holds text (sorted, label `i` the i-th).

    A second axis of length one is dropped. Floats are accepted where all are whole numbers.

    Raises `VaelabError` for more axes, negative numbers, and anything that is neither whole number nor text.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise VaelabError(
            translated(
                "{source}: labels must have the shape (n,); got {shape}. Where each label has a column, save "
                "labels.argmax(axis=1)",
                source=source,
                shape=array.shape,
            )
        )
    if array.dtype.kind in "US":
        texts = array.astype(str)
        names = in_order(set(texts.tolist()))
        index = {name: label for label, name in enumerate(names)}
        return np.array([index[text] for text in texts.tolist()], dtype=np.int64), names
    if array.dtype.kind not in "buif" or not np.all(np.mod(array, 1) == 0 if array.dtype.kind == "f" else True):
        raise VaelabError(
            translated("{source}: labels must be whole numbers or text; got {dtype}", source=source, dtype=array.dtype)
        )
    labels = array.astype(np.int64)
    if len(labels) and labels.min() < 0:
        raise VaelabError(
            translated(
                "{source}: labels must be 0, 1, 2, ...; found {low}. Leave unlabelled images out",
                source=source,
                low=labels.min(),
            )
        )
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
            translated(
                "{labels_name} has {labels:,} labels for the {images:,} images of {images_name}; expected one "
                "for each. Check that the two belong together",
                labels_name=labels_name,
                labels=len(labels),
                images=len(images),
                images_name=images_name,
            )
        )
    return Split(images, labels)


def named_labels(array: np.ndarray, source: str) -> tuple[Shaped[np.ndarray, " names"], Int64[np.ndarray, " n"]]:
    """Labels of any kind as their names, sorted, and the number of each.

    Whole floats count as the integers that they are; integers may be negative, as scikit-learn's are.

    Raises `VaelabError` for missing labels (None, NaN), labels of several types, fractions, and more axes than one.
    """
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise VaelabError(
            translated(
                "{source}: labels must have the shape (n,); got {shape}. Where each label has a column, give argmax(axis=1)",
                source=source,
                shape=array.shape,
            )
        )
    if array.dtype.kind == "O":
        array = _of_one_type(array, source)
    if array.dtype.kind == "f":
        missing = np.flatnonzero(~np.isfinite(array))
        if len(missing):
            raise VaelabError(
                translated(
                    "{source}: image {missing} has no label ({array}); leave unlabelled images out",
                    source=source,
                    missing=missing[0],
                    array=array[missing[0]],
                )
            )
        if not np.all(np.mod(array, 1) == 0):
            raise VaelabError(
                translated("{source}: labels must be whole numbers or text; found fractions", source=source)
            )
        array = array.astype(np.int64)
    if array.dtype.kind not in "buiUS":
        raise VaelabError(
            translated("{source}: labels must be whole numbers or text; got {dtype}", source=source, dtype=array.dtype)
        )
    names, numbers = np.unique(array, return_inverse=True)
    return names, numbers.astype(np.int64)


def _of_one_type(array: np.ndarray, source: str) -> np.ndarray:
    """An array of Python objects as one of numbers, booleans or text."""
    values = [value.item() if isinstance(value, np.generic) else value for value in array.tolist()]
    for place, value in enumerate(values):
        if not isinstance(value, str | bytes | bool | int | float) or value != value:
            missing = (
                to_translate("has no label")
                if value is None or isinstance(value, float)
                else to_translate("has a label that is neither number nor text")
            )
            raise VaelabError(
                translated(
                    "{source}: image {place} {missing} ({value!r}); leave unlabelled images out",
                    source=source,
                    place=place,
                    missing=missing,
                    value=value,
                )
            )
    kinds = {
        "text" if isinstance(value, str | bytes) else "bool" if isinstance(value, bool) else "numbers"
        for value in values
    }
    if len(kinds) > 1:
        raise VaelabError(
            translated(
                "{source}: labels must be of one type; found {kinds}", source=source, kinds=" and ".join(sorted(kinds))
            )
        )
    return np.array(values)
