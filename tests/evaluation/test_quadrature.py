"""Exact likelihoods against closed forms, and against themselves on finer grids."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from evaluation.models import folded_gaussian, images_of, linear_gaussian, model_of
from vaelab.densities import DiagonalNormal, FullNormal, Mixture, standard_normal
from vaelab.errors import VaelabError
from vaelab.evaluation.latent_box import latent_box
from vaelab.evaluation.pixel_forms import GeneralForm, pixel_form
from vaelab.evaluation.quadrature import exact_log_probs
from vaelab.evaluation.true_posterior import true_posteriors


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_probabilistic_pca_has_its_marginal(latent_dim: int) -> None:
    model, marginal = linear_gaussian(latent_dim)
    images = marginal.rvs(300, random_state=0).astype(np.float32)
    exact = exact_log_probs(model, standard_normal(latent_dim), images)
    np.testing.assert_allclose(exact.log_prob, marginal.logpdf(images), atol=2e-3)
    assert exact.error.max() < 0.02
    # the encoder is the exact posterior, so the bound is tight
    np.testing.assert_allclose(exact.elbo, exact.log_prob, atol=5e-3)
    np.testing.assert_allclose(exact.prior_mass, 1.0, atol=1e-4)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_gap_of_a_widened_encoder_is_its_divergence(latent_dim: int) -> None:
    widened = 1.5
    model, marginal = linear_gaussian(latent_dim, widened=widened)
    images = marginal.rvs(50, random_state=1).astype(np.float32)
    exact = exact_log_probs(model, standard_normal(latent_dim), images)
    # KL(N(m, (w s)^2) || N(m, s^2)) = w^2 / 2 - 1 / 2 - log w, for each dimension
    expected = latent_dim * (widened**2 / 2 - 0.5 - np.log(widened))
    np.testing.assert_allclose(exact.inference_gap, expected, atol=5e-3)


def test_any_gaussian_prior_has_its_marginal() -> None:
    """With N(m, S) as the prior the marginal is N(b + W^T m, W^T S W + s^2 I)."""
    from scipy.stats import multivariate_normal

    model, marginal = linear_gaussian(2)
    weight = np.asarray(model.decoder.heads["mean"].weight, np.float64)
    factor = np.array([[0.6, 0.0], [0.5, 0.3]])
    mean = np.array([1.0, -2.0])
    prior = FullNormal(jnp.asarray(mean, jnp.float32), jnp.asarray(factor, jnp.float32))
    covariance = marginal.cov_object.covariance - weight.T @ weight + weight.T @ factor @ factor.T @ weight
    expected = multivariate_normal(marginal.mean + mean @ weight, covariance)
    images = expected.rvs(100, random_state=2).astype(np.float32)
    exact = exact_log_probs(model, prior, images)
    np.testing.assert_allclose(exact.log_prob, expected.logpdf(images), atol=5e-3)


def test_a_mixture_prior_is_the_mixture_of_its_parts() -> None:
    model = model_of(2)
    images = images_of(model, 40)
    parts = [DiagonalNormal(jnp.array(mean), jnp.full(2, -1.0)) for mean in ([-1.0, 0.5], [2.0, 1.0])]
    both = Mixture(jnp.log(jnp.array([0.3, 0.7])), jax.tree.map(lambda *leaves: jnp.stack(leaves), *parts))
    first, second = (exact_log_probs(model, part, images).log_prob for part in parts)
    expected = np.logaddexp(np.log(0.3) + first, np.log(0.7) + second)
    np.testing.assert_allclose(exact_log_probs(model, both, images).log_prob, expected, atol=2e-3)


def test_narrow_posteriors_get_finer_grids() -> None:
    """Among wide posteriors one that is forty times narrower still comes out right."""
    model, marginal = linear_gaussian(1)
    images = marginal.rvs(20, random_state=3).astype(np.float32)
    exact = exact_log_probs(model, DiagonalNormal(jnp.zeros(1), jnp.full(1, 2.0 * np.log(30.0))), images)
    # a prior so wide makes the box wide, and the first lattice coarse
    assert exact.settled.all()
    from scipy.stats import multivariate_normal

    weight = np.asarray(model.decoder.heads["mean"].weight, np.float64)
    covariance = marginal.cov_object.covariance + (30.0**2 - 1.0) * weight.T @ weight
    np.testing.assert_allclose(exact.log_prob, multivariate_normal(marginal.mean, covariance).logpdf(images), atol=2e-3)


def test_a_far_component_of_the_prior_costs_no_precision() -> None:
    """A box fifty times as wide as the posteriors takes many halvings, each on the few tiles that matter."""
    from scipy.stats import multivariate_normal

    model, marginal = linear_gaussian(2)
    weight = np.asarray(model.decoder.heads["mean"].weight, np.float64)
    means, variances = np.array([[0.0, 0.0], [60.0, -40.0]]), (1.0, 9.0)
    parts = [
        DiagonalNormal(jnp.asarray(mean), jnp.full(2, np.log(v))) for mean, v in zip(means, variances, strict=True)
    ]
    prior = Mixture(jnp.log(jnp.array([0.9, 0.1])), jax.tree.map(lambda *leaves: jnp.stack(leaves), *parts))
    covariance = marginal.cov_object.covariance
    marginals = [
        multivariate_normal(marginal.mean + mean @ weight, covariance + (variance - 1.0) * weight.T @ weight)
        for mean, variance in zip(means, variances, strict=True)
    ]
    images = np.concatenate([part.rvs(20, random_state=4) for part in marginals]).astype(np.float32)
    exact = exact_log_probs(model, prior, images)
    expected = np.logaddexp(*(np.log(w) + part.logpdf(images) for w, part in zip((0.9, 0.1), marginals, strict=True)))
    assert exact.settled.all()
    np.testing.assert_allclose(exact.log_prob, expected, atol=5e-3)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize(
    ("scale", "widened", "shifted"),
    [(1e-3, 1e3, 0.0), (1e-3, 1e-2, 0.0), (1e-3, 1.0, 0.7), (0.5, 1e-4, 0.0), (0.5, 1e-4, -1.0), (0.02, 30.0, 0.3)],
    ids=[
        "narrow under wide",
        "narrow in narrow",
        "narrow and missed",
        "wide under narrow",
        "wide and missed",
        "between",
    ],
)
def test_neither_integral_depends_on_the_other(latent_dim: int, scale: float, widened: float, shifted: float) -> None:
    """p(z|x) is found however narrow or wrong q(z|x) is, and the bound is exact however wide p(z|x) is."""
    model, marginal = linear_gaussian(latent_dim, scale=scale, widened=widened, shifted=shifted)
    images = marginal.rvs(12, random_state=5).astype(np.float32)
    exact = exact_log_probs(model, standard_normal(latent_dim), images)
    assert exact.settled.all()
    # pixels in single precision are off by 6e-8, which a scale of 1e-3 makes 1e-3 nats of
    np.testing.assert_allclose(exact.log_prob, marginal.logpdf(images), atol=2e-2 if scale < 0.01 else 5e-3)
    weight = np.asarray(model.decoder.heads["mean"].weight, np.float64)
    precision = 1.0 + (weight**2).sum(axis=1) / scale**2
    # KL(N(m + a, (w s)^2) || N(m, s^2)), for each dimension
    gap = np.sum(0.5 * (widened**2 + shifted**2 * precision - 1.0) - np.log(widened))
    np.testing.assert_allclose(exact.inference_gap, gap, rtol=1e-4, atol=2e-2 if scale < 0.01 else 5e-3)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("scale", [0.3, 3e-3])
def test_every_mode_is_found(latent_dim: int, scale: float) -> None:
    """The encoder knows one of two modes, or of four; each holds its part of p(x)."""
    from scipy.stats import norm

    model, marginal = folded_gaussian(latent_dim, scale=scale)
    generator = np.random.default_rng(0)
    weight = np.asarray(model.decoder.heads["mean"].weight[:latent_dim], np.float64)
    # modes farther apart than the points of the first lattice: nearer ones are told apart beside its highest point alone
    z = 0.2 + np.abs(generator.normal(size=(10, latent_dim)))
    images = z @ weight + marginal.mean + scale * generator.normal(size=(10, len(marginal.mean)))
    exact = exact_log_probs(model, standard_normal(latent_dim), images.astype(np.float32))
    variance = 1.0 / (1.0 + (weight**2).sum(axis=1) / scale**2)
    mean = (images - marginal.mean) @ weight.T / scale**2 * variance
    expected = marginal.logpdf(images) + np.log(2.0 * norm.cdf(mean / np.sqrt(variance))).sum(axis=1)
    assert exact.settled.all()
    np.testing.assert_allclose(exact.log_prob, expected, atol=1e-2)


def test_a_peak_midway_between_two_points_is_not_taken_for_settled() -> None:
    """There the two lattices of twice the spacing are mirror images, and agree however coarse they are."""
    model, marginal = linear_gaussian(1)
    images = marginal.rvs(300, random_state=0).astype(np.float32)
    exact = exact_log_probs(model, standard_normal(1), images)
    assert np.abs(exact.log_prob - marginal.logpdf(images)).max() < 2e-3


def test_an_encoder_of_no_width_has_a_bound() -> None:
    """As beta = 0 leaves them: the expectations are the values at the mean, less the entropy of a spike."""
    model = model_of(2, log_variance=-40.0)
    images = images_of(model, 6)
    exact = exact_log_probs(model, standard_normal(2), images)
    posterior = jax.vmap(model.posterior)(jnp.asarray(images))
    at_mean = jax.vmap(lambda z, image: model.likelihood(z).log_prob(image))(posterior.mean, jnp.asarray(images))
    np.testing.assert_allclose(exact.reconstruction, at_mean, atol=1e-4)
    assert np.isfinite(exact.elbo).all()
    assert (exact.elbo < exact.log_prob - 10.0).all()


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli", "gaussian"])
@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("strength", [0.5, 3.0, 30.0])
def test_the_bound_is_a_bound(likelihood: str, latent_dim: int, strength: float) -> None:
    model = model_of(latent_dim, likelihood, strength=strength)
    exact = exact_log_probs(model, standard_normal(latent_dim), images_of(model, 20))
    assert (exact.elbo <= exact.log_prob + exact.error + exact.elbo_error).all()


def test_what_cannot_be_settled_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost is bounded: a lattice that may not grow says how much it may have cut off."""
    from vaelab.evaluation import own_lattice, shared_lattice

    monkeypatch.setattr(shared_lattice, "LAST_LEVEL", 0)
    monkeypatch.setattr(shared_lattice, "FIRST_POINTS", (8, 8))
    monkeypatch.setattr(own_lattice, "MOST_TILES", (1, 1))
    monkeypatch.setattr(own_lattice, "SPACING", 0.1)
    model, marginal = linear_gaussian(2, scale=0.05)
    images = marginal.rvs(5, random_state=0).astype(np.float32)
    exact = exact_log_probs(model, standard_normal(2), images)
    assert not exact.settled.any()
    assert (np.abs(exact.log_prob - marginal.logpdf(images)) < 2.0 * exact.error).all()


@pytest.mark.parametrize("likelihood", ["bernoulli", "continuous-bernoulli", "gaussian"])
def test_the_quick_form_of_a_likelihood_is_the_likelihood(likelihood: str) -> None:
    model = model_of(2, likelihood)
    images = np.random.default_rng(0).random((7, 4, 4)).astype(np.float32)
    z = jr.normal(jr.key(0), (5, 2))
    expected = jax.vmap(lambda image: jax.vmap(lambda z: model.likelihood(z).log_prob(image))(z))(jnp.asarray(images))
    quick = pixel_form(model, z).log_probs(jnp.asarray(images))
    general = GeneralForm(jax.vmap(model.likelihood)(z)).log_probs(jnp.asarray(images))
    np.testing.assert_allclose(quick, expected, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(general, expected, rtol=1e-5, atol=1e-4)


def test_subsets_have_the_same_scores() -> None:
    model = model_of(2)
    images = images_of(model, 30)
    whole = exact_log_probs(model, standard_normal(2), images).log_prob
    part = exact_log_probs(model, standard_normal(2), images[:4]).log_prob
    # another box, another grid: the same integral, to the tolerance
    np.testing.assert_allclose(part, whole[:4], atol=0.02)


def test_box_holds_the_prior_and_the_posteriors() -> None:
    from scipy.stats import norm

    low, high = latent_box(standard_normal(2), np.array([[7.0, 0.0]]), np.zeros((1, 2)))
    assert high[0] == pytest.approx(13.0)
    outside = 1.0 - np.prod(norm.cdf(high) - norm.cdf(low))
    assert outside < 1e-6


def test_true_posterior_integrates_to_one_and_gives_the_gap() -> None:
    model = model_of(2)
    for posterior in true_posteriors(model, standard_normal(2), images_of(model, 3)):
        assert posterior.mass == pytest.approx(1.0, abs=0.01)
        cell = np.prod([axis[1] - axis[0] for axis in posterior.axes])
        gap = (np.exp(posterior.log_encoder) * (posterior.log_encoder - posterior.log_density)).sum() * cell
        assert gap == pytest.approx(posterior.inference_gap, abs=0.02)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_a_narrow_true_posterior_is_found(latent_dim: int) -> None:
    model, marginal = linear_gaussian(latent_dim, scale=1e-3, shifted=1e-3)
    for posterior in true_posteriors(
        model, standard_normal(latent_dim), marginal.rvs(3, random_state=0).astype(np.float32)
    ):
        assert posterior.mass == pytest.approx(1.0, abs=0.01)


def test_refused_in_three_dimensions() -> None:
    model = model_of(3)
    with pytest.raises(VaelabError, match=r"one or two dimensions; this one has 3.*importance sampling"):
        exact_log_probs(model, standard_normal(3), images_of(model, 2))


def test_refused_for_other_images() -> None:
    model = model_of(2)
    with pytest.raises(VaelabError, match=r"shape \(8, 8\); this model takes \(4, 4\)"):
        exact_log_probs(model, standard_normal(2), np.zeros((3, 8, 8), np.float32))
    with pytest.raises(VaelabError, match=r"in \[0, 1\].*found values from -3 to 7.5"):
        exact_log_probs(model, standard_normal(2), np.linspace(-3.0, 7.5, 32, dtype=np.float32).reshape(2, 4, 4))
    with pytest.raises(VaelabError, match="NaN or infinity in 1 of 2"):
        exact_log_probs(
            model, standard_normal(2), np.stack([np.zeros((4, 4)), np.full((4, 4), np.nan)]).astype(np.float32)
        )
    with pytest.raises(VaelabError, match="at least one"):
        exact_log_probs(model, standard_normal(2), np.zeros((0, 4, 4), np.float32))
