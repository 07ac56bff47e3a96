"""`VAE.plot`: every figure of a run from the estimator in memory, and one clear line where a figure cannot be had."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.datasets import load_digits

import vaelab
from vaelab import VAE
from vaelab.errors import VaelabError
from vaelab.plotting import figure_names

IMAGES, NUMBERS = load_digits(return_X_y=True)
X = (IMAGES[:160] / 16).reshape(-1, 8, 8)
Y = NUMBERS[:160]
SMALL: dict[str, Any] = {"hidden": (8,), "epochs": 2, "batch_size": 40, "random_state": 0}


def words_of(figure: Figure) -> str:
    return " | ".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text))


@pytest.fixture(scope="module")
def fitted() -> VAE:
    return VAE(**SMALL).fit(X, Y)


@pytest.fixture
def no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", figure_names())
def test_every_figure_is_drawn_from_memory(name: str, fitted: VAE, no_file: Path):
    figure = fitted.plot(name)
    assert isinstance(figure, Figure)
    assert words_of(figure)
    assert list(no_file.iterdir()) == []


def test_it_says_of_what_it_is(fitted: VAE):
    words = words_of(fitted.plot("latent"))
    for part in ("160 training images", "VAE", "arrays", "2 latent dimensions", "normal prior", "seed 0"):
        assert part in words
    assert "Loss after 2 epochs" in words_of(fitted.plot("loss"))
    held_out = VAE(**SMALL).fit(X[:120], X_val=X[120:])
    assert "40 validation images" in words_of(held_out.plot("latent"))
    assert "validation" in words_of(held_out.plot("loss"))


def test_images_given_are_the_ones_shown(fitted: VAE):
    words = words_of(fitted.plot("latent", X[:50], Y[:50]))
    assert "50 given images" in words
    points = np.concatenate([np.asarray(line.get_xydata()) for line in fitted.plot("latent", X[:50]).axes[0].lines
                             if line.get_marker() == "o"])  # fmt: skip
    np.testing.assert_allclose(np.sort(points, axis=0), np.sort(fitted.transform(X[:50]), axis=0), atol=1e-5)
    assert "50 given images" in words_of(fitted.plot("prior", X[:50]))


def test_labels_of_other_images_have_the_colours_of_those_fitted():
    from vaelab.estimator.views import given_data

    vae = VAE(**SMALL | {"epochs": 1}).fit(X, np.array(["no", "yes", "perhaps"])[Y % 3])
    given = given_data(vae, X[:4], np.array(["yes", "yes", "perhaps", "yes"])).dataset
    assert given.label_names == ("no", "perhaps", "yes")
    assert given.test.labels is not None
    assert given.test.labels.tolist() == [2, 2, 1, 2]
    other = given_data(vae, X[:2], np.array(["new", "yes"])).dataset
    assert other.label_names == ("new", "yes")


def test_a_figure_shows_itself_in_a_notebook(fitted: VAE):
    """Where pyplot was never imported, IPython has no rule of its own for a Figure."""
    pytest.importorskip("IPython")
    from IPython.core.formatters import DisplayFormatter

    for style in ("vaelab", "tutorial"):
        shown, _ = DisplayFormatter().format(fitted.plot("latent", style=style))
        assert shown["image/png"].startswith(b"\x89PNG")


@pytest.mark.parametrize("images", [2000, 40])
def test_a_saved_and_loaded_estimator_plots_the_same(images: int, fitted: VAE, tmp_path: Path):
    loaded = vaelab.load(fitted.save(tmp_path / "mine", images=images))
    words = words_of(loaded.plot("latent"))
    assert f"{min(images, 160)} training images" in words
    assert "mine" in words
    if images == 2000:
        drawn = [words_of(one.plot("reconstructions")).replace("mine", "VAE") for one in (loaded, fitted)]
        assert drawn[0] == drawn[1]
    assert "Loss after 2 epochs" in words_of(loaded.plot("loss"))


def test_a_loaded_run_shows_its_test_images(tiny_run, monkeypatch, few_digits):
    import vaelab.run_data as run_data

    monkeypatch.setattr(run_data, "load_data", lambda *_, **__: few_digits)
    words = words_of(vaelab.load(tiny_run.folder).plot("latent"))
    assert "200 test images" in words
    assert "mnist" in words


def test_without_images_what_needs_none_is_drawn_and_the_rest_is_one_line(fitted: VAE, tmp_path: Path):
    bare = vaelab.load(fitted.save(tmp_path / "bare", images=0))
    for name in ("loss", "samples", "manifold"):
        assert words_of(bare.plot(name))
    for name in ("latent", "reconstructions", "prior"):
        with pytest.raises(VaelabError, match="keeps none of them") as caught:
            bare.plot(name)
        assert "\n" not in str(caught.value)
        assert "--" not in str(caught.value)
    assert "given" in words_of(bare.plot("latent", X[:20]))


def autoencoder() -> VAE:
    return VAE(**SMALL | {"epochs": 1}, deterministic=True).fit(X)


def three() -> VAE:
    return VAE(**SMALL | {"epochs": 1}, latent_dim=3).fit(X)


BAD = {
    "an autoencoder's samples": (autoencoder, lambda vae: vae.plot("samples"), r"vae\.fit_prior\('mixture'\)"),
    "an autoencoder's posterior": (autoencoder, lambda vae: vae.plot("posterior"), "an autoencoder has no posterior"),
    "a manifold of three": (three, lambda vae: vae.plot("manifold"), "this model has 3; draw traversals"),
    "a posterior of three": (three, lambda vae: vae.plot("posterior"), "this model has 3"),
    "a misspelt name": (three, lambda vae: vae.plot("latnet"), "did you mean 'latent'"),
    "a misspelt style": (three, lambda vae: vae.plot("latent", style="tutorail"), "did you mean 'tutorial'"),
    "images of another shape": (three, lambda vae: vae.plot("latent", X[:, :4]), r"this model takes \(8, 8\)"),
    "labels of others": (three, lambda vae: vae.plot("latent", X, Y[:5]), "expected 160 labels"),
    "labels alone": (three, lambda vae: vae.plot("latent", y=Y), "labels of images X, and none are given"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_figure_that_cannot_be_had_is_one_clear_line(name: str):
    make, act, words = BAD[name]
    with pytest.raises(VaelabError, match=words) as caught:
        act(make())
    assert "\n" not in str(caught.value)


def test_a_fitted_prior_is_the_one_drawn():
    vae = autoencoder().fit_prior("mixture", components=2)
    assert "autoencoder with prior mixture" in words_of(vae.plot("samples"))
    words = words_of(vae.plot("prior"))
    assert "Prior mixture, fitted afterwards" in words
    assert "No prior" in words


def test_in_more_dimensions_the_plane_is_named():
    vae = three()
    assert "the two of 3 dimensions" in words_of(vae.plot("latent"))
    assert "Traversals" in words_of(vae.plot("traversals"))
