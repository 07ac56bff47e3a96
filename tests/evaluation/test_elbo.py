"""Bounds and scores of single rows: bounds on average, functions of the row alone, the same for twins."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.stats import kstest

from evaluation.models import images_of, linear_gaussian, model_of
from vaelab.densities import standard_normal
from vaelab.evaluation.elbo import elbo_of
from vaelab.evaluation.likelihood import importance_weighted_bound, proposal_widths
from vaelab.evaluation.quadrature import exact_log_probs
from vaelab.evaluation.row_numbers import row_numbers


@pytest.mark.parametrize("latent_dim", [1, 2, 4])
@pytest.mark.parametrize("widened", [1.0, 1.6])
def test_the_bound_is_its_closed_form(latent_dim: int, widened: float) -> None:
    """log p(x) less KL(N(m, (w s)^2) || N(m, s^2)), image by image within its error, and better by the mean of many."""
    model, marginal = linear_gaussian(latent_dim, pixels=8, widened=widened)
    images = marginal.rvs(400, random_state=0).astype(np.float32)
    found = elbo_of(model, images)
    expected = marginal.logpdf(images) - latent_dim * (0.5 * (widened**2 - 1.0) - np.log(widened))
    error = np.maximum(found.standard_error, 2e-3)
    assert np.mean(np.abs(found.elbo - expected) < 2.0 * error) > 0.9
    # independent from row to row: the errors average out
    assert abs(np.mean(found.elbo - expected)) < 4.0 * np.sqrt(np.mean(error**2) / len(images))
    np.testing.assert_allclose(found.elbo, -(found.reconstruction + found.kl), rtol=1e-5)


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli", "gaussian"])
@pytest.mark.parametrize("strength", [0.5, 3.0, 10.0])
def test_no_estimate_exceeds_the_likelihood_on_average(likelihood: str, strength: float) -> None:
    """In the plane log p(x) is known: the bound lies below it, and the importance-weighted one between the two."""
    model = model_of(2, likelihood, strength=strength)
    images, prior = images_of(model, 150), standard_normal(2)
    exact = exact_log_probs(model, prior, images)
    bound = elbo_of(model, images)
    # two ways to one integral; a single row may be off where ReLUs make the integrand a rough one
    assert np.abs(bound.elbo - exact.elbo).mean() < 0.01
    np.testing.assert_allclose(bound.elbo, exact.elbo, atol=0.03, rtol=1e-3)
    assert (bound.elbo <= exact.log_prob + bound.standard_error + exact.error).all()
    scores = importance_weighted_bound(
        model, prior, images, samples=100, key=jr.key(0), widths=proposal_widths(2), indices=row_numbers(images)
    )
    error = np.sqrt(np.sum(scores.standard_error**2)) / len(images)
    assert scores.log_prob.mean() <= exact.log_prob.mean() + 3.0 * error + exact.error.mean()


@pytest.mark.parametrize("latent_dim", [2, 5])
def test_a_row_has_its_score_wherever_it_stands(latent_dim: int) -> None:
    model = model_of(latent_dim)
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4)).astype(np.uint8)
    whole = elbo_of(model, images)
    chosen = np.array([31, 4, 4, 17])
    np.testing.assert_allclose(elbo_of(model, images[chosen]).elbo, whole.elbo[chosen], rtol=1e-5)
    # as floats by either way of dividing, which differ in their last bit
    for twin in (images.astype(np.float32) / np.float32(255), images.astype(np.float32) * np.float32(1 / 255)):
        np.testing.assert_allclose(elbo_of(model, twin).elbo, whole.elbo, rtol=1e-5)


def test_numbers_of_rows_tell_images_apart() -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 2, (5000, 784)).astype(np.uint8) * np.uint8(255)
    numbers = row_numbers(images)
    assert len(np.unique(numbers)) > 4995
    assert kstest(numbers / 2.0**32, "uniform").pvalue > 1e-3
    np.testing.assert_array_equal(row_numbers((images / 255).astype(np.float32)), numbers)
    # one grey level in one pixel, and two pixels exchanged
    changed = images.copy()
    changed[:, 0] ^= 1
    assert (row_numbers(changed) != numbers).all()
    assert (row_numbers(images[:, ::-1]) != numbers).mean() > 0.999


def test_unscaled_values_have_numbers_too() -> None:
    images = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) * 1e6
    assert len(np.unique(row_numbers(images))) == 50
    assert jnp.asarray(row_numbers(images)).dtype == jnp.uint32
