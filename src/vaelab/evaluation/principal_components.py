"""Principal components of images, without the square of the pixels where there are many of them.

The right singular vectors of the centred images X (n images, p pixels) are the eigenvectors of X^T X, p x p, and follow from those of
X X^T, n x n; the smaller of the two is taken while it has `SMALL` rows at most. Else a randomised range finder with power iterations
finds the leading ones (Halko, Martinsson and Tropp, "Finding structure with randomness", SIAM Review 2011, algorithm 4.4), scikit-learn's.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Num
from threadpoolctl import threadpool_limits

from vaelab.batching import pieces

SMALL = 2048
"""Rows of the matrix whose eigenvectors are taken: 32 MB, under a second."""
FEW = 1024
"""Rows for which all eigenvectors are there before SciPy is imported."""
VALUES = 2**27
"""Pixels of all images that are looked at: the first images, so that these take half a gigabyte in float32 at most (MNIST's 0.2)."""


class PrincipalComponents(NamedTuple):
    """`directions`: orthonormal rows, the strongest first; `images`: how many were looked at."""

    mean: Float[np.ndarray, " pixels"]
    directions: Float[np.ndarray, "components pixels"]
    images: int


def principal_components(images: Num[np.ndarray, "images ..."], count: int) -> PrincipalComponents:
    """The mean image and the `count` strongest components (fewer where there are fewer pixels or images); uint8 is scaled to [0, 1].

    Cost: the products of min(n, p)^2 max(n, p) numbers where min(n, p) <= 2,048, else of 16 n p (count + 10), with n p <= 2^27.
    """
    pixels = math.prod(images.shape[1:])
    images = images[: max(2, VALUES // pixels)]
    rows = images.reshape(len(images), pixels)
    scale = 255.0 if rows.dtype == np.uint8 else 1.0
    count = min(count, pixels, max(1, len(rows) - 1))  # n images less their mean span n - 1 directions
    if pixels <= SMALL:
        mean, covariance = _moments(rows, scale)
        return PrincipalComponents(mean, _leading(covariance, count), len(rows))
    mean = rows.mean(axis=0, dtype=np.float64) / scale
    centred = rows.astype(np.float32) / np.float32(scale) - mean.astype(np.float32)
    if len(rows) <= SMALL:
        gram = (centred @ centred.T).astype(np.float64)
        directions = _leading(gram, count) @ centred
        lengths = np.linalg.norm(directions, axis=1, keepdims=True)
        # what has no length is rounding, and no direction: images that are all alike have none
        kept = lengths[:, 0] > 1e-3 * max(float(lengths.max(initial=0.0)), 1e-30)
        return PrincipalComponents(mean, _orthonormal(directions[kept] / lengths[kept]), len(rows))
    from sklearn.utils.extmath import randomized_svd

    _, _, directions = randomized_svd(centred, count, random_state=0)
    return PrincipalComponents(mean, directions.astype(np.float64), len(rows))


def _leading(symmetric: Float[np.ndarray, "n n"], count: int) -> Float[np.ndarray, "count n"]:
    size = len(symmetric)
    with threadpool_limits(1, "blas"):  # threads cost more than they save, on a busy machine ten times
        if size <= FEW:
            vectors = np.linalg.eigh(symmetric)[1][:, size - count :]
        else:
            from scipy.linalg import eigh

            _, vectors = eigh(symmetric, subset_by_index=(size - count, size - 1))
    return vectors.T[::-1]


def _orthonormal(directions: Float[np.ndarray, "count pixels"]) -> Float[np.ndarray, "count pixels"]:
    """Rounded to float32 they were not quite."""
    return np.linalg.qr(directions.astype(np.float64).T)[0].T


def _moments(
    rows: Num[np.ndarray, "images pixels"], scale: float
) -> tuple[Float[np.ndarray, " pixels"], Float[np.ndarray, "pixels pixels"]]:
    """Mean and covariance, chunk by chunk: products in float32 of what differs from the first chunk's mean, sums in float64."""
    pixels, size = rows.shape[1], max(1, 2**22 // rows.shape[1])
    centre = rows[:size].mean(axis=0, dtype=np.float32)
    total, products = np.zeros(pixels), np.zeros((pixels, pixels))
    for piece in pieces(len(rows), size):  # by hand: the sums run along
        chunk = (rows[piece].astype(np.float32) - centre) / np.float32(scale)
        total += chunk.sum(axis=0, dtype=np.float64)
        products += chunk.T @ chunk
    offset = total / len(rows)
    return centre.astype(np.float64) / scale + offset, products / len(rows) - np.outer(offset, offset)
