"""Figure `traversals`: one latent dimension moved at a time, for more dimensions than a grid can show."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Shaped
from matplotlib.figure import Figure

from vaelab.language import translated
from vaelab.plotting.lettering import text_width
from vaelab.plotting.page import FAINT, Page
from vaelab.plotting.tiles import GAP, draw_tiles, tiles_size

STEPS, MAX_ROWS = 11, 12


def traversal_points(
    base: Float[np.ndarray, " latent"], dimensions: Sequence[int], values: Float[np.ndarray, "rows steps"]
) -> Float[np.ndarray, "points latent"]:
    """For each of the dimensions a row of copies of `base`, with that dimension set to the row's values."""
    points = np.tile(np.asarray(base, np.float32), (*values.shape, 1))
    for row, dimension in enumerate(dimensions):
        points[row, :, dimension] = values[row]
    return points.reshape(-1, points.shape[-1])


def traversals_figure(
    images: Shaped[np.ndarray, "points ..."],
    row_names: Sequence[str],
    *,
    shown: tuple[float, float] = (0.0, 1.0),
    title: str = "",
    facts: str = "",
) -> Figure:
    """The images decoded at `traversal_points`, a row for each dimension, named at its left."""
    rows = len(row_names)
    columns = len(images) // rows
    width, height = tiles_size(images.shape[1:], rows, columns, width=6.2, gap=GAP)
    left = 0.4 + max(text_width(name, 7.5) for name in row_names)
    page = Page(left + max(width, 5.4) + 0.3, height + 1.1, title or translated("Traversals"), facts)
    draw_tiles(page.axes(left, 0.8, width, height), images, columns, shown=shown, gap=GAP)
    for row, name in enumerate(row_names):
        page.text(left - 0.1, 0.8 + height * (row + 0.5) / rows + 0.03, name, size=7.5, color=FAINT, ha="right")
    return page.figure
