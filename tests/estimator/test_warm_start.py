"""`warm_start`: a second fit goes on from the weights that are there."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

import vaelab
from vaelab import VAE
from vaelab.errors import VaelabError
from vaelab.naming import named_arrays

IMAGES, NUMBERS = load_digits(return_X_y=True)
X = (IMAGES[:120] / 16).reshape(-1, 8, 8)
Y = NUMBERS[:120]
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 2, "batch_size": 40, "random_state": 0}


def weights(vae: VAE) -> dict[str, np.ndarray]:
    return named_arrays(vae.model_)


def test_it_goes_on_from_the_weights_that_are_there():
    vae = VAE(**SMALL, warm_start=True, snapshots=2).fit(X)
    first = weights(vae)
    vae.set_params(learning_rate=1e-12).fit(X)
    for name, array in weights(vae).items():
        np.testing.assert_allclose(array, first[name], atol=1e-7)
    assert vae.n_iter_ == 4
    assert vae.history_["epoch"] == [1, 2, 3, 4]
    assert [one.epoch for one in vae._snapshots] == [2, 3, 4]
    losses = vae.history_["loss"]
    assert losses[2] < losses[1] < losses[0]
    assert "Loss after 4 epochs" in str([text.get_text() for text in vae.plot("loss").texts])


def test_without_it_a_second_fit_begins_anew():
    vae = VAE(**SMALL).fit(X)
    first = weights(vae)
    vae.fit(X)
    assert vae.n_iter_ == 2
    assert all((array == first[name]).all() for name, array in weights(vae).items())
    fresh = clone(vae.set_params(warm_start=True)).fit(X)  # nothing is there yet
    assert all((array == first[name]).all() for name, array in weights(fresh).items())


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_a_loaded_estimator_goes_on_too_and_its_fitted_prior_gives_way(likelihood: str, tmp_path: Path):
    vae = VAE(**SMALL, likelihood=likelihood).fit(X).fit_prior("mixture", components=2)
    loaded = vaelab.load(vae.save(tmp_path / "run"))
    loaded.set_params(warm_start=True, learning_rate=1e-12).fit(X[:60] * 0.9, X_val=X[60:])
    assert loaded.prior_name_ == "trained"
    np.testing.assert_allclose(loaded.transform(X), vae.transform(X), atol=1e-5)
    assert loaded.n_iter_ == 4
    assert "val_loss" not in loaded.history_  # not of every epoch
    assert vaelab.load(loaded.save(tmp_path / "more")).n_iter_ == 4


def test_a_run_of_the_command_goes_on_in_python(tiny_run, few_digits):
    vae = vaelab.load(tiny_run.folder).set_params(warm_start=True, epochs=1)
    before = vae.elbo(few_digits.test.images).elbo.mean()
    vae.fit(few_digits.train.images)
    assert vae.n_iter_ == 3
    assert vae.elbo(few_digits.test.images).elbo.mean() > before


BAD = {
    "another size": (lambda vae: vae.set_params(latent_dim=3).fit(X), "latent_dim is 3 now.* fitted with 2"),
    "another width": (lambda vae: vae.set_params(hidden=(4,)).fit(X), "hidden is"),
    "another prior": (lambda vae: vae.set_params(prior="mixture").fit(X), "prior is 'mixture' now"),
    "a setting of the model": (
        lambda vae: vae.set_params(settings={"model.output_bias": "zeros"}).fit(X),
        "model.output_bias",
    ),
    "images of another shape": (lambda vae: vae.fit(X[:, :4]), r"this model takes \(8, 8\)"),
    "images of another scale": (lambda vae: vae.fit(X * 16), "where the training images are"),
}


@pytest.mark.parametrize("name", BAD)
def test_another_model_than_the_weights_are_of_is_one_clear_line(name: str):
    act, words = BAD[name]
    vae = VAE(**SMALL | {"epochs": 1}, warm_start=True).fit(X)
    first = weights(vae)
    with pytest.raises(VaelabError, match=words) as caught:
        act(vae)
    assert "\n" not in str(caught.value)
    assert all((array == first[key]).all() for key, array in weights(vae).items())


def test_a_class_prior_keeps_its_labels():
    vae = VAE(**SMALL | {"epochs": 1}, prior="class", warm_start=True).fit(X, Y)
    vae.fit(X, Y)
    with pytest.raises(VaelabError, match="the labels are 0, 1 now, and the class prior was fitted on 0, 1, 2"):
        vae.fit(X, Y % 2)
    assert vae.sample(2, y=9).shape == (2, 8, 8)
