"""Figure of `vaelab compare`: the score of each, and how much it differs from the first's, on the mean and image by image."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.evaluation.figure import Figure as Estimate
from vaelab.evaluation.figure import mean_figure
from vaelab.language import translated
from vaelab.plotting.lettering import elided, text_width
from vaelab.plotting.page import ACCENT, CLASS_COLOURS, FAINT, INK, RULE, SEPARATOR, Page, label_across
from vaelab.plotting.quantities import amount

NAME, SCORE = 9.0, 8.5
WIDEST = 2.6
"""Inches: longer names are cut."""


def comparison_figure(
    names: Sequence[str],
    scores: Sequence[Float[np.ndarray, " images"]],
    *,
    score_name: str = "",
    title: str = "",
    facts: str = "",
) -> Figure:
    """The mean score of each in words; the mean of its differences to the first with their standard error, which is paired over the images;
    and the differences of the single images, sorted.

    `scores` are nats per image, smaller is better, all of the same images. The means' own errors are not drawn: the images are the same, so
    that bars of means overlap where the difference is sure.
    """
    rows = len(names)
    height = max(1.9, 0.34 * rows + 0.3)
    means = [amount(mean_figure(values, "").value) for values in scores]
    name_width = max(text_width(elided(name, WIDEST, NAME), NAME) for name in names)
    mean_width = max(0.5, *(text_width(mean, SCORE) for mean in means))
    first = elided(names[0], 1.2, 8.0)
    start = 0.3 + name_width + 0.25 + mean_width + 0.3
    width, between = 2.7, 0.75
    score_name = score_name or translated("negative log-likelihood")
    heading = title or translated("{score} of the same images", score=f"{score_name[:1].upper()}{score_name[1:]}")
    facts = SEPARATOR.join(
        filter(
            None,
            [
                facts,
                translated(
                    "smaller is better: left of the line better than the first; "
                    "± is the standard error of the paired differences"
                ),
            ],
        )
    )
    page = Page(start + 2 * width + between + 0.3, height + 1.85, heading, facts)
    top = 1.15
    left = page.axes(start, top, width, height)
    page.text(start, top - 0.1, translated("mean difference to {first}", first=first), size=8, color=INK)
    page.text(start - 0.3, top - 0.1, translated("mean"), size=8, color=INK, ha="right")
    places, colours = np.arange(rows)[::-1], _colours(rows)
    _draw_means(left, places, scores, colours)
    for place, name, mean, colour in zip(places, names, means, colours, strict=True):
        down = top + height * (rows - 0.3 - place) / (rows + 0.4) + 0.04
        page.text(0.3, down, elided(name, WIDEST, NAME), size=NAME, color=colour, weight="bold")
        page.text(start - 0.3, down, mean, size=SCORE, color=INK, ha="right")
    right = page.axes(start + width + between, top, width, height)
    words = elided(translated("each image's difference to {first}, sorted", first=first), width + 0.25, 8.0)
    page.text(start + width + between, top - 0.1, words, size=8, color=INK)
    _draw_images(right, scores, colours)
    return page.figure


def _draw_means(
    axes: Axes, places: np.ndarray, scores: Sequence[Float[np.ndarray, " images"]], colours: Sequence[str]
) -> None:
    """A point and a bar for each mean of paired differences; the line at 0 is the first."""
    rows = len(places)
    axes.axvline(0.0, color=colours[0], lw=1.4)
    reach = 0.0
    for place, values, colour in list(zip(places, scores, colours, strict=True))[1:]:
        difference = mean_figure(values - scores[0], "")
        error = difference.standard_error or 0.0
        axes.errorbar(difference.value, place, xerr=error, fmt="o", color=colour, ms=4, capsize=4, lw=1.5)
        axes.annotate(
            _words(difference), (difference.value, place), xytext=(0, 6), textcoords="offset points", ha="center", size=7.5,
            color=INK,
        )  # fmt: skip
        reach = max(reach, abs(difference.value) + error)
    axes.set_xlim(-1.7 * reach - 1e-3, 1.7 * reach + 1e-3)
    axes.set_ylim(-0.7, rows - 0.3)
    axes.set_yticks([])
    axes.grid(axis="x", color="#eceef1", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.locator_params(axis="x", nbins=5)
    label_across(axes, translated("nats per image"), size=8, color=FAINT)


def _draw_images(axes: Axes, scores: Sequence[Float[np.ndarray, " images"]], colours: Sequence[str]) -> None:
    axes.axhline(0.0, color=colours[0], lw=1.4)
    largest = 0.0
    for values, colour in list(zip(scores, colours, strict=True))[1:]:
        differences = np.sort(values - scores[0])
        # as many points as the eye can tell apart
        shares = np.linspace(0.0, 1.0, 400)
        axes.plot(100 * shares, np.quantile(differences, shares), color=colour, lw=1.5)
        largest = max(largest, float(np.quantile(np.abs(differences), 0.98)))
    axes.set_ylim(-1.15 * largest - 1e-9, 1.15 * largest + 1e-9)
    axes.set_xlim(0, 100)
    label_across(axes, translated("% of images"), size=8, color=FAINT)
    axes.set_ylabel("nats", size=8, color=FAINT, labelpad=2)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)


def _words(difference: Estimate) -> str:
    if abs(difference.value) >= 1e5:
        return amount(difference.value)
    return difference.rounded(2).replace("-", "\N{MINUS SIGN}")


def _colours(count: int) -> list[str]:
    palette = [ACCENT, *CLASS_COLOURS[1:]]
    return [palette[index % len(palette)] for index in range(count)]
