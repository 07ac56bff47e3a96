"""The parts of the KL against sums over a whole data set, quadrature, and a Gaussian aggregate posterior's closed form."""

import itertools

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from laws.table import IMAGE, KEY, model_of
from vaelab.densities import DiagonalNormal
from vaelab.objectives.base import Batch
from vaelab.objectives.draws import drawn
from vaelab.objectives.total_correlation import log_aggregates, parts_of_kl


def some_posteriors(count: int, latent: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(count, latent)), np.exp(generator.normal(-0.5, 0.4, size=(count, latent)))


def posteriors_of(means: np.ndarray, scales: np.ndarray) -> DiagonalNormal:
    return DiagonalNormal(jnp.asarray(means, jnp.float32), jnp.asarray(2 * np.log(scales), jnp.float32))


def exact(means: np.ndarray, scales: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log q(z) and log q(z_d) by the sum over every image, in float64."""
    entries = norm.logpdf(z[:, None], means[None], scales[None])  # (i, n, latent)
    joint = logsumexp(entries.sum(axis=2), axis=1) - np.log(len(means))
    return joint, logsumexp(entries, axis=1) - np.log(len(means))


@pytest.mark.parametrize("images", [12, None])
def test_of_the_whole_data_set_both_estimators_are_exact(images: int | None):
    means, scales = some_posteriors(12, 3)
    z = means + scales * np.random.default_rng(1).normal(size=means.shape)
    own, joint, marginals = log_aggregates(posteriors_of(means, scales), jnp.asarray(z, jnp.float32), images)
    expected_joint, expected_marginals = exact(means, scales, z)
    np.testing.assert_allclose(own, norm.logpdf(z, means, scales).sum(axis=1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(joint, expected_joint, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(marginals, expected_marginals, rtol=1e-5, atol=1e-5)


def test_stratified_is_unbiased_over_all_batches_and_the_batchs_own_mixture_is_not():
    """q(z) and q(z_d) of a code of image 0, averaged over every batch of three of six images that has it."""
    means, scales = some_posteriors(6, 2)
    z = (means + scales)[:1].astype(np.float32)
    expected = [np.exp(part[0]) for part in exact(means, scales, z)]
    for images, is_unbiased in ((6, True), (None, False)):
        found = []
        for others in itertools.combinations(range(1, 6), 2):
            rows = [0, *others]
            codes = jnp.asarray(np.concatenate([z, means[list(others)]]), jnp.float32)
            _, joint, marginals = log_aggregates(posteriors_of(means[rows], scales[rows]), codes, images)
            found.append((np.exp(joint[0]), np.exp(marginals[0])))
        for ours, theirs in zip(_means(found), expected, strict=True):
            assert np.allclose(ours, theirs, rtol=1e-5) == is_unbiased


def _means(found: list[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
    return [np.mean([pair[place] for pair in found], axis=0) for place in range(2)]


def test_total_correlation_is_that_of_quadrature():
    """Of a mixture of eight Gaussians in the plane: the integral of q log q / (q_1 q_2) on a grid, against draws."""
    means, scales = some_posteriors(8, 2)
    means[:, 1] = 0.8 * means[:, 0] + 0.3 * means[:, 1]
    edge = np.linspace(-6, 6, 601)
    grid = np.stack(np.meshgrid(edge, edge, indexing="ij"), axis=-1).reshape(-1, 2)
    joint, marginals = exact(means, scales, grid)
    expected = np.sum(np.exp(joint) * (joint - marginals.sum(axis=1))) * (edge[1] - edge[0]) ** 2
    posteriors = posteriors_of(means, scales)

    @jax.jit
    def total_correlation(key: jax.Array) -> jax.Array:
        z = jax.vmap(lambda posterior, key: posterior.sample(key))(posteriors, jr.split(key, 8))
        _, joint, marginals = log_aggregates(posteriors, z, 8)
        return jnp.mean(joint - marginals.sum(axis=1))

    found = np.array([total_correlation(key) for key in jr.split(KEY, 2000)])
    assert expected > 0.1
    assert abs(found.mean() - expected) < 5 * found.std() / 2000**0.5


def test_total_correlation_of_a_gaussian_aggregate_is_its_closed_form():
    """-1/2 log(1 - rho^2): posteriors of variance 0.2 around Gaussian means, so that q(z) is N(0, [[1, rho], [rho, 1]])."""
    rho, count = 0.7, 1500
    generator = np.random.default_rng(0)
    covariance = np.array([[0.8, rho], [rho, 0.8]])
    means = generator.multivariate_normal(np.zeros(2), covariance, size=count)
    scales = np.full((count, 2), 0.2**0.5)
    z = jnp.asarray(means + scales * generator.normal(size=means.shape), jnp.float32)
    _, joint, marginals = log_aggregates(posteriors_of(means, scales), z, count)
    assert float(jnp.mean(joint - marginals.sum(axis=1))) == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.04)


def test_the_three_parts_are_the_kl():
    """Their sum is the mean of log q(z|x) - log p(z), here by SciPy."""
    model = model_of()
    images = (jr.uniform(KEY, (9, *IMAGE)) > 0.5).astype(jnp.float32)
    found = drawn(model, Batch(images, None), jr.split(KEY, 9))
    posterior, z = found.terms.posterior, np.asarray(found.z)
    own = norm.logpdf(z, posterior.mean, np.exp(0.5 * np.asarray(posterior.log_variance))).sum(axis=1)
    for images_in_all in (9, 40, None):
        parts = parts_of_kl(found, images_in_all)
        assert float(sum(parts.values())) == pytest.approx(np.mean(own - norm.logpdf(z).sum(axis=1)), rel=1e-4)
