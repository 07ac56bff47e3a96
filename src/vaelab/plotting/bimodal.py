"""Two modes, one Gaussian over both, and the mixture that repairs it: as a figure, and as frames of a moving one."""

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from vaelab.fitting.bimodal import Bimodal, distances
from vaelab.language import translated
from vaelab.plotting.page import ACCENT, FAINT, INK, RULE, SEPARATOR, Page
from vaelab.plotting.quantities import amount

TRUTH, WRONG, RIGHT = FAINT, "#d98032", ACCENT
SMALL = (0.0, 1.5, 2.5, 3.5, 6.0)
"""Separations of the small multiples."""


def bimodal_figure(main: Bimodal, others: tuple[Bimodal, ...]) -> Figure:
    """One large panel, and below it the same as the separation grows."""
    page = Page(9.0, 6.9, translated("A single Gaussian is only an assumption"), _facts(main))
    _legend(page, main)
    axes = page.axes(0.3, 1.75, 8.4, 2.55)
    _draw(axes, main, reach=7.0, height=0.36)
    gap, left = 0.25, 0.3
    width = (8.4 - gap * (len(others) - 1)) / len(others)
    page.text(left, 4.98, translated("The same as the two modes move apart"), size=9.5, weight="bold", color=INK)
    for place, other in enumerate(others):
        small = page.axes(left + place * (width + gap), 5.1, width, 1.0)
        _draw(small, other, reach=6.5, height=0.72, size=3.0)
        small.set_xticks([])
        words = translated(
            "{separation:g} apart: {percent:.0f} % of the Gaussian\nlies where there is no sample",
            separation=other.separation,
            percent=100 * other.gaussian.empty_mass,
        )
        for line, part in enumerate(words.splitlines()):
            page.text(
                left + place * (width + gap) + width / 2, 6.3 + 0.14 * line, part, size=7, color=FAINT, ha="center"
            )
    return page.figure


def bimodal_frame(data: Bimodal) -> Figure:
    """One frame of the moving figure."""
    page = Page(7.2, 4.3, translated("A single Gaussian is only an assumption"), _facts(data))
    _legend(page, data)
    _draw(page.axes(0.3, 1.75, 6.6, 2.15), data, reach=7.0, height=0.7)
    return page.figure


def write_animation(frames: list[Bimodal], path: Path) -> None:
    """The frames forth and back as a GIF that goes on for ever."""
    pictures = [Image.fromarray(_pixels(bimodal_frame(frame))) for frame in frames]
    # one palette for all, so that still parts do not flicker
    palette = pictures[-1].quantize(64)
    pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    there_and_back = pictures + pictures[-2:0:-1]
    rests = [900 if place in (0, len(pictures) - 1) else 90 for place in range(len(there_and_back))]
    there_and_back[0].save(
        path, format="GIF", save_all=True, append_images=there_and_back[1:], duration=rests, loop=0, optimize=True
    )


def _draw(axes: Axes, data: Bimodal, *, reach: float, height: float, size: float = 6.0) -> None:
    x = np.linspace(-reach, reach, 1401)
    gaussian = data.gaussian.line.density(x)
    empty = distances(data.samples, x) > data.reach
    axes.fill_between(x, 0.0, gaussian, where=empty, color=WRONG, alpha=0.22, linewidth=0)
    axes.plot(x, data.truth.line.density(x), color=TRUTH, linewidth=1.3, linestyle=(0, (4, 2)))
    axes.plot(x, gaussian, color=WRONG, linewidth=1.8)
    axes.plot(x, data.mixture.line.density(x), color=RIGHT, linewidth=1.8)
    axes.plot(
        data.samples,
        np.zeros_like(data.samples),
        "x",
        color="black",
        markersize=size,
        markeredgewidth=0.8,
        clip_on=False,
    )
    axes.set(xlim=(-reach, reach), ylim=(0.0, height), yticks=[])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(RULE)


def _legend(page: Page, data: Bimodal) -> None:
    """A small table in the colours of the curves: the log-likelihood of each density, and its mass where there is no sample."""
    columns = (0.3, 2.6, 3.75)
    heads = (translated("log-likelihood"), translated("where there is no sample"))
    rows = [
        (translated("\N{MULTIPLICATION SIGN}  {count} samples", count=len(data.samples)), *heads, INK),
        *(
            (
                translated(judged.name),
                f"{amount(judged.held_out, 3)} nats",
                translated("{percent:.1f} % of its mass", percent=100 * judged.empty_mass),
                colour,
            )
            for colour, judged in zip((TRUTH, WRONG, RIGHT), data.all, strict=True)
        ),
    ]
    for line, (*words, colour) in enumerate(rows):
        for place, (left, text) in enumerate(zip(columns, words, strict=True)):
            shade = FAINT if line == 0 and place else colour
            page.text(left, 0.93 + 0.18 * line, text, size=8.5, color=shade)


def _facts(data: Bimodal) -> str:
    return SEPARATOR.join(
        (
            translated("two modes {separation:.1f} apart", separation=data.separation),
            translated("mean log-likelihood of 10,000 held-out draws"),
            translated("no sample: none within {reach:.2f}, as for 1 % of fresh draws", reach=data.reach),
        )
    )


def _pixels(figure: Figure) -> UInt8[np.ndarray, "height width 3"]:
    figure.set_dpi(100)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
