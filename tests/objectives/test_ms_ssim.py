"""MS-SSIM against NumPy and SciPy in float64, by a convolution in two dimensions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.signal import convolve2d

from laws.table import KEY, model_of
from vaelab.errors import VaelabError
from vaelab.kinds import OBJECTIVES
from vaelab.objectives.ms_ssim import EXPONENTS, ms_ssim, scales_of


def reference(a: np.ndarray, b: np.ndarray, scales: int, window: int) -> float:
    """Wang et al., 2003, with the constants of their code: K = (0.01, 0.03), sigma 1.5; of two grey images of range 1."""
    offsets = np.arange(window) - (window - 1) / 2
    kernel = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * 1.5**2))
    kernel /= kernel.sum()

    def blurred(image: np.ndarray) -> np.ndarray:
        return convolve2d(image, kernel, mode="valid")

    weights = np.array(EXPONENTS[:scales]) / np.sum(EXPONENTS[:scales])
    found = 1.0
    for scale in range(scales):
        mean_a, mean_b = blurred(a), blurred(b)
        variance_a, variance_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
        covariance = blurred(a * b) - mean_a * mean_b
        similarity = (2 * covariance + 0.03**2) / (variance_a + variance_b + 0.03**2)
        if scale == scales - 1:
            similarity = similarity * (2 * mean_a * mean_b + 0.01**2) / (mean_a**2 + mean_b**2 + 0.01**2)
        found *= similarity.mean() ** weights[scale]
        a, b = (0.25 * (x[::2, ::2] + x[1::2, ::2] + x[::2, 1::2] + x[1::2, 1::2]) for x in (a, b))
    return found


def some(shape: tuple[int, ...], noise: float) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    rows, columns = np.meshgrid(np.linspace(0, 6, shape[0]), np.linspace(0, 9, shape[1]), indexing="ij")
    a = 0.5 + 0.4 * np.sin(rows) * np.cos(columns)
    return a, np.clip(a + noise * generator.normal(size=a.shape), 0, 1)


@pytest.mark.parametrize(("shape", "scales", "window"), [((28, 28), 1, 11), ((28, 36), 2, 11), ((64, 48), 3, 7)])
@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_it_is_that_of_the_paper(shape: tuple[int, int], scales: int, window: int, noise: float):
    a, b = some(shape, noise)
    found = ms_ssim(jnp.asarray(a, jnp.float32), jnp.asarray(b, jnp.float32), scales=scales, window=window)
    assert float(found) == pytest.approx(reference(a, b, scales, window), abs=2e-4)


def test_equal_images_are_1_and_colours_are_the_mean_of_channels():
    a, b = (jnp.asarray(x, jnp.float32) for x in some((28, 28), 0.1))
    assert float(ms_ssim(a, a, scales=2, window=11)) == pytest.approx(1.0, abs=1e-5)
    in_colour = ms_ssim(jnp.stack([a, a], axis=-1), jnp.stack([b, b], axis=-1), scales=2, window=11)
    assert float(in_colour) == pytest.approx(float(ms_ssim(a, b, scales=2, window=11)), rel=1e-4)


def test_its_gradient_is_finite_where_images_are_opposites():
    a, _ = (jnp.asarray(x, jnp.float32) for x in some((28, 28), 0.1))
    for b in (1.0 - a, jnp.zeros_like(a), a):
        gradient = jax.grad(lambda b: ms_ssim(a, b, scales=2, window=11))(b)
        assert np.isfinite(gradient).all()


def test_as_many_scales_as_fit_and_no_more():
    assert [scales_of((side, side), 11, None) for side in (11, 21, 22, 28, 64, 176, 400)] == [1, 1, 2, 2, 3, 5, 5]
    with pytest.raises(VaelabError, match=r"window = 11 is wider than images of 8 x 8 pixels after 0 halvings"):
        scales_of((8, 8), 11, None)
    with pytest.raises(
        VaelabError, match=r"28 x 28 pixels after 2 halvings; choose a smaller window, or objective.scales = 2"
    ):
        scales_of((28, 28), 11, 3)
    with pytest.raises(VaelabError, match=r"for images .*found examples of shape \(7,\)"):
        scales_of((7,), 3, None)
    objective = OBJECTIVES.build(OBJECTIVES.settings({"kind": "ms-ssim"}))
    with pytest.raises(VaelabError, match="wider than images of 4 x 5 pixels"):
        objective.players(model_of(), key=KEY)
