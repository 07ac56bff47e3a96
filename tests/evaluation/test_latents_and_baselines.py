"""Active units, probes, and what needs no VAE, against scikit-learn, scipy and MNIST's known numbers."""

import jax.numpy as jnp
import numpy as np
import pytest

from vaelab.data import load_data
from vaelab.densities import DiagonalNormal, Mixture, standard_normal
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.baselines import baselines, grey_floor, pixelwise_bernoulli
from vaelab.evaluation.latents import latent_use, probes
from vaelab.evaluation.principal_components import principal_components
from vaelab.pixels import seen_once


def test_grey_floor_of_mnist() -> None:
    """45.53 nats: the least cross-entropy on the grey test images."""
    floor = grey_floor(load_data("mnist").test.images)
    assert floor.value == pytest.approx(45.53, abs=0.005)
    assert floor.n == 10_000


def test_binary_pixels_have_no_floor() -> None:
    assert grey_floor(np.array([[0, 255], [255, 255]], np.uint8)).value == 0.0


def test_pixelwise_bernoulli_of_binarised_mnist() -> None:
    """About 205.8 nats."""
    mnist = load_data("mnist")
    drawn = seen_once(mnist.test.images, "dynamic", 0)
    mean = mnist.train_and_validation.images.reshape(60_000, -1).mean(axis=0) / 255.0
    found = pixelwise_bernoulli(mean, 60_000, drawn)
    assert found is not None
    assert found.value == pytest.approx(205.8, abs=0.3)


def test_pca_against_scikit_learn() -> None:
    from sklearn.decomposition import PCA

    generator = np.random.default_rng(0)
    training, images = (generator.random((200, 4, 4)) * generator.random((1, 4, 4)) for _ in range(2))
    found = baselines(training.astype(np.float32), images.astype(np.float32), 3)
    flat = images.astype(np.float32).reshape(200, -1).astype(np.float64)
    fitted = PCA(3).fit(training.astype(np.float32).reshape(200, -1).astype(np.float64))
    expected = ((flat - fitted.inverse_transform(fitted.transform(flat))) ** 2).sum(axis=1).mean()
    assert found.pca.value == pytest.approx(expected, rel=1e-6)
    assert found.mean_image.value == pytest.approx(((flat - fitted.mean_) ** 2).sum(axis=1).mean(), rel=1e-6)
    assert found.pca.value < found.mean_image.value


def test_kl_per_dimension_and_active_units() -> None:
    means = np.zeros((100, 3), np.float32)
    means[:, 0] = np.linspace(-2.0, 2.0, 100)
    means[:, 1] = np.linspace(-0.1, 0.1, 100)  # variance 0.0034: not active
    posteriors = AggregatePosterior.of_gaussians(jnp.asarray(means), jnp.zeros((100, 3)))
    use = latent_use(posteriors, standard_normal(3))
    # KL(N(m, 1) || N(0, 1)) = m^2 / 2
    np.testing.assert_allclose(
        use.kl_per_dimension, (means.astype(np.float64) ** 2).mean(axis=0) / 2, rtol=1e-4, atol=1e-7
    )
    assert use.active_units == 1
    assert use.kl_against == "the model's prior"
    mixture = Mixture(jnp.zeros(1), DiagonalNormal(jnp.ones((1, 3)), jnp.zeros((1, 3))))
    assert use.kl_per_dimension == pytest.approx(latent_use(posteriors, mixture).kl_per_dimension)
    assert "N(0, I)" in latent_use(posteriors, mixture).kl_against


def test_probes_read_what_is_there_and_no_more() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 900)
    telling = np.eye(3)[labels] * 6.0 + generator.normal(size=(900, 3))
    silent = generator.normal(size=(900, 3))
    good = probes(telling[:600].astype(np.float32), labels[:600], telling[600:].astype(np.float32), labels[600:])
    none = probes(silent[:600].astype(np.float32), labels[:600], silent[600:].astype(np.float32), labels[600:])
    assert good is not None
    assert none is not None
    assert good.linear.value > 0.97
    assert good.nearest_neighbours.value > 0.97
    assert none.linear.value < 0.45
    assert none.nearest_neighbours.value < 0.45
    assert probes(silent, np.zeros(900, int), silent, np.zeros(900, int)) is None


@pytest.mark.parametrize(
    ("count", "pixels", "kept"),
    [(200, 40, 3), (40, 3000, 3), (2300, 2300, 3), (6, 3000, 512), (6, 40, 512)],
    ids=["few pixels", "few images", "many of both", "more dimensions than images, many pixels", "and few"],
)
def test_components_by_whichever_square_is_small(count: int, pixels: int, kept: int) -> None:
    """Against a singular value decomposition: the span of the strongest directions, and the mean."""
    generator = np.random.default_rng(0)
    images = (generator.normal(size=(count, 4)) * [8.0, 5.0, 3.0, 0.1]) @ generator.normal(size=(4, pixels)) + 7.0
    found = principal_components(images.astype(np.float32), kept)
    exact = images.astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), atol=1e-4)
    assert found.images == count
    assert len(found.directions) <= min(kept, count - 1)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(len(found.directions)), atol=1e-4)
    _, lengths, rows = np.linalg.svd(exact - exact.mean(axis=0), full_matrices=False)
    strong = rows[:3]
    assert lengths[3] < 0.1 * lengths[2]
    np.testing.assert_allclose(np.linalg.norm(strong @ found.directions.T, axis=1), 1.0, atol=1e-4)


@pytest.mark.parametrize("side", [16, 64])
def test_images_that_are_all_alike_have_no_components_and_no_error(side: int) -> None:
    black = np.zeros((30, side, side), np.uint8)
    found = baselines(black, black[:5], 8)
    assert found.pca.value == found.mean_image.value == 0.0
    assert found.pixelwise_bernoulli is not None


def test_many_pixels_need_no_square_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """227 x 227: 51,529 pixels, whose square would take 20 GB. The largest array made is counted."""
    import tracemalloc

    images = np.random.default_rng(0).integers(0, 256, (20, 227, 227), dtype=np.uint8)
    tracemalloc.start()
    found = baselines(images, images[:5], 2)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 200e6
    assert 0.0 < found.pca.value < found.mean_image.value
