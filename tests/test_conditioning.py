"""z given part of an image: against a closed form in several dimensions, and by quadrature against the same in the plane."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats

from vaelab.building import build_model
from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.families.gaussian_pixels import GaussianPixels
from vaelab.generating.conditioning import NoisyImage, VisiblePixels, draws_given
from vaelab.model import Model

SCALE = 0.5


def linear_family(scale: float) -> GaussianPixels:
    return GaussianPixels((3, 4), scale=scale, learned=False, floor=1e-3)


def linear_model(latent: int) -> Model:
    """x = W z + b + noise: z given any of x is Gaussian, in closed form."""
    values = {
        "latent_dim": latent,
        "image_shape": [3, 4],
        "encoder.hidden": [],
        "decoder.hidden": [],
        "likelihood.kind": "gaussian",
        "likelihood.scale": SCALE,
    }
    config = Config().with_values({f"model.{name}": value for name, value in values.items()})
    model = build_model(config.model, jr.key(1))
    return eqx.tree_at(lambda model: model.decoder.heads["mean"].bias, model, 0.1 * jnp.arange(12.0))


def exact(model: Model, y: np.ndarray, seen: np.ndarray, variance: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean and covariance of z | y where seen, and log p(y where seen)."""
    head = model.decoder.heads["mean"]
    weight, bias = np.asarray(head.weight, np.float64).T[seen], np.asarray(head.bias, np.float64)[seen]
    residual = y.ravel()[seen] - bias
    precision = np.eye(model.latent_dim) + weight.T @ weight / variance
    covariance = np.linalg.inv(precision)
    of_pixels = weight @ weight.T + variance * np.eye(len(bias))
    return (
        covariance @ weight.T @ residual / variance,
        covariance,
        stats.multivariate_normal(cov=of_pixels).logpdf(residual),
    )


@pytest.mark.parametrize("latent", [1, 2, 5])
def test_draws_given_visible_pixels_are_those_of_the_closed_form(latent: int) -> None:
    model = linear_model(latent)
    image = np.asarray(1.5 * jr.normal(jr.key(3), (3, 4)), np.float64)
    seen = np.zeros((3, 4))
    seen[:2] = 1.0
    mean, covariance, log_evidence = exact(model, image, seen.ravel() > 0, SCALE**2)
    known = VisiblePixels(jnp.asarray(image, jnp.float32), jnp.asarray(seen, jnp.float32))
    # of several beginnings, for one set of particles is one draw of an estimate
    found = [draws_given(model, known, 256, seed=seed) for seed in range(3)]
    z = np.concatenate([one.z for one in found])
    deviation = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=0.2 * deviation.max())
    np.testing.assert_allclose(np.cov(z.T).reshape(latent, latent), covariance, atol=0.25 * deviation.max() ** 2)
    tolerance = 0.02 if latent <= 2 else 0.5
    assert np.mean([one.log_evidence for one in found]) == pytest.approx(log_evidence, abs=tolerance)
    assert all(30 < one.distinct <= 256 for one in found)


def test_what_no_particle_comes_near_is_reached_by_small_steps_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a scale that puts the beginnings tens of thousands of nats off."""
    model = linear_model(5)
    image = np.asarray(jr.normal(jr.key(4), (3, 4)), np.float64)
    known = NoisyImage(jnp.asarray(image, jnp.float32), jnp.float32(1e-3))
    narrow = eqx.tree_at(lambda model: model.decoder.family, model, linear_family(0.01))
    mean, covariance, _ = exact(narrow, image, np.ones(12, bool), 1e-4 + 1e-6)
    found = draws_given(narrow, known, 256)
    np.testing.assert_allclose(found.z.mean(axis=0), mean, atol=0.5 * float(np.sqrt(np.diag(covariance)).max()))
    monkeypatch.setattr("vaelab.generating.conditioning.MOST_RISES", 2)
    with pytest.raises(VaelabError, match="after 2 steps only"):
        draws_given(linear_model(4), known, 8)


def test_what_is_hidden_has_no_part() -> None:
    model = linear_model(2)
    seen = jnp.zeros((3, 4)).at[1].set(1.0)
    image = jr.normal(jr.key(3), (3, 4))
    other = jnp.where(seen > 0.0, image, 7.0)
    first, second = (draws_given(model, VisiblePixels(one, seen), 8) for one in (image, other))
    np.testing.assert_array_equal(first.z, second.z)


@pytest.mark.parametrize("latent", [2, 5])
def test_noise_adds_its_variance_to_the_likelihoods(latent: int) -> None:
    model = linear_model(latent)
    image = np.asarray(jr.normal(jr.key(4), (3, 4)), np.float64)
    mean, covariance, log_evidence = exact(model, image, np.ones(12, bool), SCALE**2 + 0.8**2)
    found = draws_given(model, NoisyImage(jnp.asarray(image, jnp.float32), jnp.float32(0.8)), 256)
    np.testing.assert_allclose(found.z.mean(axis=0), mean, atol=0.3 * float(np.sqrt(np.diag(covariance)).max()))
    assert found.log_evidence == pytest.approx(log_evidence, abs=0.02 if latent == 2 else 0.6)
