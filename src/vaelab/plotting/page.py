"""The page that every figure stands on: sizes in inches, quiet colours, a heading that says what is shown and of what.

Figures are `matplotlib.figure.Figure`s of their own, never pyplot's: nothing global is touched, and they may be drawn
in any thread.
"""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 150
INK, FAINT, RULE, ACCENT = "#1f2430", "#70757f", "#c9cdd4", "#2b6cb0"
# Paul Tol's "muted" scheme with a tenth, as on the explorer's page: ten that stay apart for colour-blind eyes
# (Tol, "Colour schemes", SRON technical note 09-002, 2021).
CLASS_COLOURS = (
    "#332288", "#d98032", "#44aa99", "#882255", "#88bbdd", "#117733", "#cc6677", "#aa44c0", "#8a8a22", "#5c6670",
)  # fmt: skip
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Page:
    """A figure with a heading; axes are placed in inches from its upper left corner, on whole pixels."""

    def __init__(self, width: float, height: float, title: str, facts: str, *, left: float = 0.3):
        self.width, self.height = _whole(width), _whole(height)
        self.figure = Figure(figsize=(self.width, self.height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.text(left, 0.34, title, size=12.5, weight="bold", color=INK)
        self.text(left, 0.57, facts, size=7.5, color=FAINT)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        left, top, width, height = (_whole(value) for value in (left, top, width, height))
        box = (left / self.width, 1.0 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(box)
        axes.set_facecolor("white")
        axes.tick_params(labelsize=7.5, labelcolor=FAINT, color=RULE, length=3, width=0.8)
        for spine in axes.spines.values():
            spine.set(color=RULE, linewidth=0.8)
        return axes

    def text(self, left: float, baseline: float, words: str, **style: Any) -> None:
        """Words at so many inches from the left and the upper edge."""
        self.figure.text(left / self.width, 1.0 - baseline / self.height, words, va="baseline", **style)


def _whole(inches: float) -> float:
    return round(inches * DPI) / DPI


def latent_name(dimension: int) -> str:
    """`z₁` for the first latent dimension."""
    return "z" + str(dimension + 1).translate(SUBSCRIPTS)


def label_axes(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, size=9, color=INK, labelpad=4)
    axes.set_ylabel(up, size=9, color=INK, labelpad=4)
