"""The tutorial's argument as one picture: an autoencoder beside a VAE, and what each makes of random points."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Shaped
from matplotlib.figure import Figure

from vaelab.plotting.latent import class_colours, draw_points, draw_rings, fit_square
from vaelab.plotting.page import FAINT, INK, Page, latent_name
from vaelab.plotting.tiles import GAP, draw_tiles, tiles_size

SIDE = 4.4
COLUMNS, ROWS = 10, 6
COUNT = COLUMNS * ROWS
"""How many points are drawn at random from each plane."""


class Side(NamedTuple):
    """One of the two models."""

    title: str
    points: Float[np.ndarray, "n 2"]  # where the test images lie
    drawn: Float[np.ndarray, "count 2"]  # points drawn at random from the plane
    images: Shaped[np.ndarray, "count ..."]  # what the decoder makes of them
    where: str  # how they were drawn
    rings: bool  # whether the standard normal prior belongs to the plane


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
    width, height = tiles_size(left.images.shape[1:], ROWS, COLUMNS, width=SIDE, gap=GAP)
    margin, between = 0.6, 0.75
    title = "Why variational? Pick points of the latent plane at random, and decode them"
    page = Page(margin + 2 * SIDE + between + 0.35, 1.95 + SIDE + 0.95 + height + 0.4, title, facts, left=margin)
    if labels is not None:
        _legend(page, margin, 0.9, labels, label_names)
    for place, side in enumerate((left, right)):
        start = margin + place * (SIDE + between)
        page.text(start, 1.4, side.title, size=11, weight="bold", color=INK)
        axes = page.axes(start, 1.55, SIDE, SIDE)
        draw_points(axes, side.points, labels, size=2.0)
        axes.plot(side.drawn[:, 0], side.drawn[:, 1], "x", ms=4.2, mew=1.0, color=INK, zorder=7)
        if side.rings:
            draw_rings(axes)
        fit_square(axes, np.concatenate([side.points, side.drawn]), at_least=3.15 if side.rings else None)
        axes.set_xlabel(latent_name(0), size=8.5, color=INK, labelpad=2)
        axes.set_ylabel(latent_name(1), size=8.5, color=INK, labelpad=0)
        top = 1.55 + SIDE + 0.85
        page.text(start, top - 0.12, f"The {len(side.images)} crosses decoded: {side.where}", size=8.5, color=FAINT)
        draw_tiles(page.axes(start, top, width, height), side.images, COLUMNS, shown=shown, gap=GAP)
    return page.figure


def _legend(
    page: Page, left: float, baseline: float, labels: Integer[np.ndarray, " n"], label_names: Sequence[str] | None
) -> None:
    """The labels in one row under the heading, where there are few enough for it."""
    count = max(int(labels.max(initial=0)) + 1, len(label_names or ()))
    names = list(label_names) if label_names and len(label_names) == count else [str(label) for label in range(count)]
    if sum(map(len, names)) > 90:
        return
    for name, colour in zip(names, class_colours(count), strict=True):
        page.text(left, baseline, "●", size=9, color=colour)
        page.text(left + 0.16, baseline, name, size=9, color=INK)
        left += 0.36 + 0.09 * len(name)
