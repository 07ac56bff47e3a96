"""MMD against a plain U-statistic, and against the closed form for two Gaussians."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from vaelab.objectives.mmd import squared_discrepancy

SCALES = (0.1, 0.5, 2.0)


def kernel_of(name: str, a: np.ndarray, b: np.ndarray) -> float:
    square = float(np.sum((a - b) ** 2))
    widths = [2 * len(a) * scale for scale in SCALES]
    return float(np.mean([c / (c + square) if name == "imq" else np.exp(-square / c) for c in widths]))


@pytest.mark.parametrize("name", ["imq", "rbf"])
def test_it_is_the_u_statistic_pair_by_pair(name: str):
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(7, 3)), generator.normal(0.5, 1.2, size=(7, 3))
    own = [kernel_of(name, set_[i], set_[j]) for set_ in (x, y) for i in range(7) for j in range(7) if i != j]
    between = [kernel_of(name, a, b) for a in x for b in y]
    expected = np.sum(own) / (7 * 6) - 2 * np.mean(between)
    found = squared_discrepancy(jnp.asarray(x, jnp.float32), jnp.asarray(y, jnp.float32), name, SCALES)
    assert float(found) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_its_expectation_is_that_of_two_gaussians(shift: float):
    """For k = exp(-s / C) and x - y ~ N(m, 2I): E k = (1 + 4/C)^(-d/2) exp(-norm(m)^2 / (C + 4)). Without bias it is 0 for equal ones."""
    latent, width = 3, 6.0
    expected = 2 * (1 + 4 / width) ** (-latent / 2) * (1 - np.exp(-latent * shift**2 / (width + 4)))

    def one(key: jax.Array) -> jax.Array:
        x, y = jr.normal(key, (2, 10, latent))
        return squared_discrepancy(x + shift, y, "rbf", (1.0,))

    found = np.asarray(jax.vmap(one)(jr.split(jr.key(0), 4000)))
    assert found.min() < 0.0
    assert abs(found.mean() - expected) < 5 * found.std() / 4000**0.5
