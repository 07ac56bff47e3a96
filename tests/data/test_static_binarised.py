"""Fixed binarised sets in the three kinds of file that people have."""

from pathlib import Path

import numpy as np
import pytest

from vaelab.data import load_data, load_images
from vaelab.data.static_binarised import read_static_binarised
from vaelab.errors import VaelabError

IMAGES = (np.random.default_rng(0).random((5, 16)) < 0.4).astype(np.uint8)


def write_amat(path: Path, images: np.ndarray) -> Path:
    path.write_text("".join(" ".join(str(int(value)) for value in image) + " \n" for image in images))
    return path


def test_three_kinds_give_the_same_images(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", IMAGES)
    np.savez(tmp_path / "a.npz", images=IMAGES.astype(np.float32))
    write_amat(tmp_path / "a.amat", IMAGES)
    for ending in ("npy", "npz", "amat"):
        parts = read_static_binarised(tmp_path / f"a.{ending}")
        assert parts.train.images.shape == (5, 4, 4)  # a square where none is given
        np.testing.assert_array_equal(parts.train.images.reshape(5, 16), IMAGES * 255)


def test_the_three_files_of_the_papers(tmp_path: Path) -> None:
    for part, count in (("train", 5), ("valid", 2), ("test", 3)):
        write_amat(tmp_path / f"binarized_mnist_{part}.amat", IMAGES[:count])
    parts = read_static_binarised(tmp_path / "binarized_mnist_test.amat", (4, 4))
    assert parts.validation is not None
    assert parts.test is not None
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [5, 2, 3]


def test_labels_come_from_the_grey_images_where_they_are_the_same(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    grey = np.where(generator.random((40, 4, 4)) < 0.5, 0, generator.integers(1, 256, (40, 4, 4))).astype(np.uint8)
    labels = np.arange(40) % 3
    np.savez(tmp_path / "grey.npz", x_train=grey[:30], y_train=labels[:30], x_test=grey[30:], y_test=labels[30:])
    binary = (generator.random(grey.shape) * 255 < grey).astype(np.uint8)
    np.savez(tmp_path / "binary.npz", x_train=binary[:30], x_test=binary[30:])
    dataset = load_data(tmp_path / "grey.npz", validation_size=6, binarised=tmp_path / "binary.npz")
    np.testing.assert_array_equal(dataset.test.images, binary[30:] * 255)
    np.testing.assert_array_equal(dataset.test.labels, labels[30:])
    whole = dataset.train_and_validation
    assert whole.labels is not None
    for image, label in zip(whole.images, whole.labels, strict=True):
        assert label in labels[:30][(binary[:30] * 255 == image).all(axis=(1, 2))]
    # in another order they are other images, and so without labels
    np.savez(tmp_path / "other.npz", x_train=binary[:30][::-1], x_test=binary[30:])
    assert load_data(tmp_path / "grey.npz", binarised=tmp_path / "other.npz").train.labels is None
    images, _ = load_images(tmp_path / "grey.npz", binarised=tmp_path / "binary.npz")
    np.testing.assert_array_equal(images.images, binary[30:] * 255)


def test_the_published_parts_take_the_labels_of_the_whole_training_part(tmp_path: Path) -> None:
    grey = np.concatenate([IMAGES, IMAGES[:2]]).reshape(-1, 4, 4) * np.uint8(255)
    np.savez(tmp_path / "grey.npz", x_train=grey, y_train=np.arange(7), x_test=grey[:3], y_test=np.arange(3))
    for part, images in (("train", IMAGES), ("valid", IMAGES[:2]), ("test", IMAGES[:3])):
        write_amat(tmp_path / f"binarized_mnist_{part}.amat", images)
    dataset = load_data(tmp_path / "grey.npz", binarised=tmp_path / "binarized_mnist_train.amat")
    assert [list(part.labels) for part in (dataset.train, dataset.validation, dataset.test) if part.labels is not None] == [
        [0, 1, 2, 3, 4], [5, 6], [0, 1, 2],
    ]  # fmt: skip


def test_what_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(VaelabError, match="no such file of binarised images"):
        read_static_binarised(tmp_path / "none.npz")
    np.save(tmp_path / "grey.npy", np.linspace(0, 1, 32, dtype=np.float32).reshape(2, 16))
    with pytest.raises(VaelabError, match=r"pixels of 0 and 1 alone.*--pixels dynamic"):
        read_static_binarised(tmp_path / "grey.npy")
    np.save(tmp_path / "whole.npy", IMAGES)
    with pytest.raises(VaelabError, match=r"images of shape \(16,\); the data have \(28, 28\)"):
        read_static_binarised(tmp_path / "whole.npy", (28, 28))
    (tmp_path / "cut.amat").write_text("0 1 0 1\n0 1\n")
    with pytest.raises(VaelabError, match="lines have 2 to 4 values"):
        read_static_binarised(tmp_path / "cut.amat")
    (tmp_path / "words.amat").write_text("not numbers\n")
    with pytest.raises(VaelabError, match="not a text file of numbers"):
        read_static_binarised(tmp_path / "words.amat")
    (tmp_path / "images.txt").write_text("0 1")
    with pytest.raises(VaelabError, match=r"\.npz, \.npy or \.amat"):
        read_static_binarised(tmp_path / "images.txt")
