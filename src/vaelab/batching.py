"""Arrays of any length through a compiled function, in batches of two sizes, so that it is compiled once or twice."""

import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

SMALL, LARGE = 256, 2048
"""The two batch sizes. Rows that fill neither are padded with the first row, and the padding's results dropped."""

VALUES = 2**24
"""At most so many values (64 MiB in float32) of images in one batch."""


def in_batches(function: Callable[..., Any], *arrays: np.ndarray, features: int) -> Any:
    """`function(*rows)` over the leading axis of all arrays, its results (a tree of arrays) joined as NumPy arrays.

    `features` is the number of values of the widest row, by which the batch is kept from outgrowing memory.
    """
    count = len(arrays[0])
    wanted = SMALL if count <= SMALL else LARGE
    size = max(1, min(wanted, VALUES // features))
    parts = []
    for start in range(0, max(count, 1), size):
        rows = [array[start : start + size] for array in arrays]
        present = len(rows[0])
        if present < size:
            rows = [_padded(array, size) for array in rows]
        parts.append((function(*rows), present))
    return jax.tree.map(
        lambda *leaves: np.concatenate(
            [np.asarray(leaf)[:kept] for leaf, (_, kept) in zip(leaves, parts, strict=True)]
        ),
        *(result for result, _ in parts),
    )


def _padded(rows: np.ndarray, size: int) -> np.ndarray:
    filling = rows[:1] if len(rows) else np.zeros((1, *rows.shape[1:]), rows.dtype)
    return np.concatenate([rows, np.broadcast_to(filling, (size - len(rows), *rows.shape[1:]))])


def features_of(shape: tuple[int, ...]) -> int:
    return max(1, math.prod(shape))
