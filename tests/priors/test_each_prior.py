"""Each prior against another library, or against what its paper says of it."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity

from priors.table import KEY, density_of, log_probs, model_of, prior_of, samples_of
from vaelab.errors import VaelabError
from vaelab.model import trainable_parts
from vaelab.naming import named_arrays
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.per_class import ClassPrior
from vaelab.priors.second_stage import SecondStageBound, quadrature_density
from vaelab.priors.vamp import VampPrior

VALUES = np.random.default_rng(0).normal(size=(20, 2)) * 2.0


def scipy_mixture(weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    parts = [
        stats.multivariate_normal(mean, covariance).logpdf(VALUES)
        for mean, covariance in zip(means, covariances, strict=True)
    ]
    return logsumexp(np.stack(parts) + np.log(weights)[:, None], axis=0)


@pytest.mark.parametrize("name", ["mixture", "full mixture"])
def test_mixture_is_scipys(name: str) -> None:
    prior = prior_of(name, 2)
    assert isinstance(prior, MixturePrior)
    scales = np.stack([np.diag(np.exp(row)) for row in np.asarray(prior.log_scales, np.float64)])
    if prior.lower is not None:
        scales = scales + np.tril(np.asarray(prior.lower, np.float64), -1)
    weights = np.exp(np.asarray(prior.logits, np.float64))
    expected = scipy_mixture(weights / weights.sum(), np.asarray(prior.means), scales @ scales.transpose(0, 2, 1))
    np.testing.assert_allclose(log_probs(density_of(name, 2), VALUES), expected, rtol=1e-4, atol=1e-4)


def test_mixture_of_numbers_is_the_mixture_of_those_numbers() -> None:
    weights, means = np.array([0.2, 0.8]), np.array([[0.0, 1.0], [-1.0, 0.5]])
    covariances = np.array([[[1.0, 0.5], [0.5, 2.0]], [[0.3, -0.1], [-0.1, 0.2]]])
    prior = MixturePrior.of(weights, means, np.linalg.cholesky(covariances))
    expected = scipy_mixture(weights, means, covariances)
    np.testing.assert_allclose(log_probs(prior.density(), VALUES), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [2, 40])
def test_an_untrained_mixture_is_spread_like_the_standard_normal(size: int) -> None:
    density = MixturePrior(size, 200, "diagonal", key=KEY).density()
    drawn = np.asarray(jax.vmap(density.sample)(jr.split(KEY, 4000)))
    np.testing.assert_allclose(drawn.var(axis=0), 1.0, atol=0.35)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.0, atol=0.35)


def test_kernel_density_is_scikit_learns() -> None:
    prior = prior_of("kernel", 2)
    bandwidth = np.asarray(prior.bandwidth, np.float64)
    peer = KernelDensity(bandwidth=1.0, rtol=1e-8).fit(np.asarray(prior.points, np.float64) / bandwidth)
    expected = peer.score_samples(VALUES / bandwidth) - np.log(bandwidth).sum()
    np.testing.assert_allclose(log_probs(density_of("kernel", 2), VALUES), expected, rtol=1e-4, atol=1e-3)


# --- VampPrior ------------------------------------------------------------------------------------------------------


def test_vamp_is_the_even_mixture_of_the_posteriors_of_its_pseudo_inputs() -> None:
    prior, model = prior_of("vamp", 2), model_of(2)
    assert isinstance(prior, VampPrior)
    seen = np.clip(np.asarray(prior.pseudo_inputs), 0.0, 1.0)
    assert (seen != np.asarray(prior.pseudo_inputs)).any()
    posteriors = [model.posterior(jnp.asarray(image)) for image in seen]
    expected = scipy_mixture(
        np.full(5, 0.2),
        np.stack([posterior.mean for posterior in posteriors]),
        np.stack([np.diag(np.exp(np.asarray(posterior.log_variance, np.float64))) for posterior in posteriors]),
    )
    np.testing.assert_allclose(log_probs(density_of("vamp", 2), VALUES), expected, rtol=1e-4, atol=1e-4)


def test_vamp_gradient_reaches_the_one_encoder() -> None:
    prior = prior_of("vamp", 2)
    model = eqx.tree_at(lambda model: model.prior, model_of(2), prior)
    z = jnp.array([0.5, -0.5])
    gradient = eqx.filter_grad(lambda model: model.prior_density().log_prob(z))(model)
    for name, array in named_arrays(gradient.encoder).items():
        assert np.abs(array).max() > 0.0, name
    assert set(named_arrays(prior)) == {"pseudo_inputs", "bounds"}


def test_vamp_begins_as_the_paper_says_or_as_training_images() -> None:
    random = VampPrior(2, 400, (4, 4), key=KEY)
    assert float(random.pseudo_inputs.mean()) == pytest.approx(0.05, abs=1e-3)
    assert float(random.pseudo_inputs.std()) == pytest.approx(0.01, abs=1e-3)
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 4), np.uint8)
    from_data = VampPrior(2, 7, (4, 4), "data", key=KEY).started_from(images, None, key=KEY)
    levels = (np.asarray(from_data.images) - 0.01) / 0.98 * 255
    rows = {tuple(image.ravel()) for image in images}
    chosen = {tuple(np.round(image).astype(int).ravel()) for image in levels}
    assert len(chosen) == 7
    assert chosen <= rows
    with pytest.raises(VaelabError, match="more than the 30 training images"):
        VampPrior(2, 31, (4, 4), "data", key=KEY).started_from(images, None, key=KEY)


# --- labels ---------------------------------------------------------------------------------------------------------


def test_class_prior_knows_its_labels_and_mixes_by_frequency() -> None:
    prior = prior_of("class", 2)
    assert isinstance(prior, ClassPrior)
    assert prior.labels == (0, 1, 3)
    density = prior.density()
    shares = np.array([2, 1, 3]) / 6
    covariances = np.stack([np.diag(row) for row in np.exp(np.asarray(prior.log_variances, np.float64))])
    each = np.array([0, 1, 3])
    expected = scipy_mixture(shares, np.asarray(prior.means)[each], covariances[each])
    np.testing.assert_allclose(log_probs(density, VALUES), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(log_probs(density.given(None), VALUES), expected, rtol=1e-4, atol=1e-4)
    own = stats.multivariate_normal(prior.means[3], covariances[3]).logpdf(VALUES)
    np.testing.assert_allclose(log_probs(density.given(jnp.asarray(3)), VALUES), own, rtol=1e-4, atol=1e-4)


def test_class_prior_refuses_what_it_cannot_count() -> None:
    blank = ClassPrior(2, 3, key=KEY)
    images = np.zeros((4, 4, 4), np.uint8)
    with pytest.raises(VaelabError, match="needs labels, and these data have none"):
        blank.started_from(images, None, key=KEY)
    with pytest.raises(VaelabError, match="has 3 classes; found the label 3"):
        blank.started_from(images, np.array([0, 1, 2, 3]), key=KEY)


def test_by_class_gives_each_label_its_own_density() -> None:
    prior = prior_of("by class", 2)
    assert prior.labels == (0, 2)
    density = prior.density()
    for label, name in ((0, "mixture"), (2, "kernel")):
        own = log_probs(density_of(name, 2), VALUES)
        np.testing.assert_allclose(log_probs(density.given(jnp.asarray(label)), VALUES), own, rtol=1e-5)
        drawn = np.asarray(jax.vmap(density.given(jnp.asarray(label)).sample)(jr.split(jr.key(11), 4000)))
        np.testing.assert_allclose(drawn, samples_of(name, 2), rtol=1e-5, atol=1e-6)


# --- second stage ---------------------------------------------------------------------------------------------------


def test_second_stage_bound_lies_below_its_quadrature() -> None:
    prior = prior_of("second stage", 2)
    values = samples_of("second stage", 2)[:500]
    exact = log_probs(quadrature_density(prior, 60), values)
    np.testing.assert_allclose(log_probs(quadrature_density(prior, 90), values), exact, atol=1e-3)
    gap = exact - log_probs(SecondStageBound(prior), values)
    assert gap.mean() > -3 * gap.std() / np.sqrt(len(gap))
    assert 0.0 < gap.mean() + 3 * gap.std() / np.sqrt(len(gap)) < 2.0
    assert prior_of("second stage", 5).scoring == "bound"


# --- what training may move -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fixed"),
    [
        ("mixture", set()),
        ("vamp", {"bounds"}),
        ("class", {"log_frequencies"}),
        ("coupling flow", {"centre", "log_spread"}),
        ("second stage", {"centre", "spread"}),
    ],
)
def test_trainable_names_all_but_what_is_fixed(name: str, fixed: set[str]) -> None:
    prior = prior_of(name, 2)
    model = eqx.tree_at(lambda model: model.prior, model_of(2), prior)
    moved, kept = eqx.partition(model, trainable_parts(model))
    assert set(named_arrays(kept.prior)) == fixed
    assert set(named_arrays(moved.prior)) | fixed == set(named_arrays(prior))
