"""How far the features of samples lie from those of real images: the Fréchet distance and the kernel distance."""

import numpy as np
from jaxtyping import Float64
from threadpoolctl import threadpool_limits

from vaelab.errors import VaelabError
from vaelab.evaluation.figure import Figure
from vaelab.language import translated


def frechet_distance(
    samples: Float64[np.ndarray, "sample feature"],
    reference: Float64[np.ndarray, "image feature"],
    *,
    resamples: int = 50,
    seed: int = 0,
) -> Figure:
    """The Fréchet distance between Gaussians fitted to both sets of features, with a bootstrap standard error.

        |m_1 - m_2|^2 + tr(S_1 + S_2 - 2 (S_1^{1/2} S_2 S_1^{1/2})^{1/2}),

    m and S the mean and the covariance (divided by n - 1); squared units of the features. It is the distance that is
    called FID when the features are Inception's, and only then (Heusel et al., 2017, https://arxiv.org/abs/1706.08500).
    It is biased upwards, by an amount that falls as one over the number of images: compare equal numbers, and print the
    floor beside it.

    The standard error is the standard deviation over `resamples` bootstrap draws of both sets (0 of them: none is
    given).

    **Raises:** `VaelabError` where a set has fewer than two rows, or the two have different features.
    """
    _check(samples, reference)
    centre = reference.mean(axis=0)
    samples, reference = samples - centre, reference - centre
    value = gaussian_frechet_distance(*_moments(samples, None), *_moments(reference, None))
    if resamples < 2:
        return Figure(value, None, "")
    generator = np.random.default_rng(seed)

    def redrawn(rows: Float64[np.ndarray, "row feature"]) -> tuple[np.ndarray, np.ndarray]:
        return _moments(rows, generator.multinomial(len(rows), np.full(len(rows), 1 / len(rows))).astype(np.float64))

    # threads cost these small products more than they save, on a busy machine twenty times
    with threadpool_limits(1, "blas"):
        draws = [gaussian_frechet_distance(*redrawn(samples), *redrawn(reference)) for _ in range(resamples)]
    return Figure(value, float(np.std(draws, ddof=1)), "bootstrap draws", resamples)


def gaussian_frechet_distance(
    mean_a: Float64[np.ndarray, " feature"],
    covariance_a: Float64[np.ndarray, "feature feature"],
    mean_b: Float64[np.ndarray, " feature"],
    covariance_b: Float64[np.ndarray, "feature feature"],
) -> float:
    """The squared 2-Wasserstein distance of two Gaussians (Dowson and Landau, 1982,
    https://doi.org/10.1016/0047-259X(82)90077-X).

    The trace of the root of S_a^{1/2} S_b S_a^{1/2} is the sum of the roots of its eigenvalues: the matrix is
    symmetric, so these are real whatever the rounding, and no general matrix root (`scipy.linalg.sqrtm`) is taken.
    """
    values, vectors = np.linalg.eigh(covariance_a)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    shared = np.linalg.eigvalsh(root @ covariance_b @ root)
    difference = mean_a - mean_b
    distance = (
        difference @ difference
        + np.trace(covariance_a)
        + np.trace(covariance_b)
        - 2 * np.sqrt(np.maximum(shared, 0)).sum()
    )
    return max(float(distance), 0.0)


def kernel_distance(
    samples: Float64[np.ndarray, "sample feature"],
    reference: Float64[np.ndarray, "image feature"],
    *,
    blocks: int = 10,
    seed: int = 0,
) -> Figure:
    """The squared maximum mean discrepancy with the kernel (x . y / d + 1)^3, unbiased, averaged over blocks.

    The kernel and the estimator that are called KID when the features are Inception's (Bińkowski et al., 2018, equation
    4, https://arxiv.org/abs/1801.01401). Both sets are shuffled and split into `blocks` parts, the estimate is made for
    each pair of parts and averaged; the parts share no image, so the standard deviation of these estimates over the
    root of their number is a standard error. Unbiased: two sets from one distribution give zero on average, and single
    figures may be negative. It is mostly a distance of means, and slower than the others to notice missing modes.

    **Raises:** `VaelabError` where there are fewer than two rows a block, or the two sets have different features.
    """
    _check(samples, reference)
    if blocks < 2 or min(len(samples), len(reference)) < 2 * blocks:
        raise VaelabError(
            translated(
                "the kernel distance needs two blocks or more of two rows or more; got {samples} samples, "
                "{reference} images and blocks={blocks}. Give more images or fewer blocks.",
                samples=len(samples),
                reference=len(reference),
                blocks=blocks,
            )
        )
    generator = np.random.default_rng(seed)
    parts = zip(
        np.array_split(generator.permutation(samples), blocks),
        np.array_split(generator.permutation(reference), blocks),
        strict=True,
    )
    estimates = [squared_mean_discrepancy(a, b) for a, b in parts]
    standard_error = float(np.std(estimates, ddof=1) / np.sqrt(blocks))
    return Figure(float(np.mean(estimates)), standard_error, "disjoint blocks", blocks)


def squared_mean_discrepancy(a: Float64[np.ndarray, "row_a feature"], b: Float64[np.ndarray, "row_b feature"]) -> float:
    """The unbiased estimate of MMD^2 with the cubic kernel (Gretton et al., 2012, equation 3).

    Pairs of a row with itself are left out.
    """

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        product = x @ y.T / x.shape[1] + 1
        return product * product * product  # `** 3` takes ten times as long

    def among(x: np.ndarray) -> float:
        own = ((x * x).sum(axis=1) / x.shape[1] + 1) ** 3
        return float((kernel(x, x).sum() - own.sum()) / (len(x) * (len(x) - 1)))

    return among(a) + among(b) - 2 * float(kernel(a, b).mean())


def _moments(
    rows: Float64[np.ndarray, "row feature"], counts: Float64[np.ndarray, " row"] | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of `rows`, each taken `counts` times (once, where `None`)."""
    weighted = rows if counts is None else rows * counts[:, None]
    mean = weighted.sum(axis=0) / len(rows)
    return mean, (weighted.T @ rows - len(rows) * np.outer(mean, mean)) / (len(rows) - 1)


def _check(samples: np.ndarray, reference: np.ndarray) -> None:
    if (
        samples.ndim != 2
        or reference.ndim != 2
        or samples.shape[1:] != reference.shape[1:]
        or min(len(samples), len(reference)) < 2
    ):
        raise VaelabError(
            translated(
                "samples and reference must be tables of the same features with two rows or more; got shapes "
                "{shape} and {reference_shape}.",
                shape=samples.shape,
                reference_shape=reference.shape,
            )
        )
