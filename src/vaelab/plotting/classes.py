"""Classes in figures, told apart by a colour, a shape, and the name, where the class's points are densest and in a legend that fits."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from matplotlib.axes import Axes

from vaelab.plotting.lettering import elided, lettering, text_width
from vaelab.plotting.page import CLASS_COLOURS, INK

SHAPES = "os^Dv"
GLYPHS = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼"}
"""The shapes as letters, for a legend in a line of text."""

FIRST_SHAPES = (0, 1, 2, 3, 2, 3, 0, 4, 4, 1)
"""Of the ten colours: two that share a shape are far apart for every kind of eye (tests/plotting/test_classes.py)."""

HATCHES = ("", "////", "....", "xxxx", "----")

SIZES = {"o": 1.0, "s": 0.88, "^": 1.08, "D": 0.82, "v": 1.08}
"""So that all shapes cover about the same area."""

NAME_WIDTH = 1.3
"""Inches: names in the cloud are cut beyond."""

NAMES_COVER = 0.18
"""The share of the plane that the names in the cloud may cover; where they would cover more, numbers stand there."""

FEW = 1000
"""Points: of fewer, the names stand above the densest places."""

CELLS, BLUR = 48, 2.5
"""The histogram whose highest cell is a class's densest place, and the Gaussian that smooths it, in cells."""


def class_colours(count: int) -> list[str]:
    """Colours for so many labels. After ten they return, with other shapes."""
    return [CLASS_COLOURS[label % len(CLASS_COLOURS)] for label in range(count)]


def class_shapes(count: int) -> list[str]:
    """Markers for so many labels: of fifty, no two have both colour and shape in common."""
    shapes = len(SHAPES)
    return [SHAPES[(FIRST_SHAPES[label % 10] + label // 10) % shapes] for label in range(count)]


def class_hatches(count: int) -> list[str]:
    """What tells bars of one colour apart: none on the first ten."""
    return [HATCHES[label // 10 % len(HATCHES)] for label in range(count)]


def class_names(labels: Integer[np.ndarray, " n"] | None, label_names: Sequence[str] | None) -> list[str]:
    """One name a label, or none where there are no labels."""
    if labels is None:
        return []
    count = max(int(labels.max(initial=0)) + 1, len(label_names or ()))
    return list(label_names) if label_names and len(label_names) == count else [str(label) for label in range(count)]


# --- names where the points are --------------------------------------------------------------------------------------


def densest_place(points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, " 2"]:
    """The point that lies nearest to the highest cell of the points' smoothed histogram."""
    points = points.astype(np.float64)
    low, high = np.quantile(points, (0.02, 0.98), axis=0)
    width = np.where(high > low, high - low, 1.0)
    cells = np.clip(np.floor((points - low) / width * CELLS), 0, CELLS - 1).astype(np.int64)
    counts = np.bincount(cells[:, 0] * CELLS + cells[:, 1], minlength=CELLS * CELLS).reshape(CELLS, CELLS)
    steps = np.arange(CELLS)
    blur = np.exp(-0.5 * ((steps[:, None] - steps) / BLUR) ** 2)
    density = blur @ counts @ blur
    middle = low + (np.array(np.unravel_index(int(density.argmax()), density.shape)) + 0.5) / CELLS * width
    return points[(((points - middle) / width) ** 2).sum(axis=1).argmin()]


def kept_apart(
    places: Float[np.ndarray, "names 2"], halves: Float[np.ndarray, "names 2"], *, rounds: int = 60
) -> Float[np.ndarray, "names 2"]:
    """Places of boxes of these half widths and half heights, pushed off each other, a little at a time, the shorter way."""
    places = np.array(places, np.float64)
    for _ in range(rounds):
        moved = False
        for i in range(len(places)):
            for j in range(i):
                away = places[i] - places[j]
                overlap = halves[i] + halves[j] - np.abs(away)
                if overlap.min() <= 1e-9:
                    continue
                axis = int(overlap.argmin())
                push = 0.5 * overlap[axis] * (1.0 if away[axis] >= 0.0 else -1.0)
                places[i, axis] += push
                places[j, axis] -= push
                moved = True
        if not moved:
            break
    return places


def names_size(count: int) -> float:
    """Points: smaller where there are more."""
    return 9.5 if count <= 12 else 8.0 if count <= 25 else 7.0


def names_in_cloud(names: Sequence[str], side: float) -> tuple[list[str], list[str]]:
    """What is written among the points of a plane so many inches wide, and what beside it: the names, cut where they are long; where
    they would hide too much of the points, numbers from 1, with which the names beside then begin.
    """
    size = names_size(len(names))
    short = [elided(name, NAME_WIDTH, size, "bold") for name in names]
    covered = sum(text_width(name, size, "bold") for name in short) * 1.2 * size / 72.0
    if covered <= NAMES_COVER * side**2:
        return short, list(names)
    return [str(place + 1) for place in range(len(names))], [f"{place + 1}  {name}" for place, name in enumerate(names)]


def draw_names(
    axes: Axes,
    points: Float[np.ndarray, "n 2"],
    labels: Integer[np.ndarray, " n"],
    words: Sequence[str],
    *,
    side: float,
    size: float | None = None,
) -> None:
    """Each class's words, with a halo, where its points are densest, and none over another; above that place where points are so few that
    they would be hidden. `side`: inches of the plane, whose limits are set.
    """
    from matplotlib.patheffects import withStroke

    size = size if size is not None else names_size(len(words))
    present = [label for label in range(len(words)) if np.any(labels == label)]
    if not present:
        return
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    corner, scale = np.array([left, bottom]), side / np.array([right - left, top - bottom])  # data to inches
    places = (np.stack([densest_place(points[labels == label]) for label in present]) - corner) * scale
    widths = [text_width(words[label], size, "bold") for label in present]
    halves = np.stack([[width / 2 + 0.03, 0.62 * size / 72.0] for width in widths])
    if len(points) < FEW:
        places[:, 1] += halves[:, 1] + 0.06
    inside = np.clip(kept_apart(places, halves), halves, side - halves)
    for label, place in zip(present, inside / scale + corner, strict=True):
        drawn = lettering(words[label])
        axes.text(
            place[0], place[1], drawn.words, size=size, weight="bold", color=INK, ha="center", va="center", zorder=8,
            path_effects=[withStroke(linewidth=2.6, foreground="white")], **drawn.style,
        )  # fmt: skip


# --- the legend ------------------------------------------------------------------------------------------------------


class Legend(NamedTuple):
    """The names as a legend shows them, in how many columns, in which size (points), and how wide it is (inches)."""

    names: list[str]
    columns: int
    size: float
    width: float


def legend_of(names: Sequence[str], height: float) -> Legend | None:
    """The legend that fits so many inches of height, long names cut; None where there are too many names."""
    for columns, size, widest in ((1, 9.0, 2.6), (2, 8.0, 1.9), (3, 7.5, 1.5)):
        if len(names) <= columns * int(height * 72.0 / (1.75 * size)):
            short = [elided(name, widest, size) for name in names]
            column = max((text_width(name, size) for name in short), default=0.0) + 2.6 * size / 72.0
            return Legend(short, columns, size, columns * column)
    return None


def draw_legend(axes: Axes, legend: Legend, *, bars: bool = False) -> None:
    """Right of the axes, as marks of the classes' colours and shapes, or as pieces of their bars."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    count = len(legend.names)
    if bars:
        marks = [
            Patch(facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0.0, label="name")
            for colour, hatch in zip(class_colours(count), class_hatches(count), strict=True)
        ]
    else:
        marks = [
            Line2D(
                [],
                [],
                ls="",
                marker=shape,
                ms=0.75 * legend.size * SIZES[shape],
                mec="none",
                color=colour,
                label="name",
            )
            for colour, shape in zip(class_colours(count), class_shapes(count), strict=True)
        ]
    drawn = axes.legend(
        handles=marks, loc="upper left", bbox_to_anchor=(1.02, 1.01), borderaxespad=0.0, frameon=False,
        fontsize=legend.size, labelcolor=INK, handlelength=1.0, handletextpad=0.4, columnspacing=1.2,
        labelspacing=0.55, ncols=legend.columns,
    )  # fmt: skip
    # afterwards, so that a name that begins with an underscore is not left out
    for text, name in zip(drawn.get_texts(), legend.names, strict=True):
        words = lettering(name)
        text.set(text=words.words, **words.style)
