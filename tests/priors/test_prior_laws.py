"""What holds for every prior, trained or fitted."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from priors.table import (
    CELLS,
    HALF,
    TABLE,
    cell_masses,
    density_of,
    goodness_of_fit,
    log_probs,
    model_of,
    prior_of,
    samples_of,
)
from vaelab.naming import named_arrays
from vaelab.prior_file import load_prior, save_prior

NAMES = pytest.mark.parametrize("name", TABLE)
# a flow is compiled for some seconds in every dimension: the laws in two say nearly all
OTHER_DIMENSIONS = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if "flow" in name else ()) for name in TABLE]
)


@NAMES
def test_integrates_to_one(name: str) -> None:
    assert cell_masses(name).sum() == pytest.approx(1.0, abs=2e-3)


@NAMES
def test_samples_follow_log_prob_in_two_dimensions(name: str) -> None:
    masses, samples = cell_masses(name), samples_of(name, 2)
    assert goodness_of_fit(masses, samples) > 1e-3
    # the test has the power to fail: a fifth of a unit to the side
    assert goodness_of_fit(masses, samples + np.array([0.2, 0.0])) < 1e-3


@OTHER_DIMENSIONS
def test_samples_follow_log_prob_in_one_dimension(name: str) -> None:
    axis = np.linspace(-HALF, HALF, 20 * CELLS)
    masses = np.exp(log_probs(density_of(name, 1), axis[:, None])) * (axis[1] - axis[0])
    uniform = np.interp(samples_of(name, 1)[:, 0], axis, np.cumsum(masses))
    assert stats.kstest(uniform, "uniform").pvalue > 1e-3


@OTHER_DIMENSIONS
def test_a_narrower_density_integrates_to_one_under_the_samples(name: str) -> None:
    """E_p[q / p] = 1 for any q within p's support: it ties samples to log_prob where no grid reaches, in 5 dimensions."""
    samples = samples_of(name, 5).astype(np.float64)
    narrow = stats.multivariate_normal(samples.mean(axis=0), 0.3 * np.cov(samples.T))
    ratios = np.exp(narrow.logpdf(samples) - log_probs(density_of(name, 5), samples))
    error = ratios.std() / np.sqrt(len(ratios))
    assert error < 0.15
    if prior_of(name, 5).scoring == "bound":
        assert ratios.mean() > 1.0 - 4 * error  # log_prob lies below log p, so the ratio lies above
    else:
        assert ratios.mean() == pytest.approx(1.0, abs=4 * error)


@NAMES
def test_gradients_are_finite_near_and_far(name: str) -> None:
    parameters, fixed = eqx.partition(prior_of(name, 2), eqx.is_inexact_array)
    values = jnp.array([[0.3, -0.2], [20.0, -30.0]])

    def total(parameters, values):
        density = eqx.combine(parameters, fixed).density(model_of(2).encoder)
        return jax.vmap(density.log_prob)(values).sum()

    gradients = jax.jit(jax.grad(total, argnums=(0, 1)))(parameters, values)
    for path, gradient in named_arrays(gradients).items():
        assert np.isfinite(gradient).all(), path


@NAMES
def test_saving_and_loading_changes_nothing(name: str, tmp_path: Path) -> None:
    prior = prior_of(name, 2)
    save_prior(tmp_path / "prior.safetensors", prior)
    loaded = load_prior(tmp_path / "prior.safetensors")
    assert jax.tree.structure(loaded) == jax.tree.structure(prior)
    for path, array in named_arrays(prior).items():
        np.testing.assert_array_equal(named_arrays(loaded)[path], array)


@NAMES
def test_leaves_are_arrays_of_one_dimension_and_scoring_is_said(name: str) -> None:
    prior = prior_of(name, 2)
    assert all(eqx.is_array(leaf) for leaf in jax.tree.leaves(prior))
    assert prior.latent_dim == 2
    assert prior.scoring == TABLE[name].scoring
