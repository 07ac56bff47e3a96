"""One image file as an array of uint8.

What becomes of a picture: grey (also 1-bit and 16-bit, which is divided by 257) becomes one value a pixel, everything
else RGB; a palette counts as grey where all its colours in use are. Transparency is laid on white, as on paper.
The orientation that a camera recorded is applied. Of an animation the first frame is taken.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
# Named, so that a file's content cannot choose one of Pillow's other readers (some start programs).
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
_GREY_MODES = ("1", "L", "I", "I;16", "I;16B", "I;16L")
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

EXPECTED = to_translate("expected PNG, JPEG, BMP, GIF, TIFF or WebP")

Pixels = UInt8[np.ndarray, "height width"] | UInt8[np.ndarray, "height width 3"]


class UnreadablePicture(Exception):  # noqa: N818 - the reason, for whoever asked to put into a sentence
    """A file that is no image, or damaged, or too large; its text is the reason, in half a sentence."""


def open_picture(file: Path | io.BytesIO, *, most_pixels: int | None = None) -> Image.Image:
    """An image file as a picture of mode L or RGB; of `most_pixels` at most, where that is given.

    Raises `VaelabError` where there is no such file, `UnreadablePicture` where it cannot be used.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_FORMATS) as opened:
                pixels = opened.width * opened.height
                if most_pixels is not None and pixels > most_pixels:
                    raise UnreadablePicture(
                        translated(
                            "{size:.0f} megapixels; at most {most:.0f}", size=pixels / 1e6, most=most_pixels / 1e6
                        )
                    )
                opened.load()
                return _grey_or_rgb(ImageOps.exif_transpose(opened))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadablePicture(translated("too many pixels to be opened safely: {error}", error=error)) from error
    except FileNotFoundError as error:
        raise VaelabError(translated("no such image file: {file}; check the path", file=file)) from error
    except UnidentifiedImageError as error:
        raise UnreadablePicture(
            translated("no image of these kinds") if _content(file) else translated("empty")
        ) from error
    except _UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UnreadablePicture(reason[:120]) from error


def _content(file: Path | io.BytesIO) -> bool:
    return bool(file.stat().st_size if isinstance(file, Path) else file.getbuffer().nbytes)


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
            translated(
                "{path}: an image file cannot become data of shape {shape}; expected (H, W) or (H, W, C) with 1, "
                "3 or 4 channels. Use label:… or test:… instead",
                path=path,
                shape=shape,
            )
        )
    channels = shape[2] if len(shape) == 3 else 1
    try:
        picture = covering(open_picture(Path(path)), (shape[0], shape[1]))
    except UnreadablePicture as error:
        raise VaelabError(
            translated(
                "cannot read {path} as an image ({error}); {expected}. Save it again",
                path=path,
                error=error,
                expected=EXPECTED,
            )
        ) from error
    pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
    if channels == 4:
        pixels = np.concatenate([pixels, np.full((*shape[:2], 1), 255, np.uint8)], axis=2)
    return pixels.reshape(shape)


def covering(picture: Image.Image, target: tuple[int, int]) -> Image.Image:
    """The picture scaled, keeping its proportions, until it covers (H, W), and cut to it around its middle."""
    height, width = target
    if picture.size == (width, height):
        return picture
    return ImageOps.fit(picture, (width, height), method=Image.Resampling.BILINEAR)


def _grey_or_rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in _GREY_MODES[2:]:
        values = np.asarray(picture).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError(translated("32-bit values from {low} to {high}", low=values.min(), high=values.max()))
        return Image.fromarray(np.round(values / 257).astype(np.uint8))
    if picture.mode == "F":
        raise ValueError(translated("floating-point pixels; save them as a .npy file"))
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
