"""Image files: one, or a folder of them, as arrays of uint8.

What becomes of a picture: grey (also 1-bit and 16-bit, which is divided by 257) becomes one value a pixel, everything
else RGB; a palette counts as grey where all its colours in use are. Transparency is laid on white, as on paper.
The orientation that a camera recorded is applied. Of an animation the first frame is taken.
"""

import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps

from vaelab.data.arrays import in_order
from vaelab.data.dataset import Split
from vaelab.data.parts import Parts
from vaelab.errors import VaelabError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff")
# Named, so that a file's content cannot choose one of Pillow's other readers (some start programs).
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF")
_GREY_MODES = ("1", "L", "I", "I;16", "I;16B", "I;16L")
_PART_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
# What Pillow lets through for damaged files.
_UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)

Pixels = UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]


def load_image(path: Path | str, image_shape: Sequence[int]) -> UInt8[np.ndarray, "height width ..."]:
    """One image file as a uint8 array of `image_shape`, (H, W) or (H, W, C) with C 1, 3 or 4.

    A picture of another size is scaled, keeping its proportions, until it covers H x W, and cut to it around
    its middle. Colour becomes grey by its luminance (ITU-R 601-2) where one channel is asked for; grey becomes
    three equal channels; the fourth channel is 255, opaque.

    Raises `VaelabError` for a file that cannot be read, and for a shape that is no image's.
    """
    shape = tuple(image_shape)
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)):
        raise VaelabError(
            f"{path}: an image file cannot become data of shape {shape}; expected (H, W) or (H, W, C) with 1, 3 or 4 "
            "channels. Use label:… or test:… instead"
        )
    channels = shape[2] if len(shape) == 3 else 1
    picture = _fitted(_opened(Path(path)), (shape[0], shape[1]))
    pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    if channels == 4:
        pixels = np.concatenate([pixels, np.full((*shape[:2], 1), 255, np.uint8)], axis=2)
    return pixels.reshape(shape)


def read_image_folder(folder: Path, size: int | tuple[int, int] | None = None) -> Parts:
    """The images in a folder: flat, or in sub-folders that are their labels, or in `train` and `test` of these.

    All have to be of one size, unless `size` (a side, or (H, W)) is given: then each is scaled, keeping its
    proportions, until it covers `size`, and cut to it around its middle. Where grey and colour images are
    mixed, all become RGB. Hidden files and files of other kinds are passed over. Images are taken in the order
    of their names; labels in the order of the sub-folders' names, as numbers where all are.

    Raises `VaelabError` for a folder without images, images both beside and inside sub-folders, folders deeper
    than that, unreadable files, and several sizes without `size`.
    """
    target = _target(size)
    folders = _subfolders(folder)
    if folders and all(path.name.lower() in _PART_NAMES for path in folders) and not _images(folder):
        parts = {_PART_NAMES[path.name.lower()]: _files_by_label(path) for path in folders}
    else:
        parts = {"train": _files_by_label(folder)}
    if "train" not in parts:
        raise VaelabError(
            f"{folder} has the sub-folders {', '.join(path.name for path in folders)} but none called train; add it"
        )
    labelled = {label is not None for files in parts.values() for label, _ in files}
    if len(labelled) == 2:
        raise VaelabError(f"{folder}: some parts have sub-folders as labels and some have not; make them alike")
    names = in_order({label for files in parts.values() for label, _ in files if label is not None})
    pixels = iter(_read([path for files in parts.values() for _, path in files], target))
    splits = {}
    for part, files in parts.items():
        labels = np.array([names.index(label) for label, _ in files if label is not None], dtype=np.int64)
        splits[part] = Split(np.stack([next(pixels) for _ in files]), labels if names else None)
    return Parts(splits["train"], splits.get("validation"), splits.get("test"), names or None)


def _target(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    target = (size, size) if isinstance(size, int) else tuple(size)
    if len(target) != 2 or min(target) < 1:
        raise VaelabError(f"size must be a side, such as 28, or a height and a width, each at least 1; got {size}")
    return target


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "__")))


def _subfolders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _images(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()]


def _files_by_label(folder: Path) -> list[tuple[str | None, Path]]:
    flat = _images(folder)
    inside = {path: _images(path) for path in _subfolders(folder)}
    for subfolder in inside:
        deeper = next((path for path in _subfolders(subfolder) if any(map(_images, [path, *_subfolders(path)]))), None)
        if deeper is not None:
            raise VaelabError(
                f"{folder}: sub-folders are labels and hold image files only; {deeper} lies deeper. Move its images up"
            )
    inside = {path: files for path, files in inside.items() if files}
    if flat and inside:
        raise VaelabError(
            f"{folder} has images beside its sub-folders ({flat[0].name}) and inside them "
            f"({next(iter(inside)).name}); put all into sub-folders, which are their labels, or none"
        )
    if not flat and not inside:
        raise VaelabError(
            f"{folder} holds no images; expected files ending in {', '.join(IMAGE_SUFFIXES)} there or in "
            "sub-folders named by label, or IDX files such as train-images-idx3-ubyte"
        )
    if flat:
        return [(None, path) for path in flat]
    return [(label.name, path) for label, files in inside.items() for path in files]


def _read(paths: list[Path], target: tuple[int, int] | None) -> list[Pixels]:
    images: list[Pixels] = []
    for path in paths:
        picture = _opened(path)
        pixels: Pixels = np.asarray(picture if target is None else _fitted(picture, target))
        if images and pixels.shape[:2] != images[0].shape[:2]:
            first, other = ("x".join(map(str, image.shape[:2])) for image in (images[0], pixels))
            raise VaelabError(
                f"images of several sizes: {paths[0]} is {first} (height x width), {path} is {other}; bring all to one "
                f"with --size {images[0].shape[0]} (size=... in Python)"
            )
        images.append(pixels)
    if len({image.ndim for image in images}) == 2:  # grey and colour
        return [image if image.ndim == 3 else np.stack([image] * 3, axis=-1) for image in images]
    return images


def _fitted(picture: Image.Image, target: tuple[int, int]) -> Image.Image:
    height, width = target
    if picture.size == (width, height):
        return picture
    return ImageOps.fit(picture, (width, height), method=Image.Resampling.BILINEAR)


def _opened(path: Path) -> Image.Image:
    """The file as a picture of mode L or RGB."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as file:
                file.load()
                return _grey_or_rgb(ImageOps.exif_transpose(file))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise VaelabError(f"{path} has too many pixels to be opened safely ({error}); make it smaller") from error
    except FileNotFoundError as error:
        raise VaelabError(f"no such image file: {path}; check the path") from error
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise VaelabError(
            f"cannot read {path} as an image ({reason[:120]}); expected PNG, JPEG, BMP, GIF or TIFF. Save it again, or "
            "take it out"
        ) from error


def _grey_or_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in _GREY_MODES[2:]:
        values = np.asarray(picture).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError(f"32-bit values from {values.min()} to {values.max()}")
        return Image.fromarray(np.round(values / 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError("floating-point pixels; save them as a .npy file")
    if picture.mode in _GREY_MODES and "transparency" not in picture.info:
        return picture.convert("L")
    grey, palette = picture.mode in ("1", "L", "LA", "La"), picture.mode in ("P", "PA")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    picture = picture.convert("RGB")
    return picture.convert("L") if grey or (palette and _colourless(picture)) else picture


def _colourless(picture: Image.Image) -> bool:
    red, green, blue = np.moveaxis(np.asarray(picture), -1, 0)
    return bool((red == green).all() and (green == blue).all())
