"""A number for each image by its content: what its noise is keyed on, so that its score depends on itself alone."""

import numpy as np
from jaxtyping import Shaped, UInt32

from vaelab.batching import in_batches

LEVELS = 65535
"""Pixels are told apart to so many levels of [0, 1], which 255 divides: uint8 images and their floats in [0, 1] are the same images."""


def row_numbers(images: Shaped[np.ndarray, "n ..."]) -> UInt32[np.ndarray, " n"]:
    """A number for each image (uint8, or floats as the model sees them), the same wherever it stands and beside whatever.

    A sum of its pixels by odd random weights modulo 2^64, whose upper bits are mixed and kept (multiply-shift hashing: Dietzfelbinger et
    al., "A reliable randomized algorithm for the closest-pair problem", Journal of Algorithms 1997).
    """
    rows = images.reshape(len(images), -1)
    weights = np.random.default_rng(0).integers(1, 2**63, rows.shape[1], np.uint64) * np.uint64(2) + np.uint64(1)

    def of_some(part: np.ndarray) -> UInt32[np.ndarray, " some"]:
        if part.dtype == np.uint8:
            levels = part.astype(np.uint64) * np.uint64(LEVELS // 255)
        else:
            levels = np.rint(part.astype(np.float64) * LEVELS).astype(np.int64).astype(np.uint64)
        sums = (levels * weights).sum(axis=1, dtype=np.uint64)
        sums ^= sums >> np.uint64(29)
        return ((sums * weights[0]) >> np.uint64(32)).astype(np.uint32)

    return in_batches(of_some, rows, rows=1000, fill=False)
