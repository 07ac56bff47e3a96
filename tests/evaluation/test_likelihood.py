"""Importance sampling against quadrature, closed forms and its own laws."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from evaluation.models import images_of, linear_gaussian, model_of, prior_as_encoder
from vaelab.data import Dataset
from vaelab.densities import standard_normal
from vaelab.errors import VaelabError
from vaelab.evaluation.image_log_probs import bernoulli_log_probs
from vaelab.evaluation.likelihood import ALONE, WIDENED, importance_weighted_bound
from vaelab.evaluation.quadrature import exact_log_probs
from vaelab.evaluation.row_numbers import row_numbers
from vaelab.model_file import load_model
from vaelab.runs import Run


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_agrees_with_quadrature_image_by_image(latent_dim: int) -> None:
    model = prior_as_encoder(latent_dim)
    images = images_of(model, 200)
    prior = standard_normal(latent_dim)
    exact = exact_log_probs(model, prior, images)
    estimates = importance_weighted_bound(model, prior, images, samples=3000, key=jr.key(0))
    difference = estimates.log_prob - exact.log_prob
    assert abs(difference.mean()) < 0.02
    assert exact.inference_gap.mean() > 0.05  # otherwise agreement would say nothing
    # never above log p(x) but by chance and by what the grid may be off
    assert ((difference - 2.0 * exact.error) / estimates.standard_error).max() < 5.0
    # one draw's mean is the evidence lower bound
    np.testing.assert_allclose(estimates.elbo.mean(), exact.elbo.mean(), atol=0.05)


def test_widened_draws_find_posteriors_that_lie_far_from_their_encodings(few_digits: Dataset) -> None:
    """On the packaged tutorial model: q(z|x) alone misses most of a nat, which no Monte Carlo error shows."""
    model = load_model(Run.open("pretrained:tutorial"))
    images, prior = few_digits.test.images[:150], standard_normal(2)
    exact = exact_log_probs(model, prior, images)
    alone, widened = (
        importance_weighted_bound(model, prior, images, samples=5000, key=jr.key(0), widths=widths)
        for widths in (ALONE, WIDENED)
    )
    assert (exact.log_prob - alone.log_prob).mean() > 0.2
    difference = widened.log_prob - exact.log_prob
    assert abs(difference.mean()) < 0.02
    assert ((difference - 2.0 * exact.error) / widened.standard_error).max() < 5.0
    # the parts of the lower bound come from the draws of q(z|x) itself
    np.testing.assert_allclose(widened.elbo.mean(), exact.elbo.mean(), rtol=0.005)


@pytest.mark.parametrize("samples", [1, 3, 1001])
def test_widened_weights_are_unbiased_however_many_draws(samples: int) -> None:
    """E[1/K sum w] = p(x), with unequal shares of the draws too."""
    model, marginal = linear_gaussian(1, widened=0.7)
    image = marginal.rvs(1, random_state=0).astype(np.float32)[None]
    repeats = np.repeat(image, max(4, 20_000 // samples), axis=0)
    estimates = importance_weighted_bound(
        model, standard_normal(1), repeats, samples=samples, key=jr.key(4), widths=(1.0, 3.0)
    )
    ratio = np.exp(estimates.log_prob - marginal.logpdf(image[0]))
    assert ratio.mean() == pytest.approx(1.0, abs=5 * max(ratio.std() / np.sqrt(len(ratio)), 0.01))


def test_widths_begin_with_the_posterior_itself() -> None:
    model = model_of(2)
    for widths in ((), (2.0, 1.0), (1.0, -2.0)):
        with pytest.raises(VaelabError, match="begin with 1"):
            importance_weighted_bound(
                model, standard_normal(2), images_of(model, 2), samples=5, key=jr.key(0), widths=widths
            )


def test_exact_encoder_needs_one_sample() -> None:
    """With the true posterior as encoder every weight is p(x), in 5 dimensions as in one."""
    model, marginal = linear_gaussian(5, pixels=9)
    images = marginal.rvs(20, random_state=0).astype(np.float32)
    estimates = importance_weighted_bound(model, standard_normal(5), images, samples=3, key=jr.key(1))
    np.testing.assert_allclose(estimates.log_prob, marginal.logpdf(images), atol=1e-3)
    np.testing.assert_allclose(estimates.standard_error, 0.0, atol=1e-3)
    np.testing.assert_allclose(estimates.effective_samples, 3.0, rtol=1e-3)


def test_standard_error_is_the_spread_of_repeats() -> None:
    model, marginal = linear_gaussian(2, widened=1.5)
    image = marginal.rvs(1, random_state=0).astype(np.float32)[None]
    repeats = importance_weighted_bound(
        model, standard_normal(2), np.repeat(image, 400, axis=0), samples=200, key=jr.key(2)
    )
    assert repeats.log_prob.std() == pytest.approx(repeats.standard_error.mean(), rel=0.15)
    assert repeats.log_prob.mean() == pytest.approx(marginal.logpdf(image[0]), abs=0.02)


def test_more_samples_tighten_the_bound() -> None:
    model = model_of(2)
    images = images_of(model, 200)
    means = [
        importance_weighted_bound(model, standard_normal(2), images, samples=k, key=jr.key(3)).log_prob.mean()
        for k in (1, 10, 1500)
    ]
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("samples", [7, 1300])
def test_a_subset_of_rows_has_the_same_scores(samples: int) -> None:
    model = model_of(2)
    images = images_of(model, 12)
    chosen = np.array([2, 9, 4])
    prior = standard_normal(2)
    whole = importance_weighted_bound(model, prior, images, samples=samples, key=jr.key(0)).log_prob
    part = importance_weighted_bound(
        model, prior, images[chosen], samples=samples, key=jr.key(0), indices=chosen
    ).log_prob
    np.testing.assert_allclose(part, whole[chosen], rtol=1e-6)
    numbers = row_numbers(images)
    by_content = importance_weighted_bound(
        model, prior, images, samples=samples, key=jr.key(0), indices=numbers
    ).log_prob
    part = importance_weighted_bound(
        model, prior, images[chosen], samples=samples, key=jr.key(0), indices=numbers[chosen]
    ).log_prob
    np.testing.assert_allclose(part, by_content[chosen], rtol=1e-6)
    assert not np.allclose(by_content, whole, atol=1e-4)


def test_progress_reaches_the_end() -> None:
    model = model_of(2)
    told: list[tuple[int, int]] = []
    importance_weighted_bound(
        model,
        standard_normal(2),
        images_of(model, 30),
        samples=30_000,
        key=jr.key(0),
        on_progress=lambda *now: told.append(now),
    )
    assert told[-1] == (30, 30)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) > 1


@pytest.mark.parametrize("pixels", [1, 15, 784, 101])
def test_products_of_factors_are_sums_of_logarithms(pixels: int) -> None:
    generator = np.random.default_rng(pixels)
    logits = 20.0 * generator.normal(size=(5, pixels))
    x = generator.random((5, pixels))
    expected = (x * logits - np.logaddexp(0.0, logits)).sum(axis=1)
    found = bernoulli_log_probs(jnp.asarray(x, jnp.float32), jnp.asarray(logits, jnp.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


def test_bad_input() -> None:
    model = model_of(2)
    for samples in (0, -5):
        with pytest.raises(VaelabError, match=f"at least 1; found {samples}"):
            importance_weighted_bound(model, standard_normal(2), images_of(model, 2), samples=samples, key=jr.key(0))


def test_refused_for_an_autoencoder() -> None:
    from vaelab.building import build_model
    from vaelab.config import Config

    values = {
        "model.image_shape": [4, 4],
        "model.posterior.kind": "deterministic",
        "model.encoder.hidden": [3],
        "model.decoder.hidden": [3],
    }
    autoencoder = build_model(Config().with_values(values).model, jr.key(0))
    for question in (
        lambda images: importance_weighted_bound(autoencoder, standard_normal(2), images, samples=5, key=jr.key(0)),
        lambda images: exact_log_probs(autoencoder, standard_normal(2), images),
    ):
        with pytest.raises(VaelabError, match="autoencoder's code is one point, not a density"):
            question(np.zeros((2, 4, 4), np.float32))
