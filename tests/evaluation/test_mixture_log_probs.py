"""Mixtures of many components that are no diagonal Gaussians, block by block."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from vaelab.densities import FullNormal, Mixture
from vaelab.evaluation import mixture_log_probs
from vaelab.evaluation.mixture_log_probs import log_probs


@pytest.mark.parametrize("size", [2, 9])
def test_full_gaussians_in_blocks_are_the_mixture_itself(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More components than a block holds, the last block filled up, against scipy."""
    monkeypatch.setattr(mixture_log_probs, "VALUES", 64 * 100 * 5)
    generator = np.random.default_rng(size)
    scales = np.tril(0.3 * generator.normal(size=(17, size, size)), -1) + np.eye(size) * generator.uniform(
        0.5, 2.0, (17, 1, 1)
    )
    means, points = generator.normal(size=(17, size)), generator.normal(size=(100, size))
    weights = generator.dirichlet(np.ones(17))
    stack = jax.vmap(FullNormal)(jnp.asarray(means, jnp.float32), jnp.asarray(scales, jnp.float32))
    found = log_probs(Mixture(jnp.log(jnp.asarray(weights, jnp.float32)), stack), points)
    each = [
        np.log(weight) + scipy.stats.multivariate_normal(mean, scale @ scale.T).logpdf(points)
        for weight, mean, scale in zip(weights, means, scales, strict=True)
    ]
    np.testing.assert_allclose(found, scipy.special.logsumexp(each, axis=0), rtol=1e-4, atol=1e-4)
