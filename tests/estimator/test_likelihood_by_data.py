"""`likelihood="auto"`: photographs in colour are scored by their levels, everything else as in the tutorial."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from vaelab import VAE, load

COLOUR = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
SMALL = {"latent_dim": 2, "hidden": (4,), "epochs": 1, "batch_size": 20, "random_state": 0}
IMAGES = {
    "photographs": (COLOUR, "discretised-logistic"),
    "grey levels": (COLOUR[..., 0], "bernoulli"),
    "colours in [0, 1]": (COLOUR / 255.0, "bernoulli"),
    "rows of features": (COLOUR.reshape(40, -1), "bernoulli"),
}


@pytest.mark.parametrize("name", IMAGES)
def test_the_likelihood_follows_from_the_images(name: str) -> None:
    images, kind = IMAGES[name]
    assert VAE(**SMALL).fit(images).config_.model.likelihood.kind == kind


def test_one_that_is_asked_for_is_taken() -> None:
    assert VAE(**SMALL, likelihood="bernoulli").fit(COLOUR).config_.model.likelihood.kind == "bernoulli"


def test_it_goes_on_and_comes_back_as_it_was_chosen(tmp_path: Path) -> None:
    vae = VAE(**SMALL, warm_start=True).fit(COLOUR)
    assert vae.fit(COLOUR).n_iter_ == 2
    vae.save(tmp_path / "saved")
    again = load(tmp_path / "saved")
    assert again.config_.model.likelihood.kind == "discretised-logistic"
    np.testing.assert_array_equal(again.transform(COLOUR), vae.transform(COLOUR))
    assert clone(again).fit(COLOUR).config_.model.likelihood.kind == "discretised-logistic"
