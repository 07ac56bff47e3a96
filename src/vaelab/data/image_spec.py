"""The images that a model takes: of one shape, of the values that it was fitted on, and such as its likelihood can score."""

import math
from dataclasses import dataclass, replace

import numpy as np

from vaelab.data.image_values import Images, ImageValues, as_fitted, check_floats, check_unit
from vaelab.door import in_words, option
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated
from vaelab.settings import LikelihoodSettings
from vaelab.support import REALS, Support

NEAR = 1.0
"""Floats that leave [0, 1] by no more were scaled like those fitted, by the range of other images."""


@dataclass(frozen=True)
class ImageSpec:
    """What every array of images is held against, whichever door it came through.

    `likelihood` is what the model's is called, `support` the values that it scores; `values` is what training looked at (None for a model
    of an early version).
    """

    shape: tuple[int, ...]
    likelihood: str = ""
    support: Support = REALS
    values: ImageValues | None = None

    @classmethod
    def of_training(cls, images: Images, likelihood: LikelihoodSettings, source: str) -> "ImageSpec":
        """That of a model to be fitted to these images, uint8 or floats; `source` names them.

        Raises `VaelabError` for NaN or infinity, and where the likelihood cannot score them.
        """
        if images.dtype != np.uint8:
            check_floats(images, source)
        if likelihood.support.is_unit:
            otherwise = translated(", or choose {option}", option=option("likelihood", "gaussian"))
            check_unit(
                images,
                source,
                reason=translated("for a {likelihood} likelihood", likelihood=likelihood.kind),
                otherwise=otherwise,
            )
        check_levels(images, source, likelihood.support, likelihood.kind)
        return cls(images.shape[1:], likelihood.kind, likelihood.support, ImageValues.of(images))

    def taken(self, array: np.ndarray, source: str) -> Images:
        """`array` as uint8 or float32 images for the model, read by the rule of what it was fitted on (`as_fitted`).

        Raises `VaelabError` for what are no images, another shape, NaN or infinity, floats outside [0, 1] where the likelihood is
        not Gaussian, and values plainly of another scale than those fitted.
        """
        images = as_fitted(array, source, self.values)
        self.check(images, source)
        return images

    def noisy(self) -> "ImageSpec":
        """Of such images after noise was added: of that shape and finite, of any range."""
        return replace(self, support=REALS, values=None)

    def check(self, images: Images, source: str) -> None:
        """Refuse images, uint8 or floats, of another shape or range; nothing is converted."""
        if images.shape[1:] != self.shape:
            alike = images.size and math.prod(images.shape[1:]) == math.prod(self.shape)
            todo = (
                to_translate("They have as many values: reshape them to {shape}", shape=(-1, *self.shape))
                if alike
                else to_translate("Give such images")
            )
            raise VaelabError(
                translated(
                    "{source}: images have shape {found}; this model takes {shape}, the shape that it was fitted on. {todo}",
                    source=source,
                    found=images.shape[1:],
                    shape=self.shape,
                    todo=todo,
                )
            )
        if images.dtype == np.uint8:
            return
        check_floats(images, source)
        if self.support.is_unit:
            reason = translated("for this model's {likelihood} likelihood", likelihood=self.likelihood)
            check_unit(images, source, reason=reason, otherwise=self._cut(images))
            check_levels(images, source, self.support, self.likelihood)

    def _cut(self, images: Images) -> str:
        """What else to do with floats that leave [0, 1] a little, where those fitted do not: a scaler fitted on other rows makes such."""
        low, high = float(images.min()), float(images.max())
        if self.values is None or not self.values.is_unit or low < -NEAR or high > 1.0 + NEAR:
            return ""
        cut = in_words(
            command=translated("or cut them to [0, 1]: np.clip(images, 0, 1)"),
            python=translated(
                "or cut them to [0, 1]: MinMaxScaler(clip=True) where a scaler made them in a pipeline, else "
                "np.clip(X, 0, 1)"
            ),
        )
        return f", {cut}"


def check_levels(images: Images, source: str, support: Support, likelihood: str) -> None:
    """Refuse values that lie between the levels of a likelihood that gives each level a probability. Black and white is no such case: there
    grey values are taken as expectations.

    Raises `VaelabError`.
    """
    if support.levels in (None, 2) or support.scores(images):
        return
    raise VaelabError(
        translated(
            "{source}: a {likelihood} likelihood gives each of {levels} levels a probability; found values between them. Give uint8, or "
            "choose {option}",
            source=source,
            likelihood=likelihood,
            levels=support.levels,
            option=option("likelihood", "gaussian"),
        )
    )
