"""The data sets that have a name: how many images, where they lie, and under what licence."""

import os
from dataclasses import dataclass

from vaelab.data.digits import DIGITS_LICENCE
from vaelab.data.downloads import FASHION_MNIST, KMNIST, Published, cache_folder, location
from vaelab.data.packaged import MNIST_FOLDER, MNIST_LICENCE
from vaelab.language import to_translate

PUBLISHED = {published.name: published for published in (FASHION_MNIST, KMNIST)}
NAMES = ("mnist", "digits", *PUBLISHED)


@dataclass(frozen=True)
class Entry:
    """One named data set. `at_hand` is False where it has yet to be downloaded; `place` then is where to."""

    name: str
    contents: str
    images: int
    image_shape: tuple[int, int]
    place: str
    at_hand: bool
    licence: str


def catalogue(cache: str | os.PathLike[str] | None = None) -> tuple[Entry, ...]:
    """An entry for each name that `load_data` knows; nothing is downloaded or read for it."""
    return (
        Entry("mnist", to_translate("handwritten digits"), 70_000, (28, 28), str(MNIST_FOLDER), True, MNIST_LICENCE),
        Entry(
            "digits",
            to_translate("handwritten digits, small"),
            1_797,
            (8, 8),
            to_translate("inside scikit-learn"),
            True,
            DIGITS_LICENCE,
        ),
        _entry(FASHION_MNIST, to_translate("pieces of clothing"), cache),
        _entry(KMNIST, to_translate("cursive Japanese characters"), cache),
    )


def _entry(published: Published, contents: str, cache: str | os.PathLike[str] | None) -> Entry:
    folder = location(published, cache)
    place = folder or cache_folder(published, cache)
    return Entry(published.name, contents, 70_000, (28, 28), str(place), folder is not None, published.licence)
