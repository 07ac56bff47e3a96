"""The map of positions that a z of codes is."""

import math

from vaelab.space import Shape


def map_of(positions: int, channels: int) -> Shape:
    """(side, side, channels) where the positions make a square, so that a head over a map of features is a convolution; else in a row."""
    side = math.isqrt(positions)
    return (side, side, channels) if side * side == positions else (positions, channels)
