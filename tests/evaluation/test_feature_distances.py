"""The Fréchet and the kernel distance against closed forms, brute force and scipy."""

import inspect

import numpy as np
import pytest
import scipy.linalg

from vaelab.errors import VaelabError
from vaelab.evaluation.feature_distances import (
    frechet_distance,
    gaussian_frechet_distance,
    kernel_distance,
    squared_mean_discrepancy,
)


def covariance(size: int, rank: int, seed: int) -> np.ndarray:
    factor = np.random.default_rng(seed).normal(size=(size, rank))
    return factor @ factor.T


@pytest.mark.parametrize(("size", "rank"), [(1, 1), (3, 3), (16, 20)])
def test_gaussian_distance_is_the_one_by_a_general_matrix_root(size, rank):
    mean_a, mean_b = np.random.default_rng(3).normal(size=(2, size))
    a, b = covariance(size, rank, 1), covariance(size, rank, 2)
    expected = np.sum((mean_a - mean_b) ** 2) + np.trace(a + b - 2 * scipy.linalg.sqrtm(a @ b).real)
    assert gaussian_frechet_distance(mean_a, a, mean_b, b) == pytest.approx(expected, rel=1e-8)
    assert gaussian_frechet_distance(mean_b, b, mean_a, a) == pytest.approx(expected, rel=1e-8)


def test_gaussian_distance_of_commuting_covariances():
    a, b = np.array([1.0, 4.0, 0.0]), np.array([9.0, 4.0, 16.0])  # one has no width in the last direction
    mean = np.array([1.0, 2.0, -2.0])
    expected = 9 + np.sum((np.sqrt(a) - np.sqrt(b)) ** 2)
    assert gaussian_frechet_distance(mean, np.diag(a), 0 * mean, np.diag(b)) == pytest.approx(expected, rel=1e-12)


def test_equal_sets_are_at_no_distance_even_where_the_covariance_is_singular():
    features = np.random.default_rng(0).normal(size=(30, 4)) @ np.random.default_rng(1).normal(size=(4, 12))
    assert frechet_distance(features, features, resamples=0).value == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_draws_nears_that_of_their_gaussians():
    generator = np.random.default_rng(0)
    a, b, mean = covariance(4, 6, 1), covariance(4, 6, 2), np.array([1.0, 0.0, -1.0, 0.5])
    expected = gaussian_frechet_distance(mean, a, 0 * mean, b)
    draws = frechet_distance(
        generator.multivariate_normal(mean, a, 20_000), generator.multivariate_normal(0 * mean, b, 20_000)
    )
    assert draws.standard_error is not None
    assert abs(draws.value - expected) < 4 * draws.standard_error < 0.1 * expected


def test_bootstrap_error_is_the_spread_of_independent_draws():
    generator = np.random.default_rng(0)
    figures = [
        frechet_distance(generator.normal(size=(400, 3)) + 0.5, 1.5 * generator.normal(size=(400, 3)), seed=seed)
        for seed in range(60)
    ]
    spread = np.std([figure.value for figure in figures], ddof=1)  # known to 9 %
    errors = [figure.standard_error for figure in figures]
    assert 0.7 < np.mean(errors) / spread < 1.4


def test_squared_mean_discrepancy_is_the_sum_over_pairs():
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=(7, 3)), generator.normal(size=(5, 3)) + 1

    def kernel(x, y):
        return (x @ y / 3 + 1) ** 3

    expected = (
        sum(kernel(a[i], a[j]) for i in range(7) for j in range(7) if i != j) / (7 * 6)
        + sum(kernel(b[i], b[j]) for i in range(5) for j in range(5) if i != j) / (5 * 4)
        - 2 * np.mean([[kernel(x, y) for y in b] for x in a])
    )
    assert squared_mean_discrepancy(a, b) == pytest.approx(expected, rel=1e-12)


def test_kernel_distance_of_one_distribution_is_zero_on_average():
    generator = np.random.default_rng(0)
    figures = [
        kernel_distance(generator.normal(size=(60, 2)), generator.normal(size=(90, 2)), seed=i) for i in range(100)
    ]
    values = np.array([figure.value for figure in figures])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(100)
    assert (values < 0).any()
    assert 0.7 < np.mean([figure.standard_error for figure in figures]) / values.std() < 1.3


def test_kernel_distance_of_shifted_gaussians():
    # in one dimension (x y + 1)^3 = sum_j C(3, j) x^j y^j: MMD^2 = 3 dm_1^2 + 3 dm_2^2 + dm_3^2 of the raw moments
    shift = 0.7
    expected = 3 * shift**2 + 3 * shift**4 + (shift**3 + 3 * shift) ** 2
    generator = np.random.default_rng(0)
    figure = kernel_distance(generator.normal(size=(20_000, 1)) + shift, generator.normal(size=(20_000, 1)))
    assert figure.standard_error is not None
    assert abs(figure.value - expected) < 4 * figure.standard_error < 0.2 * expected


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
@pytest.mark.parametrize("shapes", [((50, 3), (50, 4)), ((1, 3), (50, 3)), ((50,), (50,))])
def test_tables_that_cannot_be_compared_are_refused(distance, shapes):
    with pytest.raises(VaelabError, match="tables of the same features"):
        inspect.unwrap(distance)(np.zeros(shapes[0]), np.zeros(shapes[1]))  # as without the tests' shape checks


@pytest.mark.parametrize(("rows", "blocks"), [(19, 10), (100, 1)])
def test_too_few_rows_for_blocks_are_refused(rows, blocks):
    with pytest.raises(VaelabError, match="two blocks or more"):
        kernel_distance(np.zeros((rows, 2)), np.zeros((rows, 2)), blocks=blocks)
