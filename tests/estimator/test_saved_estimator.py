"""The file follows the object: what a fitted VAE answers, a loaded one answers, and a clone of either trains the same weights."""

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

import vaelab
from conftest import small, train_run
from vaelab import VAE
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.estimator.parameters import as_json, from_json
from vaelab.naming import named_arrays
from vaelab.runs import Run

IMAGES, NUMBERS = load_digits(return_X_y=True)
X = (IMAGES[:120] / 16).reshape(-1, 8, 8)
Y = NUMBERS[:120]
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 1, "batch_size": 40, "random_state": 0}

Fitted = Callable[[], VAE]

KINDS: dict[str, Fitted] = {
    "normal": lambda: VAE(**SMALL).fit(X, X_val=X[:20] * 0.5),
    "trained mixture, then a flow": lambda: (
        VAE(**SMALL, prior="mixture", settings={"model.prior.components": 3, "training.averaging": 0.9})
        .fit(X)
        .fit_prior("flow")
    ),
    "vamp": lambda: VAE(
        **SMALL | {"hidden": [8, 6], "random_state": np.random.RandomState(3)},
        prior="vamp",
        activation="gated",
        settings={
            "model.prior.components": 5,
            "model.prior.start": "data",
            "model.decoder.hidden": [7],
            "training.schedule.kind": "linear",
            "training.schedule.hold": 0.5,
            "objective.kind": "importance-weighted",
            "objective.samples": 2,
        },
    ).fit(X),
    "convolutional": lambda: VAE(
        **SMALL,
        network="convolutional",
        settings={"model.encoder.channels": [4], "model.decoder.channels": [4], "model.encoder.dropout": 0.1},
    ).fit(X),
    "class": lambda: VAE(**SMALL, prior="class").fit(X, np.array(["none", "one", "more"])[np.minimum(Y, 2)]),
    "autoencoder with a mixture": lambda: (
        VAE(**SMALL, deterministic=True).fit(X, Y + 100).fit_prior("mixture", components=2, by_class=False)
    ),
    "gaussian on floats": lambda: VAE(
        **SMALL,
        likelihood="gaussian",
        settings={"model.likelihood.learned": True, "model.likelihood.scale": 0.5},
    ).fit(X * 7 - 3),
    "continuous-bernoulli": lambda: VAE(**SMALL, likelihood="continuous-bernoulli", warmup=0.5, beta=0.5).fit(X),
    "dynamic pixels of bytes": lambda: VAE(**SMALL | {"latent_dim": np.int64(3)}, pixels="dynamic").fit(
        np.round(X * 255).astype(np.uint8), (Y > 4).astype(np.int32)
    ),
    "flat features": lambda: VAE(**SMALL, optimiser="rmsprop").fit(X.reshape(len(X), -1).astype(np.float32)),
}

_MADE: dict[str, VAE] = {}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def fitted(kind: str) -> VAE:
    if kind not in _MADE:
        _MADE[kind] = KINDS[kind]()
    return _MADE[kind]


def images_of(vae: VAE) -> np.ndarray:
    """Images as it was fitted on."""
    return vae._training.images


def outcome(act: Callable[[], Any]) -> Any:
    """What it answers, or with what words it refuses."""
    try:
        return act()
    except VaelabError as error:
        return str(error)


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(ours, tuple):
        assert len(ours) == len(theirs)
        for mine, other in zip(ours, theirs, strict=True):
            assert_same(mine, other)
    elif isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    else:
        assert ours == theirs


def assert_same_weights(ours: VAE, theirs: VAE) -> None:
    mine, others = named_arrays(ours.model_), named_arrays(theirs.model_)
    assert mine.keys() == others.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], others[name])


QUESTIONS: dict[str, Callable[[VAE, np.ndarray], Any]] = {
    "transform": lambda vae, images: vae.transform(images),
    "posterior": lambda vae, images: vae.posterior_of(images),
    "inverse_transform": lambda vae, images: vae.inverse_transform(np.zeros((2, vae.model_.latent_dim), np.float32)),
    "reconstruct": lambda vae, images: vae.reconstruct(images),
    "sample": lambda vae, images: vae.sample(3, random_state=5),
    "sample by label": lambda vae, images: vae.sample(2, y=getattr(vae, "label_names_", [3])[-1], random_state=5),
    "score_samples": lambda vae, images: vae.score_samples(images[:10], importance_samples=5),
    "score": lambda vae, images: vae.score(images[:10]),
    "elbo": lambda vae, images: vae.elbo(images[:10]),
    "history": lambda vae, images: vae.history_,
    "epochs": lambda vae, images: (vae.n_iter_, vae.n_features_in_, vae.image_shape_, vae.prior_name_),
    "label names": lambda vae, images: getattr(vae, "label_names_", None),
    "feature names": lambda vae, images: vae.get_feature_names_out().tolist(),
    "configuration": lambda vae, images: vae.config_,
    "parameters": lambda vae, images: {
        name: (type(value), str(value)) for name, value in vae.get_params().items() if name != "random_state"
    },
    "training data": lambda vae, images: vae._training_data(),
}


def assert_answers_the_same(loaded: VAE, fitted: VAE) -> None:
    images = images_of(fitted)
    for name, ask in QUESTIONS.items():
        ours, theirs = outcome(lambda ask=ask: ask(fitted, images)), outcome(lambda ask=ask: ask(loaded, images))
        assert type(ours) is type(theirs), name
        assert_same(ours, theirs)


def test_a_loaded_estimator_answers_as_the_one_that_was_saved(fitted: VAE, tmp_path: Path):
    assert_answers_the_same(vaelab.load(fitted.save(tmp_path / "run")), fitted)


@pytest.mark.parametrize("kind", ["class", "autoencoder with a mixture"])
def test_a_loaded_estimator_is_saved_as_well_as_a_fitted_one(fitted: VAE, tmp_path: Path):
    loaded = vaelab.load(fitted.save(tmp_path / "run"))
    assert_answers_the_same(vaelab.load(loaded.save(tmp_path / "again")), fitted)


@pytest.mark.parametrize("kind", ["normal", "vamp", "class", "gaussian on floats", "dynamic pixels of bytes"])
def test_a_clone_of_a_loaded_estimator_trains_the_same_weights(fitted: VAE, tmp_path: Path):
    loaded = vaelab.load(fitted.save(tmp_path / "run"))
    images = images_of(fitted)
    labels = Y if fitted.prior == "class" else None
    assert_same_weights(clone(loaded).fit(images, labels), clone(fitted).fit(images, labels))


def test_a_fitted_prior_is_the_one_in_place_after_loading_too(tmp_path: Path):
    vae = KINDS["normal"]().fit_prior("mixture", components=2)
    run = Run.open(vae.save(tmp_path / "run"))
    assert vaelab.load(run.folder).prior_name_ == "mixture"
    np.testing.assert_array_equal(vaelab.load(run.folder).sample(4, random_state=0), vae.sample(4, random_state=0))
    # the commands know both by name
    assert run.prior_names() == ["mixture"]
    own = vaelab.load(run.folder, prior="trained")
    assert own.prior_name_ == "trained"
    np.testing.assert_array_equal(own.sample(4, random_state=0), KINDS["normal"]().sample(4, random_state=0))
    # and a prior may be fitted to the loaded one, as to the first
    ours, theirs = (one.fit_prior("kde").sample(4, random_state=0) for one in (vae, own))
    np.testing.assert_array_equal(ours, theirs)


def test_evaluate_has_the_same_numbers_after_loading(tmp_path: Path):
    vae = VAE(**SMALL).fit(X, Y)
    loaded = vaelab.load(vae.save(tmp_path / "run"))
    ours, theirs = (one.evaluate(X[:30], Y[:30], importance_samples=4).to_json() for one in (vae, loaded))
    assert json.dumps(ours) == json.dumps(theirs)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda vae: pickle.loads(pickle.dumps(vae))])
def test_a_copy_keeps_what_the_estimator_has(copied: Callable[[VAE], VAE], tmp_path: Path):
    vae = copied(KINDS["normal"]().fit_prior("mixture", components=2))
    loaded = vaelab.load(vae.save(tmp_path / "run"))
    for one in (vae, loaded):
        assert one.prior_name_ == "mixture"
        np.testing.assert_array_equal(images_of(one), X.astype(np.float32))
    np.testing.assert_array_equal(loaded.sample(3, random_state=0), vae.sample(3, random_state=0))


LABELS = {
    "int": Y.astype(np.int16) - 4,
    "str": np.array([f"digit {label}" for label in Y]),
    "objects": np.array([f"digit {label}" for label in Y], dtype=object),
    "float": Y * 2.0,
    "bool": Y > 4,
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_come_back_as_they_were(name: str, tmp_path: Path):
    vae = VAE(**SMALL, prior="class").fit(X, LABELS[name])
    loaded = vaelab.load(vae.save(tmp_path / "run"))
    assert loaded.label_names_.dtype == vae.label_names_.dtype
    assert loaded.label_names_.tolist() == vae.label_names_.tolist()
    for label in vae.label_names_:
        np.testing.assert_array_equal(loaded.sample(2, y=label, random_state=0), vae.sample(2, y=label, random_state=0))


def test_data_frames_and_set_output_come_back(tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X.reshape(len(X), -1), columns=[f"pixel {number}" for number in range(64)])
    vae = VAE(**SMALL).set_output(transform="pandas").fit(frame)
    loaded = vaelab.load(vae.save(tmp_path / "run"))
    pandas.testing.assert_frame_equal(loaded.transform(frame), vae.transform(frame))
    assert list(loaded.feature_names_in_) == list(vae.feature_names_in_)


GATED_VAMP = {
    "model.latent_dim": 3,
    "model.prior.components": 6,
    "model.encoder.hidden": [8, 6],
    "model.decoder.hidden": [5],
    "training.batch_size": 100,
    "training.keep": "last",
    "training.patience": None,
    "data.validation": "held-out",
    "training.epochs": 2,
}


@pytest.mark.parametrize("recipe", ["gated-vamp", "better", "autoencoder"])
def test_a_clone_of_a_loaded_run_trains_the_runs_model(recipe: str, few_digits: Dataset, tmp_path: Path):
    """Whatever the recipe says that the constructor has no name for stands in `settings`; on the same images come the same weights."""
    config = small(recipe, **(GATED_VAMP if recipe == "gated-vamp" else {"data.validation": "held-out"}))
    run = train_run(tmp_path / "run", config, few_digits)
    loaded = vaelab.load(run.folder)
    again = clone(loaded).fit(few_digits.train.images, few_digits.train.labels, X_val=few_digits.validation.images)
    assert again.config_.model == run.config.model
    assert again.config_.objective == run.config.objective
    assert_same_weights(again, loaded)
    # the random state is the seed, and nothing in `settings` stands in its way
    other = clone(loaded).set_params(random_state=run.config.seed + 1).fit(few_digits.train.images)
    assert other.config_.seed == run.config.seed + 1


def test_a_kill_while_saving_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    vae = VAE(**SMALL).fit(X)

    def killed(*arguments: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("vaelab.estimator.saved.write_sample", killed)
    with pytest.raises(KeyboardInterrupt):
        vae.save(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


PARAMETERS = [
    None, True, 3, 2.5, "adam", (8, 4), [8, 4], {"training.averaging": 0.9, "x": (1, [2])}, np.int32(3), np.float32(0.1),
    np.array([1, 2]), np.array(["a", "bc"]),
]  # fmt: skip


@pytest.mark.parametrize("value", PARAMETERS, ids=str)
def test_parameters_come_back_of_the_type_they_were(value: Any):
    found = from_json(json.loads(json.dumps(as_json(value, "it"))))
    assert type(found) is type(value)
    assert np.array_equal(found, value) if isinstance(value, np.ndarray) else found == value


def test_a_parameter_that_can_only_be_pickled_is_refused():
    with pytest.raises(VaelabError, match=r"settings\['x'\]: a object cannot be written to a file"):
        as_json({"x": object()}, "settings")


def test_save_says_what_images_means(tmp_path: Path):
    vae = VAE(**SMALL).fit(X)
    with pytest.raises(VaelabError, match="images: expected how many of each part of the data to keep"):
        vae.save(tmp_path / "run", images=-1)
    assert not (tmp_path / "run").exists()
