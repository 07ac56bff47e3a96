"""Every density against scipy, its samples against its log_prob, its KL against Monte Carlo."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from vaelab.densities import (
    AbstractDensity,
    Bernoulli,
    ContinuousBernoulli,
    Delta,
    DiagonalNormal,
    FullNormal,
    Mixture,
    kl_divergence,
    sample_many,
    standard_normal,
)

MEAN = jnp.array([0.5, -1.0])
LOG_VARIANCE = jnp.array([-0.4, 0.9])
SCALE = jnp.array([[0.8, 0.0], [0.5, 1.3]])

CONTINUOUS: dict[str, tuple[AbstractDensity, Callable[[np.ndarray], float]]] = {
    "diagonal normal": (
        DiagonalNormal(MEAN, LOG_VARIANCE),
        lambda x: scipy.stats.multivariate_normal(MEAN, np.diag(np.exp(LOG_VARIANCE))).logpdf(x),
    ),
    "standard normal": (standard_normal(2), lambda x: scipy.stats.multivariate_normal(np.zeros(2)).logpdf(x)),
    "full normal": (
        FullNormal(MEAN, SCALE),
        lambda x: scipy.stats.multivariate_normal(MEAN, np.asarray(SCALE @ SCALE.T)).logpdf(x),
    ),
    "mixture": (
        Mixture(
            jnp.log(jnp.array([0.3, 0.7])),
            DiagonalNormal(jnp.array([[0.0, 1.0], [2.0, -1.0]]), jnp.array([[0.0, 0.2], [-1.0, 0.5]])),
        ),
        lambda x: np.log(
            0.3 * scipy.stats.multivariate_normal([0, 1], np.diag(np.exp([0, 0.2]))).pdf(x)
            + 0.7 * scipy.stats.multivariate_normal([2, -1], np.diag(np.exp([-1, 0.5]))).pdf(x)
        ),
    ),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_log_prob_is_scipys(name: str, generator: np.random.Generator):
    density, oracle = CONTINUOUS[name]
    points = generator.normal(size=(50, 2)).astype(np.float32) * 2
    ours = jax.vmap(density.log_prob)(jnp.asarray(points))
    np.testing.assert_allclose(ours, [oracle(point) for point in points], rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("size", [9, 40])
def test_mixtures_of_many_dimensions_are_scipys_and_their_gradients_those_of_differences(size: int):
    """Beyond a few dimensions the squares are multiplied out; far from the origin, too, that changes nothing."""
    keys = jr.split(jr.key(0), 3)
    mean = 50.0 + 3.0 * jr.normal(keys[0], (7, size))
    log_variance = -1.0 + 0.5 * jr.normal(keys[1], (7, size))
    mixture = Mixture(jnp.full(7, -float(np.log(7))), DiagonalNormal(mean, log_variance))
    points = mean[:5] + jr.normal(keys[2], (5, size))
    components = scipy.stats.norm(np.asarray(mean, np.float64), np.exp(np.asarray(log_variance, np.float64) / 2))
    each = components.logpdf(np.asarray(points, np.float64)[:, None]).sum(axis=-1)
    expected = scipy.special.logsumexp(each, axis=1) - np.log(7)
    np.testing.assert_allclose(jax.vmap(mixture.log_prob)(points), expected, rtol=1e-5, atol=1e-3)

    def by_differences(mixture: Mixture, point: jax.Array) -> jax.Array:
        one_by_one = jax.vmap(lambda component: component.log_prob(point))(mixture.components)
        return jax.nn.logsumexp(mixture.log_weights + one_by_one)

    def gradient(log_prob: Callable[[Mixture, jax.Array], jax.Array]) -> Mixture:
        return jax.grad(lambda mixture: jax.vmap(lambda point: log_prob(mixture, point))(points).sum())(mixture)

    ours, theirs = gradient(lambda mixture, point: mixture.log_prob(point)), gradient(by_differences)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3), ours, theirs)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_samples_follow_log_prob(name: str):
    """Goodness of fit: draws fall into cells of a grid as often as the density's integral over each says."""
    density, _ = CONTINUOUS[name]
    draws = np.asarray(sample_many(density, jr.key(1), 20_000))
    edges = np.linspace(-6, 6, 13)
    fine = np.linspace(-6, 6, 481)
    middle = (fine[1:] + fine[:-1]) / 2
    grid = jnp.asarray(np.stack(np.meshgrid(middle, middle, indexing="ij"), axis=-1).reshape(-1, 2), jnp.float32)
    mass = np.exp(np.asarray(jax.vmap(density.log_prob)(grid), np.float64)).reshape(480, 480) * (12 / 480) ** 2
    assert mass.sum() == pytest.approx(1.0, abs=2e-3)
    expected = mass.reshape(12, 40, 12, 40).sum(axis=(1, 3)).ravel() * len(draws)
    found, _, _ = np.histogram2d(*draws.T, bins=(edges, edges))
    counted = expected > 5
    statistic = ((found.ravel() - expected)[counted] ** 2 / expected[counted]).sum()
    assert scipy.stats.chi2(counted.sum()).sf(statistic) > 1e-3


@pytest.mark.parametrize("logit", [-40.0, -3.0, -0.0999, -1e-4, 0.0, 0.05, 0.1001, 2.0, 40.0])
def test_continuous_bernoulli_integrates_to_one_and_has_its_mean(logit: float):
    density = ContinuousBernoulli(jnp.array([logit]))
    # graded towards both ends, where the density piles up
    edges = np.concatenate([np.geomspace(1e-7, 0.5, 4000), 1 - np.geomspace(1e-7, 0.5, 4000)[::-1]])
    points = np.unique(np.concatenate([[0.0], edges, [1.0]]))
    pdf = np.exp(points * logit + float(density.log_normaliser[0]))
    assert scipy.integrate.trapezoid(pdf, points) == pytest.approx(1.0, rel=1e-4)
    assert float(density.mean[0]) == pytest.approx(scipy.integrate.trapezoid(points * pdf, points), rel=1e-4)
    value = jnp.array([0.3])
    expected = logit * 0.3 - (np.log(np.expm1(logit) / logit) if logit else 0.0)
    assert float(density.log_prob(value)) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("logit", [-30.0, -2.0, 0.0, 0.5, 12.0])
def test_continuous_bernoulli_draws_have_its_mean_and_quantiles(logit: float):
    density = ContinuousBernoulli(jnp.full(20_000, logit))
    draws = np.asarray(density.sample(jr.key(0)), np.float64)
    assert draws.min() >= 0.0
    assert draws.max() <= 1.0

    def distribution(x: np.ndarray) -> np.ndarray:
        return x if logit == 0 else np.expm1(logit * x) / np.expm1(logit)

    assert scipy.stats.kstest(draws, distribution).pvalue > 1e-3


def test_continuous_bernoulli_gradients_are_finite_everywhere():
    logits = jnp.array([-60.0, -0.1, -1e-8, 0.0, 1e-8, 0.1, 60.0])
    gradient = jax.grad(lambda logits: ContinuousBernoulli(logits).log_prob(jnp.full(7, 0.4)))(logits)
    assert np.isfinite(gradient).all()
    # d/dl log p(x) = x - E[x]
    np.testing.assert_allclose(gradient, 0.4 - ContinuousBernoulli(logits).mean, atol=2e-5)


def test_bernoulli_is_scipys_and_minus_the_cross_entropy():
    logits = jnp.array([-30.0, -1.0, 0.0, 2.0, 30.0])
    values = jnp.array([0.0, 1.0, 1.0, 0.0, 1.0])
    probability = scipy.special.expit(np.asarray(logits, np.float64))
    expected = scipy.stats.bernoulli(probability).logpmf(np.asarray(values)).sum()
    assert float(Bernoulli(logits).log_prob(values)) == pytest.approx(expected, rel=1e-5)
    grey = np.array([0.2, 0.7, 0.5, 0.1, 0.9])
    cross_entropy = -(scipy.special.xlogy(grey, probability) + scipy.special.xlog1py(1 - grey, -probability)).sum()
    assert float(Bernoulli(logits).log_prob(jnp.asarray(grey, jnp.float32))) == pytest.approx(-cross_entropy, rel=1e-5)


def test_bernoulli_draws_have_its_mean():
    draws = sample_many(Bernoulli(jnp.array([-1.0, 0.0, 3.0])), jr.key(3), 20_000)
    np.testing.assert_allclose(draws.mean(axis=0), scipy.special.expit([-1.0, 0.0, 3.0]), atol=0.015)


def test_kl_divergence_is_its_monte_carlo_estimate():
    q, p = DiagonalNormal(MEAN, LOG_VARIANCE), DiagonalNormal(jnp.array([0.0, 0.3]), jnp.array([0.5, -0.2]))
    draws = sample_many(q, jr.key(0), 100_000)
    ratios = np.asarray(jax.vmap(q.log_prob)(draws) - jax.vmap(p.log_prob)(draws), np.float64)
    divergence = kl_divergence(q, p)
    assert divergence is not None
    assert float(divergence.sum()) == pytest.approx(ratios.mean(), abs=5 * ratios.std() / np.sqrt(len(ratios)))


def test_kl_to_the_standard_normal_is_the_papers():
    """Kingma and Welling 2014, appendix B: -1/2 sum(1 + log s^2 - m^2 - s^2)."""
    divergence = kl_divergence(DiagonalNormal(MEAN, LOG_VARIANCE), standard_normal(2))
    assert divergence is not None
    np.testing.assert_allclose(divergence, -0.5 * (1 + LOG_VARIANCE - MEAN**2 - jnp.exp(LOG_VARIANCE)), rtol=1e-6)


@pytest.mark.parametrize("dim", [1, 2, 5])
def test_kl_from_a_full_normal_is_that_of_any_two_gaussians_and_adds_up_over_conditionals(dim: int) -> None:
    """1/2 [tr(P^-1 S) + d' P^-1 d - k + log det P / det S]; entry i is the KL of z_i given those before it, averaged over them."""
    generator = np.random.default_rng(dim)
    scale = np.tril(generator.normal(size=(dim, dim)), -1) + np.diag(0.3 + generator.random(dim))
    mean, other, log_variance = generator.normal(size=(3, dim))
    q = FullNormal(jnp.asarray(mean, jnp.float32), jnp.asarray(scale, jnp.float32))
    p = DiagonalNormal(jnp.asarray(other, jnp.float32), jnp.asarray(log_variance, jnp.float32))
    covariance, precision = scale @ scale.T, np.diag(np.exp(-log_variance))
    expected = 0.5 * (
        np.trace(precision @ covariance)
        + (mean - other) @ precision @ (mean - other)
        - dim
        + log_variance.sum()
        - np.linalg.slogdet(covariance)[1]
    )
    divergence = kl_divergence(q, p)
    assert divergence is not None
    np.testing.assert_allclose(divergence.sum(), expected, rtol=1e-5)
    assert float(divergence.min()) >= 0.0
    # the last entry, from draws of all before it
    noise = generator.normal(size=(200_000, dim))
    drawn = mean + noise @ scale.T
    given = drawn[:, -1] - noise[:, -1] * scale[-1, -1]  # the mean of the last given those before it
    variance, v = scale[-1, -1] ** 2, np.exp(log_variance[-1])
    each = 0.5 * (variance / v + (given - other[-1]) ** 2 / v - 1.0 - np.log(variance / v))
    assert abs(float(divergence[-1]) - each.mean()) < 4.0 * each.std() / 200_000**0.5 + 1e-5


def test_no_closed_form_is_none_and_a_delta_has_no_density():
    assert kl_divergence(FullNormal(MEAN, SCALE), CONTINUOUS["mixture"][0]) is None
    assert kl_divergence(standard_normal(2), FullNormal(MEAN, SCALE)) is None
    with pytest.raises(TypeError, match="no density"):
        Delta(MEAN).log_prob(MEAN)
    np.testing.assert_array_equal(Delta(MEAN).sample(jr.key(0)), MEAN)


@pytest.mark.parametrize("dim", [1, 2, 8, 9])
def test_a_full_normal_is_scipys_in_any_dimension(dim: int) -> None:
    """By forward substitution in few dimensions, by a solver in many."""
    generator = np.random.default_rng(dim)
    scale = 0.2 * np.tril(generator.normal(size=(dim, dim)), -1) + np.diag(0.5 + generator.random(dim))
    mean, value = generator.normal(size=dim), generator.normal(size=dim)
    density = FullNormal(jnp.asarray(mean, jnp.float32), jnp.asarray(scale, jnp.float32))
    expected = scipy.stats.multivariate_normal(mean, scale @ scale.T).logpdf(value)
    np.testing.assert_allclose(density.log_prob(jnp.asarray(value, jnp.float32)), expected, rtol=1e-4)
