"""`VAE.inpaint` and `VAE.denoise`."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from vaelab import VAE
from vaelab.errors import VaelabError

DIGITS = load_digits()
X, LABELS = (DIGITS.images[:300] * 255 / 16).astype(np.uint8), DIGITS.target[:300]
HIDDEN = np.zeros((8, 8), bool)
HIDDEN[4:] = True


@pytest.fixture(scope="module")
def vae() -> VAE:
    return VAE(3, (16,), epochs=3, random_state=0).fit(X)


def test_what_is_visible_stays_and_what_is_hidden_is_drawn(vae: VAE) -> None:
    found = vae.inpaint(X[:2], HIDDEN, draws=4, random_state=1)
    assert found.pictures.shape == (2, 4, 8, 8)
    assert found.pictures.dtype == np.uint8
    np.testing.assert_array_equal(found.pictures[:, :, :4], np.repeat(X[:2, None, :4], 4, axis=1))
    again = vae.inpaint(np.where(HIDDEN, 99, X[:2]).astype(np.uint8), HIDDEN, draws=4, random_state=1)
    np.testing.assert_array_equal(again.pictures, found.pictures)
    assert (found.distinct >= 1).all()
    assert (found.distinct <= 4).all()


def test_less_noise_leaves_less_to_choose(vae: VAE) -> None:
    spread = [vae.denoise(X[:3], sigma, draws=30, random_state=0).z.std(axis=1).mean() for sigma in (0.05, 5.0)]
    assert spread[0] < 0.5 * spread[1]


def test_bad_input_is_one_line(vae: VAE) -> None:
    with pytest.raises(VaelabError, match="the model's images have"):
        vae.inpaint(X[:1], HIDDEN[:3])
    with pytest.raises(VaelabError, match="hides everything"):
        vae.inpaint(X[:1], np.ones((8, 8), bool))
    for sigma in (-1.0, np.inf, np.nan):
        with pytest.raises(VaelabError, match="sigma"):
            vae.denoise(X[:1], sigma)
    with pytest.raises(VaelabError, match="images have shape"):
        vae.denoise(X[:1, :5], 0.1)
    with pytest.raises(VaelabError, match="NaN"):
        vae.denoise(np.full((1, 8, 8), np.nan), 0.1)
    with pytest.raises(VaelabError, match="images to denoise: found values from 100 to 100"):
        vae.denoise(np.full((1, 8, 8), 100.0), 0.1)
    with pytest.raises(VaelabError, match="has no prior"):
        VAE(2, (4,), deterministic=True, epochs=1).fit(X).inpaint(X[:1], HIDDEN)


def test_a_model_that_sees_labels_is_given_them() -> None:
    vae = VAE(2, (16,), condition="labels", epochs=3, random_state=0).fit(X, LABELS)
    found = vae.inpaint(X[:2], HIDDEN, LABELS[:2], draws=3, random_state=0)
    assert found.pictures.shape == (2, 3, 8, 8)
    other = vae.inpaint(X[:2], HIDDEN, 3, draws=3, random_state=0)
    assert not np.array_equal(found.pictures, other.pictures)
    with pytest.raises(VaelabError, match="labels"):
        vae.inpaint(X[:2], HIDDEN)
