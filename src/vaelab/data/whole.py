"""Images to look at or to encode: all that a source holds, in its own order, or one part of it."""

import os

import numpy as np

from vaelab.data.dataset import Dataset, Split
from vaelab.data.image_values import ImageValues
from vaelab.data.loading import load_data, read_parts
from vaelab.data.size import Size
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.nearest import nearest_name

PARTS = ("train", "validation", "test", "all")


def load_images(
    name_or_path: str | os.PathLike[str],
    *,
    part: str | None = None,
    size: Size | None = None,
    cache: str | os.PathLike[str] | None = None,
    binarised: str | os.PathLike[str] | None = None,
    skip_bad: bool = False,
    validation_size: int | None = None,
    validation_seed: int = 0,
    fitted: ImageValues | None = None,
) -> tuple[Split, tuple[str, ...] | None]:
    """Images of a data set, a file or a folder, with the names of their labels.

    Without `part` that is the test part where the source brings one, and all its images, in their order, where it is one piece
    (`load_data` would set some of them aside). `part` is train, validation, test, or all; a part that the source does not
    bring is the one that `load_data` holds out, by `validation_size` and `validation_seed`. The other arguments are those of `load_data`.

    Raises:
        VaelabError: for an unknown part, and as `load_data` does.
    """
    if part is not None and part not in PARTS:
        raise VaelabError(
            translated("unknown part '{part}' of the data; {nearest}", part=part, nearest=nearest_name(part, PARTS))
        )
    if part is None or part == "all":
        parts = read_parts(name_or_path, size, cache, binarised, skip_bad=skip_bad, fitted=fitted)[1]
        if part is None and parts.test is not None:
            return parts.test, parts.label_names
        return joined(
            [split for split in (parts.train, parts.validation, parts.test) if split is not None]
        ), parts.label_names
    dataset = load_data(
        name_or_path,
        size=size,
        validation_size=validation_size,
        validation_seed=validation_seed,
        cache=cache,
        binarised=binarised,
        skip_bad=skip_bad,
        fitted=fitted,
    )
    return named_part(dataset, part), dataset.label_names


def named_part(dataset: Dataset, part: str) -> Split:
    """One part of a data set: train, validation, test, or all of them, joined.

    Raises:
        VaelabError: for an unknown part.
    """
    if part not in PARTS:
        raise VaelabError(
            translated("unknown part '{part}' of the data; {nearest}", part=part, nearest=nearest_name(part, PARTS))
        )
    if part == "all":
        return joined([dataset.train, dataset.validation, dataset.test])
    return {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}[part]


def joined(splits: list[Split]) -> Split:
    """Several parts as one; labels where all have some."""
    splits = [split for split in splits if len(split)] or splits[:1]
    if len(splits) == 1:
        return splits[0]
    labels = [split.labels for split in splits if split.labels is not None]
    return Split(
        np.concatenate([split.images for split in splits]),
        np.concatenate(labels) if len(labels) == len(splits) else None,
    )
