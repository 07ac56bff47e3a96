"""The page that every figure stands on: sizes in inches, quiet colours, a heading that says what is shown and of what.

Figures are `matplotlib.figure.Figure`s of their own, never pyplot's: nothing global is touched, and they may be drawn
in any thread.
"""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

DPI = 150
INK, FAINT, RULE, ACCENT = "#1f2430", "#70757f", "#c9cdd4", "#2b6cb0"
# Petroff, "Accessible color sequences for data visualization", 2021: ten that stay apart for colour-blind eyes.
CLASS_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class ShownFigure(Figure):
    """A figure that a notebook shows where a cell ends in it, whether or not pyplot was imported there."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi)
        return buffer.getvalue()


class Page:
    """A figure with a heading; axes are placed in inches from its upper left corner, on whole pixels."""

    def __init__(self, width: float, height: float, title: str, facts: str, *, left: float = 0.3):
        self.width, self.height = _whole(width), _whole(height)
        self.figure = ShownFigure(figsize=(self.width, self.height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)
        self.text(left, 0.34, title, size=12.5, weight="bold", color=INK)
        for line, words in enumerate(_lines(facts, width - left - 0.2)):
            self.text(left, 0.53 + 0.14 * line, words, size=7.5, color=FAINT)

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


SEPARATOR = "  ·  "


def _lines(facts: str, width: float) -> list[str]:
    """The facts in lines that fit so many inches of small print, broken between two facts."""
    lines: list[str] = []
    for fact in facts.split(SEPARATOR):
        if lines and len(lines[-1]) + len(SEPARATOR + fact) <= width / 0.062:
            lines[-1] += SEPARATOR + fact
        else:
            lines.append(fact)
    return lines


def _whole(inches: float) -> float:
    return round(inches * DPI) / DPI


def latent_name(dimension: int) -> str:
    """`z₁` for the first latent dimension."""
    return "z" + str(dimension + 1).translate(SUBSCRIPTS)


def label_axes(axes: Axes, across: str, up: str) -> None:
    axes.set_xlabel(across, size=9, color=INK, labelpad=4)
    axes.set_ylabel(up, size=9, color=INK, labelpad=4)
