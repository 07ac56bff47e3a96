"""Fits to draws of a density that is known, and to the latents of a small run."""

import dataclasses

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from vaelab.data import Dataset
from vaelab.densities import DiagonalNormal, Mixture, sample_many
from vaelab.errors import VaelabError
from vaelab.fitting import default_name, fit_prior, kinds
from vaelab.fitting.draws import posterior_draws
from vaelab.fitting.flow import fit_flow
from vaelab.fitting.kernel_density import fit_kernel_density
from vaelab.fitting.mixture import fit_mixture
from vaelab.fitting.parts import Draws, chosen_images, log_probs
from vaelab.fitting.second_stage import fit_second_stage
from vaelab.model_file import load_model
from vaelab.priors.by_class import ByClassPrior
from vaelab.priors.flow import FlowArchitecture
from vaelab.runs import Run

SEPARATE = Mixture(
    jnp.log(jnp.array([0.3, 0.7])),
    DiagonalNormal(jnp.array([[-2.0, 0.0], [2.0, 1.0]]), jnp.array([[-1.0, 0.0], [0.0, -2.0]])),
)

SMALL_FLOW = FlowArchitecture(6, "coupling", layers=2, width=16, knots=6)


@pytest.fixture(scope="module")
def draws() -> Draws:
    values = np.asarray(sample_many(SEPARATE, jr.key(0), 3000))
    return Draws(values[:2000], values[2000:])


@pytest.fixture(scope="module")
def best(draws: Draws) -> float:
    """What no density can beat by more than chance: the truth's own held-out log-likelihood."""
    return float(log_probs(SEPARATE, draws.held_out).mean())


@pytest.fixture(scope="module")
def single(draws: Draws) -> float:
    return float(log_probs(fit_mixture(draws, components=1).prior.density(), draws.held_out).mean())


def test_a_mixture_finds_the_number_of_modes(draws: Draws, best: float) -> None:
    fit = fit_mixture(draws)
    assert fit.words == "a mixture of 2 Gaussians"
    scores = dict(fit.tried)
    assert scores["2"] == pytest.approx(best, abs=0.02)
    assert scores["2"] > scores["1"] + 0.3
    assert log_probs(fit.prior.density(), draws.held_out).mean() == pytest.approx(scores["2"], abs=2e-3)


def test_a_kernel_density_comes_near(draws: Draws, best: float, single: float) -> None:
    fit = fit_kernel_density(draws)
    score = log_probs(fit.prior.density(), draws.held_out).mean()
    assert single + 0.2 < score < best
    assert score == pytest.approx(max(value for _, value in fit.tried), abs=0.05)
    assert len(fit.tried) > 2  # Scott's own width is too wide here, and the best was looked for beyond it


@pytest.mark.slow
def test_a_flow_beats_the_single_gaussian(draws: Draws, best: float, single: float) -> None:
    fit = fit_flow(draws, architecture=FlowArchitecture(2, "coupling", layers=3, width=16, knots=6), rounds=40)
    score = log_probs(fit.prior.density(), draws.held_out).mean()
    assert single + 0.2 < score < best + 0.02


def test_fresh_draws_are_not_learnt_by_heart() -> None:
    """A hundred draws of six dimensions are soon known by heart; of as many fresh ones a round there is ever more to learn."""
    generator = np.random.default_rng(0)
    mixing = generator.normal(size=(6, 6)).astype(np.float32)

    def draw(key: jax.Array, count: int = 100) -> np.ndarray:
        return np.asarray(jr.normal(key, (count, 6)) @ mixing)

    fixed = Draws(draw(jr.key(0)), draw(jr.key(1), 1000))
    scores = [
        log_probs(fit_flow(draws, architecture=SMALL_FLOW, rounds=30).prior.density(), fixed.held_out).mean()
        for draws in (fixed, dataclasses.replace(fixed, fresh=draw))
    ]
    assert scores[1] > scores[0] + 0.2


def test_fresh_draws_are_made_where_a_network_would_know_them_by_heart(
    tiny_run: Run, few_digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Draws] = []
    monkeypatch.setattr(
        "vaelab.fitting.fit._fit_one", lambda draws, *_: seen.append(draws) or fit_mixture(draws, components=1)
    )
    model, images = load_model(tiny_run), few_digits.train.images
    fit_prior(model, images, "flow")
    assert seen[0].fresh is None
    monkeypatch.setattr("vaelab.fitting.fit.LEARNT_BY_HEART", 1)
    fit_prior(model, images, "flow")
    assert seen[1].fresh is not None
    first, second = (seen[1].fresh(jr.key(number)) for number in (0, 1))
    assert first.shape == second.shape == (len(images) - len(seen[1].held_out), 2)
    assert not np.allclose(first, second)


@pytest.mark.slow
def test_a_second_stage_beats_the_single_gaussian(draws: Draws, best: float, single: float) -> None:
    fit = fit_second_stage(draws, width=32, rounds=40)
    score = log_probs(fit.prior.density(), draws.held_out).mean()
    assert single + 0.1 < score < best + 0.02
    # its ELBO is a bound on what the quadrature finds; one draw of u for each of 1,000 z leaves it noise
    assert fit.tried[0][1] < score + 0.06
    assert "quadrature" in fit.notes[0]


def test_the_held_out_images_are_others() -> None:
    fitted, held_out = chosen_images(1000, np.random.default_rng(0))
    assert len(held_out) == 200
    assert not set(fitted) & set(held_out)
    assert len(set(fitted) | set(held_out)) == 1000


def test_draws_are_draws_of_the_posterior_and_never_its_mean(tiny_run: Run, few_digits: Dataset) -> None:
    model = load_model(tiny_run)
    images = np.repeat(few_digits.train.images[:1], 2000, axis=0)
    drawn = posterior_draws(model, images, "grey", key=jr.key(1))
    posterior = model.posterior(jnp.asarray(images[0], jnp.float32) / 255)
    np.testing.assert_allclose(drawn.std(axis=0), posterior.standard_deviation, rtol=0.1)
    error = np.asarray(posterior.standard_deviation) / np.sqrt(2000)
    np.testing.assert_array_less(np.abs(drawn.mean(axis=0) - posterior.mean), 4 * error)
    # dynamic pixels widen them: every draw sees another binarisation
    assert (posterior_draws(model, images, "dynamic", key=jr.key(1)).std(axis=0) > drawn.std(axis=0) * 0.99).all()


def test_a_fitted_mixture_beats_the_normal_prior_on_held_out_draws(tiny_run: Run, few_digits: Dataset) -> None:
    model = load_model(tiny_run)
    fitted = fit_prior(model, few_digits.train.images, "mixture", seed=1)
    assert fitted.images + fitted.held_out_images == len(few_digits.train)
    assert fitted.gain == pytest.approx(fitted.held_out - fitted.normal, abs=1e-6)
    assert fitted.gain > 3 * fitted.gain_standard_error
    again = fit_prior(model, few_digits.train.images, "mixture", seed=1)
    assert dataclasses.replace(again, prior=fitted.prior, seconds=0.0) == dataclasses.replace(fitted, seconds=0.0)


def test_by_class_tells_the_classes_apart(tiny_autoencoder_run: Run, few_digits: Dataset) -> None:
    model = load_model(tiny_autoencoder_run)
    images, labels = few_digits.train.images, few_digits.train.labels
    assert labels is not None
    some = np.isin(labels, (0, 1, 4))
    fitted = fit_prior(model, images[some], "mixture", labels=labels[some], by_class=True, components=1)
    assert isinstance(fitted.prior, ByClassPrior)
    assert fitted.prior.labels == (0, 1, 4)
    density = fitted.prior.density()
    codes = posterior_draws(model, images[some], "grey", key=jr.key(0))
    each = np.stack([log_probs(density.given(jnp.asarray(label)), codes) for label in (0, 1, 4)])
    guessed = np.array([0, 1, 4])[each.argmax(axis=0)]
    assert (guessed == labels[some]).mean() > 0.6  # by chance: a third
    shares = np.array([(labels[some] == label).mean() for label in (0, 1, 4)])
    mixed = jax.scipy.special.logsumexp(jnp.asarray(each + np.log(shares)[:, None]), axis=0)
    np.testing.assert_allclose(log_probs(density, codes), mixed, rtol=1e-4, atol=1e-4)


def test_what_cannot_be_fitted_is_refused(tiny_run: Run, few_digits: Dataset) -> None:
    model, images = load_model(tiny_run), few_digits.train.images[:40]
    with pytest.raises(VaelabError, match="unknown kind of prior 'mixtur'; did you mean 'mixture'"):
        fit_prior(model, images, "mixtur")
    with pytest.raises(VaelabError, match="needs 50 images at least; found 40"):
        fit_prior(model, images, "mixture", components=50)
    with pytest.raises(VaelabError, match="expected from 1 to the 32 images"):
        fit_prior(model, images, "mixture", components=35)
    with pytest.raises(VaelabError, match="needs labels, and these data have none"):
        fit_prior(model, images, "mixture", by_class=True)
    with pytest.raises(VaelabError, match="a kde prior has none"):
        fit_prior(model, images, "kde", components=3)
    with pytest.raises(VaelabError, match="label 0 has"):
        fit_prior(model, images, "mixture", labels=few_digits.train.labels[:40], by_class=True)


def test_a_bound_says_so_in_its_name() -> None:
    assert default_name("second-stage", by_class=False, latent_dim=2) == "second-stage"
    assert default_name("second-stage", by_class=False, latent_dim=3) == "second-stage-bound"
    assert default_name("mixture", by_class=True, latent_dim=3) == "mixture-by-class"
    assert sorted(kinds()) == ["autoregressive", "flow", "kde", "mixture", "second-stage"]
