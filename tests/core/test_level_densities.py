"""Densities of pixels by one scale and over 256 levels, each against scipy or by adding up."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from vaelab.densities import (
    CategoricalLevels,
    DiscretisedLogisticMixture,
    IsotropicLaplace,
    clipped_logistic_mean,
    logistic_level_log_probs,
    logistic_location,
)

LEVELS = np.arange(256) / 255
KEY = jr.key(3)


def masses(mean: float, scale: float) -> np.ndarray:
    """The masses of the levels by the logistic's distribution function, in double precision."""
    edges = np.concatenate([[-np.inf], (np.arange(255) + 0.5) / 255, [np.inf]])
    return np.diff(stats.logistic.cdf(edges, mean, scale))


@pytest.mark.parametrize(("mean", "scale"), [(0.3, 0.1), (0.02, 0.004), (1.4, 0.3), (-0.2, 2.0), (0.5, 0.02)])
def test_masses_of_the_levels_are_scipys_and_add_up_to_one(mean: float, scale: float) -> None:
    found = np.asarray(
        logistic_level_log_probs(jnp.asarray(LEVELS, jnp.float32), jnp.full(256, mean), jnp.full(256, np.log(scale))),
        np.float64,
    )
    expected = masses(mean, scale)
    likely = expected > 1e-9  # of differences smaller than that nothing is left in double precision
    np.testing.assert_allclose(found[likely], np.log(expected[likely]), rtol=2e-4, atol=2e-4)
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-4)


def test_masses_too_small_for_a_difference_keep_their_logarithm() -> None:
    """In double precision the distribution function is 1 there, and the difference 0."""
    log_mass = logistic_level_log_probs(jnp.array([0.5]), jnp.array([-0.5]), jnp.array([np.log(0.005)]))
    # far out the mass falls by exp(-1 / scale) a unit: log s^-1 e^(-z) times the bin's width, to first order
    z = 1.0 / 0.005
    width = 1.0 / 255 / 0.005
    assert float(log_mass[0]) == pytest.approx(-z + np.log(2.0 * np.sinh(width / 2)), rel=1e-5)


@pytest.mark.parametrize(("mean", "scale"), [(0.3, 0.1), (0.02, 0.02), (1.4, 0.3), (-0.2, 2.0)])
def test_the_picture_shown_is_the_mean_of_the_levels(mean: float, scale: float) -> None:
    shown = float(clipped_logistic_mean(jnp.float32(mean), jnp.float32(np.log(scale))))
    assert shown == pytest.approx(float(masses(mean, scale) @ LEVELS), abs=2e-4)


@pytest.mark.parametrize("scale", [0.003, 0.1, 1.0])
def test_the_location_of_a_mean_has_that_mean(scale: float) -> None:
    wanted = jnp.linspace(0.01, 0.99, 40)
    log_scale = jnp.float32(np.log(scale))
    np.testing.assert_allclose(
        clipped_logistic_mean(logistic_location(wanted, log_scale), log_scale), wanted, atol=3e-5
    )


def test_laplace_is_scipys() -> None:
    mean, value = jr.normal(KEY, (5,)), jnp.linspace(-2, 2, 5)
    density = IsotropicLaplace(mean, jnp.float32(0.3))
    assert float(density.log_prob(value)) == pytest.approx(
        stats.laplace.logpdf(value, np.asarray(mean), 0.3).sum(), rel=1e-5
    )


def test_a_mixture_shares_its_component_between_channels() -> None:
    """Of two channels: the sum over all pairs of levels is one, and no product of its own margins."""
    logits = jnp.array([[0.3, -0.4]])
    mean = jnp.array([[[0.2, 0.8], [0.3, 0.7]]])
    density = DiscretisedLogisticMixture(logits, mean, jnp.full((1, 2, 2), np.log(0.05)), (1, 1, 2))
    weights = np.asarray(jax.nn.softmax(logits[0]))
    tables = [[masses(float(mean[0, c, k]), 0.05) for k in range(2)] for c in range(2)]
    joint = sum(weights[k] * np.outer(tables[0][k], tables[1][k]) for k in range(2))
    pairs = jnp.asarray([(0.2, 0.3), (0.8, 0.7), (0.2, 0.7)]).reshape(3, 1, 1, 2)
    places = np.rint(np.asarray(pairs).reshape(3, 2) * 255).astype(int)
    found = jax.vmap(density.log_prob)(jnp.round(pairs * 255) / 255)
    np.testing.assert_allclose(found, np.log(joint[places[:, 0], places[:, 1]]), rtol=1e-3)
    assert joint.sum() == pytest.approx(1.0)
    shown = np.asarray(density.centre).ravel()
    np.testing.assert_allclose(shown, [joint.sum(1) @ LEVELS, joint.sum(0) @ LEVELS], atol=1e-4)


def test_a_level_has_its_own_probability() -> None:
    logits = jr.normal(KEY, (2, 256))
    density = CategoricalLevels(logits, (2,))
    expected = jax.nn.log_softmax(logits)
    assert float(density.log_prob(jnp.array([7 / 255, 1.0]))) == pytest.approx(
        float(expected[0, 7] + expected[1, 255]), rel=1e-6
    )
