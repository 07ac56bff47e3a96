"""Features of a network that was trained on the data themselves."""

import numpy as np
import pytest

from vaelab.errors import VaelabError
from vaelab.evaluation.own_features import feature_distance, own_network, patch_network


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """40 pictures of stripes in colour, of different directions and widths."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:16, :16] / 16
    angle, width = generator.uniform(0, np.pi, 40), generator.uniform(4, 20, 40)
    waves = [np.sin(w * (np.cos(a) * rows + np.sin(a) * columns)) for a, w in zip(angle, width, strict=True)]
    tints = generator.uniform(0.2, 1.0, (40, 1, 1, 3))
    return np.rint(255 * tints * (0.5 + 0.5 * np.stack(waves)[..., None])).astype(np.uint8)


@pytest.fixture(scope="module")
def network(pictures: np.ndarray):
    return patch_network(pictures, name="stripes", epochs=2)


def test_what_is_less_like_a_picture_is_farther_off(network, pictures: np.ndarray) -> None:
    generator = np.random.default_rng(1)
    noisy = [
        np.clip(pictures + generator.normal(0, size, pictures.shape), 0, 255).astype(np.uint8) for size in (5, 30, 90)
    ]
    found = [feature_distance(network, pictures, other).value for other in (pictures, *noisy)]
    assert found[0] == 0.0
    assert found == sorted(found)
    assert feature_distance(network, pictures, np.roll(pictures, 1, axis=0)).value == pytest.approx(1.0)


def test_it_is_named_for_what_it_is(network, pictures: np.ndarray) -> None:
    assert network.name == "stripes"
    assert network.class_count == 40
    labelled = own_network(pictures, np.arange(40) % 2, data="stripes")
    assert labelled.class_count == 2
    assert labelled.name == "classifier of stripes, trained on its labels"


def test_too_few_images_are_refused(network, pictures: np.ndarray) -> None:
    with pytest.raises(VaelabError, match="at least two images; found 1"):
        patch_network(pictures[:1], name="one")
    with pytest.raises(VaelabError, match="at least two of them; found 1"):
        feature_distance(network, pictures[:1], pictures[:1])
