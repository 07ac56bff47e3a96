"""Figure of `vaelab compare`: scores side by side, and what each gains over the first, image by image."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from vaelab.plotting.page import ACCENT, CLASS_COLOURS, FAINT, INK, RULE, Page


def comparison_figure(
    names: Sequence[str],
    scores: Sequence[Float[np.ndarray, " images"]],
    *,
    score_name: str = "negative log-likelihood",
    title: str = "",
    facts: str = "",
) -> Figure:
    """Left, the mean score of each with its standard error; right, the differences to the first, sorted over the images.

    `scores` are nats an image, smaller is better, all of the same images.
    """
    rows = len(names)
    side = 0.3 * rows + 0.3
    height = max(1.9, side)
    label_width = min(2.6, 0.35 + 0.075 * max(len(name) for name in names))
    page = Page(label_width + 6.3, height + 1.75, title or f"{score_name.capitalize()} of the same images", facts)
    left = page.axes(label_width + 0.2, 1.05, 2.4, height)
    places = np.arange(rows)[::-1]
    for place, name, values, colour in zip(places, names, scores, _colours(rows), strict=True):
        error = values.std(ddof=1) / np.sqrt(len(values))
        left.errorbar(values.mean(), place, xerr=error, fmt="o", color=colour, ms=5, capsize=3, lw=1.3)
        left.annotate(
            f"{values.mean():.2f}",
            (values.mean(), place),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            size=7.5,
            color=INK,
        )
        del name
    left.set_yticks(places, names)
    left.tick_params(axis="y", labelcolor=INK, labelsize=8.5, length=0)
    left.set_ylim(-0.7, rows - 0.3)
    left.margins(x=0.2)
    left.grid(axis="x", color="#eceef1", lw=0.8)
    left.set_axisbelow(True)
    left.spines[["top", "right", "left"]].set_visible(False)
    left.set_xlabel("nats an image, smaller is better", size=8, color=FAINT)

    right = page.axes(label_width + 3.45, 1.05, 2.45, height)
    page.text(label_width + 3.45, 0.98, f"less {names[0]}, images sorted", size=8.5, color=INK)
    page.text(label_width + 0.2, 0.98, "mean ± standard error over images", size=8.5, color=INK)
    right.axhline(0.0, color=RULE, lw=1.0)
    colours = _colours(rows)
    largest = 0.0
    for name, values, colour in list(zip(names, scores, colours, strict=True))[1:]:
        differences = np.sort(values - scores[0])
        # as many points as the eye can tell apart
        shares = np.linspace(0.0, 1.0, 400)
        right.plot(100 * shares, np.quantile(differences, shares), color=colour, lw=1.5, label=name)
        largest = max(largest, float(np.quantile(np.abs(differences), 0.98)))
    right.set_ylim(-1.15 * largest - 1e-9, 1.15 * largest + 1e-9)
    right.set_xlim(0, 100)
    right.set_xlabel("% of images", size=8, color=FAINT)
    right.set_ylabel("difference, nats", size=8, color=FAINT, labelpad=2)
    right.spines[["top", "right"]].set_visible(False)
    return page.figure


def _colours(count: int) -> list[str]:
    palette = [ACCENT, *CLASS_COLOURS[1:]]
    return [palette[index % len(palette)] for index in range(count)]
