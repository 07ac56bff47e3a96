"""What the estimator takes and refuses, in Python's words: images, labels, arguments."""

import logging

import numpy as np
import pytest
from sklearn.datasets import load_digits

import vaelab
from vaelab import VAE
from vaelab.errors import VaelabError

SMALL = {"hidden": (8,), "epochs": 1, "batch_size": 50, "random_state": 0}


def _levels() -> np.ndarray:
    return np.round(load_digits().images[:120] * (255 / 16)).astype(np.uint8)


LEVELS = _levels()
LABELS = load_digits().target[:120]
UNIT = (LEVELS / 255).astype(np.float32)


@pytest.fixture(scope="module")
def of_levels() -> VAE:
    return VAE(**SMALL, likelihood="gaussian").fit(LEVELS)


def test_integers_are_the_levels_that_they_are_for_the_command(of_levels: VAE, caplog):
    with caplog.at_level(logging.WARNING, logger="vaelab"):
        vae = VAE(**SMALL, likelihood="gaussian").fit(LEVELS.astype(np.int64))
    assert ["X: integers of 0 to 255 are taken for uint8" in message for message in caplog.messages] == [True]
    np.testing.assert_array_equal(vae.transform(LEVELS), of_levels.transform(LEVELS))
    np.testing.assert_array_equal(vae.transform(LEVELS.astype(np.int64)), of_levels.transform(LEVELS))
    assert vae.sample(2).dtype == np.uint8


def test_integers_of_0_and_1_are_black_and_white():
    binary = (LEVELS > 100).astype(np.int64)
    found = [VAE(**SMALL).fit(array).transform(array) for array in (binary, binary * 255, binary.astype(bool))]
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_a_model_of_levels_refuses_floats_of_their_size(of_levels: VAE):
    np.testing.assert_allclose(of_levels.transform(UNIT), of_levels.transform(LEVELS), atol=1e-5)
    for question in (of_levels.transform, of_levels.score, of_levels.elbo, of_levels.reconstruct, of_levels.evaluate):
        with pytest.raises(VaelabError, match=r"X: found values from 0 to 255.*Divide them by 255"):
            question(LEVELS.astype(np.float64))


def test_what_was_fitted_is_known_after_saving(of_levels: VAE, tmp_path):
    loaded = vaelab.load(of_levels.save(tmp_path / "levels"))
    with pytest.raises(VaelabError, match="where the training images are uint8"):
        loaded.transform(LEVELS.astype(np.float64))
    floats = VAE(**SMALL, likelihood="gaussian").fit(LEVELS.astype(np.float64))
    loaded = vaelab.load(floats.save(tmp_path / "floats"))
    np.testing.assert_array_equal(loaded.transform(LEVELS), floats.transform(LEVELS))  # integers are numbers to it
    assert loaded.sample(2).dtype == np.float32


HELD_OUT = {
    "unscaled": (LEVELS.astype(np.float64), "X_val: found values from 0 to 255"),
    "of 0 and 1": ((LEVELS > 99).astype(np.int64), "X_val: integers of 0 and 1 alone"),
    "another shape": (LEVELS[:, :4], "X_val: images have shape"),
    "NaN": (UNIT * np.nan, "X_val must be finite"),
    "none": (LEVELS[:0], "0 sample"),
    "text": (np.full((3, 8, 8), "a"), "not compatible with arrays of bytes/strings"),
}


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
@pytest.mark.parametrize("case", HELD_OUT)
def test_held_out_images_are_held_against_those_fitted(case, likelihood):
    images, words = HELD_OUT[case]
    with pytest.raises(VaelabError, match=words) as caught:
        VAE(**SMALL, likelihood=likelihood).fit(LEVELS, X_val=images)
    assert "\n" not in str(caught.value)


def test_held_out_images_may_be_of_another_type():
    scores = [VAE(**SMALL).fit(LEVELS, X_val=images).history_["val_loss"][0] for images in (LEVELS, LEVELS.astype(int))]
    assert scores[0] == scores[1]
    assert VAE(**SMALL).fit(LEVELS, X_val=UNIT).history_["val_loss"][0] == pytest.approx(scores[0], rel=1e-4)


IMAGES = {
    "channels first": (LEVELS[:, None], r"X: channels come last.*np.moveaxis"),
    "five axes": (LEVELS[:, None, None], "X: images must have the shape"),
    "one axis": (np.arange(5.0), r"X: Expected 2D array.*\(n, H, W\)"),
    "one image": (LEVELS[:1], "1 sample"),
    "complex": (UNIT + 1j, "X: Complex data not supported"),
    "integers above 255": (LEVELS.astype(int) * 2, r"X: integer images must lie in \[0, 255\]"),
    "NaN": (UNIT * np.nan, "X must be finite"),
    "too large": (UNIT.astype(np.float64) * 1e300, "X must be finite"),
    "unscaled": (LEVELS.astype(float), "X must lie in .* or choose likelihood='gaussian'"),
}


@pytest.mark.parametrize("case", IMAGES)
def test_images_that_cannot_be_fitted(case):
    images, words = IMAGES[case]
    with pytest.raises(VaelabError, match=words) as caught:
        VAE(**SMALL).fit(images)
    assert "\n" not in str(caught.value)


LABELS_REFUSED = {
    "images": (LEVELS[:50], r"y: found images.*fit\(X, X_val=...\)"),
    "as many images": (LEVELS[::-1], "y: found images"),
    "too few": (LABELS[:5], "y: expected 120 labels, one for each image of X"),
    "one": (3, "y: expected 120 labels"),
    "None": ([None] * 60 + [1] * 60, r"y: image 0 has no label \(None\)"),
    "None among them": ([1, None] * 60, "y: image 1 has no label"),
    "NaN among text": (np.array(["a", np.nan] * 60, dtype=object), "y: image 1 has no label"),
    "several types": (np.array([1, "a"] * 60, dtype=object), "y: labels must be of one type; found numbers and text"),
    "lists": ([[1, 2], [3]] * 60, "y: expected one label for each image"),
    "things": (np.array([{}] * 120, dtype=object), "neither number nor text"),
}


@pytest.mark.parametrize("prior", ["normal", "class"])
@pytest.mark.parametrize("case", LABELS_REFUSED)
def test_what_is_no_labels_is_refused(case, prior):
    labels, words = LABELS_REFUSED[case]
    with pytest.raises(VaelabError, match=words) as caught:
        VAE(**SMALL, prior=prior).fit(LEVELS, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("targets", [LABELS / 3, np.eye(10)[LABELS], np.where(LABELS > 5, np.nan, LABELS)])
def test_what_a_pipeline_regresses_on_is_passed_over(targets):
    assert not hasattr(VAE(**SMALL).fit(LEVELS, targets), "label_names_")
    with pytest.raises(VaelabError, match=r"^y: "):
        VAE(**SMALL, prior="class").fit(LEVELS, targets)


KINDS_OF_LABELS = {
    "integers": (LABELS, 3),
    "floats": (LABELS.astype(float), 3),
    "floats, asked by one": (LABELS.astype(np.float32), np.float32(3.0)),
    "a column": (LABELS[:, None], np.int64(3)),
    "negative": (LABELS - 5, -2),
    "text": (np.array(list("abcdefghij"))[LABELS], "d"),
    "objects": (np.array(list("abcdefghij"), dtype=object)[LABELS], "d"),
    "booleans": (LABELS > 4, True),
    "objects that are booleans": ((LABELS > 4).astype(object), np.True_),
}


@pytest.mark.parametrize("kind", KINDS_OF_LABELS)
def test_labels_of_every_kind(kind):
    labels, one = KINDS_OF_LABELS[kind]
    vae = VAE(**SMALL, prior="class").fit(LEVELS, labels)
    assert vae.sample(2, y=one).shape == (2, 8, 8)
    with pytest.raises(VaelabError, match="y: label 'other' is not among those fitted"):
        vae.sample(1, y="other")


def test_labels_in_errors_have_their_names():
    names = np.array(["ant"] * 115 + ["bee"] * 5)
    vae = VAE(**SMALL).fit(LEVELS, names)
    with pytest.raises(VaelabError, match=r"label bee has \d images.*leave out by_class=True"):
        vae.fit_prior("mixture", by_class=True)
    with pytest.raises(VaelabError, match=r"y: this prior does not know of labels.*by_class=True"):
        vae.sample(1, y="bee")
    with pytest.raises(VaelabError, match="y: labels wasp are not among those fitted \\(ant, bee\\)"):
        vae.evaluate(LEVELS, np.where(names == "ant", "wasp", "bee"))
    for y in (names[:5], np.arange(7)):
        with pytest.raises(VaelabError, match="y: expected 120 labels"):
            vae.evaluate(LEVELS, y)


def test_numbers_of_numpy_are_numbers():
    arguments = {"latent_dim": np.int64(3), "hidden": np.int32(8), "epochs": np.uint8(1), "batch_size": np.int16(50)}
    more = {
        "learning_rate": np.float32(1e-3),
        "beta": np.float64(1),
        "settings": {"training.averaging": np.float64(0.9)},
    }
    vae = VAE(**arguments, **more, random_state=0).fit(LEVELS, LABELS)
    assert vae.sample(np.int64(2)).shape == (2, 8, 8)
    assert vae.score_samples(LEVELS[:3], importance_samples=np.int64(5)).shape == (3,)
    assert vae.fit_prior("mixture", components=np.int64(2), seed=np.int64(1)).prior_name_ == "mixture"


@pytest.mark.parametrize("hidden", [8, (8,), [8], np.array([8])])
def test_one_width_is_one_layer(hidden):
    assert VAE(**SMALL | {"hidden": hidden}).fit(LEVELS).config_.model.encoder.hidden == (8,)


ARGUMENTS = {
    "hidden": (("256", None, (2.5,), (0,), True, ("a",)), "^hidden: expected widths of layers"),
    "latent_dim": ((0, 2.5, "a", None), r"^VAE: latent_dim \(model.latent_dim\): "),
    "epochs": ((0, 1.5), r"^VAE: epochs \(training.epochs\): "),
    "batch_size": ((0, "a", None), "batch_size"),
    "prior": (("norml", None), r"^VAE: prior \(model.prior\)"),
    "likelihood": (("gauss",), r"^VAE: likelihood \(model.likelihood\)"),
    "beta": ((-1, "x"), r"^VAE: beta \("),
    "pixels": (("gray",), r"^VAE: pixels \("),
    "settings": (("x", 3), "^settings: expected keys and values"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_that_cannot_be_is_named(name):
    values, words = ARGUMENTS[name]
    for value in values:
        with pytest.raises(VaelabError, match=words) as caught:
            VAE(**SMALL | {name: value}).fit(LEVELS)
        assert "\n" not in str(caught.value)


def test_what_is_asked_of_a_fitted_one(of_levels: VAE):
    for count in (0, 2.5, None, "a"):
        with pytest.raises((VaelabError, TypeError), match="n_samples"):
            of_levels.sample(count)
    for latents in ([["a", "b"]], [1, 2], None, [[1, np.nan]]):
        with pytest.raises(VaelabError, match=r"^Z: "):
            of_levels.inverse_transform(latents)


def test_networks_of_maps_fit_the_images_or_refuse_them():
    vae = VAE(**SMALL, network="residual", decoder={"kind": "convolutional", "channels": (4,)}).fit(LEVELS)
    assert (vae.config_.model.encoder.kind, vae.config_.model.decoder.kind) == ("residual", "convolutional")
    assert vae.config_.model.encoder.channels == (32,)
    assert vae.reconstruct(LEVELS[:3]).shape == (3, 8, 8)
    for network, words in (
        ("convolution", "did you mean 'convolutional'"),
        ({"kind": "mlp"}, "the name of a kind for both"),
    ):
        with pytest.raises(VaelabError, match=words):
            VAE(**SMALL, network=network).fit(LEVELS)
    with pytest.raises(VaelabError, match=r"found examples of shape \(64,\)"):
        VAE(**SMALL, network="convolutional").fit(LEVELS.reshape(-1, 64))
