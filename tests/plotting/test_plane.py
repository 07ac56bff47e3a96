"""Which plane of a larger latent space is shown."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from vaelab.plotting.plane import kl_per_dimension, plane_of


def test_kl_per_dimension_is_the_closed_form() -> None:
    mean, log_variance = np.array([[0.0, 2.0]], np.float32), np.array([[0.0, np.log(0.25)]], np.float32)
    # Kingma and Welling 2014, appendix B: -1/2 (1 + log v - m^2 - v)
    assert kl_per_dimension(mean, log_variance) == pytest.approx([0.0, -0.5 * (1 + np.log(0.25) - 4 - 0.25)], abs=1e-6)


def test_two_dimensions_are_shown_as_they_are(generator: np.random.Generator) -> None:
    z = generator.normal(size=(20, 2)).astype(np.float32)
    plane = plane_of(z, np.zeros_like(z))
    assert np.array_equal(plane.project(z), z)
    assert plane.choice == ""


def test_the_two_of_largest_kl_are_shown_and_named(generator: np.random.Generator) -> None:
    mean = generator.normal(size=(500, 5)).astype(np.float32) * np.array([0.01, 2.0, 0.1, 1.0, 0.01], np.float32)
    plane = plane_of(mean, np.full_like(mean, -1.0))
    assert np.array_equal(plane.project(mean), mean[:, [1, 3]])
    assert plane.axis_names[0].startswith("z₂ ")
    assert plane.axis_names[1].startswith("z₄ ")
    assert "largest KL" in plane.choice


def test_an_autoencoder_is_shown_by_its_principal_axes(generator: np.random.Generator) -> None:
    codes = (generator.normal(size=(400, 4)) @ generator.normal(size=(4, 4))).astype(np.float32)
    plane = plane_of(codes, None)
    expected = PCA(2).fit(codes)
    assert expected.components_ is not None
    assert np.allclose(np.abs(plane.directions @ expected.components_.T), np.eye(2), atol=1e-4)
    assert "principal" in plane.choice
    assert f"{expected.explained_variance_ratio_[0]:.0%}" in plane.axis_names[0]
