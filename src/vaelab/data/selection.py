"""One image picked by a word: `label:3`, `test:12`, or the path of an image file."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from vaelab.data.dataset import Dataset, Split
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.nearest import nearest_name

_PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Item:
    """An image of the data set's shape and type, the word that picked it, and its label where it has one."""

    image: Shaped[np.ndarray, "..."]
    name: str
    label: int | None = None


def resolve_items(dataset: Dataset, items: Iterable[str]) -> tuple[Item, ...]:
    """`resolve_item` for each of `items`."""
    return tuple(resolve_item(dataset, item) for item in items)


def resolve_item(dataset: Dataset, item: str) -> Item:
    """The image that `item` asks for; the same one every time.

    - `label:NAME`, by the label's name or number: of the test images with that label, the one nearest to their
      mean (squared distance over pixels; of equally near ones the first);
    - `test:N`, `validation:N`, `train:N`: image number N of that part, counted from 0;
    - anything else: the path of an image file, brought to the data set's image shape. For float data, which
      have to lie in [0, 1] then, it is divided by 255.

    Raises `VaelabError` for a label or number that is not there, and as `load_image` does.
    """
    kind, _, rest = item.partition(":")
    if kind == "label" and rest:
        return _typical(dataset, item, rest)
    if kind in _PARTS and rest:
        return _numbered(getattr(dataset, kind), item, kind, rest)
    return Item(_from_file(dataset, item), Path(item).name)


def _typical(dataset: Dataset, item: str, name: str) -> Item:
    if dataset.test.labels is None:
        raise VaelabError(
            translated(
                "{item}: {name} has no labels; use test:N, such as test:0, or an image file",
                item=item,
                name=dataset.name,
            )
        )
    label = _label(dataset, item, name)
    chosen = np.flatnonzero(dataset.test.labels == label)
    if not len(chosen):
        raise VaelabError(
            translated(
                "{item}: none of the test images of {name} has that label; use train:N instead",
                item=item,
                name=dataset.name,
            )
        )
    images = dataset.test.images[chosen].reshape(len(chosen), -1).astype(np.float64)
    distances = ((images - images.mean(axis=0)) ** 2).sum(axis=1)
    return Item(dataset.test.images[chosen[np.argmin(distances)]], item, label)


def _label(dataset: Dataset, item: str, name: str) -> int:
    names = dataset.label_names or tuple(str(label) for label in range(dataset.label_count))
    if name in names:
        return names.index(name)
    if name.isdecimal() and int(name) < len(names):
        return int(name)
    raise VaelabError(
        translated(
            "{item}: {name} has no such label; {nearest}",
            item=item,
            name=dataset.name,
            nearest=nearest_name(name, names),
        )
    )


def _numbered(split: Split, item: str, part: str, number: str) -> Item:
    if not number.isdecimal() or int(number) >= len(split):
        raise VaelabError(
            translated(
                "{item}: expected {part}:N with N from 0 to {split:,}", item=item, part=part, split=len(split) - 1
            )
        )
    index = int(number)
    return Item(split.images[index], item, None if split.labels is None else int(split.labels[index]))


def _from_file(dataset: Dataset, path: str) -> Shaped[np.ndarray, "..."]:
    from vaelab.data.pictures import load_image

    if not Path(path).is_file():
        raise VaelabError(
            translated(
                "{path}: expected label:NAME, test:N, validation:N, train:N or an image file; no such file", path=path
            )
        )
    image = load_image(path, dataset.image_shape)
    if dataset.dtype == np.uint8:
        return image
    low, high = dataset.pixel_range
    if low < 0 or high > 1:
        raise VaelabError(
            translated(
                "{path}: the pixels of {name} range from {low:g} to {high:g}, and an image file cannot be "
                "brought to that; use label:NAME or test:N",
                path=path,
                name=dataset.name,
                low=low,
                high=high,
            )
        )
    return image.astype(np.float32) / np.float32(255)
