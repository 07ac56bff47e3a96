"""Figure `latent`: where the images lie in the latent space."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from vaelab.language import translated
from vaelab.plotting.classes import (
    SIZES,
    class_colours,
    class_hatches,
    class_names,
    class_shapes,
    draw_legend,
    draw_names,
    legend_of,
    names_in_cloud,
)
from vaelab.plotting.lettering import lettering
from vaelab.plotting.page import CLASS_COLOURS, FAINT, INK, SEPARATOR, Page, label_axes

SIDE = 5.4


class Contours(NamedTuple):
    """log p(z) of a prior in the plane shown, and the levels that hold as much of its mass as 3, 2 and 1 sigma of a
    Gaussian.
    """

    across: Float[np.ndarray, " columns"]
    up: Float[np.ndarray, " rows"]
    log_density: Float[np.ndarray, "rows columns"]
    levels: Float[np.ndarray, " levels"]


def latent_figure(
    points: Float[np.ndarray, "n plane"],
    labels: Integer[np.ndarray, " n"] | None = None,
    *,
    label_names: Sequence[str] | None = None,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    rings: bool = True,
    contours: Contours | None = None,
    title: str = "",
    facts: str = "",
) -> Figure:
    """Points of a plane (n, 2), coloured and shaped by label, the labels' names among them; axes equal, so that a circle is one.

    `rings` draws the standard normal prior as circles at 1, 2 and 3 sigma; `contours` draws any other prior. With one
    latent dimension, (n, 1), a histogram stacked by label is drawn, and the prior's density over it.
    """
    names = class_names(labels, label_names)
    title = title or translated("Latent space")
    if points.shape[1] == 1:
        return _histogram(points[:, 0], labels, names, axis_names[0], rings, title, facts)
    among, beside = names_in_cloud(names, SIDE)
    legend = legend_of(beside, SIDE)
    if names and legend is None:
        facts = f"{facts}{SEPARATOR}{_unnamed(names)}"
    page = Page(SIDE + (0.95 if not names or legend is None else 1.0 + legend.width), SIDE + 1.35, title, facts)
    axes = page.axes(0.65, 0.8, SIDE, SIDE)
    draw_points(axes, points, labels)
    if rings:
        draw_rings(axes)
    if contours is not None:
        draw_contours(axes, contours)
    fit_square(axes, points, at_least=3.15 if rings else None)
    label_axes(axes, *axis_names)
    if labels is not None and legend is not None:
        draw_names(axes, points, labels, among, side=SIDE)
        draw_legend(axes, legend)
    return page.figure


def _unnamed(names: Sequence[str]) -> str:
    return translated("{count} classes, too many to name", count=len(names))


def draw_points(
    axes: Axes, points: Float[np.ndarray, "n 2"], labels: Integer[np.ndarray, " n"] | None, *, size: float | None = None
) -> None:
    """The points, small and many: drawn in their own order, so that no label lies over the others; raster even in SVG
    and PDF.
    """
    size = size if size is not None else float(np.clip(240.0 / np.sqrt(max(len(points), 1)), 2.2, 7.0))
    if labels is None:
        axes.plot(
            points[:, 0], points[:, 1], "o", ms=size, mec="none", color=CLASS_COLOURS[0], alpha=0.5, rasterized=True
        )
        return
    count = int(labels.max(initial=0)) + 1
    colours, shapes = class_colours(count), class_shapes(count)
    # markers of one colour are drawn fastest: a few rounds over the labels, each with its share of the points
    for share in np.array_split(np.arange(len(points)), min(4, len(points) // 250 + 1)):
        for label in np.unique(labels[share]):
            chosen = points[share][labels[share] == label]
            shape = shapes[label]
            axes.plot(
                chosen[:, 0], chosen[:, 1], shape, ms=size * SIZES[shape], mec="none", color=colours[label], alpha=0.75,
                rasterized=True,
            )  # fmt: skip


def draw_rings(axes: Axes, *, named: bool = True) -> None:
    """The standard normal prior: circles at 1, 2 and 3 sigma."""
    for sigma in (1, 2, 3):
        axes.add_patch(Circle((0.0, 0.0), sigma, fill=False, color=INK, lw=0.9, ls=(0, (4, 3)), alpha=0.75, zorder=5))
        if named:
            # at the upper left of each circle, where it is crossed by nothing else
            place = sigma * np.sqrt(0.5)
            box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "boxstyle": "round,pad=0.15"}
            axes.text(-place, place, f"{sigma}σ", size=7, color=INK, ha="center", va="center", bbox=box, zorder=6)


def draw_contours(axes: Axes, contours: Contours) -> None:
    """A prior's density, by lines that hold 39, 86 and 99 % of its mass."""
    axes.contour(
        contours.across,
        contours.up,
        contours.log_density,
        levels=contours.levels,
        colors=INK,
        linewidths=0.9,
        linestyles="--",
    )


def fit_square(axes: Axes, points: Float[np.ndarray, "n 2"], *, at_least: float | None) -> None:
    """Equal axes over all points, and over [-at_least, at_least] in both directions."""
    low, high = points.min(axis=0), points.max(axis=0)
    if at_least is not None:
        low, high = np.minimum(low, -at_least), np.maximum(high, at_least)
    middle, half = (low + high) / 2.0, float((high - low).max()) / 2.0 * 1.03 or 1.0
    axes.set(xlim=(middle[0] - half, middle[0] + half), ylim=(middle[1] - half, middle[1] + half), aspect="equal")


def _histogram(
    values: Float[np.ndarray, " n"],
    labels: Integer[np.ndarray, " n"] | None,
    names: Sequence[str],
    axis_name: str,
    rings: bool,
    title: str,
    facts: str,
) -> Figure:
    """Stacked bars; after ten labels the colours return, hatched."""
    width, height = 6.2, 2.85
    legend = legend_of(names, height)
    if names and legend is None:
        facts = f"{facts}{SEPARATOR}{_unnamed(names)}"
    page = Page(width + (1.1 if not names or legend is None else 1.05 + legend.width), 4.3, title, facts)
    axes = page.axes(0.7, 0.85, width, height)
    low, high = float(values.min()), float(values.max())
    count = int(np.clip(2 * np.sqrt(len(values)), 10, 80))  # a few values a bar
    bins = np.linspace(low, high, count + 1) if high > low else np.linspace(low - 0.5, low + 0.5, count + 1)
    groups = [values] if labels is None else [values[labels == label] for label in range(max(1, len(names)))]
    weights = [np.full(len(group), 1.0 / (len(values) * (bins[1] - bins[0]))) for group in groups]
    axes.hist(
        groups, bins=bins.tolist(), weights=weights, stacked=True, color=class_colours(len(groups)), hatch=class_hatches(len(groups)),
        edgecolor="white", linewidth=0.0,
    )  # fmt: skip
    if rings:
        across = np.linspace(min(-3.5, bins[0]), max(3.5, bins[-1]), 301)
        axes.plot(across, np.exp(-0.5 * across**2) / np.sqrt(2.0 * np.pi), color=INK, lw=1.2, ls="--")
        away = -1.25 if values.mean() > 0 else 1.25  # from the bars
        side = "right" if away < 0 else "left"
        prior = lettering(f"  {translated('prior N(0, 1)')}  ")
        axes.text(away, 0.19, prior.words, size=8, color=INK, va="bottom", ha=side, **prior.style)
    label_axes(axes, axis_name, translated("density"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelcolor=FAINT)
    if names and legend is not None:
        draw_legend(axes, legend, bars=True)
    return page.figure
