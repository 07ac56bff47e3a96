"""Figure `manifold`: what the decoder makes of a grid of points in a latent space of one or two dimensions."""

from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Integer, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vaelab.language import translated
from vaelab.plotting.lettering import text_width
from vaelab.plotting.page import Page, label_axes
from vaelab.plotting.quantities import amount
from vaelab.plotting.tiles import draw_tiles, tiles_size

STEPS = 15


def normal_quantiles(steps: int = STEPS) -> Float[np.ndarray, " steps"]:
    """The points that cut N(0, 1) at probabilities from 0.05 to 0.95, evenly spaced: `norm.ppf(linspace(0.05, 0.95,
    steps))`.
    """
    normal = NormalDist()  # the same numbers as scipy's, without its import
    return np.array([normal.inv_cdf(share) for share in np.linspace(0.05, 0.95, steps).tolist()])


def own_quantiles(values: Float[np.ndarray, " n"], steps: int = STEPS) -> Float[np.ndarray, " steps"]:
    """The same probabilities' quantiles of the latents themselves, where no N(0, 1) describes them."""
    return np.quantile(values.astype(np.float64), np.linspace(0.05, 0.95, steps))


def grid_of(across: Float[np.ndarray, " columns"], up: Float[np.ndarray, " rows"]) -> Float[np.ndarray, "points 2"]:
    """The points of a grid in the order in which it is drawn: row by row from the largest second value, as in a scatter
    plot.
    """
    second, first = np.meshgrid(up[::-1], across, indexing="ij")
    return np.stack([first.ravel(), second.ravel()], axis=1)


def manifold_figure(
    images: Shaped[np.ndarray, "points ..."],
    across: Float[np.ndarray, " columns"],
    up: Float[np.ndarray, " rows"] | None,
    *,
    axis_names: tuple[str, str] = ("z₁", "z₂"),
    shown: tuple[float, float] = (0.0, 1.0),
    title: str = "",
    facts: str = "",
) -> Figure:
    """The images decoded at `grid_of(across, up)`, in the scatter's orientation: the first latent to the right, the
    second upward.

    With one latent dimension `up` is None, and the images, decoded at `across`, stand in one row.
    """
    rows = 1 if up is None else len(up)
    width, height = tiles_size(images.shape[1:], rows, len(across), width=5.6)
    page = Page(width + 0.95, height + 1.35, title or translated("Decoded grid"), facts)
    axes = page.axes(0.65, 0.8, width, height)
    draw_tiles(axes, images, len(across), shown=shown)
    _tick(axes, across, up, width / len(across))
    label_axes(axes, axis_names[0], axis_names[1] if up is not None else "")
    return page.figure


def _tick(
    axes: Axes, across: Float[np.ndarray, " columns"], up: Float[np.ndarray, " rows"] | None, tile: float
) -> None:
    """The latent's values under the columns, which are so many inches wide, and beside the rows: every one where there is room, else every
    second, the one nearest 0 among them.
    """
    words = _numbers(across)
    columns = _named(across, step=1 if max(text_width(word, 7.5) for word in words) < 0.92 * tile else 2)
    axes.set_xticks(columns + 0.5, [words[column] for column in columns])
    if up is not None:
        axes.set_yticks(np.arange(len(up)) + 0.5, _numbers(up[::-1]))


def _named(values: Float[np.ndarray, " steps"], *, step: int) -> Integer[np.ndarray, " named"]:
    """Every so many places, that of the value nearest 0 among them."""
    return np.arange(int(np.abs(values).argmin()) % step, len(values), step)


def _numbers(values: Float[np.ndarray, " steps"]) -> list[str]:
    """With as many decimals as tell most of them from their neighbours."""
    step = float(np.ptp(values)) / max(1, len(values) - 1)
    decimals = int(np.clip(np.ceil(-np.log10(step)), 1, 4)) if step > 0.0 else 1
    decimals = 0 if np.abs(values).max() >= 100.0 else decimals
    return [amount(float(value), decimals) for value in values]
