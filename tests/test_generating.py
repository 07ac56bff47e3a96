"""What a model makes of images and latents, in batches: the same numbers as one example at a time."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from scipy.stats import kstest

from vaelab.data import Dataset
from vaelab.densities import DiagonalNormal, FullNormal, Mixture
from vaelab.errors import VaelabError
from vaelab.generating import (
    can_sample,
    check_images,
    check_latents,
    decode,
    draw_pixels,
    encode,
    path_between,
    reconstruct,
    sample_latents,
)
from vaelab.generating.files import output_kind, read_latents, write_arrays, write_images
from vaelab.generating.pictures import as_levels, paired_rows, shown_range, tiled
from vaelab.generating.sampling import tempered
from vaelab.model import Model
from vaelab.model_file import load_model
from vaelab.pixels import scaled
from vaelab.runs import Run


@pytest.fixture(scope="module")
def model(tiny_run: Run) -> Model:
    return load_model(tiny_run)


@pytest.fixture(scope="module")
def autoencoder(tiny_autoencoder_run: Run) -> Model:
    return load_model(tiny_autoencoder_run)


def test_encoding_is_the_encoder_one_image_at_a_time(model: Model, few_digits: Dataset) -> None:
    images = few_digits.test.images[:5]
    encoded = encode(model, images, seed=3)
    for place in range(5):
        posterior = model.posterior(scaled(jnp.asarray(images[place])))
        assert isinstance(posterior, DiagonalNormal)
        assert np.allclose(encoded.mean[place], posterior.mean, atol=1e-5)
        assert encoded.log_variance is not None
        assert np.allclose(encoded.log_variance[place], posterior.log_variance, atol=1e-5)


def test_draws_follow_the_posterior_and_their_seed(model: Model, few_digits: Dataset) -> None:
    images = np.repeat(few_digits.test.images[:1], 3000, axis=0)
    encoded = encode(model, images, seed=3)
    assert encoded.log_variance is not None
    white = (encoded.draw - encoded.mean) / np.exp(0.5 * encoded.log_variance)
    assert kstest(white.ravel(), "norm").pvalue > 1e-3
    assert np.array_equal(encode(model, images[:7], seed=3).draw, encoded.draw[:7])  # a subset gets the same draws
    assert not np.array_equal(encode(model, images[:7], seed=4).draw, encoded.draw[:7])


def test_an_autoencoders_code_is_its_own_draw(autoencoder: Model, few_digits: Dataset) -> None:
    encoded = encode(autoencoder, few_digits.test.images[:4])
    assert encoded.log_variance is None
    assert np.array_equal(encoded.draw, encoded.mean)


def test_decoding_and_reconstructing(model: Model, few_digits: Dataset, generator: np.random.Generator) -> None:
    z = generator.normal(size=(3, 2))
    images = decode(model, z)
    assert images.shape == (3, 28, 28)
    for place in range(3):
        assert np.allclose(images[place], model.likelihood(jnp.asarray(z[place], jnp.float32)).mean, atol=1e-5)
    digits = few_digits.test.images[:3]
    assert np.allclose(reconstruct(model, digits), decode(model, encode(model, digits).mean))


def test_pixels_are_drawn_with_the_means_frequencies(model: Model) -> None:
    z = np.zeros((4000, 2), np.float32)
    pixels = draw_pixels(model, z)
    assert set(np.unique(pixels)) <= {0.0, 1.0}
    mean = decode(model, z[:1])[0]
    error = np.sqrt(mean * (1 - mean) / len(z)) + 1e-4
    assert np.all(np.abs(pixels.mean(axis=0) - mean) < 6 * error)


def test_samples_follow_the_prior_and_the_temperature(model: Model) -> None:
    z = sample_latents(model, 4000, seed=1)
    assert kstest(z.ravel(), "norm").pvalue > 1e-3
    cool = sample_latents(model, 4000, seed=1, temperature=0.5)
    assert np.allclose(cool, 0.5 * z, atol=1e-6)
    assert np.array_equal(sample_latents(model, 10, seed=1), z[:10])


def test_a_tempered_mixture_keeps_its_means_and_weights() -> None:
    components = jax.vmap(FullNormal)(jnp.array([[0.0, 4.0], [1.0, -4.0]]), jnp.stack([jnp.eye(2), 2 * jnp.eye(2)]))
    mixture = tempered(Mixture(jnp.log(jnp.array([0.3, 0.7])), components), 0.1)
    assert isinstance(mixture, Mixture)
    assert isinstance(mixture.components, FullNormal)
    assert np.allclose(mixture.components.scale, 0.1 * components.scale)
    assert np.array_equal(mixture.components.mean, components.mean)
    with pytest.raises(VaelabError, match="positive"):
        tempered(mixture, 0.0)


def test_what_cannot_be_sampled_is_refused(model: Model, autoencoder: Model) -> None:
    assert can_sample(model)
    assert not can_sample(autoencoder)
    with pytest.raises(VaelabError, match="an autoencoder has no prior"):
        sample_latents(autoencoder, 3)
    with pytest.raises(VaelabError, match="does not know of labels"):
        sample_latents(model, 3, label=7)


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        (np.zeros((2, 8, 8), np.uint8), r"shape \(8, 8\); this model takes \(28, 28\)"),
        (np.full((2, 28, 28), np.nan, np.float32), "NaN or infinity in 2 of 2"),
        (np.full((2, 28, 28), 7.9, np.float32), r"must lie in \[0, 1\].*from 7.9 to 7.9"),
    ],
    ids=["shape", "NaN", "range"],
)
def test_images_that_do_not_fit_are_refused(model: Model, images: np.ndarray, complaint: str) -> None:
    with pytest.raises(VaelabError, match=complaint):
        check_images(model, images)
    with pytest.raises(VaelabError, match=complaint):
        encode(model, images)


@pytest.mark.parametrize("z", [np.zeros((3, 5)), np.zeros(2), np.full((1, 2), np.inf)], ids=["latent", "flat", "inf"])
def test_latents_that_do_not_fit_are_refused(model: Model, z: np.ndarray) -> None:
    with pytest.raises(VaelabError, match=r"shape|finite"):
        check_latents(model, z)


# --- paths -----------------------------------------------------------------------------------------------------------


def test_a_straight_path_is_evenly_spaced(generator: np.random.Generator) -> None:
    first, last = generator.normal(size=(2, 4))
    path = path_between(first, last, steps=9)
    assert np.allclose(path[[0, -1]], [first, last], atol=1e-6)
    assert np.allclose(np.diff(path, axis=0), (last - first) / 8, atol=1e-6)


def test_a_spherical_path_keeps_the_norm_and_turns_evenly(generator: np.random.Generator) -> None:
    first, last = generator.normal(size=(2, 4))
    last *= np.linalg.norm(first) / np.linalg.norm(last)
    path = path_between(first, last, steps=6, spherical=True).astype(np.float64)
    assert np.allclose(path[[0, -1]], [first, last], atol=1e-6)
    assert np.allclose(np.linalg.norm(path, axis=1), np.linalg.norm(first), rtol=1e-6)
    unit = path / np.linalg.norm(path, axis=1, keepdims=True)
    turns = np.arccos((unit[1:] * unit[:-1]).sum(axis=1))
    assert np.allclose(turns, turns.mean(), rtol=1e-4)


def test_paths_that_are_not_defined_are_refused() -> None:
    east = np.array([1.0, 0.0])
    for last, steps, spherical in ((east, 1, False), (-2 * east, 5, True), (0 * east, 5, True)):
        with pytest.raises(VaelabError):
            path_between(east, last, steps=steps, spherical=spherical)
    along = path_between(east, 3 * east, steps=3, spherical=True)
    assert np.allclose(along[:, 0], [1, 2, 3])


# --- pictures and files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_tiles_stand_row_by_row(channels: tuple[int, ...], generator: np.random.Generator) -> None:
    pictures = generator.integers(0, 200, (5, 4, 3, *channels), dtype=np.uint8)
    page = tiled(pictures, 3, gap=2)
    assert page.shape[:2] == (2 * 4 + 2, 3 * 3 + 4)
    expected = pictures[..., 0] if channels == (1,) else pictures
    for place in range(5):
        row, column = divmod(place, 3)
        assert np.array_equal(page[row * 6 : row * 6 + 4, column * 5 : column * 5 + 3], expected[place])
    assert np.all(page[4:6] == 255)
    assert np.all(page[6:, 10:] == 255)


def test_levels_and_the_range_that_is_shown() -> None:
    assert as_levels(np.array([[-1.0, 0.0, 0.5, 1.0, 2.0]])).tolist() == [[0, 0, 128, 255, 255]]
    assert shown_range(np.array([-0.05, 1.05])) == (0.0, 1.0)
    assert shown_range(np.array([-2.0, 3.0])) == (-2.0, 3.0)
    assert shown_range(np.array([[3, 250]], np.uint8)) == (0.0, 1.0)


def test_pairs_of_rows_fill_short_rows_with_white() -> None:
    above, below = np.zeros((3, 1, 1), np.uint8), np.full((3, 1, 1), 51, np.uint8)
    assert paired_rows(above, below, 2).ravel().tolist() == pytest.approx([0, 0, 0.2, 0.2, 0, 1, 0.2, 1])


def test_images_are_written_as_the_name_asks(tmp_path: Path, generator: np.random.Generator) -> None:
    images = generator.uniform(size=(6, 8, 8)).astype(np.float32)
    levels = np.rint(images * 255).astype(np.uint8)
    write_images(tmp_path / "sheet.png", images, columns=3)
    with Image.open(tmp_path / "sheet.png") as picture:
        sheet = np.asarray(picture)
    factor = 800 // (3 * 8 + 4)
    assert sheet.shape == ((2 * 8 + 2) * factor, (3 * 8 + 4) * factor)
    assert np.array_equal(sheet[::factor, ::factor][:8, :8], levels[0])
    write_images(tmp_path / "folder", images)
    assert len(list((tmp_path / "folder").iterdir())) == 6
    with Image.open(tmp_path / "folder" / "0004.png") as picture:
        assert np.array_equal(np.asarray(picture), levels[4])
    write_images(tmp_path / "arrays.npz", images, arrays={"z": np.ones((6, 2), np.float32)})
    with np.load(tmp_path / "arrays.npz", allow_pickle=False) as arrays:
        assert np.array_equal(arrays["images"], images)
    assert read_latents(tmp_path / "arrays.npz")[1] == "z"


def test_names_that_ask_for_nothing_known_are_refused(tmp_path: Path) -> None:
    with pytest.raises(VaelabError, match=r"\.png or \.npz"):
        output_kind(tmp_path / "a.jpg")
    with pytest.raises(VaelabError, match="no pictures"):
        output_kind(tmp_path / "a.png", (784,))


def test_latents_are_read_by_name_and_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "z.npz"
    write_arrays(path, {"draw": np.ones((2, 2)), "mean": np.zeros((2, 2))})
    assert read_latents(path)[1] == "mean"
    assert read_latents(path, "draw")[0].tolist() == [[1, 1], [1, 1]]
    np.save(tmp_path / "z.npy", np.full((3, 2), 2.0))
    assert read_latents(tmp_path / "z.npy")[0].shape == (3, 2)
    np.savez(tmp_path / "objects.npz", z=np.array([{"a": 1}], dtype=object))
    path.with_name("cut.npz").write_bytes(path.read_bytes()[:60])
    write_arrays(tmp_path / "other.npz", {"a": np.ones(2), "b": np.ones(2)})
    for name in ("objects.npz", "cut.npz", "other.npz", "missing.npz"):
        with pytest.raises(VaelabError, match=name):
            read_latents(tmp_path / name)


def test_likelihoods_of_many_points_are_compiled_once(tiny_run: Run, few_digits: Dataset):
    """The page asks some 130 times for one exact posterior."""
    import jax
    import jax.numpy as jnp

    from vaelab.generating import coding, log_likelihoods

    model = load_model(tiny_run)
    z = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    images = few_digits.test.images[:3].astype(np.float32) / np.float32(255)
    found = [log_likelihoods(model, z, image) for image in images]
    compiled = coding._log_likelihoods._cache_size()
    log_likelihoods(model, z + 1, images[0])
    assert coding._log_likelihoods._cache_size() == compiled
    expected = jax.vmap(lambda z: model.likelihood(z).log_prob(jnp.asarray(images[2])))(jnp.asarray(z))
    np.testing.assert_allclose(found[2], expected, rtol=1e-5)
