"""By what a data set is known again: how many images, of what shape and type, and a digest of each part."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from vaelab.data.dataset import Dataset, Split
from vaelab.data.names import NAMES
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

FORMAT = "vaelab-data-1"
ARRAYS = "arrays"
"""The name of data that were handed over in memory, and lie nowhere."""


@dataclass(frozen=True)
class PartPrint:
    """One part: the number of its images, and digests of images and labels (None where there are none)."""

    images: int
    digest: str
    labels: str | None

    @classmethod
    def of(cls, part: Split) -> "PartPrint":
        return cls(len(part), array_digest(part.images), None if part.labels is None else array_digest(part.labels))


@dataclass(frozen=True)
class Fingerprint:
    """Of the data that a run was trained on.

    `place` is where they were: a name that `load_data` knows, an absolute path, or None for arrays; `static_file` that of their binarised
    images. It is a hint: what decides whether data are the same is the rest.
    """

    image_shape: tuple[int, ...]
    dtype: str
    parts: dict[str, PartPrint]
    place: str | None = None
    static_file: str | None = None

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        place: str | os.PathLike[str] | None = None,
        static_file: str | os.PathLike[str] | None = None,
    ) -> "Fingerprint":
        """Of all three parts: a few hundredths of a second for MNIST's 47 MB."""
        parts = {name: PartPrint.of(getattr(dataset, name)) for name in ("train", "validation", "test")}
        found = None if place is None else os.fspath(place) if place in NAMES else _absolute(place)
        binarised = None if static_file is None else _absolute(static_file)
        return cls(dataset.image_shape, dataset.dtype.name, parts, found, binarised)

    @property
    def is_of_arrays(self) -> bool:
        return self.place is None

    def difference(self, other: "Fingerprint", parts: tuple[str, ...] = ("train", "validation", "test")) -> str:
        """In what `other` differs from this, in words, over some of its parts; empty where it is the same data."""
        beside = [(translated(_WORDS[name]), self.parts[name], other.parts[name]) for name in parts]
        if other.image_shape != self.image_shape:
            return translated(
                "images of shape {theirs}, where it had {own}", theirs=other.image_shape, own=self.image_shape
            )
        if other.dtype != self.dtype:
            return translated("pixels of type {theirs}, where it had {own}", theirs=other.dtype, own=self.dtype)
        counts = [
            translated(
                "{theirs:,} {part} images, where it had {own:,}", theirs=theirs.images, part=word, own=mine.images
            )
            for word, mine, theirs in beside
            if theirs.images != mine.images
        ]
        if counts:
            return translated(" and ").join(counts)
        images = [word for word, mine, theirs in beside if theirs.digest != mine.digest]
        if images:
            return translated("as many images of that shape, but the {parts} images are others", parts=_listed(images))
        labels = [word for word, mine, theirs in beside if theirs.labels != mine.labels]
        if not labels:
            return ""
        return translated("the same images, but other labels of the {parts} images", parts=_listed(labels))

    # --- as a run folder keeps it ---------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, values: Any, source: str) -> "Fingerprint":
        """What `to_json` gave.

        Raises:
            VaelabError: naming `source`, for anything else, and for what a newer version wrote.
        """
        if isinstance(values, Mapping) and values.get("format") not in (None, FORMAT):
            raise VaelabError(
                translated(
                    "{source}: is of format {theirs!r}, this vaelab reads {own!r}. Upgrade: pip install -U vaelab",
                    source=source,
                    theirs=values["format"],
                    own=FORMAT,
                )
            )
        try:
            parts = {name: PartPrint(**values["parts"][name]) for name in _WORDS}
            shape = tuple(int(axis) for axis in values["image_shape"])
            dtype = np.dtype(values["dtype"]).name
            return cls(shape, dtype, parts, values["place"], values["static_file"])
        except (KeyError, TypeError, ValueError, AttributeError):
            raise VaelabError(
                translated(
                    "{source}: damaged, or not written by vaelab; delete it, and the run no longer knows its data by "
                    "more than their path",
                    source=source,
                )
            ) from None


_WORDS = {
    "train": to_translate("training"),
    "validation": to_translate("validation"),
    "test": to_translate("test"),
}


def array_digest(array: Shaped[np.ndarray, "..."]) -> str:
    """SHA-256 over type, shape and content: 47 MB take some 40 ms, where BLAKE2 takes four times that."""
    digest = hashlib.sha256(f"{array.dtype.str}:{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return digest.hexdigest()


def _absolute(path: str | os.PathLike[str]) -> str:
    return str(Path(path).expanduser().resolve())


def _listed(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 2 else " and ".join(words)
