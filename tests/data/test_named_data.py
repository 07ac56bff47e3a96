"""MNIST in the package, scikit-learn's digits, the names, and the list of them."""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

import vaelab.data
from vaelab.data import catalogue, load_data
from vaelab.data.packaged import MNIST_FOLDER, read_mnist

# Of the original files, uncompressed.
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.fixture(scope="module")
def mnist() -> vaelab.data.Dataset:
    return load_data("mnist")


@pytest.mark.parametrize("name", SHA256)
def test_packaged_files_are_the_original_ones(name):
    content = gzip.decompress((MNIST_FOLDER / f"{name}.gz").read_bytes())
    assert hashlib.sha256(content).hexdigest() == SHA256[name]


def test_packaged_files_carry_no_name_and_no_time():
    for name in SHA256:
        assert (MNIST_FOLDER / f"{name}.gz").read_bytes()[3:8] == bytes(5)  # flags, four bytes of time


def test_notice_names_the_holders_and_the_licence():
    notice = (MNIST_FOLDER / "NOTICE").read_text()
    for words in ("Yann LeCun", "Corinna Cortes", "creativecommons.org/licenses/by-sa/3.0", *SHA256.values()):
        assert words in notice


def test_mnist_has_its_published_counts(mnist):
    # Images of each digit: LeCun et al., counted in the label files; mean and deviation 0.1307 and 0.3081 of the
    # training images in [0, 1] are the constants of PyTorch's MNIST example.
    whole = mnist.train_and_validation
    assert np.bincount(whole.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    chunks = [chunk.astype(np.float32) / np.float32(255) for chunk in np.split(whole.images, 12)]
    mean = np.mean([chunk.mean() for chunk in chunks])
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert np.sqrt(np.mean([(chunk**2).mean() for chunk in chunks]) - mean**2) == pytest.approx(0.3081, abs=5e-5)


def test_mnist_holds_out_ten_thousand_images(mnist):
    assert [len(part) for part in (mnist.train, mnist.validation, mnist.test)] == [50_000, 10_000, 10_000]
    assert mnist.image_shape == (28, 28)
    assert mnist.features == 784
    assert mnist.pixel_maximum == 255
    assert mnist.dtype == np.uint8
    assert mnist.label_names == tuple("0123456789")
    assert "seed 0" in mnist.origin
    assert "CC BY-SA 3.0" in mnist.licence
    assert repr(mnist) == "Dataset('mnist': train 50,000, validation 10,000, test 10,000; 28x28 uint8; 10 labels)"


@pytest.mark.parametrize("name", ["train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"])
def test_a_damaged_packaged_file(tmp_path, refused, name):
    for other in SHA256:
        (tmp_path / f"{other}.gz").symlink_to(MNIST_FOLDER / f"{other}.gz")
    content = bytearray(gzip.decompress((MNIST_FOLDER / f"{name}.gz").read_bytes()))
    content[len(content) // 2] ^= 1  # a valid gzip file, one bit off
    (tmp_path / f"{name}.gz").unlink()
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content, 1))
    refused(lambda: read_mnist(tmp_path), f"{name}.gz", "damaged", "SHA-256", "install")


def test_a_packaged_file_cut_short_or_missing(tmp_path, refused):
    folder = tmp_path / "mnist"
    shutil.copytree(MNIST_FOLDER, folder)
    path = folder / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:100_000])
    refused(lambda: read_mnist(folder), str(path), "damaged gzip")
    path.unlink()
    refused(lambda: read_mnist(folder), str(path), "No such file")


def test_digits_are_scikit_learns_brought_to_bytes():
    data = load_data("digits")
    assert [len(part) for part in (data.train, data.validation, data.test)] == [1437, 180, 180]
    images = np.concatenate([data.train_and_validation.images, data.test.images])
    original = load_digits()
    assert images.dtype == np.uint8
    assert images.min() == 0
    assert images.max() == 255
    # Nothing is lost: undone, the same images come out (in another order).
    undone = np.round(images.astype(np.float64) * 16 / 255).reshape(-1, 64)
    np.testing.assert_array_equal(undone[np.lexsort(undone.T)], original.data[np.lexsort(original.data.T)])
    labels = np.concatenate([data.train_and_validation.labels, data.test.labels])
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(original.target))


def test_the_data_room_imports_no_jax(tmp_path, grey_images):
    np.save(tmp_path / "x.npy", grey_images)
    program = "import sys, vaelab.data as d; d.load_data(sys.argv[1]); d.catalogue(); assert 'jax' not in sys.modules"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program, tmp_path / "x.npy"], check=True, env=environment)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mnits", ("'mnits'", "did you mean 'mnist'?", "kmnist")),
        ("Fashion_MNIST", ("did you mean 'fashion-mnist'?",)),
        ("", ("unknown data set ''", "known: digits")),
        ("x" * 5000, ("unknown data set",)),
        ("somewhere/else", ("no such file or folder: somewhere/else",)),
        ("pictures.npz", ("no such file or folder: pictures.npz", "mnist")),
    ],
)
def test_an_unknown_name(name, words, refused):
    refused(lambda: load_data(name), *words)


def test_a_path_object_is_a_path_even_where_it_is_a_name(tmp_path, monkeypatch, grey_images, refused):
    monkeypatch.chdir(tmp_path)
    refused(lambda: load_data(vaelab.data.loading.Path("digits")), "no such file or folder: digits")
    np.save(tmp_path / "digits.npy", grey_images)
    assert load_data("digits").image_shape == (8, 8)
    assert load_data("./digits.npy").image_shape == (6, 5)


def test_size_is_for_folders_of_images(refused):
    refused(lambda: load_data("digits", size=28), "size is for folders of images", "(8, 8)")
    assert load_data("digits", size=8).image_shape == (8, 8)


def test_the_list_has_every_name_with_place_and_licence(tmp_path):
    entries = {entry.name: entry for entry in catalogue(tmp_path)}
    assert set(entries) == {"mnist", "digits", "fashion-mnist", "kmnist"}
    assert entries["mnist"].place == str(MNIST_FOLDER)
    assert entries["mnist"].at_hand
    assert entries["kmnist"].place == str(tmp_path / "kmnist")
    assert not entries["kmnist"].at_hand
    for entry, licence in (("mnist", "CC BY-SA 3.0"), ("fashion-mnist", "MIT"), ("kmnist", "CC BY-SA 4.0")):
        assert licence in entries[entry].licence


def test_the_command_prints_the_list(tmp_path, capsys, monkeypatch):
    from vaelab.cli.data import data

    monkeypatch.setenv("COLUMNS", "400")
    data(tmp_path)
    printed = capsys.readouterr().out
    for entry in catalogue(tmp_path):
        assert entry.name in printed
        assert entry.licence in printed
        assert entry.place in printed
