"""Holding out: every image in exactly one part, the same ones for the same seed."""

import numpy as np
import pytest

from vaelab.data import Dataset, Split, load_data
from vaelab.data.splitting import hold_out


def _numbered(images: int) -> Split:
    return Split(np.arange(images, dtype=np.uint8)[:, None].repeat(3, axis=1), np.arange(images, dtype=np.int64))


@pytest.mark.parametrize(("images", "size", "seed"), [(2, 1, 0), (10, 3, 0), (100, 99, 7), (200, 20, 4294967295)])
def test_each_image_is_in_exactly_one_part_in_its_old_order(images, size, seed):
    kept, held = hold_out(_numbered(images), size, seed)
    assert len(held) == size
    assert sorted([*kept.labels, *held.labels]) == list(range(images))
    for part in (kept, held):
        assert (np.diff(part.labels) > 0).all()
        np.testing.assert_array_equal(part.images[:, 0], part.labels)  # image and label stay together


def test_the_seed_decides():
    _, first = hold_out(_numbered(100), 10, 3)
    _, again = hold_out(_numbered(100), 10, 3)
    _, other = hold_out(_numbered(100), 10, 4)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert set(first.labels) != set(other.labels)


def test_the_split_is_the_same_in_every_version():
    # NumPy froze RandomState's stream (NEP 19): RandomState(0).permutation(10) is 2 8 4 9 1 6 7 3 0 5 for ever.
    _, held = hold_out(_numbered(10), 4, 0)
    assert held.labels.tolist() == [2, 4, 8, 9]


@pytest.mark.parametrize("size", [0, -1, 10, 11])
def test_a_size_that_leaves_nothing(size, refused):
    refused(lambda: hold_out(_numbered(10), size, 0), "validation_size", "from 1 to 9", str(size))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_out_of_range(seed, refused):
    refused(lambda: hold_out(_numbered(10), 1, seed), "validation_seed", str(seed))


def _images(split: Split) -> set[bytes]:
    return {image.tobytes() for image in split.images}


def test_the_test_part_does_not_depend_on_the_validation_seed(tmp_path, grey_images):
    np.save(tmp_path / "x.npy", grey_images)
    one, two = (load_data(tmp_path / "x.npy", validation_seed=seed, validation_size=6) for seed in (0, 1))
    np.testing.assert_array_equal(one.test.images, two.test.images)
    assert _images(one.validation) != _images(two.validation)
    assert _images(one.train_and_validation) == _images(two.train_and_validation)
    assert len(one.validation) == 6
    assert "validation: 6 images held out by seed 0" in one.origin
    assert "test: 2 images held out by seed 0" in one.origin


@pytest.mark.parametrize("images", [1, 2])
def test_too_few_images_to_split(tmp_path, grey_images, refused, images):
    np.save(tmp_path / "few.npy", grey_images[:images])
    refused(lambda: load_data(tmp_path / "few.npy"), "few", f"has {images} training image", "at least 3")


def test_three_images_are_enough(tmp_path, grey_images):
    np.save(tmp_path / "few.npy", grey_images[:3])
    data = load_data(tmp_path / "few.npy")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1, 1, 1]


def test_properties_of_a_data_set():
    part = Split(np.array([[-1.0, 0.0], [2.0, 3.0]], np.float32), np.array([0, 4], np.int64))
    data = Dataset("x", part, part, part)
    assert data.pixel_range == (-1.0, 3.0)
    assert data.label_count == 5
    assert data.image_shape == (2,)
    assert len(data.train_and_validation) == 4
    assert "2 float32" in repr(data)
    assert "2 labels" in repr(part)
