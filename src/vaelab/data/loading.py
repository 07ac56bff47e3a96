"""`load_data`: a name or a path in, a data set out."""

import os
from pathlib import Path

from vaelab.data import digits, packaged
from vaelab.data.dataset import Dataset, Split
from vaelab.data.splitting import hold_out, tenth
from vaelab.errors import VaelabError, nearest_name

_MNIST_VALIDATION = 10_000


def load_data(
    name_or_path: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    validation_size: int | None = None,
    validation_seed: int = 0,
    cache: str | os.PathLike[str] | None = None,
) -> Dataset:
    if name_or_path == "mnist":
        train, test = packaged.read_mnist()
        kept, held = hold_out(train, validation_size or _MNIST_VALIDATION, validation_seed)
        return Dataset("mnist", kept, held, test, packaged.MNIST_LABELS, packaged.MNIST_LICENCE, "inside vaelab")
    if name_or_path == "digits":
        whole = digits.read_digits()
        rest, test = hold_out(whole, tenth(len(whole)), validation_seed)
        kept, held = hold_out(rest, validation_size or tenth(len(whole)), validation_seed)
        return Dataset("digits", kept, held, test, tuple("0123456789"), digits.DIGITS_LICENCE, "inside scikit-learn")
    raise VaelabError(f"unknown data set {str(name_or_path)!r}: {nearest_name(str(name_or_path), ['mnist', 'digits'])}")
