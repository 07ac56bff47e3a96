"""Figure `samples`: decoded draws from the prior."""

import numpy as np
from jaxtyping import Shaped
from matplotlib.figure import Figure

from vaelab.language import translated
from vaelab.plotting.page import Page
from vaelab.plotting.tiles import GAP, draw_tiles, tiles_size

COUNT, COLUMNS = 100, 10


def samples_figure(
    images: Shaped[np.ndarray, "n ..."],
    *,
    columns: int = COLUMNS,
    shown: tuple[float, float] = (0.0, 1.0),
    title: str = "",
    facts: str = "",
) -> Figure:
    """Images in a grid, row by row."""
    rows = -(-len(images) // columns)
    width, height = tiles_size(images.shape[1:], rows, columns, width=6.2, gap=GAP)
    page = Page(max(width, 5.4) + 0.6, height + 1.1, title or translated("Samples"), facts)
    draw_tiles(page.axes(0.3, 0.8, width, height), images, columns, shown=shown, gap=GAP)
    return page.figure
