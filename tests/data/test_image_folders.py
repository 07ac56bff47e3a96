"""Folders of pictures, and single pictures."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vaelab.data import load_data, load_image
from vaelab.errors import VaelabError

EXACT = {"png": "PNG", "bmp": "BMP", "gif": "GIF", "tif": "TIFF", "TIFF": "TIFF"}


def _save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def _folder(folder: Path, images: np.ndarray, suffix: str = "png") -> Path:
    for number, image in enumerate(images):
        _save(folder / f"{number:03}.{suffix}", image)
    return folder


@pytest.fixture
def colour_images() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (12, 6, 5, 3), dtype=np.uint8)


def _all(data) -> np.ndarray:
    return np.concatenate([data.train_and_validation.images, data.test.images])


def _sorted(images: np.ndarray) -> list[bytes]:
    return sorted(image.tobytes() for image in images)


@pytest.mark.parametrize("suffix", EXACT)
def test_grey_images_come_out_as_they_went_in(tmp_path, grey_images, suffix):
    data = load_data(_folder(tmp_path / "pictures", grey_images, suffix))
    assert data.image_shape == (6, 5)
    assert data.dtype == np.uint8
    assert data.name == "pictures"
    assert _sorted(_all(data)) == _sorted(grey_images)
    assert data.train.labels is None
    assert data.label_names is None
    assert (len(data.train), len(data.validation), len(data.test)) == (16, 2, 2)


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff"])
def test_colour_images_come_out_as_they_went_in(tmp_path, colour_images, suffix):
    data = load_data(_folder(tmp_path, colour_images, suffix))
    assert data.image_shape == (6, 5, 3)
    assert _sorted(_all(data)) == _sorted(colour_images)


def test_jpeg_is_nearly_what_went_in(tmp_path):
    ramp = np.broadcast_to(np.linspace(0, 255, 16, dtype=np.uint8), (16, 16))
    for number in range(4):
        _save(tmp_path / f"{number}.JPG", ramp, quality=95)
    data = load_data(tmp_path)
    assert data.image_shape == (16, 16)
    assert np.abs(data.train.images[0].astype(int) - ramp).max() <= 4


def test_subfolders_are_labels_in_the_order_of_numbers(tmp_path, grey_images):
    for name, value in (("10", 10), ("9", 9), ("2", 2)):
        _folder(tmp_path / name, np.full((5, 4, 4), value, np.uint8))
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "broken.png").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("passed over")
    data = load_data(tmp_path)
    assert data.label_names == ("2", "9", "10")
    for part in (data.train, data.validation, data.test):
        assert [int(data.label_names[label]) for label in part.labels] == part.images[:, 0, 0].tolist()
    assert len(data.train) + len(data.validation) + len(data.test) == 15


@pytest.mark.parametrize("names", [("train", "test", None), ("training", "testing", "val")])
def test_parts_in_subfolders(tmp_path, grey_images, names):
    train, test, validation = names
    for label in ("ant", "bee"):
        _folder(tmp_path / train / label, grey_images[:10])
    _folder(tmp_path / test / "bee", grey_images[10:13])
    if validation:
        _folder(tmp_path / validation / "ant", grey_images[13:17])
    data = load_data(tmp_path)
    assert data.label_names == ("ant", "bee")
    assert len(data.test) == 3
    assert set(data.test.labels) == {1}
    assert (len(data.train), len(data.validation)) == ((20, 4) if validation else (18, 2))


def test_parts_without_labels(tmp_path, grey_images):
    _folder(tmp_path / "train", grey_images[:10])
    _folder(tmp_path / "test", grey_images[10:])
    data = load_data(tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (9, 1, 10)
    assert data.test.labels is None


def test_a_label_may_be_called_train(tmp_path, grey_images):
    for name in ("bus", "train"):
        _folder(tmp_path / name, grey_images[:5])
    assert load_data(tmp_path).label_names == ("bus", "train")


def test_grey_and_colour_mixed_become_colour(tmp_path, grey_images, colour_images):
    _folder(tmp_path / "a", grey_images[:3])
    _folder(tmp_path / "b", colour_images[:3])
    expected = [*np.stack([grey_images[:3]] * 3, axis=-1), *colour_images[:3]]
    assert _sorted(_all(load_data(tmp_path))) == _sorted(np.array(expected))


# -- What becomes of each kind of picture --------------------------------------------------------------------------


def _palette(colours: list[tuple[int, int, int]], indices: np.ndarray) -> Image.Image:
    picture = Image.new("P", indices.shape[::-1])
    picture.putpalette([value for colour in colours for value in colour])
    picture.putdata(indices.ravel().tolist())
    return picture


INDICES = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
KINDS = {
    "1-bit": (Image.fromarray(np.array([[0, 255], [255, 0]], np.uint8)).convert("1"), [[0, 255], [255, 0]]),
    "16-bit": (Image.fromarray(np.array([[0, 257, 65535]], np.uint16)), [[0, 1, 255]]),
    "grey palette": (_palette([(0, 0, 0), (90, 90, 90), (255, 255, 255)], INDICES), [[0, 90, 255], [255, 90, 0]]),
    "colour palette": (
        _palette([(255, 0, 0), (9, 9, 9), (0, 0, 7)], INDICES),
        [[[255, 0, 0], [9, 9, 9], [0, 0, 7]], [[0, 0, 7], [9, 9, 9], [255, 0, 0]]],
    ),
    "grey with alpha": (Image.fromarray(np.array([[[40, 255], [40, 0]]], np.uint8), "LA"), [[40, 255]]),
    "colour with alpha": (
        Image.fromarray(np.array([[[10, 20, 30, 255], [10, 20, 30, 0]]], np.uint8)),
        [[[10, 20, 30], [255, 255, 255]]],
    ),
    "CMYK": (Image.fromarray(np.array([[[0, 0, 0, 0], [0, 0, 0, 255]]], np.uint8), "CMYK"), [[[255] * 3, [0] * 3]]),
}


@pytest.mark.filterwarnings("ignore:.*mode.*:DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_pictures(tmp_path, kind):
    picture, expected = KINDS[kind]
    for number in range(3):
        picture.save(tmp_path / f"{number}.{'tiff' if kind == 'CMYK' else 'png'}")
    np.testing.assert_array_equal(load_data(tmp_path).train.images[0], expected)


def test_a_transparent_colour(tmp_path):
    for number in range(3):
        _save(tmp_path / f"{number}.png", np.array([[7, 8]], np.uint8), transparency=8)
    np.testing.assert_array_equal(load_data(tmp_path).train.images[0], [[7, 255]])


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.fromarray(np.full((4, 4), value, np.uint8)) for value in (10, 200)]
    for number in range(3):
        frames[0].save(tmp_path / f"{number}.gif", save_all=True, append_images=frames[1:])
    assert load_data(tmp_path).train.images.max() == 10


def test_a_camera_held_sideways(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6)
    for number in range(3):
        _save(tmp_path / f"{number}.png", pixels, exif=exif)
    np.testing.assert_array_equal(load_data(tmp_path).train.images[0], np.rot90(pixels, -1))


# -- Sizes ---------------------------------------------------------------------------------------------------------


def test_several_sizes_need_a_size(tmp_path, grey_images, refused):
    _folder(tmp_path / "a", grey_images)
    _folder(tmp_path / "b", grey_images[:, :4])
    words = ("several sizes", "000.png is 6x5", "is 4x5", "with size=6")
    refused(lambda: load_data(tmp_path), *words)
    assert load_data(tmp_path, size=8).image_shape == (8, 8)
    assert load_data(tmp_path, size=(3, 7)).image_shape == (3, 7)


def test_size_cuts_around_the_middle_and_keeps_proportions(tmp_path):
    wide = np.concatenate([np.full((8, 4), 0), np.full((8, 8), 100), np.full((8, 4), 255)], axis=1).astype(np.uint8)
    for number in range(3):
        _save(tmp_path / f"{number}.png", wide)
    np.testing.assert_array_equal(load_data(tmp_path, size=8).train.images[0], np.full((8, 8), 100))
    half = load_data(tmp_path, size=(4, 8)).train.images[0]  # same proportions: nothing is cut
    assert half[0, 0] < 10
    assert half[0, -1] > 245
    assert abs(int(half[2, 4]) - 100) <= 1


@pytest.mark.parametrize("size", [0, -3, (0, 4), (3, 4, 5)])
def test_a_size_that_is_none(tmp_path, grey_images, refused, size):
    refused(lambda: load_data(_folder(tmp_path, grey_images), size=size), "size must be", repr(size))


# -- Refusals ------------------------------------------------------------------------------------------------------


def test_an_empty_folder(tmp_path, refused):
    refused(lambda: load_data(tmp_path), str(tmp_path), "holds no images", ".png", "train-images-idx3-ubyte")


def test_a_folder_of_other_files(tmp_path, refused):
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    refused(lambda: load_data(tmp_path), "holds no images")


def test_an_empty_part(tmp_path, grey_images, refused):
    _folder(tmp_path / "train", grey_images)
    (tmp_path / "test").mkdir()
    refused(lambda: load_data(tmp_path), str(tmp_path / "test"), "holds no images")


def test_a_test_part_without_a_training_part(tmp_path, grey_images, refused):
    _folder(tmp_path / "test", grey_images)
    refused(lambda: load_data(tmp_path), "none called train")


def test_labels_in_one_part_only(tmp_path, grey_images, refused):
    _folder(tmp_path / "train" / "a", grey_images)
    _folder(tmp_path / "test", grey_images)
    refused(lambda: load_data(tmp_path), "sub-folders as labels", "make them alike")


def test_images_beside_and_inside_subfolders(tmp_path, grey_images, refused):
    _folder(tmp_path, grey_images[:3])
    _folder(tmp_path / "a", grey_images[3:])
    refused(lambda: load_data(tmp_path), "beside its sub-folders (000.png)", "inside them (a)")


def test_parts_beside_other_folders(tmp_path, grey_images, refused):
    """Neither are `train/a` and `test/a` labels, nor is `extra` a part: nobody can have meant that."""
    for folder in ("train/a", "train/b", "test/a", "test/b", "extra"):
        _folder(tmp_path / folder, grey_images)
    refused(lambda: load_data(tmp_path), "parts (test, train)", "beside other sub-folders (extra)")


def test_two_folders_for_one_part(tmp_path, grey_images, refused):
    for folder in ("train", "val", "valid", "test"):
        _folder(tmp_path / folder, grey_images)
    refused(lambda: load_data(tmp_path), "several sub-folders for its validation part (val, valid)")


def test_folders_in_folders_are_labels_by_their_path(tmp_path, grey_images):
    for number, label in enumerate(("a/b", "a/c", "d")):
        _folder(tmp_path / label, grey_images[5 * number : 5 * number + 5])
    data = load_data(tmp_path)
    assert data.label_names == ("a/b", "a/c", "d")
    of_image = {image.tobytes(): number // 5 for number, image in enumerate(grey_images)}
    assert [of_image[image.tobytes()] for image in data.train.images] == data.train.labels.tolist()


def test_a_link_to_a_folder_above_is_not_followed(tmp_path, grey_images):
    _folder(tmp_path / "a", grey_images)
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert load_data(tmp_path).label_names == ("a",)


def test_webp_is_read_beside_png(tmp_path, grey_images):
    _folder(tmp_path, grey_images[:10])
    for number, image in enumerate(grey_images[10:]):
        _save(tmp_path / f"w{number}.webp", np.stack([image] * 3, axis=-1), lossless=True)
    data = load_data(tmp_path)
    assert _sorted(_all(data)[..., 0]) == _sorted(grey_images)


def test_what_is_passed_over_is_said(tmp_path, grey_images, caplog):
    _folder(tmp_path / "cat", grey_images)
    (tmp_path / "dog").mkdir()
    for name in ("cat/notes.txt", "cat/more.txt", "cat/photo.heic", "cat/.hidden", "README"):
        (tmp_path / name).write_text("hello")
    assert load_data(tmp_path).label_names == ("cat",)
    files, folders = caplog.messages
    assert "2 .txt, " in files
    assert "1 .heic" in files
    assert "1 without an ending" in files
    assert "no images in dog" in folders


def _with_bad(folder: Path, images: np.ndarray, bad: int) -> Path:
    _folder(folder, images)
    for number in range(bad):
        (folder / f"{number:03d}.png").write_bytes(b"" if number == 0 else b"not an image")
    return folder


def test_all_unreadable_files_are_in_one_message(tmp_path, grey_images, refused):
    _with_bad(tmp_path, grey_images, 3)
    refused(
        lambda: load_data(tmp_path), "cannot read 3 of the 20 files", "000.png (empty), 001.png (", "002.png (",
        "skip_bad=True leaves out what cannot be read",
    )  # fmt: skip
    _with_bad(tmp_path, grey_images, 13)
    refused(lambda: load_data(tmp_path), "cannot read 13 of the 20 files", "009.png (", "and 3 more")


def test_unreadable_files_are_left_out_and_named(tmp_path, grey_images, caplog):
    _with_bad(tmp_path / "a", grey_images, 3)
    _folder(tmp_path / "b", grey_images)
    data = load_data(tmp_path, skip_bad=True)
    assert _sorted(_all(data)) == _sorted(np.concatenate([grey_images[3:], grey_images]))
    (said,) = caplog.messages
    assert "left out 3 of 40 image files" in said
    assert said.endswith("a/000.png, a/001.png, a/002.png")


@pytest.mark.parametrize("skip_bad", [False, True])
def test_a_folder_of_unreadable_files_only(tmp_path, grey_images, refused, skip_bad):
    _with_bad(tmp_path, grey_images, 20)
    refused(lambda: load_data(tmp_path, skip_bad=skip_bad), "cannot read any of the 20 files", "and 10 more")
    with pytest.raises(VaelabError) as caught:
        load_data(tmp_path, skip_bad=skip_bad)
    assert "skip_bad" not in str(caught.value)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_images(tmp_path, grey_images, refused, count):
    refused(lambda: load_data(_folder(tmp_path, grey_images[:count])), f"{count} training image", "at least 3")


@pytest.mark.parametrize("size", [np.int64(8), np.uint8(8), (np.int32(8), 8), [8, 8]])
def test_sizes_of_numpy(tmp_path, grey_images, size):
    assert load_data(_folder(tmp_path, grey_images), size=size).image_shape == (8, 8)


UNREADABLE = {
    "empty": lambda content: b"",
    "text": lambda content: b"not an image",
    "cut short": lambda content: content[: len(content) // 2],
    "altered": lambda content: content[:40] + bytes(20) + content[60:],
    # A format that Pillow reads with an outside program; a name does not open that door.
    "postscript": lambda content: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
}


@pytest.mark.parametrize("damage", UNREADABLE)
def test_an_unreadable_image(tmp_path, refused, damage):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 16, 16), dtype=np.uint8)
    folder = _folder(tmp_path, pixels)
    path = folder / "001.png"
    path.write_bytes(UNREADABLE[damage](path.read_bytes()))
    refused(lambda: load_data(folder), str(path), "as an image")


@pytest.mark.parametrize("times", [1.5, 3])  # Pillow warns above its limit and stops above twice that
def test_a_decompression_bomb(tmp_path, monkeypatch, refused, times):
    path = _save(tmp_path / "bomb.png", np.zeros((30, 30), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", int(900 / times))
    refused(lambda: load_data(tmp_path), str(path), "too many pixels")
    refused(lambda: load_image(path, (28, 28)), str(path), "too many pixels")


def test_floating_point_pixels(tmp_path, refused):
    for number in range(3):
        _save(tmp_path / f"{number}.tiff", np.zeros((4, 4), np.float32))
    refused(lambda: load_data(tmp_path), "0.tiff", "floating-point", ".npy")


# -- One image -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 1), (6, 5, 3), (6, 5, 4), (9, 4), (3, 3, 3)])
@pytest.mark.parametrize("colour", [False, True])
def test_one_image_in_the_shape_asked_for(tmp_path, grey_images, colour_images, shape, colour):
    path = _save(tmp_path / "one.png", colour_images[0] if colour else grey_images[0])
    image = load_image(path, shape)
    assert image.shape == shape
    assert image.dtype == np.uint8
    if shape[:2] == (6, 5) and not colour:
        for channel in np.moveaxis(image.reshape(6, 5, -1), -1, 0)[:3]:
            np.testing.assert_array_equal(channel, grey_images[0])
    if shape == (6, 5, 4):
        assert (image[..., 3] == 255).all()
    if shape == (6, 5) and colour:  # ITU-R 601-2 luma
        luma = colour_images[0] @ np.array([299, 587, 114]) / 1000
        assert np.abs(image - luma).max() <= 1


def test_one_image_that_cannot_be_had(tmp_path, grey_images, refused):
    refused(lambda: load_image(tmp_path / "none.png", (4, 4)), "no such image file", "none.png")
    path = _save(tmp_path / "one.png", grey_images[0])
    refused(lambda: load_image(path, (64,)), "cannot become data of shape (64,)")
    refused(lambda: load_data(path), str(path), "give its folder")
