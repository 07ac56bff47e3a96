"""log p(x|y), log p(x) and p(y|x) of a model that sees labels, against sums over a grid in NumPy that share no code with it."""

import json
from pathlib import Path

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logsumexp

from evaluation.models import model_of
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.evaluation.by_label import exact_given, importance_given, log_probs_by_label
from vaelab.evaluation.checkup import checkup_of
from vaelab.evaluation.evaluation import checked_condition, evaluate
from vaelab.evaluation.label_scores import label_scores, reliability_of
from vaelab.evaluation.likelihood import WIDENED
from vaelab.evaluation.material import Material
from vaelab.evaluation.report import rows
from vaelab.model import Model
from vaelab.model_file import load_model
from vaelab.runs import Run

FREQUENCIES = np.array([0.5, 0.0, 0.2, 0.3])
KNOWN = [0, 2, 3]
IMAGES = np.asarray(jr.bernoulli(jr.key(5), 0.4, (12, 4, 4)), np.float32)
LABELS = np.array([0, 2, 3] * 4)


def conditional_model(latent_dim: int, prior: str = "normal", **shape: float) -> Model:
    """A model of four labels, of which training never saw the second; each label's scale and shift is its own. `shape` as `model_of`."""
    values: dict[str, object] = {"model.condition": "labels", "model.classes": 4, "model.prior.kind": prior}
    if prior == "class":
        values["model.prior.classes"] = 4
    model = model_of(latent_dim, **shape, **values)
    with np.errstate(divide="ignore"):
        log_frequencies = jnp.asarray(np.log(FREQUENCIES), jnp.float32)
    model = eqx.tree_at(lambda m: m.log_frequencies, model, log_frequencies)
    if prior == "class":
        model = eqx.tree_at(lambda m: m.prior.log_frequencies, model, log_frequencies)
    where = lambda m: [table for part in (m.encoder, m.decoder) for table in (part.network.scale, part.network.shift)]  # noqa: E731
    shaken = [0.5 * jr.normal(jr.key(place), table.shape) for place, table in enumerate(where(model))]
    return eqx.tree_at(where, model, shaken)


def summed(model: Model, label: int) -> np.ndarray:
    """log p(x|y) of the images by a sum over a grid, the decoder written out."""
    dim, points = model.latent_dim, 1201 if model.latent_dim == 1 else 241
    axis = np.linspace(-7.0, 7.0, points)
    z = np.stack(np.meshgrid(*[axis] * dim), axis=-1).reshape(-1, dim)
    network = model.decoder.network
    layer, head = network.network.layers[0], model.decoder.heads["logits"]
    read = np.concatenate([z, np.tile(np.eye(4)[label], (len(z), 1))], axis=1)
    features = np.maximum(read @ np.asarray(layer.weight, np.float64) + np.asarray(layer.bias, np.float64), 0.0)
    features = features * (1.0 + np.asarray(network.scale)[label]) + np.asarray(network.shift)[label]
    shares = expit(features @ np.asarray(head.weight, np.float64) + np.asarray(head.bias, np.float64))
    x = IMAGES.reshape(len(IMAGES), -1).astype(np.float64)
    log_likelihood = x @ np.log(shares).T + (1.0 - x) @ np.log1p(-shares).T
    mean, variance = np.zeros(dim), np.ones(dim)
    if model.prior.labels is not None:
        mean = np.asarray(model.prior.means, np.float64)[label]
        variance = np.exp(np.asarray(model.prior.log_variances, np.float64)[label])
    log_prior = stats.norm.logpdf(z, mean, np.sqrt(variance)).sum(axis=1)
    return logsumexp(log_likelihood + log_prior + dim * np.log(axis[1] - axis[0]), axis=1)


@pytest.mark.parametrize("prior", ["normal", "class"])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_quadrature_is_the_sum_over_a_grid(latent_dim: int, prior: str) -> None:
    model = conditional_model(latent_dim, prior)
    found = log_probs_by_label(model, IMAGES, tolerance=1e-4)
    expected = np.full((len(IMAGES), 4), -np.inf)
    for label in KNOWN:
        expected[:, label] = summed(model, label)
    np.testing.assert_allclose(found.each[:, KNOWN], expected[:, KNOWN], atol=2e-3)
    assert np.isneginf(found.each[:, 1]).all()
    with np.errstate(divide="ignore"):
        joint = np.log(FREQUENCIES) + expected
    np.testing.assert_allclose(found.marginal, logsumexp(joint, axis=1), atol=2e-3)
    posterior = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
    np.testing.assert_allclose(found.posterior, posterior, atol=1e-3)
    np.testing.assert_allclose(found.posterior.sum(axis=1), 1.0, atol=1e-6)
    given = exact_given(model, IMAGES, LABELS, tolerance=1e-4)
    np.testing.assert_allclose(given.log_prob, expected[np.arange(12), LABELS], atol=2e-3)
    assert (given.elbo <= given.log_prob + 0.01).all()


WIDE = {"strength": 1.0, "log_variance": -0.5}
"""Encoders that importance samples serve."""


def test_importance_samples_agree_with_quadrature() -> None:
    model = conditional_model(2, "class", **WIDE)
    exact = log_probs_by_label(model, IMAGES)
    sampled = log_probs_by_label(model, IMAGES, samples=3000, key=jr.key(0))
    np.testing.assert_allclose(sampled.marginal, exact.marginal, atol=0.1)
    estimates = importance_given(model, IMAGES, LABELS, samples=3000, key=jr.key(0), widths=WIDENED)
    np.testing.assert_allclose(estimates.log_prob, exact.given(LABELS), atol=0.15)
    few = importance_given(model, IMAGES[:6], LABELS[:6], samples=3000, key=jr.key(0), widths=WIDENED)
    np.testing.assert_allclose(few.log_prob, estimates.log_prob[:6], atol=1e-4)  # whatever stands beside an image


def test_the_marginal_of_a_normalised_model_sums_to_one() -> None:
    """Over all 2^4 images of four pixels."""
    model = model_of(1, image_shape=(2, 2), **{"model.condition": "labels", "model.classes": 2})
    every = ((np.arange(16)[:, None] >> np.arange(4)) & 1).reshape(16, 2, 2).astype(np.float32)
    found = log_probs_by_label(model, every)
    np.testing.assert_allclose(np.exp(found.marginal).sum(), 1.0, atol=1e-3)
    np.testing.assert_allclose(np.exp(found.each).sum(axis=0), 1.0, atol=1e-3)


# --- p(y|x) ----------------------------------------------------------------------------------------------------------------------------


def test_calibration_is_what_it_says() -> None:
    """Labels drawn by the confidence itself have next to no error, confidence of 0.9 that is right half the time has 0.4."""
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.5, 1.0, 100_000)
    right = generator.random(100_000) < confidence
    bins = reliability_of(confidence, right)
    error = sum(count * abs(accuracy - mean) for mean, accuracy, count in bins) / 100_000
    assert error < 0.01
    assert sum(count for *_, count in bins) == 100_000
    ((mean, accuracy, count),) = reliability_of(np.full(1000, 0.9), np.arange(1000) % 2 == 0)
    assert (round(mean, 6), accuracy, count) == (0.9, 0.5, 1000)
    assert reliability_of(np.array([0.0, 1.0]), np.array([True, True])) == ((0.0, 1.0, 1), (1.0, 1.0, 1))


def test_label_scores_are_of_the_posterior() -> None:
    found = log_probs_by_label(conditional_model(1), IMAGES)
    scores = label_scores(found, LABELS, "images")
    own = found.posterior[np.arange(12), LABELS]
    assert scores.accuracy.value == pytest.approx((found.posterior.argmax(axis=1) == LABELS).mean())
    assert scores.log_loss.value == pytest.approx(-np.log(own).mean())


# --- evaluations ----------------------------------------------------------------------------------------------------------------------


def test_every_number_says_what_it_is_given() -> None:
    model = conditional_model(1)
    marginal = evaluate(model, IMAGES, labels=LABELS, samples=0)
    given = evaluate(model, IMAGES, labels=LABELS, samples=0, condition="given")
    found = log_probs_by_label(model, IMAGES)
    assert marginal.setting.condition == "marginal"
    assert marginal.nll_quadrature.value == pytest.approx(-found.marginal.mean(), abs=0.01)
    assert marginal.nll_given.value == pytest.approx(given.nll_quadrature.value, abs=1e-6)
    assert given.nll_quadrature.value == pytest.approx(-found.given(LABELS).mean(), abs=0.02)
    assert given.by_label is None
    assert given.elbo.value <= -given.nll_quadrature.value + 0.01
    names = [name for name, *_ in rows(marginal)]
    assert {
        "NLL, marginal over labels, exact",
        "NLL given the label",
        "labels told right",
        "  calibration error",
    } <= set(names)
    assert "NLL given the label, exact" in [name for name, *_ in rows(given)]
    written = json.loads(json.dumps(marginal.to_json()))
    assert written["setting"]["condition"] == "marginal"
    assert written["by_label"]["accuracy"]["n"] == 12
    assert sum(one["images"] for one in written["by_label"]["reliability"]) == 12
    assert "marginal over labels" in marginal._repr_html_()


def test_more_dimensions_are_sampled_given_and_marginal() -> None:
    model = conditional_model(3, "class", **WIDE)
    marginal = evaluate(model, IMAGES, labels=LABELS, samples=0, importance_samples=4000)
    given = evaluate(model, IMAGES, labels=LABELS, samples=0, importance_samples=4000, condition="given")
    expected = log_probs_by_label(model, IMAGES, samples=20_000, key=jr.key(8))
    assert marginal.nll_quadrature is None
    assert marginal.nll_importance.value == pytest.approx(-expected.marginal.mean(), abs=0.2)
    assert given.nll_importance.value == pytest.approx(-expected.given(LABELS).mean(), abs=0.2)
    # KL(q(z|x, y) || p(z|y)) against each label's own Gaussian: the two parts are the bound, which is below
    assert given.elbo.value < -given.nll_importance.value + 0.05


def test_a_run_is_evaluated_and_looked_over(tiny_conditional_run: Run, few_digits: Dataset, tmp_path: Path) -> None:
    small = Dataset(
        "mnist", few_digits.train, few_digits.validation, type(few_digits.test)(few_digits.test.images[:40], few_digits.test.labels[:40]),
        few_digits.label_names,
    )  # fmt: skip
    material = Material(tiny_conditional_run, dataset=small)
    found = checkup_of(material)
    assert found.nll is not None
    assert "given the label" in found.score
    with pytest.raises(VaelabError, match="--condition none: this model sees labels"):
        evaluate(material.model, small.test.images, labels=small.test.labels, condition="none")  # pyright: ignore
    with pytest.raises(VaelabError, match=r"codes are of images given theirs; these images have none"):
        evaluate(material.model, small.test.images)


def test_other_models_have_no_condition(tiny_run: Run) -> None:
    model = load_model(tiny_run)
    assert checked_condition(model, None) == "none"
    for condition, words in (
        ("given", "this model sees no labels"),
        ("margin", "--condition margin: expected none, given or marginal; did you mean 'marginal'"),
    ):
        with pytest.raises(VaelabError, match=words) as caught:
            checked_condition(model, condition)
        assert "\n" not in str(caught.value)
