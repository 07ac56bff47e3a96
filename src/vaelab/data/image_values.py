"""What the values of images mean: one rule at every door (docs/data.md).

An array is read by its type: uint8 are levels, floats are as they are, booleans are black and white. Integers wider than a byte say
less, so they are looked at: of 0 and 1 alone they are booleans (so are such uint8), else levels. What a model was fitted on then
decides for every array that it is given later, so that a part of an array is read as the whole was.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Shaped

from vaelab.batching import pieces
from vaelab.door import say
from vaelab.errors import VaelabError
from vaelab.language import plural, translated

Images = Shaped[np.ndarray, "n ..."]

_CHANNELS = (1, 3, 4)

PIXEL_SLACK = 0.5
"""Floats given to a model of uint8 images may leave [0, 1] so far (noise does); what lies farther off is of another scale."""

WIDTHS = 10
"""Floats given to a model of floats may lie so many widths of the fitted range outside of it: an outlier does, 0..255 for 0..1 not."""

BY_CHANCE = 64
"""So few values may all be 0 and 1, or small, by chance: a row of a table is, a picture not."""


@dataclass(frozen=True)
class ImageValues:
    """The values that a model was fitted on: `bool` (uint8 of 0 and 255 alone), `uint8` or `float32`; the range as the model sees it."""

    kind: Literal["bool", "uint8", "float32"]
    low: float = 0.0
    high: float = 1.0

    @classmethod
    def of(cls, images: Images) -> "ImageValues":
        """Of training images as `as_images` has them; floats within [0, 1] count as of that range."""
        if images.dtype == np.uint8:
            some = (images[piece] for piece in pieces(len(images), 1000))  # most data show a grey in the first
            return cls("bool" if all(np.isin(part, (0, 255)).all() for part in some) else "uint8")
        low, high = float(images.min()), float(images.max())
        return cls("float32") if low >= 0.0 and high <= 1.0 else cls("float32", low, high)

    @property
    def is_unit(self) -> bool:
        """Whether the model sees values of [0, 1], as it does of uint8 images."""
        return (self.low, self.high) == (0.0, 1.0)

    def __str__(self) -> str:
        if self.kind == "float32":
            return translated("floats from {low:g} to {high:g}", low=self.low, high=self.high)
        if self.kind == "bool":
            return translated("uint8 of 0 and 255 alone")
        return translated("uint8, which a model sees as 0 to 1")

    def check_scale(self, images: Images, source: str) -> None:
        """Refuse floats whose values are plainly of another scale than these.

        Raises `VaelabError`.
        """
        low, high = float(images.min()), float(images.max())
        width = self.high - self.low or max(abs(self.high), 1.0)
        slack = PIXEL_SLACK if self.kind != "float32" else WIDTHS * width
        # values of 0 to 1 are within 0 to 255, but not of that scale; black (0 alone) is of any
        too_small = width >= 100.0 and images.size > BY_CHANCE and 0.0 < max(-low, high) <= 1.0
        if low < self.low - slack or high > self.high + slack or too_small:
            do = (
                _rescaled(low, high)
                if self.is_unit
                else translated("Bring them to the range {low:g} to {high:g}", low=self.low, high=self.high)
            )
            raise VaelabError(
                translated(
                    "{source}: found values from {low:g} to {high:g}, where the training images are {self}. {do}",
                    source=source,
                    low=low,
                    high=high,
                    self=self,
                    do=do,
                )
            )


def as_images(array: np.ndarray, source: str) -> Images:
    """`array` as images to fit on: uint8 in [0, 255] or finite float32, (n, features), (n, H, W) or (n, H, W, C).

    uint8 is kept as it is, and floats become float32 and keep their range. Booleans, and integers of 0 and 1 alone, become 0 and 255;
    other integers become uint8 and have to lie in [0, 255]. What was decided by looking at values is said. `source` names the array in
    an error.

    Raises `VaelabError` for no images, another number of axes, channels in front of the rows, NaN, infinity
    (also where a value is too large for float32), integers outside [0, 255] and anything that is no number.
    """
    array = _numbers(array, source)
    if array.dtype == np.float32:
        return array
    if array.dtype == np.bool_:
        return _black_and_white(array)
    if _of_zero_and_one(array):
        say(
            translated(
                "{source}: {dtype} of 0 and 1 alone are taken for black and white; as levels of 0 to 255 give 0 "
                "and 255",
                source=source,
                dtype=array.dtype,
            )
        )
        return _black_and_white(array)
    if array.dtype != np.uint8:
        array = _levels(array, source)
        say(
            translated(
                "{source}: integers of 0 to 255 are taken for uint8 levels, which a model sees as 0 to 1; for "
                "numbers give floats",
                source=source,
            )
        )
    return array


def as_fitted(array: np.ndarray, source: str, fitted: ImageValues | None) -> Images:
    """`array` as images for a model that was `fitted` on such values (None: not known), by the rule that was applied there.

    A model of floats beyond [0, 1] takes integers for the numbers that they are; every other one takes them for levels, or for black and
    white where they are booleans.

    Raises `VaelabError` as `as_images` does, and for values that are plainly of another scale than those fitted.
    """
    array = _numbers(array, source)
    if fitted is not None and not fitted.is_unit and array.dtype != np.float32:
        array = array.astype(np.float32)
    if array.dtype == np.float32:
        if fitted is not None:
            fitted.check_scale(array, source)
        return array
    if array.dtype == np.bool_:
        return _black_and_white(array)
    if _of_zero_and_one(array):
        if fitted is None or fitted.kind != "uint8":
            return _black_and_white(array)
        if array.size > BY_CHANCE:
            raise VaelabError(
                translated(
                    "{source}: integers of 0 and 1 alone, where the training images are levels of 0 to 255: they "
                    "would all be black. Give booleans, or 0 and 255",
                    source=source,
                )
            )
    return _levels(array, source)


def as_part(array: np.ndarray, source: str, train: np.ndarray) -> Images:
    """`array` as another part beside training images: read by their rule, where both are integers or both floats.

    Raises `VaelabError` as `as_images` does, and for values plainly of another scale.
    """
    if array.dtype.kind == "f" and train.dtype == np.uint8:
        return as_images(array, source)  # of another type, which is for the whole data set to refuse
    return as_fitted(array, source, ImageValues.of(train))


def check_floats(images: Images, source: str) -> None:
    """Refuse NaN and infinity.

    Raises `VaelabError`, saying how many and where.
    """
    bad = ~np.isfinite(images)
    if bad.any():
        of_image = bad.reshape(len(images), -1).any(axis=1)
        count = int(bad.sum())
        raise VaelabError(
            translated(
                plural(
                    "{source} must be finite; found NaN or infinity in {bad:,} of {images:,} images ({count:,} "
                    "NaN or infinite value, the first in image {first}). Remove or fill them",
                    "{source} must be finite; found NaN or infinity in {bad:,} of {images:,} images ({count:,} "
                    "NaN or infinite values, the first in image {first}). Remove or fill them",
                    count,
                    source=source,
                    bad=int(of_image.sum()),
                    images=len(images),
                    first=int(np.argmax(of_image)),
                )
            )
        )


def check_unit(images: Images, source: str, *, reason: str, otherwise: str = "") -> None:
    """Refuse floats outside [0, 1]. `reason` says what asks for it ("for a bernoulli likelihood"), `otherwise` what else could be done.

    Raises `VaelabError`.
    """
    if images.dtype == np.uint8 or not images.size:
        return
    low, high = float(images.min()), float(images.max())
    if not (low >= 0.0 and high <= 1.0):  # nan, too
        raise VaelabError(
            translated(
                "{source} must lie in [0, 1] {reason}; found values from {low:g} to {high:g}. {rescaled}{otherwise}",
                source=source,
                reason=reason,
                low=low,
                high=high,
                rescaled=_rescaled(low, high),
                otherwise=otherwise,
            )
        )


def _numbers(array: np.ndarray, source: str) -> Images:
    """The array with its axes and its type checked; floats as finite float32."""
    if array.ndim not in (2, 3, 4):
        raise VaelabError(
            translated(
                "{source}: images must have the shape (n, features), (n, H, W) or (n, H, W, C); got {shape}",
                source=source,
                shape=array.shape,
            )
        )
    if 0 in array.shape:
        raise VaelabError(
            translated(
                "{source} holds no images: its shape is {shape}; give at least one", source=source, shape=array.shape
            )
        )
    if array.ndim == 4 and array.shape[1] in _CHANNELS and array.shape[3] not in _CHANNELS:
        raise VaelabError(
            translated(
                "{source}: channels come last, as in (n, H, W, C); got {shape}. Give np.moveaxis(images, 1, -1)",
                source=source,
                shape=array.shape,
            )
        )
    if array.dtype == np.bool_ or np.issubdtype(array.dtype, np.integer):
        return array
    if not np.issubdtype(array.dtype, np.floating):
        raise VaelabError(
            translated(
                "{source}: images must be numbers (uint8 or floats); got {dtype}", source=source, dtype=array.dtype
            )
        )
    with np.errstate(over="ignore"):  # too large for float32: becomes infinity, refused below
        images = array.astype(np.float32, copy=False)
    check_floats(images, source)
    return images


def _of_zero_and_one(array: Images) -> bool:
    """Whether there are 1 and 0 (or 1 alone) and nothing else; an array of 0 alone is black by any rule."""
    return int(array.max()) == 1 and int(array.min()) >= 0


def _black_and_white(array: Images) -> Images:
    return array.astype(np.uint8) * np.uint8(255)


def _levels(array: Images, source: str) -> Images:
    if array.dtype == np.uint8:
        return array
    low, high = int(array.min()), int(array.max())
    if low < 0 or high > 255:
        raise VaelabError(
            translated(
                "{source}: integer images must lie in [0, 255]; found values from {low} to {high}. Rescale them, "
                "or give floats",
                source=source,
                low=low,
                high=high,
            )
        )
    return array.astype(np.uint8)


def _rescaled(low: float, high: float) -> str:
    if low >= 0.0 and 100.0 < high <= 255.0:
        return translated("Divide them by 255")
    return translated("Rescale them")
