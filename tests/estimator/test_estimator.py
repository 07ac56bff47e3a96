"""The estimator: scikit-learn's rules, and the answers of the model underneath."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler

import vaelab
from vaelab import VAE
from vaelab.errors import VaelabError


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """300 of scikit-learn's digits, (300, 8, 8) in [0, 1], and their labels."""
    images, labels = load_digits(return_X_y=True)
    return (images[:300] / 16).reshape(-1, 8, 8), labels[:300]


SMALL = {"hidden": (16,), "epochs": 3, "batch_size": 50, "random_state": 0}


@pytest.fixture(scope="module")
def fitted(digits) -> VAE:
    return VAE(**SMALL).fit(digits[0])


def test_history_is_shaped_as_keras_does(digits):
    images, _ = digits
    vae = VAE(**SMALL).fit(images[:200], X_val=images[200:])
    assert set(vae.history_) >= {"epoch", "loss", "reconstruction", "kl", "val_loss", "val_reconstruction", "val_kl"}
    assert vae.n_iter_ == 3 == len(vae.history_["loss"])
    assert vae.history_["loss"][-1] < vae.history_["loss"][0]


def test_transform_is_the_posterior_mean_at_every_call(fitted: VAE, digits):
    images, _ = digits
    means, deviations = fitted.posterior_of(images)
    np.testing.assert_array_equal(fitted.transform(images), means)
    np.testing.assert_array_equal(fitted.transform(images), fitted.transform(images))
    assert means.shape == deviations.shape == (300, 2)
    assert (deviations > 0).all()


KINDS = {
    "features": lambda images: images.reshape(len(images), -1),
    "grey": lambda images: images,
    "colour": lambda images: np.stack([images] * 3, axis=-1),
    "bytes": lambda images: np.round(images * 255).astype(np.uint8),
    "single precision": lambda images: images.astype(np.float32),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_comes_back_is_of_the_kind_that_went_in(kind: str, digits):
    images = KINDS[kind](digits[0])
    vae = VAE(**SMALL | {"epochs": 1}).fit(images)
    for made in (vae.sample(4, random_state=0), vae.reconstruct(images[:4]), vae.inverse_transform(np.zeros((4, 2)))):
        assert made.shape == images[:4].shape
        assert (made.dtype == np.uint8) == (images.dtype == np.uint8)
        assert made.min() >= 0
        assert made.max() <= (255 if images.dtype == np.uint8 else 1.0)


def test_the_parts_of_the_elbo_add_up_and_bound_the_score(fitted: VAE, digits):
    images, _ = digits
    parts = fitted.elbo(images)
    np.testing.assert_allclose(parts.elbo, -(parts.reconstruction + parts.kl), rtol=1e-5)
    np.testing.assert_allclose(parts.kl, parts.kl_per_dimension.sum(axis=1), rtol=1e-4)
    scores = fitted.score_samples(images, importance_samples=500)
    assert scores.shape == (300,)
    assert scores.mean() > parts.elbo.mean()
    assert fitted.score(images) == pytest.approx(fitted.score_samples(images).mean())


def test_a_subset_of_rows_gets_the_same_scores(fitted: VAE, digits):
    images, _ = digits
    np.testing.assert_allclose(fitted.score_samples(images)[5:9], fitted.score_samples(images[5:9]), rtol=1e-6)


def test_scores_rank_digits_above_noise(fitted: VAE, digits, generator: np.random.Generator):
    noise = generator.random((50, 8, 8))
    assert np.median(fitted.score_samples(digits[0])) > np.quantile(fitted.score_samples(noise), 0.95)


def test_it_works_in_a_pipeline_and_a_grid_search(digits):
    images, labels = digits
    flat = images.reshape(300, -1) * 16
    pipeline = make_pipeline(MinMaxScaler(clip=True), VAE(**SMALL), LogisticRegression())
    assert pipeline.fit(flat, labels).score(flat, labels) > 0.2
    search = GridSearchCV(VAE(**SMALL), {"latent_dim": [1, 2]}, cv=2).fit(images)
    assert search.best_params_["latent_dim"] in (1, 2)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_scaler_fitted_on_other_rows_is_told_to_clip(digits):
    """The folds of a cross-validation reach beyond the range of those fitted, and every score was NaN."""
    images, labels = digits
    flat = images.reshape(300, -1)
    flat = np.where(np.arange(300)[:, None] < 150, 0.75 * flat, flat)
    search = GridSearchCV(
        Pipeline([("scale", MinMaxScaler()), ("vae", VAE(**SMALL)), ("tell", LogisticRegression())]),
        {"vae__latent_dim": [1, 2]},
        cv=KFold(2),
        error_score="raise",
    )
    with pytest.raises(VaelabError, match=r"X must lie in \[0, 1\] .*MinMaxScaler\(clip=True\)") as caught:
        search.fit(flat, labels)
    assert "\n" not in str(caught.value)
    search.set_params(estimator__scale__clip=True).fit(flat, labels)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_floats_a_little_outside_are_told_so_wherever_they_come_in(fitted: VAE, digits):
    images = digits[0] * 1.33
    for act in (fitted.transform, fitted.score, fitted.elbo, fitted.evaluate, lambda X: fitted.plot("latent", X)):
        with pytest.raises(VaelabError, match=r"MinMaxScaler\(clip=True\)"):
            act(images)
    with pytest.raises(VaelabError, match=r"X_val must lie .*MinMaxScaler\(clip=True\)"):
        VAE(**SMALL).fit(digits[0], X_val=images)
    with pytest.raises(VaelabError) as caught:
        fitted.transform(digits[0] * 5)  # of another scale
    assert "clip" not in str(caught.value)


def test_saved_and_loaded_it_answers_the_same(fitted: VAE, digits, tmp_path):
    images, _ = digits
    folder = fitted.save(tmp_path / "run")
    loaded = vaelab.load(folder)
    np.testing.assert_array_equal(loaded.transform(images), fitted.transform(images))
    np.testing.assert_array_equal(loaded.sample(3, random_state=1), fitted.sample(3, random_state=1))
    assert loaded.history_ == fitted.history_
    assert loaded.get_params()["hidden"] == (16,)
    with pytest.raises(VaelabError, match="exists already"):
        fitted.save(folder)


def test_a_loaded_run_of_the_command_line_is_an_estimator(tiny_run, few_digits):
    vae = vaelab.load(tiny_run.folder)
    assert vae.transform(few_digits.test.images).shape == (200, 2)
    assert vae.sample(2).dtype == np.uint8
    assert vae.n_iter_ == 2


def test_get_feature_names_out(fitted: VAE):
    assert list(fitted.get_feature_names_out()) == ["vae0", "vae1"]


def test_the_random_state_decides_everything(digits):
    images, _ = digits
    first, again = (VAE(**SMALL | {"epochs": 1}).fit(images) for _ in range(2))
    np.testing.assert_array_equal(first.transform(images), again.transform(images))


BAD = {
    "Keras's habit": (lambda vae, images: vae.fit(images, images), "takes its images once"),
    "a copy of it": (lambda vae, images: vae.fit(images, images.copy()), "takes its images once"),
    "another range": (lambda vae, images: vae.fit(images * 16), r"must lie in \[0, 1\] for a bernoulli likelihood"),
    "NaN": (lambda vae, images: vae.fit(np.where(images > 0.9, np.nan, images)), "NaN"),
    "another shape": (lambda vae, images: vae.fit(images).transform(images[:, :, :4]), "was fitted on"),
    "latents of another size": (lambda vae, images: vae.fit(images).inverse_transform(np.zeros((2, 3))), r"\(n, 2\)"),
    "latent_dim 0": (lambda vae, images: vae.set_params(latent_dim=0).fit(images), "model.latent_dim"),
    "an unknown prior": (lambda vae, images: vae.set_params(prior="norml").fit(images), "model.prior"),
    "labels that a prior does not know": (lambda vae, images: vae.fit(images).sample(2, y=3), "label"),
    "a setting that is none": (
        lambda vae, images: vae.set_params(settings={"training.averging": 0.9}).fit(images),
        "averaging",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_clear_line(name: str, digits):
    act, words = BAD[name]
    with pytest.raises(ValueError, match=words) as caught:
        act(VAE(**SMALL | {"epochs": 1}), digits[0])
    assert name == "NaN" or "\n" not in str(caught.value)


def test_an_autoencoder_says_what_it_lacks(digits):
    images, _ = digits
    autoencoder = VAE(**SMALL | {"epochs": 1}, deterministic=True).fit(images)
    assert autoencoder.reconstruct(images).shape == images.shape
    for question in (
        lambda: autoencoder.sample(2),
        lambda: autoencoder.score_samples(images),
        lambda: autoencoder.elbo(images),
    ):
        with pytest.raises(VaelabError, match="autoencoder"):
            question()


def test_a_class_prior_generates_by_label(digits):
    images, labels = digits
    vae = VAE(**SMALL | {"epochs": 1}, prior="class").fit(images, labels + 100)
    assert vae.sample(3, y=103).shape == (3, 8, 8)
    with pytest.raises(VaelabError, match="not among those fitted"):
        vae.sample(3, y=3)
    with pytest.raises(VaelabError, match="labels"):
        VAE(**SMALL, prior="class").fit(images)


def test_a_fitted_prior_takes_the_place_of_the_models(digits):
    images, labels = digits
    vae = VAE(**SMALL).fit(images, labels)
    before = vae.sample(5, random_state=0)
    vae.fit_prior("mixture", components=3, by_class=True)
    assert vae.prior_name_ == "mixture"
    assert vae.sample(5, random_state=0).shape == before.shape
    assert vae.sample(5, y=3, random_state=0).shape == before.shape
    autoencoder = VAE(**SMALL, deterministic=True).fit(images).fit_prior("mixture", components=3)
    assert autoencoder.sample(4).shape == (4, 8, 8)


def test_evaluate_has_the_numbers(digits, tmp_path):
    images, labels = digits
    vae = VAE(**SMALL).fit(images[:200], labels[:200])
    found = vae.evaluate(images[200:], labels[200:], importance_samples=50)
    assert found.elbo.value == pytest.approx(-(found.reconstruction.value + found.kl.value), rel=1e-5)
    assert "<" in found._repr_html_()
    bare = vaelab.load(vae.save(tmp_path / "run", images=0))
    left = bare.evaluate(images[200:], labels[200:], importance_samples=50)
    assert left.elbo == found.elbo
    assert left.prior_fit.marginal_kl == found.prior_fit.marginal_kl
    assert left.baselines is left.probes is left.prior_fit.hole_fraction is None
    assert "was fitted on arrays and keeps none of them" in left.reasons["training images"]
    with pytest.raises(VaelabError, match="keeps none of them"):
        bare.fit_prior("mixture")
