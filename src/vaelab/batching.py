"""THE chunks: many rows through a function in batches of few sizes, so that memory is bounded and a program compiled once or twice.

`in_batches` for what is told row by row; `pieces` and `filled` for what hands something on from batch to batch and so cuts by hand;
`in_blocks` for a sum inside of a program.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Array

SMALL, LARGE = 256, 2048
"""The two batch sizes where none is given."""

VALUES = 2**24
"""At most so many values (64 MiB in float32) of images in one batch where no size is given."""


def in_batches(
    function: Callable[..., Any],
    *arrays: np.ndarray,
    rows: int | None = None,
    features: int = 1,
    groups: int | None = None,
    fill: bool = True,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Any:
    """`function(*batch)` over the leading axis of all arrays, its results (a tree of arrays) joined as NumPy arrays.

    **Arguments:**

    - `function`: row by row: what it returns for a row rests on that row alone
    - `rows`: of a batch, the same for all where they are filled up; unless given 256 or 2,048, and fewer where the widest row has so many
      values (`features`) that a batch would outgrow memory
    - `groups`: a batch is so many groups of `rows`, one after the other in a program (`jax.lax.map`): arrays then come to `function` with
      two leading axes, (groups, rows), and its results have both
    - `fill`: the last batch is filled up with its own first row, so that one program serves all, and the filling's results are
      dropped; False for a function that takes any number of rows
    - `on_progress`: called after each batch with (rows done, rows in all)
    """
    import jax

    count = len(arrays[0])
    together = rows or max(1, min(SMALL if count <= SMALL else LARGE, VALUES // features))
    size = together * (groups or 1)
    found = []
    for piece in pieces(max(count, 1), size):
        batch = [array[piece] for array in arrays]
        present = len(batch[0])
        if fill:
            batch = [filled(array, size) for array in batch]
        if groups is not None:
            batch = [array.reshape(groups, together, *array.shape[1:]) for array in batch]
        found.append(_rows_of(function(*batch), 1 if groups is None else 2, present))
        on_progress(min(piece.stop, count), count)
    return jax.tree.map(lambda *leaves: np.concatenate(leaves), *found)


def pieces(count: int, *sizes: int) -> Iterator[slice]:
    """Places 0 to `count` - 1 in order, cut into slices of the first of the sizes; the last slice may reach beyond the end.

    Of several sizes, falling, each slice has the smallest that holds all that is left, and the next larger one only where more is left than
    the difference of the two: large slices first, then smaller ones, so that little is filled up.
    """
    start = 0
    while start < count:
        left = count - start
        size = next((size for size, smaller in itertools.pairwise(sizes) if left > size - smaller), sizes[-1])
        yield slice(start, start + size)
        start += size


def equal_pieces(count: int, rows: int) -> list[slice]:
    """Places 0 to `count` - 1 cut into slices of `rows` and somewhat more, whose lengths differ by one at most."""
    number = max(count // rows, 1)
    ends = np.cumsum([count // number + (place < count % number) for place in range(number)]).tolist()
    return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]


def filled(rows: np.ndarray, size: int) -> np.ndarray:
    """The rows and as many of the first of them (zeros where there is none) as are wanting to `size`."""
    if len(rows) >= size:
        return rows
    filling = rows[:1] if len(rows) else np.zeros((1, *rows.shape[1:]), rows.dtype)
    return np.concatenate([rows, np.broadcast_to(filling, (size - len(rows), *rows.shape[1:]))])


def in_blocks(values: "Array", size: int, *, filler: float | int = 0, axis: int = 0) -> "Array":
    """An axis folded into two, (blocks, size), filled up at its end; inside of a program."""
    import jax.numpy as jnp

    count = values.shape[axis]
    blocks = -(-count // size)
    widths = [(0, blocks * size - count if place == axis else 0) for place in range(values.ndim)]
    folded = (*values.shape[:axis], blocks, size, *values.shape[axis + 1 :])
    return jnp.pad(values, widths, constant_values=filler).reshape(folded)


def features_of(shape: tuple[int, ...]) -> int:
    return max(1, math.prod(shape))


def _rows_of(result: Any, axes: int, present: int) -> Any:
    import jax

    def rows(leaf: Any) -> np.ndarray:
        array = np.asarray(leaf)
        return array.reshape(-1, *array.shape[axes:])[:present]

    return jax.tree.map(rows, result)
