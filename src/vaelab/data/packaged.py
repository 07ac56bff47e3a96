"""MNIST, inside the package: nothing to download."""

from pathlib import Path

import numpy as np

from vaelab.data.dataset import Split
from vaelab.data.idx import read_idx

MNIST_FOLDER = Path(__file__).parent / "mnist"
MNIST_LICENCE = "CC BY-SA 3.0, copyright Yann LeCun and Corinna Cortes"
MNIST_LABELS = tuple("0123456789")

# Of the uncompressed files. They are the original ones: the same digests are those of the files that
# yann.lecun.com served, gunzipped.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def read_mnist(folder: Path = MNIST_FOLDER) -> tuple[Split, Split]:
    """MNIST's 60,000 training and 10,000 test images, uint8 of 28x28, each file checked by its SHA-256.

    Raises `VaelabError` for a file of the package that is missing or damaged.
    """
    return _part(folder, "train"), _part(folder, "t10k")


def _part(folder: Path, part: str) -> Split:
    images, labels = (
        read_idx(folder / f"{name}.gz", sha256=MNIST_SHA256[name])
        for name in (f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
    )
    return Split(images, labels.astype(np.int64))
