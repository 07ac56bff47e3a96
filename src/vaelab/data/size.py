"""The size that a folder's images are brought to."""

import operator
from collections.abc import Sequence
from typing import SupportsIndex

from vaelab.errors import VaelabError
from vaelab.language import translated

Size = SupportsIndex | Sequence[SupportsIndex]
"""A side, or a height and a width, in pixels."""


def height_and_width(size: Size | None) -> tuple[int, int] | None:
    """`size` as (H, W); a side is that of a square.

    Raises `VaelabError` unless they are one or two whole numbers, each at least 1.
    """
    if size is None:
        return None
    try:
        sides = tuple(map(operator.index, size)) if isinstance(size, Sequence) else (operator.index(size),) * 2
    except TypeError:
        sides = ()
    if len(sides) != 2 or min(sides) < 1:
        raise VaelabError(
            translated(
                "size must be a side, such as 28, or a height and a width, each at least 1; got {size!r}", size=size
            )
        )
    return sides[0], sides[1]
