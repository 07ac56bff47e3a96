"""Which values a likelihood scores: asked once, by range checks, pixel treatments, the names of scores and the page."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Support:
    """Where a density over images lives, entry by entry.

    - `low`, `high`: the values that it takes; None: any number
    - `levels`: it gives each of so many values a probability, so that -log p(x) is one of images and cannot fall below 0; None: a density
    """

    low: float | None = None
    high: float | None = None
    levels: int | None = None

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
        top = 255 if images.dtype == "uint8" else 1
        steps = images if self.levels == 256 and images.dtype == "uint8" else images * (self.levels - 1) / top
        return (
            bool((steps == steps.round()).all()) if self.levels != 2 else bool(((images == 0) | (images == top)).all())
        )


BINARY = Support(0.0, 1.0, levels=2)
"""Black and white; grey values in [0, 1] are taken as expectations."""

UNIT_INTERVAL = Support(0.0, 1.0)
REALS = Support()
