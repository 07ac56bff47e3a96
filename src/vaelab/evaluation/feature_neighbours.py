"""Precision, recall, density, coverage: do samples look real, and cover what is real, by neighbours among features."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64
from threadpoolctl import threadpool_limits

from vaelab.batching import pieces
from vaelab.errors import VaelabError
from vaelab.evaluation.figure import Figure
from vaelab.language import translated

BLOCK = 500  # rows of the distance matrix at once: 40 MB for 10,000 columns
ROUNDING = 1e-12


class NeighbourFigures(NamedTuple):
    """The figures of `neighbour_figures`, each with the standard error over one set, the other held fixed."""

    precision: Figure
    recall: Figure
    density: Figure
    coverage: Figure


def neighbour_figures(
    samples: Float64[np.ndarray, "sample feature"],
    reference: Float64[np.ndarray, "image feature"],
    *,
    precision_neighbours: int = 3,
    density_neighbours: int = 5,
    reference_radii: Float64[np.ndarray, "neighbour image"] | None = None,
) -> NeighbourFigures:
    """Precision and recall (Kynkäänniemi et al., 2019), density and coverage (Naeem et al., 2020).

    The ball of a point has the radius of its k-th nearest neighbour in its own set, itself not counted.

    - precision: share of samples in the ball of some reference image, k = `precision_neighbours`
      (https://arxiv.org/abs/1904.06991, 3)
    - recall: share of reference images in the ball of some sample, the same k
    - density: number of reference balls a sample lies in, over k = `density_neighbours`, averaged over samples; real
      images give 1 on average, and more is possible (https://arxiv.org/abs/2002.09797, equation 4)
    - coverage: share of reference images whose ball holds a sample, k = `density_neighbours` (the same, equation 5)

    With n images each, the coverage of a second draw of real images is 1 - (n-1)...(n-k) / (2n-1)...(2n-k), about 1 -
    2^-k: 0.969 for k = 5. Recall trusts outlying samples, so noise can raise it: read it beside coverage. Distances are
    made in blocks of rows: 10,000 against 10,000 take some 200 MB and seconds.

    `reference_radii`: those of `centred_radii`, where they are there already.

    **Raises:** `VaelabError` where a set has no more rows than neighbours, or the two have different features.
    """
    k = max(precision_neighbours, density_neighbours)
    if samples.ndim != 2 or reference.ndim != 2 or samples.shape[1:] != reference.shape[1:]:
        raise VaelabError(
            translated(
                "samples and reference must be tables of the same features; got shapes {shape} and {reference_shape}.",
                shape=samples.shape,
                reference_shape=reference.shape,
            )
        )
    if min(precision_neighbours, density_neighbours) < 1 or min(len(samples), len(reference)) <= k:
        raise VaelabError(
            translated(
                "{k} neighbours need more than {k} rows in each set; got {samples} samples and {reference} images.",
                k=k,
                samples=len(samples),
                reference=len(reference),
            )
        )
    centre = reference.mean(axis=0)  # the closer to the origin, the less is lost to rounding
    samples, reference = samples - centre, reference - centre
    neighbours = [precision_neighbours, density_neighbours]
    radii = squared_radii(reference, neighbours) if reference_radii is None else reference_radii
    precision_radii, density_radii = radii
    sample_radii = squared_radii(samples, [precision_neighbours])[0]
    # distances here and there are rounded differently: of points that coincide too
    slack = ROUNDING * max(float((samples**2).sum(axis=1).max()), float((reference**2).sum(axis=1).max()))

    precise = np.zeros(len(samples), bool)
    balls = np.zeros(len(samples), np.int64)

    def block(rows: slice) -> tuple[Bool[np.ndarray, " image"], Bool[np.ndarray, " image"]]:
        squared = _squared_distances(samples[rows], reference) - slack
        precise[rows] = (squared <= precision_radii).any(axis=1)
        inside = squared <= density_radii
        balls[rows] = inside.sum(axis=1)
        return (squared <= sample_radii[rows, None]).any(axis=0), inside.any(axis=0)

    recalled = np.zeros(len(reference), bool)
    covered = np.zeros(len(reference), bool)
    # comparisons are most of it, and run in one thread each; cut by hand, for the threads
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        for recalled_here, covered_here in pool.map(block, pieces(len(samples), BLOCK)):
            recalled |= recalled_here
            covered |= covered_here
    return NeighbourFigures(
        _mean(precise, "samples"),
        _mean(recalled, "images"),
        _mean(balls / density_neighbours, "samples"),
        _mean(covered, "images"),
    )


def _mean(values: Bool[np.ndarray, " row"] | Float64[np.ndarray, " row"], over: str) -> Figure:
    return Figure(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))), over, len(values))


def centred_radii(
    reference: Float64[np.ndarray, "image feature"], neighbours: tuple[int, int] = (3, 5)
) -> Float64[np.ndarray, "neighbour image"]:
    """`reference_radii` of `neighbour_figures`, where several sets are compared with one reference."""
    return squared_radii(reference - reference.mean(axis=0), list(neighbours))


def squared_radii(
    points: Float64[np.ndarray, "row feature"], neighbours: list[int]
) -> Float64[np.ndarray, "neighbour row"]:
    """Squared distance of every point to each of its k-th nearest neighbours, k in `neighbours`; by scikit-learn, chunk by chunk."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=max(neighbours), algorithm="brute", metric="sqeuclidean").fit(points)
    distances, _ = search.kneighbors()  # of a point in its own set: itself not counted
    return np.asarray(distances, np.float64)[:, [k - 1 for k in neighbours]].T


def _squared_distances(
    a: Float64[np.ndarray, "row_a feature"], b: Float64[np.ndarray, "row_b feature"]
) -> Float64[np.ndarray, "row_a row_b"]:
    """|a|^2 + |b|^2 - 2 a . b."""
    squared = a @ (-2 * b.T)
    squared += (b * b).sum(axis=1)
    squared += (a * a).sum(axis=1)[:, None]
    return np.maximum(squared, 0, out=squared)
