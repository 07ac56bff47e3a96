"""A data set: images and labels in three parts, and where they came from."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64, Shaped


@dataclass(frozen=True, eq=False, repr=False)
class Split:
    """One part of a data set.

    `images` is uint8 in [0, 255] or float32, of shape (n, H, W), (n, H, W, C) or (n, features);
    `labels` is int64 of shape (n,), or None.
    """

    images: Shaped[np.ndarray, "n ..."]
    labels: Int64[np.ndarray, " n"] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        labels = "no labels" if self.labels is None else f"{len(np.unique(self.labels))} labels"
        return f"Split({_counted(len(self))} of {_shape(self.images.shape[1:])} {self.images.dtype}, {labels})"


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images to train on, images held out of training, and images to test with.

    `train`, `validation` and `test` share one image shape and one dtype. `label_names[i]` is the name of
    label `i`. `licence` and `origin` are sentences for people: under what terms, from where, how split.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    label_names: tuple[str, ...] | None = None
    licence: str = "not stated"
    origin: str = ""

    @property
    def image_shape(self) -> tuple[int, ...]:
        """The shape of one image: (H, W), (H, W, C) or (features,)."""
        return self.train.images.shape[1:]

    @property
    def features(self) -> int:
        """The number of values in one image: the product of its shape."""
        return int(np.prod(self.image_shape))

    @property
    def dtype(self) -> np.dtype:
        """uint8 or float32."""
        return self.train.images.dtype

    @cached_property
    def pixel_range(self) -> tuple[float, float]:
        """(0, 255) for uint8 images; the smallest and the largest value found in any part for float images."""
        if self.dtype == np.uint8:
            return 0.0, 255.0
        images = [part.images for part in (self.train, self.validation, self.test) if len(part)]
        return float(min(part.min() for part in images)), float(max(part.max() for part in images))

    @property
    def pixel_maximum(self) -> float:
        """The upper end of `pixel_range`: what uint8 images are divided by to lie in [0, 1]."""
        return self.pixel_range[1]

    @property
    def label_count(self) -> int:
        """How many labels a class prior has to know: their names, or the largest label plus one; 0 without labels."""
        if self.label_names is not None:
            return len(self.label_names)
        labels = [part.labels for part in (self.train, self.validation, self.test) if part.labels is not None]
        return max((int(part.max()) + 1 for part in labels if len(part)), default=0)

    @cached_property
    def train_and_validation(self) -> Split:
        """Both parts joined, validation last: what the tutorial trains on (and so validates on the test part)."""
        labels = None
        if self.train.labels is not None and self.validation.labels is not None:
            labels = np.concatenate([self.train.labels, self.validation.labels])
        return Split(np.concatenate([self.train.images, self.validation.images]), labels)

    def __repr__(self) -> str:
        parts = ", ".join(f"{part} {len(getattr(self, part)):,}" for part in ("train", "validation", "test"))
        labels = f"{self.label_count} labels" if self.label_count else "no labels"
        return f"Dataset({self.name!r}: {parts}; {_shape(self.image_shape)} {self.dtype}; {labels})"


def _counted(images: int) -> str:
    return f"{images:,} image{'' if images == 1 else 's'}"


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(str(axis) for axis in shape)
