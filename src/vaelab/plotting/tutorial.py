"""`--style tutorial`: scatter and grid drawn as the tutorial does, for a look side by side."""

import numpy as np
from jaxtyping import Float, Integer, Shaped
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vaelab.generating.pictures import as_levels, tiled
from vaelab.language import translated
from vaelab.plotting.page import ShownFigure, label_across, label_up


def tutorial_scatter(points: Float[np.ndarray, "n 2"], labels: Integer[np.ndarray, " n"] | None) -> Figure:
    """6 x 6 inches, viridis, a colour bar."""
    figure = ShownFigure(figsize=(6, 6), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    drawn = axes.scatter(
        points[:, 0], points[:, 1], c=labels, cmap="viridis" if labels is not None else None, rasterized=True
    )
    if labels is not None:
        figure.colorbar(drawn)
    label_across(axes, translated("mean of z₁, the tutorial's z[0]"))
    label_up(axes, translated("mean of z₂, the tutorial's z[1]"))
    return figure


def tutorial_grid(
    images: Shaped[np.ndarray, "points ..."], columns: int, *, shown: tuple[float, float] = (0.0, 1.0)
) -> Figure:
    """10 x 10 inches, Greys_r, pixels on the axes.

    `images` come as `grid_of` has them, from the highest second latent downward; here, as in the tutorial, the first
    row is the lowest.
    """
    figure = ShownFigure(figsize=(10, 10), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    by_row = images.reshape(-1, columns, *images.shape[1:])[::-1].reshape(images.shape)
    page = tiled(as_levels(by_row, low=shown[0], high=shown[1]), columns)
    axes.imshow(page, cmap="Greys_r")
    return figure
