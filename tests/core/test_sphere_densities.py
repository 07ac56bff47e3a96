"""The sphere: Bessel functions against scipy, draws and their gradients against quadrature in double precision, the KL against scipy's."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats

from vaelab.densities import kl_divergence
from vaelab.densities.sphere import UniformSphere, VonMisesFisher, log_area
from vaelab.densities.spherical_integrals import angle_at, log_integral, mean_gap, variance_of_cosine

SIZES = [2, 3, 4, 11, 41, 257]
CONCENTRATIONS = [1e-3, 0.3, 1.0, 7.0, 60.0, 900.0, 3e4]


def log_bessel(order: float, kappa: float) -> float:
    """log [exp(-kappa) I_v(kappa)], by scipy and, where that underflows, by the series sum_k (x/2)^(2k + v) / (k! Gamma(k + v + 1))."""
    scaled = scipy.special.ive(order, kappa)
    if scaled > 1e-280:
        return math.log(scaled)
    k = np.arange(2000)
    terms = (2 * k + order) * math.log(kappa / 2) - scipy.special.gammaln(k + 1) - scipy.special.gammaln(k + order + 1)
    return float(scipy.special.logsumexp(terms)) - kappa


def density_of(a: int, kappa: float) -> tuple[Callable[[float], float], float]:
    """f of an angle over its highest value, and its whole integral, in double precision."""
    angles = np.linspace(0.0, np.pi, 200_001)[1:-1]
    logs = -kappa * 2.0 * np.sin(angles / 2) ** 2 + a * np.log(np.sin(angles))
    highest = logs.max()

    def f(t: float) -> float:
        return math.exp(
            -kappa * 2.0 * math.sin(t / 2) ** 2
            + (a * math.log(math.sin(t)) if a and 0 < t < math.pi else 0.0)
            - highest
        )

    return f, float(np.trapezoid(np.exp(logs - highest), angles))


@pytest.mark.parametrize("size", SIZES)
def test_the_normaliser_is_bessels_and_its_derivatives_are_the_moments(size: int) -> None:
    order = size / 2 - 1
    for kappa in CONCENTRATIONS:
        expected = (
            0.5 * math.log(math.pi)
            + math.lgamma(order + 0.5)
            + order * math.log(2.0 / kappa)
            + log_bessel(order, kappa)
        )
        found = log_integral(jnp.float32(kappa), size - 2)
        assert float(found) == pytest.approx(expected, abs=5e-6, rel=1e-6)
        ratio = math.exp(log_bessel(order + 1, kappa) - log_bessel(order, kappa))
        gap = mean_gap(jnp.float32(kappa), size - 2)
        assert float(gap) == pytest.approx(1.0 - ratio, rel=2e-4, abs=2e-6)
        np.testing.assert_allclose(jax.grad(log_integral)(jnp.float32(kappa), size - 2), -gap, rtol=1e-6)
        # d/dk (I_v+1 / I_v) = 1 - r^2 - (2 v + 1) r / k: in single precision the formula loses its digits, the integral does not
        variance = 1.0 - ratio**2 - (2 * order + 1) * ratio / kappa
        if abs(variance) > 1e-5:
            assert float(-jax.grad(mean_gap)(jnp.float32(kappa), size - 2)) == pytest.approx(variance, rel=2e-3)


@pytest.mark.parametrize("size", SIZES)
def test_every_orders_log_bessel_function_underflows_nowhere(size: int) -> None:
    """I_128 of 0.001 is 1e-640: log Z has it all the same, and stays finite where scipy's has gone."""
    for kappa in (0.0, 1e-6, 1e-3, 1e6):
        for function in (log_integral, mean_gap):
            value, slope = jax.value_and_grad(function)(jnp.float32(kappa), size - 2)
            assert np.isfinite(value)
            assert np.isfinite(slope)
    at_nothing = 0.5 * math.log(math.pi) + math.lgamma((size - 1) / 2) - math.lgamma(size / 2)
    assert float(log_integral(jnp.float32(0.0), size - 2)) == pytest.approx(at_nothing, abs=5e-6)


@pytest.mark.parametrize("size", [2, 3, 11, 41])
@pytest.mark.parametrize("kappa", [0.3, 7.0, 900.0])
def test_an_angle_is_where_the_distribution_function_is_the_share(size: int, kappa: float) -> None:
    f, _ = density_of(size - 2, kappa)
    low, high = np.pi * 1e-9, np.pi * (1 - 1e-9)
    angles = np.linspace(low, high, 400_001)
    below = scipy.integrate.cumulative_simpson([f(t) for t in angles], x=angles, initial=0.0)
    below /= below[-1]
    for share in (1e-4, 0.02, 0.3, 0.5, 0.77, 0.98, 0.9999):
        spread = float(np.interp(0.84, below, angles) - np.interp(0.16, below, angles))
        found = float(angle_at(jnp.float32(share), jnp.float32(kappa), size - 2))
        assert float(np.interp(found, angles, below)) == pytest.approx(share, abs=3e-6)
        # and how it moves with kappa, by the angles of two concentrations beside it
        step = 1e-3 * kappa
        moved = []
        for other in (kappa - step, kappa + step):
            g, _ = density_of(size - 2, other)
            total = scipy.integrate.cumulative_simpson([g(t) for t in angles], x=angles, initial=0.0)
            moved.append(float(np.interp(share, total / total[-1], angles)))
        slope = (moved[1] - moved[0]) / (2 * step)
        assert float(jax.grad(angle_at, argnums=1)(jnp.float32(share), jnp.float32(kappa), size - 2)) == pytest.approx(
            slope, rel=0.02, abs=2e-3 * spread / kappa
        )


@pytest.mark.parametrize("size", [2, 3, 11])
@pytest.mark.parametrize("kappa", [1.0, 20.0, 3000.0])
def test_log_prob_is_scipys(size: int, kappa: float) -> None:
    direction = np.random.default_rng(size).normal(size=size)
    direction /= np.linalg.norm(direction)
    ours = VonMisesFisher(jnp.asarray(direction, jnp.float32), jnp.float32(kappa))
    theirs = scipy.stats.vonmises_fisher(direction, kappa)
    values = theirs.rvs(50, random_state=1)
    np.testing.assert_allclose(
        jax.vmap(ours.log_prob)(jnp.asarray(values, jnp.float32)),
        theirs.logpdf(values),
        atol=3e-3 if kappa > 1e3 else 2e-4,
    )
    divergence = kl_divergence(ours, UniformSphere(size))
    assert divergence is not None
    assert float(divergence.sum()) == pytest.approx(-theirs.entropy() + log_area(size), abs=2e-4)
    # its derivative, k Var[cos t], against a difference in double precision
    step = 1e-4 * kappa
    slope = (
        scipy.stats.vonmises_fisher(direction, kappa - step).entropy()
        - scipy.stats.vonmises_fisher(direction, kappa + step).entropy()
    ) / (2 * step)
    found = jax.grad(lambda k: kl_divergence(VonMisesFisher(ours.direction, k), UniformSphere(size)).sum())(
        jnp.float32(kappa)
    )
    assert float(found) == pytest.approx(slope, rel=2e-3)


@pytest.mark.parametrize("size", [2, 3, 11])
def test_draws_are_those_of_the_density(size: int) -> None:
    """The angle to the direction against its own distribution, and across it no direction before another."""
    direction = np.ones(size, np.float32) / size**0.5
    density = VonMisesFisher(jnp.asarray(direction), jnp.float32(6.0))
    draws = np.asarray(jax.jit(jax.vmap(density.sample))(jr.split(jr.key(3), 20_000)))
    np.testing.assert_allclose(np.linalg.norm(draws, axis=1), 1.0, atol=1e-5)
    theirs = scipy.stats.vonmises_fisher(direction.astype(float), 6.0).rvs(20_000, random_state=2)
    assert scipy.stats.ks_2samp(draws @ direction, theirs @ direction).pvalue > 1e-3
    across = draws - (draws @ direction)[:, None] * direction
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    # n - 1 equal variances, and none along the direction
    np.testing.assert_allclose(
        across.T @ across / 20_000, (np.eye(size) - np.outer(direction, direction)) / (size - 1), atol=0.02
    )
    np.testing.assert_allclose(draws.var(axis=0), np.exp(density.marginal_log_variance), rtol=0.05)
    assert float(variance_of_cosine(jnp.float32(6.0), size - 2)) == pytest.approx(
        float((draws @ direction).var()), rel=0.06
    )


def test_the_gradient_of_an_expectation_through_draws_is_that_of_the_integral() -> None:
    """E[z_1^3 + z_2] on S^2, by parameters of direction and concentration, against differences of a sum over scipy's density."""

    def density(parameters: jax.Array) -> VonMisesFisher:
        return VonMisesFisher(parameters[:3] / jnp.linalg.norm(parameters[:3]), parameters[3])

    def drawn(parameters: jax.Array) -> jax.Array:
        z = jax.vmap(density(parameters).sample)(jr.split(jr.key(0), 100_000))
        return jnp.mean(z[:, 0] ** 3 + z[:, 1])

    polar, around = np.meshgrid(
        (np.arange(400) + 0.5) / 400 * np.pi, (np.arange(800) + 0.5) / 800 * 2 * np.pi, indexing="ij"
    )
    points = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=-1)
    area = np.sin(polar) * (np.pi / 400) * (2 * np.pi / 800)

    def integral(parameters: np.ndarray) -> float:
        direction = parameters[:3] / np.linalg.norm(parameters[:3])
        p = scipy.stats.vonmises_fisher(direction, parameters[3]).pdf(points.reshape(-1, 3)).reshape(area.shape)
        return float((p * area * (points[..., 0] ** 3 + points[..., 1])).sum())

    at = np.array([0.5, -0.3, 0.8, 4.0])
    expected = [(integral(at + step) - integral(at - step)) / 2e-4 for step in 1e-4 * np.eye(4)]
    np.testing.assert_allclose(jax.jit(jax.grad(drawn))(jnp.asarray(at, jnp.float32)), expected, atol=0.01)


def test_the_uniform_density_is_one_over_the_area_and_its_draws_have_no_direction() -> None:
    assert float(UniformSphere(3).log_prob(jnp.array([0.0, 0.0, 1.0]))) == pytest.approx(-math.log(4 * math.pi))
    assert float(UniformSphere(2).log_prob(jnp.array([0.0, 1.0]))) == pytest.approx(-math.log(2 * math.pi))
    draws = np.asarray(jax.vmap(UniformSphere(5).sample)(jr.split(jr.key(1), 20_000)))
    np.testing.assert_allclose(np.linalg.norm(draws, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(draws.T @ draws / 20_000, np.eye(5) / 5, atol=0.01)
    np.testing.assert_allclose(draws.mean(axis=0), 0.0, atol=0.02)
