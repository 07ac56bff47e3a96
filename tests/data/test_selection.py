"""Picking one image by a word."""

import numpy as np
import pytest
from PIL import Image

from vaelab.data import Dataset, Split, load_data, resolve_item, resolve_items


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits")


@pytest.mark.parametrize("label", range(10))
def test_a_label_gives_the_test_image_nearest_to_its_mean(digits, label):
    item = resolve_item(digits, f"label:{label}")
    of_label = digits.test.images[digits.test.labels == label].astype(float)
    distances = [((image - of_label.mean(axis=0)) ** 2).sum() for image in of_label]
    assert item.label == label
    assert item.name == f"label:{label}"
    assert ((item.image - of_label.mean(axis=0)) ** 2).sum() == min(distances)
    np.testing.assert_array_equal(item.image, resolve_item(digits, f"label:{label}").image)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_number_gives_that_image(digits, part):
    item = resolve_item(digits, f"{part}:12")
    np.testing.assert_array_equal(item.image, getattr(digits, part).images[12])
    assert item.label == getattr(digits, part).labels[12]


def _named(names: tuple[str, ...] | None) -> Dataset:
    images = np.arange(4, dtype=np.uint8)[:, None, None] * np.ones((2, 2), np.uint8)
    split = Split(images, np.array([0, 1, 1, 1], np.int64))
    return Dataset("named", split, split, split, names)


def test_a_label_goes_by_its_name_before_its_number():
    assert resolve_item(_named(("3", "7")), "label:7").label == 1
    assert resolve_item(_named(("1", "0")), "label:0").label == 1
    assert resolve_item(_named(("ant", "bee")), "label:bee").image[0, 0] == 2  # 1, 2, 3: the mean is 2
    assert resolve_item(_named(("ant", "bee")), "label:1").label == 1
    assert resolve_item(_named(None), "label:1").label == 1


def test_several_at_once(digits):
    one, two = resolve_items(digits, ["label:3", "test:0"])
    assert one.label == 3
    np.testing.assert_array_equal(two.image, digits.test.images[0])


def test_an_image_file_is_brought_to_the_shape_of_the_data(digits, tmp_path):
    Image.fromarray(np.full((16, 16, 3), 90, np.uint8)).save(tmp_path / "mine.png")
    item = resolve_item(digits, str(tmp_path / "mine.png"))
    np.testing.assert_array_equal(item.image, np.full((8, 8), 90, np.uint8))
    assert item.name == "mine.png"
    assert item.label is None


def _floats(high: float) -> Dataset:
    split = Split(np.linspace(0, high, 48, dtype=np.float32).reshape(3, 4, 4))
    return Dataset("floats", split, split, split)


def test_an_image_file_beside_float_data(tmp_path, refused):
    path = tmp_path / "mine.png"
    Image.fromarray(np.full((4, 4), 51, np.uint8)).save(path)
    image = resolve_item(_floats(1.0), str(path)).image
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, 0.2, rtol=1e-6)
    refused(lambda: resolve_item(_floats(3.0), str(path)), "mine.png", "range from 0 to 3")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("label:11", ("label:11", "no such label", "known")),
        ("label:-1", ("no such label",)),
        ("test:180", ("test:N", "0 to 179")),
        ("test:-1", ("test:N",)),
        ("test:x", ("test:N",)),
        ("tset:3", ("tset:3", "label:NAME", "no such file")),
        ("nowhere.png", ("nowhere.png", "no such file")),
    ],
)
def test_what_is_not_there(digits, refused, item, words):
    refused(lambda: resolve_item(digits, item), *words)


def test_labels_where_there_are_none(refused):
    refused(lambda: resolve_item(_floats(1.0), "label:3"), "floats has no labels", "test:0")
    refused(lambda: resolve_item(_named(("a", "b", "c")), "label:c"), "none of the test images")
