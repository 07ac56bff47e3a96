"""What an estimator keeps of its training on the way: snapshots for the replay, TensorBoard's events."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits

import vaelab
from vaelab import VAE
from vaelab.errors import VaelabError
from vaelab.explorer.explored import explored_run
from vaelab.run_data import run_data
from vaelab.runs import Run

IMAGES, NUMBERS = load_digits(return_X_y=True)
X = (IMAGES[:120] / 16).reshape(-1, 8, 8)
Y = NUMBERS[:120]
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 3, "batch_size": 40, "random_state": 0}


@pytest.fixture
def explored(monkeypatch: pytest.MonkeyPatch):
    """What `vae.explore(...)` puts on the map, without a notebook."""
    import vaelab.explorer.widget as widget

    monkeypatch.setattr(widget, "widget_of", lambda explored, **options: explored)
    return lambda vae, *given: vae.explore(*given)


@pytest.fixture(scope="module")
def fitted() -> VAE:
    return VAE(**SMALL, snapshots=24).fit(X, Y)


def test_the_explorer_of_an_estimator_replays_its_training(fitted: VAE, explored):
    for given in ((), (X,), (X, Y)):
        found = explored(fitted, *given)
        assert [one.epoch for one in found.snapshots] == [0, 1, 2, 3]
        np.testing.assert_allclose(found.snapshots[-1].means, fitted.transform(found.images), atol=2e-2)
        assert [record["epoch"] for record in found.metrics] == [1, 2, 3]
    assert explored(fitted, X[:50], Y[:50]).snapshots == []  # other images: theirs were not followed
    assert explored(fitted).label_names == tuple("0123456789")
    assert explored(VAE(**SMALL).fit(X)).snapshots == []


def test_by_settings_too(explored):
    vae = VAE(**SMALL, settings={"training.snapshots": 1}).fit(X)
    assert [one.epoch for one in explored(vae).snapshots] == [0, 1]


def test_more_images_than_are_followed_have_those_in_front(monkeypatch: pytest.MonkeyPatch, explored, tmp_path: Path):
    import vaelab.training.sources as sources

    monkeypatch.setattr(sources, "WATCHED", 30)
    vae = VAE(**SMALL, snapshots=2).fit(X, Y)
    found = explored(vae)
    assert len(found.images) == 120
    assert found.numbers is not None
    assert sorted(found.numbers.tolist()) == list(range(120))
    np.testing.assert_array_equal(found.images, X[found.numbers].astype(np.float32))
    np.testing.assert_allclose(found.snapshots[-1].means, vae.transform(X[found.numbers[:30]]), atol=2e-2)
    assert sorted(set(found.numbers[:30] // 40)) == [0, 1, 2]  # a choice, for arrays may be sorted by class
    for kept in (2000, 50, 10):
        run = Run.open(vae.save(tmp_path / str(kept), images=kept))
        again = explored_run(run, run_data(run).dataset)
        means = vae.transform(again.images)[: len(again.snapshots[-1].means)]
        assert len(means) >= min(kept, 30) // 4
        np.testing.assert_allclose(again.snapshots[-1].means, means, atol=2e-2)
        loaded = explored(vaelab.load(run.folder))
        np.testing.assert_array_equal(loaded.images, again.images)
        np.testing.assert_array_equal(loaded.snapshots[-1].means, again.snapshots[-1].means)


def test_of_many_images_the_map_has_a_choice(monkeypatch: pytest.MonkeyPatch, explored):
    import vaelab.estimator.views as views

    monkeypatch.setattr(views, "WATCHED", 30)
    found = explored(VAE(**SMALL | {"epochs": 1}).fit(X, Y))
    assert found.images.shape == (30, 8, 8)
    assert found.total == 120
    np.testing.assert_array_equal(found.images, X[found.numbers].astype(np.float32))
    assert max(found.numbers) > 80


def test_a_saved_estimator_keeps_its_replay(fitted: VAE, tmp_path: Path, explored):
    run = Run.open(fitted.save(tmp_path / "run"))
    assert [epoch for epoch, _ in run.snapshots()] == [0, 1, 2, 3]
    loaded = vaelab.load(run.folder)
    again = Run.open(loaded.save(tmp_path / "again"))
    for one in (loaded, vaelab.load(again.folder), copy.deepcopy(fitted)):
        found = explored(one)
        np.testing.assert_array_equal(found.snapshots[1].means, fitted._snapshots[1].means)
    assert Run.open(fitted.save(tmp_path / "none", images=0)).snapshots() == []
    assert loaded.get_params()["snapshots"] == 24


def test_without_images_the_map_shows_draws(fitted: VAE, tmp_path: Path, explored):
    bare = vaelab.load(fitted.save(tmp_path / "run", images=0))
    assert explored(bare).split == "drawn"
    with pytest.raises(VaelabError, match="labels of images X, and none are given"):
        bare.explore(None, Y)


def test_what_was_watched_changes_no_weight(fitted: VAE):
    np.testing.assert_array_equal(VAE(**SMALL).fit(X).transform(X), fitted.transform(X))


@pytest.mark.parametrize("value", [-1, "many", 1.5])
def test_snapshots_that_cannot_be_are_named(value):
    with pytest.raises(VaelabError, match="snapshots"):
        VAE(**SMALL, snapshots=value).fit(X)


# --- TensorBoard --------------------------------------------------------------------------------------------------------------------


def test_tensorboard_has_every_term_of_every_epoch(tmp_path: Path):
    pytest.importorskip("tensorboardX", reason="needs tensorboardX (pip install 'vaelab[tensorboard]')")
    vae = clone(VAE(**SMALL)).fit(X[:80], X_val=X[80:], tensorboard=tmp_path / "events")
    (path,) = (tmp_path / "events").iterdir()
    content = path.read_bytes()
    for name in ("loss/train", "loss/val", "kl/train", "reconstruction/val"):
        assert content.count(name.encode()) == vae.n_iter_


def test_without_its_package_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("vaelab.training.tensorboard.find_spec", lambda name: None)
    with pytest.raises(VaelabError, match=r"^tensorboard needs an extra package: pip install 'vaelab\[tensorboard\]'"):
        VAE(**SMALL).fit(X, tensorboard=tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path):
    pytest.importorskip("tensorboardX", reason="needs tensorboardX (pip install 'vaelab[tensorboard]')")
    (tmp_path / "file").write_text("")
    with pytest.raises(VaelabError, match=r"tensorboard: .*file cannot be written to"):
        VAE(**SMALL).fit(X, tensorboard=tmp_path / "file")
