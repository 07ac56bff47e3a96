"""`.npy` and `.npz` files, read without ever unpickling."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vaelab.data.dataset import Split
from vaelab.data.image_values import ImageValues, as_fitted, as_images, as_part
from vaelab.data.labels import as_labels, paired
from vaelab.data.parts import Parts
from vaelab.errors import VaelabError
from vaelab.language import in_a_sentence, translated

# Names of (images, labels) for each part: Keras's mnist.npz first, then MedMNIST's files.
_PART_KEYS = {
    "train": (("x_train", "y_train"), ("X_train", "y_train"), ("train_images", "train_labels")),
    "validation": (
        ("x_val", "y_val"),
        ("X_val", "y_val"),
        ("x_validation", "y_validation"),
        ("val_images", "val_labels"),
    ),
    "test": (("x_test", "y_test"), ("X_test", "y_test"), ("test_images", "test_labels")),
}
_WHOLE_KEYS = (("images", "labels"), ("X", "y"), ("x", "y"), ("data", "target"), ("data", "labels"))


def read_npy(path: Path, fitted: ImageValues | None = None) -> Parts:
    """One array of images, without labels; for a model that was `fitted` before, by the rule applied there.

    Raises `VaelabError` for a file that cannot be read or needs unpickling, and as `as_images` does.
    """
    try:
        with path.open("rb") as file:  # opened here: NumPy leaves a damaged file open
            array = np.load(file, allow_pickle=False)
    except Exception as error:  # of a damaged file NumPy lets anything through
        raise VaelabError(_sentence(path, error)) from error
    if not isinstance(array, np.ndarray):
        raise VaelabError(
            translated(
                "{path} is an .npz archive under another name; rename it to {stem}.npz", path=path, stem=path.stem
            )
        )
    return Parts(Split(_as_first(array, str(path), fitted)))


def read_npz(path: Path, fitted: ImageValues | None = None) -> Parts:
    """The parts in an `.npz` file, by the names of its arrays.

    Parts: `x_train`, `y_train`, `x_test`, `y_test` (Keras's mnist.npz), also with `x_val`, `y_val`;
    `train_images`, `train_labels`, ... . A whole: `images` and `labels`, `X` and `y`, `x` and `y`, `data` and
    `target`, or a single array of any name. Labels may be missing. Integers mean in every part what they mean in the
    training part, or what they meant to a model that was `fitted` before.

    Raises `VaelabError` for other names, a file that cannot be read or needs unpickling, and as `as_images`,
    `as_labels` and `paired` do.
    """
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise VaelabError(
                    translated(
                        "{path} is an .npy file under another name; rename it to {stem}.npy", path=path, stem=path.stem
                    )
                )
            wanted = _wanted(path, archive.files)
            arrays = {name: archive[name] for pair in wanted.values() for name in pair if name is not None}
    except VaelabError:
        raise
    except (
        Exception
    ) as error:  # of a damaged file NumPy lets anything through; of an encrypted one zipfile's RuntimeError
        raise VaelabError(_sentence(path, error)) from error
    return _parts(path, wanted, arrays, fitted)


_Pairs = dict[str, tuple[str, str | None]]  # part -> names of its images and labels


def _wanted(path: Path, names: list[str]) -> _Pairs:
    def first(pairs: tuple[tuple[str, str], ...]) -> tuple[str, str | None] | None:
        return next(
            ((images, labels if labels in names else None) for images, labels in pairs if images in names), None
        )

    found = {part: pair for part, pairs in _PART_KEYS.items() if (pair := first(pairs)) is not None}
    if "train" in found:
        return found
    whole = first(_WHOLE_KEYS) or ((names[0], None) if len(names) == 1 else None)
    if whole is None:
        raise VaelabError(
            translated(
                "{path}: expected arrays named x_train and x_test, or images (with labels, if any), or a single "
                "array; found {names}. Rename them",
                path=path,
                names=", ".join(map(in_a_sentence, names)) or translated("none"),
            )
        )
    return {"train": whole}


def _parts(path: Path, wanted: _Pairs, arrays: Mapping[str, np.ndarray], fitted: ImageValues | None) -> Parts:
    texts = [labels for _, labels in wanted.values() if labels is not None and arrays[labels].dtype.kind in "US"]
    names: tuple[str, ...] | None = None
    if texts:  # text labels are numbered over all parts together
        joined, names = as_labels(np.concatenate([arrays[name].astype(str).reshape(-1) for name in texts]), str(path))
        ends = np.cumsum([arrays[name].size for name in texts])[:-1]
        arrays = {**arrays, **dict(zip(texts, np.split(joined, ends), strict=True))}
    splits: dict[str, Split] = {}
    for part, (images, labels) in wanted.items():  # the training part comes first
        values = None if labels is None else as_labels(arrays[labels], f"{path} ({labels})")[0]
        source = f"{path} ({in_a_sentence(images)})"
        if part == "train" or fitted is not None:
            pixels = _as_first(arrays[images], source, fitted)
        else:
            pixels = as_part(arrays[images], source, splits["train"].images)
        splits[part] = paired(pixels, values, in_a_sentence(images), f"{path} ({labels})")
    return Parts(splits["train"], splits.get("validation"), splits.get("test"), names)


def _as_first(array: np.ndarray, source: str, fitted: ImageValues | None) -> np.ndarray:
    return as_images(array, source) if fitted is None else as_fitted(array, source, fitted)


def _sentence(path: Path, error: BaseException) -> str:
    if "pickle" in str(error):
        return translated(
            "{path} holds pickled Python objects, which are never loaded, because loading them can run code; save "
            "plain arrays of numbers, all images of one shape",
            path=path,
        )
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return translated("{path} is encrypted; save it without a password", path=path)
    if isinstance(error, OSError) and error.strerror:
        return translated(
            "cannot read {path}: {strerror}; check that the file is there", path=path, strerror=error.strerror
        )
    reason = " ".join(str(error).split()) or type(error).__name__
    return translated(
        "{path} is damaged or no NumPy file ({reason}); save or copy it again", path=path, reason=reason[:120]
    )
