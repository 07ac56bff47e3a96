"""One number of an evaluation, with what is known of its error."""

import dataclasses
import math

import numpy as np
from jaxtyping import Bool, Num

from vaelab.language import Words, plural, to_translate, translated

FEW = 100
"""A share of fewer images is said as a count: a percentage would promise more than they tell."""

THINGS: dict[str, Words] = {
    words.removeprefix("1 "): words
    for words in (
        plural("{count:,} image", "{count:,} images", 1),
        plural("{count:,} test image", "{count:,} test images", 1),
        plural("{count:,} validation image", "{count:,} validation images", 1),
        plural("{count:,} training image", "{count:,} training images", 1),
        plural("{count:,} given image", "{count:,} given images", 1),
        plural("{count:,} held-out image", "{count:,} held-out images", 1),
        plural("{count:,} draw", "{count:,} draws", 1),
        plural("{count:,} sample", "{count:,} samples", 1),
        plural("{count:,} principal component", "{count:,} principal components", 1),
        plural("{count:,} nearest neighbour", "{count:,} nearest neighbours", 1),
        plural("{count:,} latent dimension", "{count:,} latent dimensions", 1),
    )
}
"""What is counted, each with its plural."""

PARTS: dict[str, Words] = {
    words: words
    for words in (
        to_translate("training"),
        to_translate("validation"),
        to_translate("test"),
        to_translate("given"),
    )
}
"""What images are of."""

ROUNDING = 1e-5
"""Of a value: an error below is that of float32, and not of a sample."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """A value, its standard error where one is known, what that error is over (test images, samples, bootstrap draws), and of how many."""

    value: float
    standard_error: float | None = None
    over: str = ""
    n: int | None = None

    def __str__(self) -> str:
        return f"{self.value:.4g}" if self.standard_error is None else f"{self.value:.4g} ± {self.standard_error:.2g}"

    def rounded(self, decimals: int = 1, *, scale: float = 1.0) -> str:
        """`150.9 ± 0.8`: to so many decimals, or as many more as the error needs to show a digit; no error where none is known."""
        if self.standard_error is None:
            return f"{scale * self.value:.{decimals}f}"
        error = scale * self.standard_error
        if ROUNDING * max(1.0, abs(scale * self.value)) < error < 0.5 * 10.0**-decimals:
            decimals = math.ceil(-math.log10(error))
        return f"{scale * self.value:.{decimals}f} ± {error:.{decimals}f}"


def counted(count: int, thing: str) -> Words:
    """`1 held-out image`, `2,000 held-out images`: in English, until it is translated. `thing` is one of `THINGS`."""
    words = THINGS[thing]
    return plural(words.message, words.many or words.message, count)


def mean_figure(values: Num[np.ndarray, " values"], over: str) -> Figure:
    """The mean of so many values, with its standard error over them; none of one value."""
    values = np.asarray(values, np.float64)
    error = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    return Figure(float(values.mean()), error, over, len(values))


def share_figure(hits: Bool[np.ndarray, " values"], over: str) -> Figure:
    """A share of so many, with its binomial standard error; where all hit, or none, Laplace's rule of succession keeps it from being 0."""
    count, share = len(hits), float(np.mean(hits))
    p = share if 0.0 < share < 1.0 else (share * count + 1.0) / (count + 2.0)
    return Figure(share, math.sqrt(p * (1.0 - p) / count), over, count)


def share(figure: Figure) -> str:
    """`1.16 ± 0.16 %`; `3 of 40` where there are fewer than a hundred, `0 of 1,000` where none or all of them are."""
    if figure.n is not None and (figure.n < FEW or figure.value in (0.0, 1.0)):
        return translated("{hits:,} of {all:,}", hits=round(figure.value * figure.n), all=figure.n)
    return f"{figure.rounded(2, scale=100.0)} %"
