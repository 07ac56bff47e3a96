"""Many images in one pair of axes: drawn as a single picture, or, where data are features, as small curves."""

import math

import numpy as np
from jaxtyping import Shaped
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from vaelab.generating.pictures import as_levels, is_picture, tiled
from vaelab.plotting.page import ACCENT, DPI

GAP = 2


def tiles_size(
    image_shape: tuple[int, ...], rows: int, columns: int, *, width: float, gap: int = 0
) -> tuple[float, float]:
    """The inches (width, height) of axes for so many tiles, about `width` wide: whole screen pixels for each pixel, if
    there is room.
    """
    if not is_picture(image_shape):
        return width, width / columns * rows * 0.6
    across, down = columns * (image_shape[1] + gap) - gap, rows * (image_shape[0] + gap) - gap
    scale = width * DPI / across
    scale = math.floor(scale) if scale >= 1.0 else scale
    return across * scale / DPI, down * scale / DPI


def draw_tiles(
    axes: Axes,
    images: Shaped[np.ndarray, "n ..."],
    columns: int,
    *,
    shown: tuple[float, float] = (0.0, 1.0),
    gap: int = 0,
) -> None:
    """Images row by row from the upper left; the tile in row r and column c covers x in [c, c + 1] and y in [r, r + 1],
    y downward.

    `shown` are the values of black and white.
    """
    rows = math.ceil(len(images) / columns)
    if is_picture(images.shape[1:]):
        low, high = shown
        page = tiled(as_levels(images, low=low, high=high), columns, gap=gap)
        axes.imshow(
            page, cmap="gray", vmin=0, vmax=255, extent=(0, columns, rows, 0), interpolation="nearest", aspect="auto"
        )
    else:
        _draw_curves(axes, images.reshape(len(images), -1), columns, shown)
        axes.set(xlim=(0, columns), ylim=(rows, 0))
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)


def _draw_curves(
    axes: Axes, values: Shaped[np.ndarray, "n features"], columns: int, shown: tuple[float, float]
) -> None:
    low, high = (0.0, 255.0) if values.dtype == np.uint8 else shown
    across = np.linspace(0.06, 0.94, values.shape[1])
    up = np.clip((values.astype(np.float64) - low) / max(high - low, 1e-12), 0.0, 1.0)
    rows, places = np.divmod(np.arange(len(values)), columns)
    x = across[None, :] + places[:, None]
    y = 0.9 - 0.8 * up + rows[:, None]
    axes.add_collection(LineCollection(list(np.stack([x, y], axis=2)), colors=ACCENT, linewidths=0.8))
