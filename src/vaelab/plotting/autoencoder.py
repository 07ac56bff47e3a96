"""The tutorial's argument as one picture: an autoencoder beside a VAE, and what each makes of random points."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.language import translated
from vaelab.plotting.classes import GLYPHS, class_colours, class_names, class_shapes, draw_names
from vaelab.plotting.latent import draw_points, draw_rings, fit_square
from vaelab.plotting.lettering import elided, text_width
from vaelab.plotting.page import FAINT, INK, Page, latent_name
from vaelab.plotting.tiles import GAP, draw_tiles, tiles_size

SIDE = 4.4
COLUMNS, ROWS = 11, 6
COUNT = COLUMNS * ROWS
"""How many points are drawn at random from each plane."""


class Side(NamedTuple):
    """One of the two models."""

    title: str
    points: Float[np.ndarray, "n 2"]  # where the test images lie
    drawn: Float[np.ndarray, "count 2"]  # points drawn at random from the plane
    images: Shaped[np.ndarray, "count ..."]  # what the decoder makes of them
    where: str  # how they were drawn, as the beginning of a sentence
    rings: bool  # whether the standard normal prior belongs to the plane
    shares: Float[np.ndarray, " labels"] | None = (
        None  # of many such images, by the label that a classifier sees in them
    )


def points_over_box(points: Float[np.ndarray, "n 2"], count: int, *, seed: int) -> Float[np.ndarray, "count 2"]:
    """Points drawn uniformly over the smallest box that holds all the others."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.random.default_rng(seed).uniform(low, high, (count, points.shape[1])).astype(np.float32)


def autoencoder_figure(
    left: Side,
    right: Side,
    labels: Integer[np.ndarray, " n"] | None,
    *,
    label_names: Sequence[str] | None = None,
    shown: tuple[float, float] = (0.0, 1.0),
    facts: str = "",
) -> Figure:
    """Above, the two latent planes with the points that were drawn (crosses); below, the same points decoded, in their
    order.
    """
    side, height = tiles_size(left.images.shape[1:], ROWS, COLUMNS, width=SIDE, gap=GAP)
    margin, between, top = 0.6, 0.7, 1.5
    bars = left.shares is not None and right.shares is not None
    below = top + side + (1.5 if bars else 0.85)
    title = translated("Why variational? Draw points of the latent plane at random, and decode them")
    page = Page(margin + 2 * side + between + 0.3, below + height + 0.3, title, facts, left=margin)
    names = [elided(name, 1.0, 9.0) for name in class_names(labels, label_names)]
    named = _legend(page, margin, 0.86, names, 2 * side + between)
    for place, model in enumerate((left, right)):
        start = margin + place * (side + between)
        page.text(start, top - 0.13, model.title, size=11, weight="bold", color=INK)
        _draw_plane(page.axes(start, top, side, side), model, labels, names if named else [], side)
        if bars:
            words = translated("{where}: the digits that come", where=model.where)
            page.text(start, top + side + 0.7, words, size=8, color=FAINT)
            _draw_shares(page.axes(start, top + side + 0.78, side, 0.24), model.shares)
            page.text(
                start,
                below - 0.1,
                translated("The {count} that are marked by crosses", count=len(model.images)),
                size=8,
                color=FAINT,
            )
        else:
            page.text(
                start, below - 0.1, translated("{where}: the crosses decoded", where=model.where), size=8, color=FAINT
            )
        draw_tiles(page.axes(start, below, side, height), model.images, COLUMNS, shown=shown, gap=GAP)
    return page.figure


def _draw_plane(
    axes: Axes, model: Side, labels: Integer[np.ndarray, " n"] | None, names: Sequence[str], side: float
) -> None:
    draw_points(axes, model.points, labels, size=2.0)
    axes.plot(model.drawn[:, 0], model.drawn[:, 1], "x", ms=4.2, mew=1.0, color=INK, zorder=7)
    if model.rings:
        draw_rings(axes)
    fit_square(axes, np.concatenate([model.points, model.drawn]), at_least=3.15 if model.rings else None)
    if labels is not None:
        draw_names(axes, model.points, labels, names, side=side)
    axes.set_xlabel(latent_name(0), size=8.5, color=INK, labelpad=2)
    axes.set_ylabel(latent_name(1), size=8.5, color=INK, labelpad=0)


def _draw_shares(axes: Axes, shares: Float[np.ndarray, " labels"] | None) -> None:
    """One bar, cut by the shares of the labels, each in its colour and named where there is room."""
    if shares is None:
        return
    starts = np.concatenate([[0.0], np.cumsum(shares)[:-1]])
    colours = class_colours(len(shares))
    axes.barh(0.0, shares, left=starts, height=1.0, color=colours, edgecolor="white", linewidth=0.8)
    for label, (start, share) in enumerate(zip(starts, shares, strict=True)):
        if share >= 0.025:
            ink = INK if _is_light(colours[label]) else "white"
            axes.text(start + share / 2, 0.0, str(label), size=8, color=ink, ha="center", va="center_baseline")
    axes.set(xlim=(0.0, 1.0), ylim=(-0.5, 0.5), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def _is_light(colour: str) -> bool:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 > 0.3  # relative luminance (WCAG 2)


def _legend(page: Page, left: float, baseline: float, names: Sequence[str], width: float) -> bool:
    """The labels in at most two rows under the heading; whether they have room there."""
    widths = [0.36 + text_width(name, 9.0) for name in names]
    rows, across = 1, 0.0
    places = []
    for one in widths:
        if across + one > width and across:
            rows, across = rows + 1, 0.0
        places.append((left + across, baseline + 0.19 * (rows - 1)))
        across += one
    if rows > 2:
        return False
    count = len(names)
    for (start, base), name, colour, shape in zip(
        places, names, class_colours(count), class_shapes(count), strict=True
    ):
        page.text(start, base, GLYPHS[shape], size=9, color=colour)
        page.text(start + 0.16, base, name, size=9, color=INK)
    return True
