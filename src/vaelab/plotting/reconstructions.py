"""Figure `reconstructions`: originals above, what the model makes of them below."""

import numpy as np
from jaxtyping import Integer, Shaped
from matplotlib.figure import Figure

from vaelab.generating.pictures import paired_rows
from vaelab.language import translated
from vaelab.plotting.page import FAINT, Page
from vaelab.plotting.tiles import GAP, draw_tiles, tiles_size

COLUMNS, BLOCKS = 10, 3
LARGEST = 1.3
"""Inches that one image is wide at most, however few there are."""


def chosen_images(labels: Integer[np.ndarray, " n"] | None, count: int) -> Integer[np.ndarray, " chosen"]:
    """Which images to show: with two to ten labels the first of each label, then the second, ...; otherwise the first
    ones.

    `count` is the number of images there are.
    """
    if labels is None:
        return np.arange(min(count, COLUMNS * BLOCKS))
    kinds = np.unique(labels)
    if not 2 <= len(kinds) <= COLUMNS:
        return np.arange(min(count, COLUMNS * BLOCKS))
    fewest = min(int((labels == kind).sum()) for kind in kinds)
    places = [np.flatnonzero(labels == kind)[: min(BLOCKS, fewest)] for kind in kinds]
    return np.stack(places, axis=1).ravel()


def reconstructions_figure(
    originals: Shaped[np.ndarray, "n ..."],
    reconstructions: Shaped[np.ndarray, "n ..."],
    *,
    columns: int = COLUMNS,
    shown: tuple[float, float] = (0.0, 1.0),
    title: str = "",
    facts: str = "",
) -> Figure:
    """Pairs of rows: the images, and under each its reconstruction."""
    columns = min(columns, len(originals))
    pairs = paired_rows(originals, reconstructions, columns, white=shown[1])
    blocks = len(pairs) // (2 * columns)
    width, height = tiles_size(originals.shape[1:], 2, columns, width=min(6.2, LARGEST * columns), gap=GAP)
    page = Page(
        max(width, 5.4) + 1.6, 0.8 + blocks * (height + 0.16) + 0.2, title or translated("Reconstructions"), facts
    )
    for block, rows in enumerate(np.split(pairs, blocks)):
        top = 0.8 + block * (height + 0.16)
        draw_tiles(page.axes(1.2, top, width, height), rows, columns, shown=shown, gap=GAP)
        page.text(1.1, top + height * 0.25 + 0.03, translated("original"), size=7.5, color=FAINT, ha="right")
        page.text(1.1, top + height * 0.75 + 0.03, translated("reconstruction"), size=7.5, color=FAINT, ha="right")
    return page.figure
