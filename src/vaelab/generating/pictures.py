"""Images as they are shown: 256 levels, and many of them laid out as one."""

import io
import math

import numpy as np
from jaxtyping import Float32, Shaped, UInt8


def is_picture(shape: tuple[int, ...]) -> bool:
    """Whether arrays of this shape can be looked at: (H, W), or (H, W, C) with 1, 3 or 4 channels."""
    return len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4))


def as_levels(
    images: Shaped[np.ndarray, "n ..."], *, low: float = 0.0, high: float = 1.0
) -> UInt8[np.ndarray, "n ..."]:
    """uint8 images as they are; floats from [low, high] to 0..255, and what lies outside to the ends."""
    if images.dtype == np.uint8:
        return images
    width = high - low if high > low else 1.0
    return np.rint(np.clip((images - np.float32(low)) / np.float32(width), 0.0, 1.0) * 255.0).astype(np.uint8)


def as_seen(images: Shaped[np.ndarray, "n ..."]) -> Float32[np.ndarray, "n ..."]:
    """Images as a model sees them, and as its means are: uint8 from 0 to 1, floats as they are."""
    return images.astype(np.float32) / np.float32(255) if images.dtype == np.uint8 else images.astype(np.float32)


def shown_range(images: Shaped[np.ndarray, "n ..."]) -> tuple[float, float]:
    """What is shown as black and as white: 0 and 1 for images that lie in [0, 1], else their lowest and highest value.

    A Gaussian likelihood's mean may leave [0, 1] a little on data that do not: up to a tenth is not taken for another
    range.
    """
    if images.dtype == np.uint8 or not images.size:
        return 0.0, 1.0
    low, high = float(images.min()), float(images.max())
    return (0.0, 1.0) if low >= -0.1 and high <= 1.1 else (low, high)


def columns_for(count: int) -> int:
    """As many columns as rows, or a few more."""
    return max(1, math.ceil(math.sqrt(count)))


def tiled(
    pictures: UInt8[np.ndarray, "n ..."], columns: int, *, gap: int = 0, background: int = 255
) -> UInt8[np.ndarray, "height width ..."]:
    """Pictures (n, H, W) or (n, H, W, C) row by row as one, `gap` pixels between them; the last row may be short."""
    count, height, width = pictures.shape[:3]
    channels = pictures.shape[3:] if pictures.shape[3:] != (1,) else ()
    rows = math.ceil(count / columns)
    cells = np.full((rows * columns, height + gap, width + gap, *channels), background, np.uint8)
    cells[:count, :height, :width] = pictures.reshape(count, height, width, *channels)
    page = cells.reshape(rows, columns, height + gap, width + gap, *channels).swapaxes(1, 2)
    page = page.reshape(rows * (height + gap), columns * (width + gap), *channels)
    return page[: page.shape[0] - gap, : page.shape[1] - gap]


def png_bytes(picture: UInt8[np.ndarray, "height width ..."], *, enlarged: int = 1) -> bytes:
    """One picture, (H, W) or (H, W, C) with 1, 3 or 4 channels, as a PNG file; each pixel a square of `enlarged`
    pixels.
    """
    from PIL import Image

    if picture.ndim == 3 and picture.shape[2] == 1:
        picture = picture[:, :, 0]
    picture = picture.repeat(enlarged, axis=0).repeat(enlarged, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def paired_rows(
    above: Shaped[np.ndarray, "n ..."], below: Shaped[np.ndarray, "n ..."], columns: int, *, white: float = 1.0
) -> Shaped[np.ndarray, "m ..."]:
    """Two rows of images in turn, `columns` wide, for a sheet: originals and what became of them; short rows are filled
    with white.

    uint8 images are brought to [0, 1].
    """
    first, second = as_seen(above), as_seen(below)
    columns = min(columns, len(first))
    missing = -len(first) % columns
    filling = np.full((missing, *first.shape[1:]), white, np.float32)
    rows = [np.concatenate([images, filling]).reshape(-1, columns, *first.shape[1:]) for images in (first, second)]
    return np.stack(rows, axis=1).reshape(-1, *first.shape[1:])
