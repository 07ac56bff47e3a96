"""Free bits, a capacity and DIP against NumPy, from the posteriors of a batch."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from laws.table import IMAGE, KEY, model_of
from vaelab.kinds import OBJECTIVES
from vaelab.objectives.base import MODEL, Batch, Loss

IMAGES = (jr.uniform(KEY, (16, *IMAGE)) > 0.5).astype(jnp.float32)
KEYS = jr.split(KEY, 16)


def loss_of(settings: dict[str, Any], model: Any, beta: float = 1.0) -> Loss:
    objective = OBJECTIVES.build(OBJECTIVES.settings(settings))
    return objective({MODEL: model}, objective.start(model, key=KEY), Batch(IMAGES, None), jnp.float32(beta), KEYS)


def numbers() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means and variances of q(z|x), and the KL to N(0, I) of each image and dimension."""
    posteriors = jax.vmap(model_of().encoder)(IMAGES)
    mean, variance = np.asarray(posteriors.mean, np.float64), np.exp(np.asarray(posteriors.log_variance, np.float64))
    return mean, variance, 0.5 * (variance + mean**2 - 1 - np.log(variance))


@pytest.mark.parametrize("beta", [1.0, 0.5])
@pytest.mark.parametrize("of", ["dimensions", "whole"])
def test_free_bits_are_the_larger_of_both(of: str, beta: float):
    kl = numbers()[2].mean(axis=0)
    kl = kl if of == "dimensions" else kl.sum(keepdims=True)
    free = float(np.sort(kl).mean()) if of == "dimensions" else 2 * float(kl[0])
    loss = loss_of({"kind": "free-bits", "free_nats": free, "of": of}, model_of(), beta)
    expected = float(loss.shown["reconstruction"]) + beta * np.maximum(free, kl).sum()
    assert float(loss.losses[MODEL]) == pytest.approx(expected, rel=1e-5)
    assert float(loss.shown["floor"]) > 0.0


def test_a_dimension_below_its_free_bits_is_not_pushed():
    """The KL's gradient is that of the dimensions above the floor alone."""
    model = model_of()
    kl = numbers()[2].mean(axis=0)
    free = float(np.sort(kl)[:2].mean())  # one of three lies below

    def of_kl(model: Any) -> Any:
        loss = loss_of({"kind": "free-bits", "free_nats": free}, model)
        return loss.losses[MODEL] - loss.shown["reconstruction"]

    pushed = eqx.filter_grad(of_kl)(model).encoder.heads["mean"].bias
    np.testing.assert_array_equal(np.abs(np.asarray(pushed)) > 1e-9, kl > free)


@pytest.mark.parametrize(("beta", "capacity"), [(1.0, 2.0), (0.25, 2.0), (1.0, 0.0)])
def test_a_capacity_rises_with_beta(beta: float, capacity: float):
    kl = numbers()[2].sum(axis=1).mean()
    loss = loss_of({"kind": "capacity", "capacity": capacity, "gamma": 7.0}, model_of(), beta)
    expected = float(loss.shown["reconstruction"]) + 7.0 * abs(kl - beta * capacity)
    assert float(loss.losses[MODEL]) == pytest.approx(expected, rel=1e-5)
    assert float(loss.shown["capacity"]) == pytest.approx(beta * capacity)


@pytest.mark.parametrize("of", ["means", "draws"])
def test_dip_is_the_covariances_distance_to_the_identity(of: str):
    mean, variance, _ = numbers()
    covariance = np.cov(mean.T, bias=True) + (np.diag(variance.mean(axis=0)) if of == "draws" else 0.0)
    off = covariance - np.diag(np.diag(covariance))
    expected = 3.0 * np.sum(off**2) + 5.0 * np.sum((np.diag(covariance) - 1) ** 2)
    loss = loss_of({"kind": "dip", "of": of, "off_diagonal": 3.0, "diagonal": 5.0}, model_of())
    assert float(loss.losses[MODEL] - loss.shown["loss"]) == pytest.approx(expected, rel=1e-4)


def test_the_covariance_of_draws_is_that_of_many_draws():
    """The law of total covariance, by 200,000 draws of the aggregate posterior."""
    mean, variance, _ = numbers()
    generator = np.random.default_rng(0)
    which = generator.integers(0, 16, 200_000)
    draws = mean[which] + np.sqrt(variance[which]) * generator.normal(size=(200_000, 3))
    covariance = np.cov(draws.T)
    shown = loss_of({"kind": "dip", "of": "draws"}, model_of()).shown
    assert float(shown["diagonal"]) == pytest.approx(np.sum((np.diag(covariance) - 1) ** 2), abs=0.03)
    assert float(shown["off_diagonal"]) == pytest.approx(
        np.sum((covariance - np.diag(np.diag(covariance))) ** 2), abs=0.03
    )
    assert abs(float(loss_of({"kind": "dip", "of": "means"}, model_of()).shown["diagonal"]) - shown["diagonal"]) > 0.1
