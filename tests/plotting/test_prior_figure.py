"""Figure `prior`: what it calls a hole, and where it shows it."""

import jax
import numpy as np
import pytest
from matplotlib.figure import Figure

from conftest import small
from vaelab.building import build_model
from vaelab.model import Model
from vaelab.plotting.prior import RED, prior_figure


def model_of(latent_dim: int) -> Model:
    return build_model(
        small("tutorial", **{"model.latent_dim": latent_dim, "model.image_shape": [4, 4]}).model, jax.random.key(0)
    )


def words_of(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def codes(latent_dim: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two clusters: a hole of N(0, I) lies between them, others around."""
    mean = generator.normal(size=(300, latent_dim)).astype(np.float32) * 0.3
    mean[:, 0] += np.where(np.arange(300) % 2, 1.6, -1.6)
    return mean, np.full_like(mean, np.log(0.1))


def test_the_worst_hole_lies_on_the_darkest_red_and_is_defined(generator: np.random.Generator) -> None:
    figure = prior_figure(model_of(2), *codes(2, generator))
    (axes,) = [axes for axes in figure.axes if axes.images and axes.images[0].get_cmap().name == "RdBu"]
    (picture,) = axes.images
    ratio = np.ma.asarray(picture.get_array())
    left, right, bottom, top = picture.get_extent()
    rings = [line for line in axes.lines if line.get_markeredgecolor() == RED]
    (ring,) = rings
    (x, y), (rows, columns) = np.asarray(ring.get_xydata())[0], ratio.shape
    row, column = round((y - bottom) / (top - bottom) * (rows - 1)), round((x - left) / (right - left) * (columns - 1))
    assert ratio[row, column] == ratio.min()
    assert "the worst hole (red ring): within 95 % of the prior, where log q(z) − log p(z) is least" in words_of(figure)
    # nothing red lies outside of what is compared: 95 % of N(0, I) lie within 2.45
    across, up = np.meshgrid(np.linspace(left, right, columns), np.linspace(bottom, top, rows))
    assert np.hypot(across, up)[(ratio < -0.5).filled(False)].max() < 2.7


@pytest.mark.parametrize(("latent_dim", "words"), [(1, "the worst hole (red ring)"), (3, "holes: of 4,000 draws")])
def test_holes_are_defined_in_other_dimensions(latent_dim: int, words: str, generator: np.random.Generator) -> None:
    figure = prior_figure(model_of(latent_dim), *codes(latent_dim, generator), title="t")
    figure.canvas.draw()
    shown = words_of(figure).replace("\n", " ")
    assert words in shown
    rings = [line for axes in figure.axes for line in axes.lines if line.get_markeredgecolor() == RED]
    assert len(rings) == (1 if latent_dim == 1 else 0)


def test_one_training_image_is_one_image(generator: np.random.Generator) -> None:
    mean, log_variance = codes(2, generator)
    assert "1 training image " in words_of(prior_figure(model_of(2), mean[:1], log_variance[:1])) + " "
