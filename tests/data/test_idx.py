"""IDX files and folders of them: what is read, and what each kind of damage is called."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from vaelab.data import load_data
from vaelab.data.idx import read_idx


@pytest.mark.parametrize("dtype", ["u1", "i1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4), (2, 3, 4, 3)])
@pytest.mark.parametrize("compress", [False, True])
def test_what_was_written_is_read(tmp_path, write_idx, dtype, shape, compress):
    array = np.random.default_rng(0).integers(-100, 100, shape).astype(dtype)
    read = read_idx(write_idx(tmp_path / "x-idx-ubyte", array, compress))
    assert read.dtype == np.dtype(dtype)
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


def test_gzip_of_several_members_is_read_whole(tmp_path, write_idx):
    array = np.arange(5000, dtype="u1").reshape(50, 10, 10)
    content = write_idx(tmp_path / "plain", array).read_bytes()
    path = tmp_path / "members.gz"
    path.write_bytes(gzip.compress(content[:1234]) + gzip.compress(content[1234:]))
    np.testing.assert_array_equal(read_idx(path), array)


DAMAGE = {
    "wrong magic": (lambda content: b"\x89PNG" + content[4:], ("no IDX file", "89504e47", "00000803")),
    "unknown type": (lambda content: b"\x00\x00\x07\x03" + content[4:], ("no IDX file", "00000703")),
    "no axes": (lambda content: b"\x00\x00\x08\x00" + content[4:], ("no IDX file",)),
    "empty": (lambda content: b"", ("no IDX file", "an empty file")),
    "header cut short": (lambda content: content[:9], ("cut short", "header")),
    "values cut short": (lambda content: content[:-1], ("cut short", "20x6x5")),
    "too long": (lambda content: content + b"\x00", ("bytes too many",)),
    "lengths beyond memory": (lambda content: content[:4] + b"\xff" * 12 + content[16:], ("cut short",)),
    "gzip cut short": (lambda content: gzip.compress(content)[:-20], ("damaged gzip",)),
    "gzip altered": (lambda content: _altered(gzip.compress(content, mtime=0)), ("damaged gzip",)),
    "gzip header alone": (lambda content: b"\x1f\x8b\x08", ("damaged gzip",)),
}


def _altered(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(tmp_path, write_idx, grey_images, refused, damage):
    change, words = DAMAGE[damage]
    path = write_idx(tmp_path / "train-images-idx3-ubyte", grey_images)
    path.write_bytes(change(path.read_bytes()))
    refused(lambda: read_idx(path), str(path), *words)
    refused(lambda: load_data(tmp_path), str(path), *words)


def test_a_missing_file_is_named(tmp_path, refused):
    refused(lambda: read_idx(tmp_path / "nowhere"), "nowhere", "No such file")


def test_a_wrong_digest_is_refused(tmp_path, write_idx, grey_images, refused):
    path = write_idx(tmp_path / "x", grey_images)
    refused(lambda: read_idx(path, sha256="0" * 64), "damaged", "SHA-256")


STYLES = {
    "original": (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ),
    "dotted": (
        "train-images.idx3-ubyte",
        "train-labels.idx1-ubyte",
        "t10k-images.idx3-ubyte",
        "t10k-labels.idx1-ubyte",
    ),
    "emnist": (
        "emnist-digits-train-images-idx3-ubyte",
        "emnist-digits-train-labels-idx1-ubyte",
        "emnist-digits-test-images-idx3-ubyte",
        "emnist-digits-test-labels-idx1-ubyte",
    ),
}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("style", STYLES)
def test_a_folder_under_its_usual_names(tmp_path, write_idx, grey_images, style, compress):
    ending = ".gz" if compress else ""
    arrays = grey_images, np.arange(20, dtype="u1") % 3, grey_images[:4] // 2, np.arange(4, dtype="u1")
    for name, array in zip(STYLES[style], arrays, strict=True):
        write_idx(tmp_path / f"{name}{ending}", array, compress)
    data = load_data(tmp_path, validation_size=5)
    assert (len(data.train), len(data.validation), len(data.test)) == (15, 5, 4)
    np.testing.assert_array_equal(data.test.images, arrays[2])
    np.testing.assert_array_equal(data.test.labels, arrays[3])
    assert data.test.labels.dtype == np.int64
    assert data.name == tmp_path.name


def test_labels_and_test_part_may_be_missing(tmp_path, write_idx, grey_images):
    write_idx(tmp_path / "train-images-idx3-ubyte", grey_images)
    data = load_data(tmp_path)
    assert data.train.labels is None
    assert data.label_count == 0
    assert (len(data.train), len(data.validation), len(data.test)) == (16, 2, 2)


def test_a_plain_file_beside_its_gzipped_twin(tmp_path, write_idx, grey_images):
    write_idx(tmp_path / "train-images-idx3-ubyte.gz", grey_images, True)
    write_idx(tmp_path / "train-images-idx3-ubyte", grey_images)
    assert len(load_data(tmp_path).train_and_validation) == 18


def test_fewer_labels_than_images(tmp_path, write_idx, grey_images, refused):
    write_idx(tmp_path / "train-images-idx3-ubyte", grey_images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(19, "u1"))
    refused(lambda: load_data(tmp_path), "train-labels-idx1-ubyte", "19 labels", "20 images")


def test_no_images_in_an_idx_file(tmp_path, write_idx, refused):
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((0, 28, 28), "u1"))
    refused(lambda: load_data(tmp_path), "holds no images")


def test_a_folder_without_training_images(tmp_path, write_idx, grey_images, refused):
    write_idx(tmp_path / "t10k-images-idx3-ubyte", grey_images)
    refused(lambda: load_data(tmp_path), str(tmp_path), "no training images", "train-images-idx3-ubyte")


def test_two_files_for_one_part(tmp_path, write_idx, grey_images, refused):
    for prefix in ("emnist-digits", "emnist-letters"):
        write_idx(tmp_path / f"{prefix}-train-images-idx3-ubyte", grey_images)
    refused(lambda: load_data(tmp_path), "two files for the same part", "emnist-digits", "emnist-letters")


def test_parts_of_different_shapes(tmp_path, write_idx, grey_images, refused):
    write_idx(tmp_path / "train-images-idx3-ubyte", grey_images)
    write_idx(tmp_path / "t10k-images-idx3-ubyte", grey_images[:, 1:])
    refused(lambda: load_data(tmp_path), "one shape", "(6, 5)", "(5, 5)", "test")


def test_one_idx_file_asks_for_its_folder(tmp_path, write_idx, grey_images, refused):
    path: Path = write_idx(tmp_path / "train-images-idx3-ubyte", grey_images)
    refused(lambda: load_data(path), str(path), "give its folder")
