"""Which values a density scores, of x or of z: asked once, by range checks, pixel treatments, the names of scores and the page."""

from dataclasses import dataclass
from typing import Any, Literal

Domain = Literal["reals", "sphere", "codes"]
"""Where z lives: all numbers, vectors of length 1, or a finite set of codes."""


@dataclass(frozen=True)
class Support:
    """Where a density over images lives, entry by entry.

    - `low`, `high`: the values that it takes; None: any number
    - `domain`: where z lives, of a posterior
    - `levels`: it gives each of so many values a probability, so that -log p(x) is one of images and cannot fall below 0; None: a density
    """

    low: float | None = None
    high: float | None = None
    levels: int | None = None
    domain: Domain = "reals"

    @property
    def is_unit(self) -> bool:
        """Whether values lie in [0, 1]."""
        return (self.low, self.high) == (0.0, 1.0)

    def scores(self, images: Any) -> bool:
        """Whether -log p(x) of these values (an array of numbers in [0, 1], or uint8) is a probability's or a density's.

        A Bernoulli takes grey values too, as expectations: its cross-entropy there is a loss, and no likelihood.
        """
        if self.levels is None:
            return True
        if images.dtype == "uint8":
            return self.levels == 256 or bool(((images == 0) | (images == 255)).all())
        steps = images * (self.levels - 1)
        return bool((abs(steps - steps.round()) <= (0.0 if self.levels == 2 else ROUNDING)).all())


ROUNDING = 1e-3
"""How far from a level, in levels, single precision may bring one."""

BINARY = Support(0.0, 1.0, levels=2)
"""Black and white; grey values in [0, 1] are taken as expectations."""

LEVELS = Support(0.0, 1.0, levels=256)
"""The levels of uint8 images, k / 255."""

UNIT_INTERVAL = Support(0.0, 1.0)
REALS = Support()

SPHERE = Support(-1.0, 1.0, domain="sphere")
"""Vectors of length 1."""

CODES = Support(domain="codes")
"""The values of a codebook."""
