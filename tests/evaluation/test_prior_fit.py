"""The rate split, holes and their mirror, on posteriors whose aggregate is known."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from vaelab.densities import DiagonalNormal, Mixture, standard_normal
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.evaluation.prior_fit import closed_form_rate, prior_fit, share_below


def posteriors(
    count: int, latent: int, *, sigma: float = 0.4, seed: int = 0, spread: float = 1.0
) -> AggregatePosterior:
    """N(m_n, sigma^2 I) with m_n ~ N(0, (spread^2 - sigma^2) I): drawn anew, every code is N(0, spread^2 I)."""
    means = np.random.default_rng(seed).normal(size=(count, latent)) * np.sqrt(spread**2 - sigma**2)
    return AggregatePosterior.of_gaussians(
        jnp.asarray(means, jnp.float32), jnp.full((count, latent), 2.0 * np.log(sigma), jnp.float32)
    )


@pytest.mark.parametrize("latent", [2, 40])
def test_a_perfect_prior_has_one_percent_of_hole(latent: int) -> None:
    """Draws of the prior and codes of held-out images are then one distribution, whatever the aggregate looks like."""
    fit = prior_fit(
        standard_normal(latent),
        posteriors(4000, latent, seed=1),
        posteriors(3000, latent),
        key=jr.key(0),
        prior_draws=4000,
    )
    for figure in (fit.hole_fraction, fit.uncovered_fraction):
        assert figure.standard_error is not None
        assert figure.standard_error < 0.004
        assert figure.value == pytest.approx(0.01, abs=4.0 * figure.standard_error)


def test_a_wide_prior_has_holes_and_a_narrow_one_leaves_codes_out() -> None:
    held_out, training = posteriors(2000, 2, seed=1), posteriors(2000, 2)
    wide = DiagonalNormal(jnp.zeros(2), jnp.full(2, 2.0 * np.log(2.0)))
    narrow = DiagonalNormal(jnp.zeros(2), jnp.full(2, 2.0 * np.log(0.5)))
    of_wide = prior_fit(wide, held_out, training, key=jr.key(0), prior_draws=2000)
    of_narrow = prior_fit(narrow, held_out, training, key=jr.key(0), prior_draws=2000)
    # |z|^2 / sigma^2 is chi-squared with 2 degrees: P(|z| > r) = exp(-r^2 / (2 sigma^2)), and r is where N(0, I) has 1 % left
    assert of_wide.hole_fraction.value == pytest.approx(0.01 ** (1 / 4), abs=0.05)
    assert of_wide.uncovered_fraction.value < 0.003
    assert of_narrow.uncovered_fraction.value == pytest.approx(0.01 ** (1 / 4), abs=0.05)
    assert of_narrow.hole_fraction.value < 0.003


def test_the_split_adds_up_to_the_rate() -> None:
    held_out, training = posteriors(500, 3, seed=1), posteriors(400, 3)
    prior = DiagonalNormal(jnp.array([0.5, 0.0, -0.5]), jnp.zeros(3))
    fit = prior_fit(prior, held_out, training, key=jr.key(0), prior_draws=500)
    rate = closed_form_rate(held_out, prior)
    assert rate is not None
    assert fit.mutual_information.value + fit.marginal_kl.value == pytest.approx(rate.mean(), rel=1e-6)


def test_mutual_information_of_a_gaussian_channel() -> None:
    """I = 1/2 log(1 / sigma^2) a dimension for N(0, I) codes with noise sigma, far below log N; KL(q || p) is then near 0."""
    sigma = 0.5
    fit = prior_fit(
        standard_normal(2),
        posteriors(4000, 2, sigma=sigma, seed=1),
        posteriors(4000, 2, sigma=sigma),
        key=jr.key(0),
        prior_draws=100,
    )
    assert fit.mutual_information.value == pytest.approx(2.0 * np.log(1.0 / sigma), abs=0.06)
    assert fit.marginal_kl.value == pytest.approx(0.0, abs=0.06)
    assert not fit.saturated


def test_saturation_is_flagged() -> None:
    apart = posteriors(300, 20, sigma=0.05, seed=1)
    fit = prior_fit(standard_normal(20), apart, posteriors(300, 20, sigma=0.05), key=jr.key(0), prior_draws=100)
    assert fit.mutual_information.value == pytest.approx(np.log(300), abs=0.01)
    assert fit.saturated


def test_achievable_gain_of_a_shifted_prior() -> None:
    """Against N(d, I) the true aggregate N(0, I) gains KL = d^2 / 2 a dimension."""
    prior = DiagonalNormal(jnp.full(2, 1.5), jnp.zeros(2))
    fit = prior_fit(
        prior, posteriors(3000, 2, sigma=0.6, seed=1), posteriors(6000, 2, sigma=0.6), key=jr.key(0), prior_draws=100
    )
    assert fit.achievable_gain.value == pytest.approx(1.5**2, abs=0.12)


def test_share_below_is_calibrated() -> None:
    """Its standard error is the spread over repeats, quantile and all."""
    generator = np.random.default_rng(0)
    shares = [share_below(generator.normal(size=2000), generator.normal(size=1000), "") for _ in range(300)]
    values = np.array([share.value for share in shares])
    assert values.mean() == pytest.approx(0.0105, abs=0.002)
    assert values.std() == pytest.approx(np.mean([share.standard_error for share in shares]), rel=0.3)


@pytest.mark.parametrize(("latent", "components"), [(1, 30), (2, 9000), (12, 50)])
def test_many_points_under_many_components(latent: int, components: int) -> None:
    """Both ways of taking the squares, and more components than one block, against one point at a time."""
    keys = jr.split(jr.key(latent), 4)
    mean, log_variance = 2.0 * jr.normal(keys[0], (components, latent)), jr.normal(keys[1], (components, latent)) - 1.0
    log_weights = jax.nn.log_softmax(jr.normal(keys[2], (components,)))
    density = Mixture(log_weights, DiagonalNormal(mean, log_variance))
    points = np.asarray(3.0 * jr.normal(keys[3], (11, latent)))
    expected = jax.vmap(density.log_prob)(jnp.asarray(points))
    np.testing.assert_allclose(log_probs(density, points), expected, rtol=2e-5, atol=2e-4)


def test_aggregate_posterior_is_a_density() -> None:
    aggregate = posteriors(50, 1)
    axis = np.linspace(-6.0, 6.0, 4001, dtype=np.float32)
    assert np.exp(aggregate.log_probs(axis[:, None])).sum() * (axis[1] - axis[0]) == pytest.approx(1.0, abs=1e-3)
    draws = np.asarray(jax.vmap(aggregate.mixture.sample)(jr.split(jr.key(0), 4000)))
    means = np.asarray(aggregate.mean)
    assert draws.mean() == pytest.approx(means.mean(), abs=0.06)
    assert draws.var() == pytest.approx(means.var() + 0.4**2, rel=0.1)


def test_a_share_near_one_has_an_error_that_stays_within_it() -> None:
    """95 of 100 values below the quantile of 180 references: a slope would say ± 0.7."""
    generator = np.random.default_rng(0)
    found = share_below(generator.normal(-4.5, 1.0, 10_000), generator.normal(size=180), "")
    assert 0.85 < found.value < 1.0
    assert found.standard_error is not None
    assert 0.002 < found.standard_error < 0.1


@pytest.mark.parametrize("count", [1, 5, 99])
def test_few_codes_have_no_quantile(count: int) -> None:
    fit = prior_fit(standard_normal(2), posteriors(count, 2, seed=1), posteriors(20, 2), key=jr.key(0), prior_draws=500)
    assert fit.hole_fraction is None
    assert 0.0 <= fit.uncovered_fraction.value <= 1.0
    assert fit.uncovered_fraction.n == count
    assert fit.uncovered_fraction.standard_error is not None
    assert fit.uncovered_fraction.standard_error > 0.0
    assert (fit.mutual_information.standard_error is None) == (count == 1)
