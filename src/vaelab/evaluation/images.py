"""The form in which images are judged: uint8 or floats in [0, 1], with their channels written out."""

import numpy as np
from jaxtyping import Float32, Num, UInt8

from vaelab.data.image_values import check_unit
from vaelab.errors import VaelabError
from vaelab.language import translated


def with_channels(
    images: Num[np.ndarray, "image ..."], name: str = "images"
) -> Num[np.ndarray, "image height width channels"]:
    """`images` of shape (image, height, width) or (image, height, width, channels), as the latter; range checked.

    **Raises:** `VaelabError` for another number of axes, no images, or values outside [0, 255] (uint8) or [0, 1]
    (floats).
    """
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise VaelabError(
            translated(
                "{name} must have shape (n, height, width) or (n, height, width, channels), none of them 0; got "
                "{shape}. Reshape flat pixels to rows and columns.",
                name=name,
                shape=images.shape,
            )
        )
    if images.dtype != np.uint8:
        if not np.issubdtype(images.dtype, np.floating):
            raise VaelabError(
                translated(
                    "{name} must be uint8 or floats in [0, 1]; got {dtype}. Convert them with .astype('uint8').",
                    name=name,
                    dtype=images.dtype,
                )
            )
        check_unit(images, name, reason=translated("to be judged as pictures"))
    return images[..., None] if images.ndim == 3 else images


def as_float_images(
    images: Num[np.ndarray, "image ..."], name: str = "images"
) -> Float32[np.ndarray, "image height width channels"]:
    """`images` as float32 in [0, 1], channels written out."""
    images = with_channels(images, name)
    return images.astype(np.float32) / np.float32(255) if images.dtype == np.uint8 else images.astype(np.float32)


def as_uint8_images(
    images: Num[np.ndarray, "image ..."], name: str = "images"
) -> UInt8[np.ndarray, "image height width channels"]:
    """`images` as uint8, rounded to the nearest of 256 levels, channels written out."""
    images = with_channels(images, name)
    return images if images.dtype == np.uint8 else np.rint(images * 255).astype(np.uint8)
