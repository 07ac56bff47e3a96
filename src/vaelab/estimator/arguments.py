"""What the estimator is given, checked at its door and in Python's words: its arguments, and `y`."""

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped

from vaelab.config import Config
from vaelab.data.labels import named_labels
from vaelab.errors import VaelabError
from vaelab.language import translated

ARGUMENTS = {
    "model.latent_dim": "latent_dim",
    "model.encoder.hidden": "hidden",
    "model.prior.kind": "prior",
    "model.likelihood.kind": "likelihood",
    "model.condition": "condition",
    "model.encoder.activation": "activation",
    "data.pixels": "pixels",
    "objective.beta": "beta",
    "objective.warmup": "warmup",
    "training.epochs": "epochs",
    "training.batch_size": "batch_size",
    "training.learning_rate": "learning_rate",
    "training.optimiser": "optimiser",
    "training.snapshots": "snapshots",
}
"""Which of the configuration's keys is which argument of the estimator."""


def plain(value: Any) -> Any:
    """A value without NumPy's types, in the dictionaries and sequences that hold it."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value


def whole_number(value: Any, name: str, *, at_least: int = 1) -> int:
    """A whole number of any type, NumPy's too.

    Raises:
        VaelabError: for anything else, and below `at_least`.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or number < at_least or isinstance(value, bool):
        raise VaelabError(
            translated(
                "{name}: expected a whole number, at least {at_least}; found {value!r}",
                name=name,
                at_least=at_least,
                value=value,
            )
        )
    return number


def widths(hidden: Any) -> list[int]:
    """The widths of the hidden layers: those of a sequence, or the one of a single layer.

    Raises:
        VaelabError: for anything that is no whole number.
    """
    single = isinstance(hidden, str | bytes) or not isinstance(hidden, Iterable)
    try:
        return [whole_number(width, "hidden") for width in ([hidden] if single else hidden)]
    except VaelabError:
        raise VaelabError(
            translated("hidden: expected widths of layers, such as (300, 300) or 256; found {hidden!r}", hidden=hidden)
        ) from None


def configured(values: Mapping[str, Any], settings: Any) -> Config:
    """The configuration of the estimator's arguments, as `values` by key, and of its `settings`, any other keys.

    Raises:
        VaelabError: naming the argument for a value of the wrong type or range, and a key that is not known.
    """
    if settings is not None and not isinstance(settings, Mapping):
        raise VaelabError(
            translated(
                "settings: expected keys and values, such as {{'training.averaging': 0.999}}; found {settings!r}",
                settings=settings,
            )
        )
    try:
        return Config().with_values(plain({**values, **(settings or {})}), source="VAE")
    except VaelabError as error:
        complaint = str(error).removeprefix("VAE: ")
        for key, argument in ARGUMENTS.items():
            if key not in (settings or {}) and complaint.startswith((f"{key}:", f"{key.removesuffix('.kind')}:")):
                raise VaelabError(
                    translated(
                        "VAE: {argument} ({value}):{value_2}",
                        argument=argument,
                        value=complaint.partition(":")[0],
                        value_2=complaint.partition(":")[2],
                    )
                ) from None
        raise


def labels_of(
    y: Any, images: Shaped[np.ndarray, "n ..."], *, needed: bool
) -> tuple[Shaped[np.ndarray, " names"], Int64[np.ndarray, " n"]] | None:
    """`y` as label names and the number of each image's; None where it is no labels but numbers to regress on, as a pipeline hands on.

    Raises:
        VaelabError: for images in the place of labels, for another number of them than of images, for missing ones, and where labels are
            `needed` and these are none.
    """
    if y is None:
        if needed:
            raise VaelabError(
                translated(
                    "y: a class prior, condition='labels' and data.balance need labels, one for each image: fit(X, y)"
                )
            )
        return None
    try:
        labels = np.asarray(y)
    except ValueError:
        raise VaelabError(translated("y: expected one label for each image; found lists of several lengths")) from None
    if labels.shape[1:] == images.shape[1:] and labels.shape[1:] != (1,):
        if np.array_equal(labels, images):
            raise VaelabError(translated("fit(X, X) is Keras's way; a VAE takes its images once: fit(X)"))
        raise VaelabError(
            translated(
                "y: found images, an array of shape {shape}, in the place of labels; a VAE takes its images "
                "once: fit(X). Those held out of training are fit(X, X_val=...)",
                shape=labels.shape,
            )
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 0 or labels.ndim > 2 or len(labels) != len(images):
        raise VaelabError(
            translated(
                "y: expected {images:,} labels, one for each image of X; found an array of shape {shape}",
                images=len(images),
                shape=labels.shape,
            )
        )
    targets = (
        labels.ndim == 2
        or (labels.dtype.kind == "f" and not np.all(np.mod(labels, 1) == 0))
        or labels.dtype.kind == "c"
    )
    if targets and not needed:
        return None
    return named_labels(labels, "y")


def label_number(y: Any, names: Sequence[str] | None) -> int:
    """The number of a label, which is given as it was fitted (1.0 is 1); labels without `names` are numbers.

    Raises:
        VaelabError: for a label that was not among those fitted.
    """
    y = plain(y)
    name = str(int(y)) if isinstance(y, float) and y.is_integer() else str(y)
    if names is None:
        if not name.isdecimal():
            raise VaelabError(
                translated("y: expected the number of a label, for those fitted have no names; found {y!r}", y=y)
            )
        return int(name)
    if name not in names:
        raise VaelabError(translated("y: label {y!r} is not among those fitted ({names})", y=y, names=", ".join(names)))
    return list(names).index(name)


def label_numbers(
    y: Any, names: Sequence[str] | None, count: int, *, name: str = "y", images: str = "X"
) -> Int64[np.ndarray, " n"]:
    """Labels of `count` other images, by the numbers that those fitted have.

    Raises:
        VaelabError: for another number of them, and labels that were not among those fitted.
    """
    given, numbers = named_labels(np.asarray(y), name)
    if len(numbers) != count:
        raise VaelabError(
            translated(
                "{name}: expected {count:,} labels, one for each image of {images}; found {numbers:,}",
                name=name,
                images=images,
                count=count,
                numbers=len(numbers),
            )
        )
    if names is None:
        return given[numbers].astype(np.int64) if given.dtype.kind in "iu" else numbers
    unknown = [str(name) for name in given.tolist() if str(name) not in names]
    if unknown:
        raise VaelabError(
            translated(
                "{name}: labels {unknown} are not among those fitted ({names})",
                name=name,
                unknown=", ".join(unknown[:10]),
                names=", ".join(names),
            )
        )
    return np.array([list(names).index(str(name)) for name in given.tolist()], np.int64)[numbers]
