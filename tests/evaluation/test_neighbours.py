"""Figures by nearest neighbours, among features and among pixels, against brute force and theory."""

import inspect

import numpy as np
import pytest

from vaelab.errors import VaelabError
from vaelab.evaluation import feature_neighbours, neighbours
from vaelab.evaluation.feature_neighbours import neighbour_figures
from vaelab.evaluation.neighbours import memorisation, nearest_training_images


def brute_force(samples, reference, k_precision, k_density):
    """The four definitions, one pair of points at a time."""

    def distance(x, y):
        return float(np.sqrt(np.sum((x - y) ** 2)))

    def radius(points, i, k):
        return sorted(distance(points[i], points[j]) for j in range(len(points)) if j != i)[k - 1]

    n, m = len(reference), len(samples)
    precise = [radius(reference, i, k_precision) for i in range(n)]
    recalling = [radius(samples, j, k_precision) for j in range(m)]
    dense = [radius(reference, i, k_density) for i in range(n)]
    between = [[distance(reference[i], samples[j]) for j in range(m)] for i in range(n)]
    return (
        np.mean([any(between[i][j] <= precise[i] for i in range(n)) for j in range(m)]),
        np.mean([any(between[i][j] <= recalling[j] for j in range(m)) for i in range(n)]),
        sum(between[i][j] <= dense[i] for i in range(n) for j in range(m)) / (k_density * m),
        np.mean([any(between[i][j] <= dense[i] for j in range(m)) for i in range(n)]),
    )


@pytest.mark.parametrize("shift", [0.0, 1.0, 3.0])
@pytest.mark.parametrize(("samples", "reference", "k_precision", "k_density"), [(40, 60, 3, 5), (61, 30, 1, 2)])
def test_figures_are_those_of_the_definitions(monkeypatch, shift, samples, reference, k_precision, k_density):
    monkeypatch.setattr(feature_neighbours, "BLOCK", 16)  # several blocks, the last one short
    generator = np.random.default_rng(samples)
    a, b = generator.normal(size=(samples, 2)) + shift, generator.normal(size=(reference, 2)) + 100  # far from zero
    a += 100
    figures = neighbour_figures(a, b, precision_neighbours=k_precision, density_neighbours=k_density)
    np.testing.assert_allclose([figure.value for figure in figures], brute_force(a, b, k_precision, k_density))


def test_real_against_real_has_density_one_and_the_coverage_of_theory():
    n, k = 1000, 5
    generator = np.random.default_rng(0)
    figures = [neighbour_figures(*generator.normal(size=(2, n, 8))) for _ in range(10)]
    uncovered = np.prod([(n - i) / (2 * n - i) for i in range(1, k + 1)])  # Naeem et al. (2020), equation 8
    assert np.mean([figure.coverage.value for figure in figures]) == pytest.approx(1 - uncovered, abs=0.01)
    assert np.mean([figure.density.value for figure in figures]) == pytest.approx(1, abs=0.05)


def test_the_corners_of_the_figures():
    reference = np.concatenate([np.random.default_rng(i).normal(size=(100, 2)) + 50 * i for i in range(4)])
    two_modes = np.concatenate([np.random.default_rng(9 + i).normal(size=(200, 2)) + 50 * i for i in range(2)])
    figures = neighbour_figures(two_modes, reference)
    assert figures.precision.value > 0.9
    assert figures.coverage.value < 0.51
    assert figures.recall.value < 0.51
    elsewhere = neighbour_figures(two_modes + 1000, reference)
    assert [figure.value for figure in elsewhere] == [0, 0, 0, 0]


@pytest.mark.parametrize("shapes", [((50, 3), (50, 4)), ((5, 3), (50, 3)), ((50, 3), (5, 3))])
def test_tables_that_cannot_be_compared_are_refused(shapes):
    with pytest.raises(VaelabError, match=r"same features|more than 5 rows"):
        inspect.unwrap(neighbour_figures)(np.zeros(shapes[0]), np.zeros(shapes[1]))  # as without shape checks


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_nearest_training_images_are_those_of_brute_force(monkeypatch, shape):
    monkeypatch.setattr(neighbours, "ROWS", 7)
    monkeypatch.setattr(neighbours, "COLUMNS", 9)  # 28 = 3 * 9 + 1: the last block has but one image
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (20, *shape), dtype=np.uint8)
    training = generator.uniform(size=(28, *shape))
    found = nearest_training_images(images, training)
    differences = images[:, None].reshape(20, 1, -1) / 255 - training.astype(np.float32).reshape(1, 28, -1)
    distances = np.sqrt((differences**2).sum(axis=2))
    np.testing.assert_array_equal(found.index, distances.argmin(axis=1))
    np.testing.assert_allclose(found.distance, np.sort(distances, axis=1)[:, 0], rtol=1e-6)
    np.testing.assert_allclose(found.second_distance, np.sort(distances, axis=1)[:, 1], rtol=1e-6)


def test_copies_are_found_out_and_fresh_images_are_not():
    generator = np.random.default_rng(0)
    training, held_out, fresh = (generator.uniform(size=(400, 5, 5)) for _ in range(3))
    half = np.concatenate([training[:200], fresh[:200]])
    none, some, all_copied = (memorisation(samples, held_out, training) for samples in (fresh, half, training))
    assert none.closer_than_held_out.standard_error is not None
    assert abs(none.closer_than_held_out.value - 0.5) < 4 * none.closer_than_held_out.standard_error
    assert none.copied.value == none.held_out_copied.value == 0
    assert some.copied.value == 0.5
    assert some.closer_than_held_out.value == pytest.approx(0.75, abs=0.05)
    assert all_copied.copied.value == all_copied.closer_than_held_out.value == 1
    np.testing.assert_array_equal(all_copied.nearest.index, np.arange(400))
    assert all_copied.distance.value == 0 < all_copied.held_out_distance.value


def test_images_that_cannot_be_compared_are_refused():
    with pytest.raises(VaelabError, match="one shape"):
        nearest_training_images(np.zeros((3, 4, 4)), np.zeros((3, 4, 5)))
    with pytest.raises(VaelabError, match="two or more"):
        nearest_training_images(np.zeros((3, 4, 4)), np.zeros((1, 4, 4)))
    with pytest.raises(VaelabError, match="training_images must lie"):
        nearest_training_images(np.zeros((3, 4, 4)), np.full((3, 4, 4), 2.0))
