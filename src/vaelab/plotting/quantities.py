"""Numbers in figures: in titles, and on axes without a power of ten in their corner."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Num
from matplotlib.ticker import Formatter

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
LARGE, SMALL = 1e5, 1e-4
"""From here on, and below, numbers are written with a power of ten."""


def amount(value: float, decimals: int = 2) -> str:
    """`153.32`, `−1,290.50`, `9.60×10⁷`."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) < LARGE and (value == 0.0 or abs(value) >= SMALL or decimals <= 4):
        text = f"{value:,.{decimals}f}"
        return _signed(text if float(text.replace(",", "")) else text.lstrip("-"))
    exponent = _exponent(value)
    return _signed(f"{value / 10.0**exponent:.{decimals}f}") + _power(exponent)


class PlainNumbers(Formatter):
    """Every tick says its whole number, with as many decimals as tell it from its neighbours."""

    _places: Sequence[float] | Num[np.ndarray, " ticks"] = ()

    def set_locs(self, locs: Sequence[float] | Num[np.ndarray, " ticks"]) -> None:
        """Where the ticks are, as matplotlib says before it asks for their words."""
        self._places = locs

    def __call__(self, x: float, pos: int | None = None) -> str:
        del pos
        locs = np.asarray(self._places if len(self._places) else [x], np.float64)
        largest = float(np.abs(locs).max())
        step = float(np.diff(np.sort(locs)).min()) if len(locs) > 1 else largest
        if x == 0.0 or not math.isfinite(x):
            return "0" if x == 0.0 else ""
        exponent = _exponent(largest) if largest >= LARGE or largest < SMALL else 0
        scale = 10.0**exponent
        decimals = next(
            (
                count
                for count in range(12)
                if np.all(np.abs(np.round(locs / scale, count) - locs / scale) <= 1e-3 * max(step / scale, 1e-12))
            ),
            12,
        )
        text = f"{x / scale:,.{decimals}f}"
        return _signed(text) + (_power(exponent) if exponent else "")


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _power(exponent: int) -> str:
    return f"\N{MULTIPLICATION SIGN}10{str(exponent).translate(SUPERSCRIPTS)}"


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
