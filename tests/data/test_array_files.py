"""`.npy` and `.npz`: layouts, types, and refusals."""

import numpy as np
import pytest

from vaelab.data import load_data

LABELS = np.arange(20) % 3

# Layouts of an .npz file: the names of its arrays, and the sizes of the three parts.
LAYOUTS = {
    "keras": ({"x_train": 20, "y_train": 20, "x_test": 6, "y_test": 6}, (18, 2, 6), True),
    "keras with validation": (
        {"x_train": 20, "y_train": 20, "x_val": 4, "y_val": 4, "x_test": 6, "y_test": 6},
        (20, 4, 6),
        True,
    ),
    "medmnist": (
        {"train_images": 20, "train_labels": 20, "val_images": 4, "val_labels": 4, "test_images": 6, "test_labels": 6},
        (20, 4, 6),
        True,
    ),
    "no labels": ({"x_train": 20, "x_test": 6}, (18, 2, 6), False),
    "images": ({"images": 20, "labels": 20}, (16, 2, 2), True),
    "capital": ({"X": 20, "y": 20}, (16, 2, 2), True),
    "one array": ({"arr_0": 20}, (16, 2, 2), False),
    "images and others": ({"images": 20, "mean": 20, "labels": 20}, (16, 2, 2), True),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(tmp_path, grey_images, layout):
    names, sizes, labelled = LAYOUTS[layout]
    is_labels = {name: name.startswith("y") or "labels" in name for name in names}
    arrays = {name: (LABELS if is_labels[name] else grey_images)[:count] for name, count in names.items()}
    np.savez(tmp_path / "data.npz", **arrays)
    data = load_data(tmp_path / "data.npz")
    assert (len(data.train), len(data.validation), len(data.test)) == sizes
    assert data.image_shape == (6, 5)
    assert data.dtype == np.uint8
    for part in (data.train, data.validation, data.test):
        assert (part.labels is not None) == labelled
    if labelled:  # each image kept its own label
        of_image = {image.tobytes(): label for image, label in zip(grey_images, LABELS, strict=True)}
        for part in (data.train, data.validation, data.test):
            assert [of_image[image.tobytes()] for image in part.images] == part.labels.tolist()


def test_labels_in_a_column(tmp_path, grey_images):
    np.savez(tmp_path / "data.npz", images=grey_images, labels=LABELS[:, None].astype(np.uint8))
    labels = load_data(tmp_path / "data.npz").train.labels
    assert labels.shape == (16,)
    assert labels.dtype == np.int64


def test_text_labels_are_numbered_over_all_parts(tmp_path, grey_images):
    train, test = np.array(["cat", "ant"] * 10), np.array(["bee", "cat"])
    np.savez(tmp_path / "data.npz", x_train=grey_images, y_train=train, x_test=grey_images[:2], y_test=test)
    data = load_data(tmp_path / "data.npz")
    assert data.label_names == ("ant", "bee", "cat")
    assert data.label_count == 3
    assert data.test.labels.tolist() == [1, 2]
    assert set(data.train.labels) == {0, 2}


@pytest.mark.parametrize("shape", [(12, 64), (12, 8, 8), (12, 8, 8, 1), (12, 8, 8, 3)])
@pytest.mark.parametrize("dtype", ["uint8", "float64", "float16", ">f4", "int64", "bool"])
def test_types_and_shapes(tmp_path, shape, dtype):
    array = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 200, shape).astype(dtype)
    np.save(tmp_path / "x.npy", array)
    data = load_data(tmp_path / "x.npy")
    assert data.dtype == (np.float32 if "f" in dtype else np.uint8)
    assert data.image_shape == shape[1:]
    found = np.concatenate([data.train_and_validation.images, data.test.images]).astype(np.float64)
    expected = array.astype(np.float64) * (255 if dtype == "bool" else 1)
    np.testing.assert_array_equal(np.sort(found, axis=None), np.sort(expected, axis=None))


def test_floats_keep_their_range(tmp_path):
    np.save(tmp_path / "x.npy", np.linspace(-3.5, 7.25, 120).reshape(10, 12))
    assert load_data(tmp_path / "x.npy").pixel_range == (-3.5, 7.25)


def _with(position: tuple[int, ...], value: float, dtype: str = "float64") -> np.ndarray:
    array = np.zeros((10, 4, 4), dtype)
    array[position] = value
    return array


REFUSED = {
    "NaN": (_with((3, 0, 1), np.nan), ("finite", "1 NaN", "image 3")),
    "infinity": (_with((7, 0, 0), -np.inf, "float32"), ("finite", "image 7")),
    "too large for float32": (_with((2, 1, 1), 1e300), ("finite", "image 2")),
    "integers above 255": (_with((0, 0, 0), 256, "int32"), ("[0, 255]", "0 to 256")),
    "negative integers": (_with((0, 0, 0), -1, "int16"), ("[0, 255]", "-1 to 0")),
    "no images": (np.zeros((0, 28, 28), "uint8"), ("holds no images", "(0, 28, 28)")),
    "images without pixels": (np.zeros((5, 0, 28), "uint8"), ("holds no images",)),
    "one axis": (np.zeros(5, "uint8"), ("(n, H, W)", "(5,)")),
    "five axes": (np.zeros((5, 2, 2, 2, 2), "uint8"), ("(n, H, W)", "(5, 2, 2, 2, 2)")),
    "channels first": (np.zeros((5, 3, 32, 32), "uint8"), ("channels come last", "moveaxis")),
    "complex": (np.zeros((5, 4, 4), "complex64"), ("must be numbers", "complex64")),
    "text": (np.full((5, 4), "a"), ("must be numbers", "<U1")),
    "objects": (np.array([None, 3, "x"], dtype=object), ("pickled", "never loaded")),
    "images of several sizes": (np.array([np.zeros((2, 2)), np.zeros((3, 3))], dtype=object), ("pickled", "one shape")),
}


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("case", REFUSED)
def test_arrays_that_cannot_be_used(tmp_path, refused, case, kind):
    array, words = REFUSED[case]
    path = tmp_path / f"bad.{kind}"
    if kind == "npy":
        np.save(path, array, allow_pickle=True)
    else:
        np.savez(path, images=array)
    refused(lambda: load_data(path), str(path), *words)


LABELS_REFUSED = {
    "too few": (np.zeros(19, int), ("19 labels", "20 images")),
    "too many": (np.zeros(21, int), ("21 labels", "20 images")),
    "one column a label": (np.eye(20), ("labels must have the shape (n,)", "argmax")),
    "negative": (np.arange(20) - 1, ("found -1",)),
    "fractions": (np.arange(20) / 2, ("whole numbers",)),
    "NaN": (np.full(20, np.nan), ("whole numbers",)),
    "complex": (np.zeros(20, "complex64"), ("whole numbers", "complex64")),
}


@pytest.mark.parametrize("case", LABELS_REFUSED)
def test_labels_that_cannot_be_used(tmp_path, grey_images, refused, case):
    labels, words = LABELS_REFUSED[case]
    np.savez(tmp_path / "data.npz", images=grey_images, labels=labels)
    refused(lambda: load_data(tmp_path / "data.npz"), "data.npz", *words)


def test_unknown_names_in_an_npz_are_listed(tmp_path, grey_images, refused):
    np.savez(tmp_path / "data.npz", left=grey_images, right=grey_images)
    refused(lambda: load_data(tmp_path / "data.npz"), "x_train", "images", "left, right")
    np.savez(tmp_path / "empty.npz")
    refused(lambda: load_data(tmp_path / "empty.npz"), "found none")


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("damage", ["cut short", "not NumPy", "empty", "altered"])
def test_damaged_files(tmp_path, grey_images, refused, kind, damage):
    path = tmp_path / f"bad.{kind}"
    if kind == "npy":
        np.save(path, grey_images)
    else:
        np.savez_compressed(path, images=grey_images)
    content = path.read_bytes()
    altered = content[:8] + b"\xff" * 90 + content[98:]
    path.write_bytes(
        {"cut short": content[:-200], "not NumPy": b"hello" * 99, "empty": b"", "altered": altered}[damage]
    )
    refused(lambda: load_data(path), str(path), "" if damage in ("not NumPy",) else "damaged")


def test_a_header_that_claims_more_than_memory_holds(tmp_path, refused):
    path = tmp_path / "huge.npy"
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (2**20, 2**20, 2**10)}
        )
    refused(lambda: load_data(path), "huge.npy", "damaged")


def test_a_pickle_is_never_loaded(tmp_path, refused):
    path = tmp_path / "evil.npy"
    marker = tmp_path / "ran"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    refused(lambda: load_data(path), "evil.npy", "never loaded")
    assert not marker.exists()


def test_swapped_suffixes(tmp_path, grey_images, refused):
    np.save(tmp_path / "a.npy", grey_images)
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    refused(lambda: load_data(tmp_path / "a.npz"), "rename it to a.npy")
    np.savez(tmp_path / "b.npz", grey_images)
    (tmp_path / "b.npz").rename(tmp_path / "b.npy")
    refused(lambda: load_data(tmp_path / "b.npy"), "rename it to b.npz")


def test_two_validation_parts(tmp_path, grey_images, refused):
    np.savez(tmp_path / "data.npz", x_train=grey_images, x_val=grey_images[:3], x_test=grey_images)
    refused(lambda: load_data(tmp_path / "data.npz", validation_size=2), "brings its own validation part of 3")


def test_parts_of_different_types(tmp_path, grey_images, refused):
    np.savez(tmp_path / "data.npz", x_train=grey_images, x_test=grey_images.astype(np.float32))
    refused(lambda: load_data(tmp_path / "data.npz"), "one shape and type", "uint8", "float32")


def test_other_files_are_no_data_set(tmp_path, refused):
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    refused(lambda: load_data(path), str(path), "no data set", ".npz")


# -- Parts beside the training part --------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["x_val", "x_test"])
@pytest.mark.parametrize("bad", ["unscaled", "NaN", "of 0 and 1"])
def test_a_part_of_another_scale_is_named(tmp_path, grey_images, refused, part, bad):
    train = grey_images if bad == "of 0 and 1" else grey_images / 255
    wrong = {
        "unscaled": grey_images.astype(np.float64),
        "NaN": np.full(grey_images.shape, np.nan),
        "of 0 and 1": (grey_images > 100).astype(np.int64),
    }[bad]
    np.savez(tmp_path / "data.npz", **{"x_train": train, "x_val": train, "x_test": train} | {part: wrong})
    words = ("finite",) if bad == "NaN" else ("where the training images are",)
    refused(lambda: load_data(tmp_path / "data.npz"), f"data.npz ({part})", *words)


def test_the_training_part_decides_what_integers_mean(tmp_path, grey_images):
    """A test part of 0 and 1 alone is read as the training part was: here both are black and white."""
    binary = (grey_images > 100).astype(np.int64)
    np.savez(tmp_path / "data.npz", x_train=binary, x_test=np.ones((2, 6, 5), np.int64))
    data = load_data(tmp_path / "data.npz")
    assert set(np.unique(data.train.images)) == {0, 255}
    assert set(np.unique(data.test.images)) == {255}


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_integers_of_0_and_1_are_black_and_white(tmp_path, grey_images, caplog, dtype):
    np.save(tmp_path / "x.npy", (grey_images > 100).astype(dtype))
    data = load_data(tmp_path / "x.npy")
    assert set(np.unique(data.train.images)) == {0, 255}
    assert any("x.npy" in message and "black and white" in message for message in caplog.messages) == (dtype != "bool")


def test_another_file_is_read_as_what_was_fitted(tmp_path, grey_images, refused):
    from vaelab.data import load_images
    from vaelab.data.image_values import ImageValues

    np.save(tmp_path / "x.npy", (grey_images > 100).astype(np.uint8))
    split, _ = load_images(tmp_path / "x.npy", fitted=ImageValues("bool"))
    assert set(np.unique(split.images)) == {0, 255}
    refused(lambda: load_images(tmp_path / "x.npy", fitted=ImageValues("uint8")), "x.npy", "they would all be black")
    np.save(tmp_path / "x.npy", grey_images)
    split, _ = load_images(tmp_path / "x.npy", fitted=ImageValues("float32", 0.0, 255.0))
    np.testing.assert_array_equal(split.images, grey_images.astype(np.float32))
