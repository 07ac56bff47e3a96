"""Holding images out of training, by a stated seed."""

import numpy as np

from vaelab.data.dataset import Split
from vaelab.errors import VaelabError
from vaelab.language import translated


def hold_out(split: Split, size: int, seed: int) -> tuple[Split, Split]:
    """`split` without `size` of its images, and those images: `(kept, held)`, both in their old order.

    The same seed holds out the same images everywhere: `numpy.random.RandomState`, unlike the newer
    generators, promises the same stream in every version of NumPy (NEP 19).

    Raises `VaelabError` unless 1 <= size < len(split) and 0 <= seed < 2**32.
    """
    if not 1 <= size < len(split):
        raise VaelabError(
            translated(
                "validation_size must be from 1 to {split:,}, so that something is left to train on; got {size:,}",
                split=len(split) - 1,
                size=size,
            )
        )
    if not 0 <= seed < 2**32:
        raise VaelabError(translated("validation_seed must be from 0 to 4294967295; got {seed}", seed=seed))
    held = np.zeros(len(split), dtype=bool)
    held[np.random.RandomState(seed).permutation(len(split))[:size]] = True
    return _taken(split, ~held), _taken(split, held)


def tenth(images: int) -> int:
    """A tenth of so many images, rounded, at least one."""
    return max(1, round(images / 10))


def _taken(split: Split, mask: np.ndarray) -> Split:
    indices = np.flatnonzero(mask)
    return Split(split.images[indices], None if split.labels is None else split.labels[indices])
