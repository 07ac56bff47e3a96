"""The demonstration in one dimension."""

import numpy as np
import pytest
from scipy import stats

from vaelab.fitting.bimodal import SCALE, Line, bimodal, distances, empty_mass


def test_the_single_gaussian_is_the_maximum_likelihood_fit_and_the_mixture_repairs_it() -> None:
    data = bimodal(separation=5.0, count=200, seed=3)
    assert data.gaussian.line.scales[0] == pytest.approx(np.sqrt(SCALE**2 + 2.5**2), rel=0.1)
    # the truth's expected log-likelihood: that of one mode, less log 2, for modes so far apart
    expected = -0.5 * np.log(2 * np.pi * np.e * SCALE**2) - np.log(2)
    assert data.truth.held_out == pytest.approx(expected, abs=0.03)
    assert data.gaussian.held_out < data.mixture.held_out - 0.5
    assert data.mixture.held_out < data.truth.held_out + 2 * data.truth.standard_error
    assert data.truth.empty_mass == pytest.approx(0.01, abs=0.006)
    assert data.gaussian.empty_mass > 0.3


def test_one_mode_needs_no_repair() -> None:
    data = bimodal(separation=0.0, count=400)
    assert abs(data.gaussian.held_out - data.mixture.held_out) < 0.02
    assert data.gaussian.empty_mass < 0.03


def test_the_empty_mass_is_the_mass_farther_than_the_reach() -> None:
    samples = np.sort(np.random.default_rng(0).normal(size=30) * 3)
    line = Line(np.array([0.3, 0.7]), np.array([-2.0, 1.0]), np.array([1.0, 2.0]))
    x = np.linspace(-20, 20, 400_001)
    nearest = np.abs(x[::1000, None] - samples[None]).min(axis=1)
    np.testing.assert_allclose(distances(samples, x[::1000]), nearest, atol=1e-12)
    by_sum = (line.density(x) * (distances(samples, x) > 0.4)).sum() * (x[1] - x[0])
    assert empty_mass(line, samples, 0.4) == pytest.approx(by_sum, abs=1e-4)
    one = Line(np.ones(1), np.zeros(1), np.ones(1))
    assert empty_mass(one, np.zeros(2), 1.96) == pytest.approx(2 * stats.norm.sf(1.96))
