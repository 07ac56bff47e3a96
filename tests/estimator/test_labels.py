"""`VAE(condition="labels")`, in scikit-learn's manners."""

from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

import vaelab
from vaelab import VAE
from vaelab.errors import VaelabError
from vaelab.generating import decode, encode

X, Y = load_digits(return_X_y=True)
X = (X.reshape(-1, 8, 8) / 16.0)[:400].astype(np.float32)
NAMES = np.array(["nought", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
Y = NAMES[Y[:400]]
SMALL = {"latent_dim": 2, "hidden": (16,), "epochs": 2, "batch_size": 50, "random_state": 0}


@pytest.fixture(scope="module")
def vae() -> VAE:
    return VAE(**SMALL, condition="labels").fit(X[:300], Y[:300], X_val=X[300:], y_val=Y[300:])


def numbers(names: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(NAMES), names).astype(np.int32)


def test_it_encodes_and_decodes_given_labels_by_their_names(vae: VAE) -> None:
    z = vae.transform(X[:5], Y[:5])
    np.testing.assert_allclose(z, encode(vae.model_, X[:5], numbers(Y[:5])).mean, atol=1e-6)
    np.testing.assert_allclose(vae.inverse_transform(z, Y[:5]), decode(vae.model_, z, numbers(Y[:5])), atol=1e-6)
    np.testing.assert_allclose(vae.reconstruct(X[:5], Y[:5]), vae.inverse_transform(z, Y[:5]), atol=1e-6)
    sevens = vae.reconstruct(X[:5], Y[:5], as_label="seven")
    np.testing.assert_allclose(sevens, vae.inverse_transform(z, "seven"), atol=1e-6)
    mean, deviation = vae.posterior_of(X[:5], Y[:5])
    np.testing.assert_allclose(mean, z)
    assert (deviation > 0).all()
    assert "val_loss" in vae.history_


def test_it_draws_what_is_asked_for(vae: VAE) -> None:
    fives = vae.sample(4, y="five", random_state=3)
    np.testing.assert_array_equal(fives, vae.sample(4, y=["five"] * 4, random_state=3))
    mixed = vae.sample(4, y=["five", "two", "five", "two"], random_state=3)
    np.testing.assert_array_equal(mixed[[0, 2]], fives[[0, 2]])
    np.testing.assert_array_equal(mixed[[1, 3]], vae.sample(4, y="two", random_state=3)[[1, 3]])
    assert vae.sample(20, balanced=True).shape == (20, 8, 8)
    way = vae.interpolate(X[0], X[1], "three", steps=3)
    ends = vae.inverse_transform(vae.transform(X[:2], "three"), "three")
    np.testing.assert_allclose(way[[0, 2]], ends, atol=1e-6)


def test_fit_transform_is_given_the_labels() -> None:
    vae = VAE(**SMALL, condition="labels")
    z = vae.fit_transform(X, Y)
    np.testing.assert_allclose(z, vae.transform(X, Y), atol=1e-6)
    assert clone(vae).condition == "labels"


def test_it_is_kept_and_loaded(vae: VAE, tmp_path: Path) -> None:
    loaded = vaelab.load(vae.save(tmp_path / "run"))
    assert loaded.condition == "labels"
    np.testing.assert_allclose(loaded.transform(X[:5], Y[:5]), vae.transform(X[:5], Y[:5]), atol=1e-6)
    np.testing.assert_array_equal(loaded.sample(2, y="nine", random_state=1), vae.sample(2, y="nine", random_state=1))


def test_classes_are_balanced_on_request() -> None:
    vae = VAE(**SMALL, settings={"data.balance": True}).fit(X, Y)
    assert vae.config_.data.balance
    with pytest.raises(VaelabError, match=r"data.balance need labels, one for each image"):
        VAE(**SMALL, settings={"data.balance": True}).fit(X)


def test_bad_labels_are_one_clear_line(vae: VAE) -> None:
    plain = VAE(**SMALL).fit(X, Y)
    refused = {
        "need labels, one for each image": lambda: VAE(**SMALL, condition="labels").fit(X),
        "the validation images have no labels": lambda: VAE(**SMALL, condition="labels").fit(X, Y, X_val=X),
        "y_val: labels ten are not among those fitted": lambda: VAE(**SMALL, condition="labels").fit(
            X, Y, X_val=X[:1], y_val=["ten"]
        ),
        "VAE: condition .*'none' or 'labels'; found 'label'": lambda: VAE(**SMALL, condition="label").fit(X, Y),
        r"y: this model sees labels .*give y=vae.predict\(X\)": lambda: vae.transform(X),
        "y: label 'ten' is not among those fitted": lambda: vae.sample(1, y="ten"),
        "y: labels ten are not among those fitted": lambda: vae.transform(X[:1], ["ten"]),
        "y: expected 3 labels, one for each image of X; found 2": lambda: vae.transform(X[:3], ["one", "two"]),
        r"y: this model sees no labels; train one that does: VAE\(condition='labels'\)": lambda: plain.transform(
            X[:1], "one"
        ),
        "y: this prior does not know of labels": lambda: plain.sample(2, balanced=True),
    }
    for words, ask in refused.items():
        with pytest.raises(VaelabError, match=words) as caught:
            ask()
        assert "\n" not in str(caught.value)


# --- scores ---------------------------------------------------------------------------------------------------------------------------


def test_scores_are_marginal_over_labels_or_given_one(vae: VAE) -> None:
    few = X[300:310]
    marginal, given = vae.score_samples(few), vae.score_samples(few, Y[300:310])
    each = np.stack([vae.score_samples(few, name) for name in np.sort(NAMES)], axis=1)
    frequencies = np.array([(Y[:300] == name).mean() for name in np.sort(NAMES)])
    np.testing.assert_allclose(marginal, np.logaddexp.reduce(np.log(frequencies) + each, axis=1), atol=1e-4)
    np.testing.assert_allclose(given, each[np.arange(10), numbers(Y[300:310])], atol=1e-4)
    np.testing.assert_allclose(vae.score_samples(few[3:5]), marginal[3:5], atol=1e-4)  # whatever stands beside a row
    assert vae.score(few) == pytest.approx(marginal.mean())
    elbo = vae.elbo(few, Y[300:310])
    np.testing.assert_allclose(elbo.elbo, -(elbo.reconstruction + elbo.kl), atol=1e-4)
    assert elbo.elbo.mean() < given.mean() + 0.2


def test_labels_are_told_by_the_marginals_posterior(vae: VAE) -> None:
    few = X[300:330]
    shares = vae.predict_proba(few)
    assert shares.shape == (30, 10)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(vae.predict(few), np.sort(NAMES)[shares.argmax(axis=1)])
    found = vae.evaluate(few, Y[300:330])
    assert found.setting.condition == "marginal"
    assert found.by_label is not None
    assert found.by_label.accuracy.value == pytest.approx((vae.predict(few) == Y[300:330]).mean())
    with pytest.raises(AttributeError, match="has no attribute 'predict'") as caught:
        VAE(**SMALL).fit(X).predict(X[:2])
    assert "this model sees no labels" in str(caught.value.__cause__)


# --- a network of another library -----------------------------------------------------------------------------------------------------


class Flattened(eqx.Module):
    """It knows nothing of labels: they come to it as further channels of the image, or as more of z."""

    mlp: eqx.nn.MLP

    def __init__(self, shape: tuple[int, ...], key: jax.Array):
        self.mlp = eqx.nn.MLP(int(np.prod(shape)), 8, 12, 1, key=key)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.mlp(jnp.ravel(x))


def test_a_network_of_another_library_is_told_labels(tmp_path: Path) -> None:
    small = {**SMALL, "epochs": 1}
    vae = VAE(**small, condition="labels", encoder=Flattened, decoder=Flattened).fit(X, Y)
    z = vae.transform(X[:6], Y[:6])
    pictures = vae.inverse_transform(z, Y[:6])
    for place in range(6):  # given one label it is called with that, and the same comes out
        alone = vae.model_.given(int(numbers(Y[place : place + 1])[0]))
        np.testing.assert_allclose(encode(alone, X[place : place + 1]).mean[0], z[place], atol=1e-4)
        np.testing.assert_allclose(decode(alone, z[place : place + 1])[0], pictures[place], atol=1e-4)
    assert vae.predict(X[:4]).shape == (4,)
    assert not np.allclose(vae.inverse_transform(z, "one"), vae.inverse_transform(z, "two"))
    loaded = vaelab.load(vae.save(tmp_path / "run"), parts={"encoder": Flattened, "decoder": Flattened})
    np.testing.assert_allclose(loaded.transform(X[:6], Y[:6]), z, atol=1e-5)
