"""The page that every figure stands on: sizes in inches, quiet colours, a heading that says what is shown and of what.

Figures are `matplotlib.figure.Figure`s of their own, never pyplot's: nothing global is touched, and they may be drawn
in any thread.
"""

import io
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vaelab.plotting.lettering import DPI, lettering, wrapped
from vaelab.plotting.quantities import PlainNumbers

INK, FAINT, RULE, ACCENT = "#1f2430", "#70757f", "#c9cdd4", "#2b6cb0"
# Eight of Petroff's ten ("Accessible color sequences for data visualization", 2021), and in the place of his two greys, which lay where
# a model of digits has 3 and 8 over one another, a navy and a wine: further from the others, for colour-blind eyes too.
CLASS_COLOURS = (
    "#3f90da", "#ffa90e", "#bd1f01", "#232c58", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#610912", "#92dadd",
)  # fmt: skip
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
SEPARATOR = "  ·  "

TITLE, FACTS = 12.5, 7.5
TITLE_LINE, FACTS_LINE = 0.21, 0.14
"""Inches."""


class ShownFigure(Figure):
    """A figure that a notebook shows where a cell ends in it, whether or not pyplot was imported there."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=self.dpi)
        return buffer.getvalue()


class Page:
    """A figure with a heading; axes are placed in inches from its upper left corner, on whole pixels.

    There is room for one line of title and two of facts; longer ones are broken, and what stands below moves down with the page's edge.
    """

    def __init__(self, width: float, height: float, title: str, facts: str, *, left: float = 0.3):
        room = width - left - 0.2
        titles = wrapped(title, room, TITLE, "bold") if title else [""]
        lines = wrapped(facts, room, FACTS, separator=SEPARATOR) if facts else []
        self._drop = _whole(TITLE_LINE * (len(titles) - 1) + FACTS_LINE * max(0, len(lines) - 2))
        self.width, self.height = _whole(width), _whole(height) + self._drop
        self.figure = ShownFigure(figsize=(self.width, self.height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self.figure)
        for line, words in enumerate(titles):
            self._write(left, 0.34 + TITLE_LINE * line, words, size=TITLE, weight="bold", color=INK)
        top = 0.53 + TITLE_LINE * (len(titles) - 1)
        for line, words in enumerate(lines):
            self._write(left, top + FACTS_LINE * line, words, size=FACTS, color=FAINT)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        left, top, width, height = (_whole(value) for value in (left, top + self._drop, width, height))
        box = (left / self.width, 1.0 - (top + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(box)
        axes.set_facecolor("white")
        axes.tick_params(labelsize=7.5, labelcolor=FAINT, color=RULE, length=3, width=0.8)
        axes.xaxis.set_major_formatter(PlainNumbers())
        axes.yaxis.set_major_formatter(PlainNumbers())
        for spine in axes.spines.values():
            spine.set(color=RULE, linewidth=0.8)
        return axes

    def text(self, left: float, baseline: float, words: str, **style: Any) -> None:
        """Words at so many inches from the left and the upper edge."""
        self._write(left, baseline + self._drop, words, **style)

    def _write(self, left: float, baseline: float, words: str, **style: Any) -> None:
        drawn = lettering(words)
        self.figure.text(
            left / self.width, 1.0 - baseline / self.height, drawn.words, va="baseline", **drawn.style, **style
        )


def _whole(inches: float) -> float:
    return round(inches * DPI) / DPI


def latent_name(dimension: int) -> str:
    """`z₁` for the first latent dimension."""
    return "z" + str(dimension + 1).translate(SUBSCRIPTS)


def label_axes(axes: Axes, across: str, up: str) -> None:
    label_across(axes, across, size=9, color=INK, labelpad=4)
    label_up(axes, up, size=9, color=INK, labelpad=4)


def label_across(axes: Axes, words: str, **style: Any) -> None:
    """Under the axes, in letters that can be drawn."""
    drawn = lettering(words)
    axes.set_xlabel(drawn.words, **drawn.style, **style)


def label_up(axes: Axes, words: str, **style: Any) -> None:
    drawn = lettering(words)
    axes.set_ylabel(drawn.words, **drawn.style, **style)
