"""Holding images out of training, by a stated seed."""

import numpy as np
from jaxtyping import Int64

from vaelab.data.dataset import Split
from vaelab.errors import VaelabError


def hold_out(split: Split, size: int, seed: int, name: str = "validation_size") -> tuple[Split, Split]:
    """`split` without `size` of its images, and those images: `(kept, held)`, both in their old order.

    The same seed holds out the same images everywhere: `numpy.random.RandomState`, unlike the newer
    generators, promises the same stream in every version of NumPy (NEP 19).

    Raises `VaelabError`, with `name` for the argument to change, unless 1 <= size < len(split).
    """
    if not 1 <= size < len(split):
        raise VaelabError(
            f"{name} must be from 1 to {len(split) - 1:,}, so that something is left to train on; got {size:,} "
            f"for {len(split):,} images"
        )
    if not 0 <= seed < 2**32:
        raise VaelabError(f"validation_seed must be from 0 to 4294967295; got {seed}")
    held = np.zeros(len(split), dtype=bool)
    held[np.random.RandomState(seed).permutation(len(split))[:size]] = True
    return _taken(split, ~held), _taken(split, held)


def tenth(images: int) -> int:
    """A tenth of so many images, rounded, at least one."""
    return max(1, round(images / 10))


def _taken(split: Split, mask: np.ndarray) -> Split:
    indices: Int64[np.ndarray, " taken"] = np.flatnonzero(mask)
    return Split(split.images[indices], None if split.labels is None else split.labels[indices])
