"""What `auto` becomes: the tutorial to the letter on MNIST, and a training that is of use on images of any size."""

import jax
import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from conftest import small
from vaelab.data import Dataset, load_data
from vaelab.model import weights_on_pixels
from vaelab.naming import named_arrays
from vaelab.training import TrainingData, train
from vaelab.training.beginning import initial_model, resolve
from vaelab.training.defaults import DIGIT_SUM
from vaelab.training.divergence import bar
from vaelab.training.optimisers import build_optimiser


def photographs(size: int, count: int = 120) -> np.ndarray:
    """Patches of scikit-learn's two photographs, (count, size, size, 3), uint8."""
    generator = np.random.default_rng(0)
    found = []
    for number in range(count):
        image = load_sample_images().images[number % 2]
        down, across = (generator.integers(0, length - size) for length in image.shape[:2])
        found.append(image[down : down + size, across : across + size])
    return np.stack(found)


@pytest.mark.parametrize("pixels", ["grey", "dynamic"])
@pytest.mark.parametrize("name", ["mnist", "digits"])
def test_small_dark_images_are_trained_as_in_the_tutorial(name: str, pixels: str):
    data = TrainingData(load_data(name).train_and_validation.images, None)
    config = resolve(small("tutorial", **{"data.name": name, "data.pixels": pixels}), data)
    assert config.training.first_layer_rate == 1.0
    assert config.model.output_bias == "zeros"
    assert config.training.learning_rate == 1e-3
    assert config.training.clip_norm is None


def test_the_rule_is_the_one_written_down():
    images = photographs(32)
    pixels = images.reshape(len(images), -1) / 255
    config = resolve(small("tutorial", **{"model.likelihood.kind": "gaussian"}), TrainingData(images, None))
    assert config.training.first_layer_rate == pytest.approx(DIGIT_SUM / pixels.sum(axis=1).mean(), rel=5e-3)
    assert config.model.output_bias == "data-mean"
    assert config.model.likelihood.scale == pytest.approx((pixels - pixels.mean(axis=0)).std(), rel=5e-3)
    assert resolve(config, TrainingData(images[:50], None)) == config  # once chosen, it stays


def test_what_is_chosen_is_left_alone():
    chosen = {"training.first_layer_rate": 0.5, "model.output_bias": "zeros", "model.likelihood.kind": "gaussian",
              "model.likelihood.scale": 2.0}  # fmt: skip
    config = resolve(small("tutorial", **chosen), TrainingData(photographs(16), None))
    assert config.training.first_layer_rate == 0.5
    assert config.model.output_bias == "zeros"
    assert config.model.likelihood.scale == 2.0


@pytest.mark.parametrize("value", [0, 255])
def test_images_of_one_value_have_defaults_too(value: int):
    data = TrainingData(np.full((10, 4, 4), value, np.uint8), None)
    config = resolve(small("tutorial", **{"model.likelihood.kind": "gaussian", "model.likelihood.learned": True}), data)
    assert config.model.likelihood.scale > config.model.likelihood.floor
    assert config.training.first_layer_rate == 1.0


@pytest.mark.parametrize(
    ("size", "likelihood", "recipe"),
    [(64, "gaussian", "tutorial"), (64, "bernoulli", "better"), (16, "continuous-bernoulli", "tutorial")],
)
def test_photographs_of_any_size_train(size: int, likelihood: str, recipe: str):
    """In five epochs better than the mean image, which the tutorial's own settings are far from after eight."""
    images = photographs(size, 100)
    changes = {"model.latent_dim": 8, "model.encoder.hidden": [32], "model.decoder.hidden": [32], "training.batch_size": 10,
               "training.epochs": 5, "data.validation": "none", "model.likelihood.kind": likelihood}  # fmt: skip
    data = TrainingData(images, None)
    config = resolve(small(recipe, **changes), data)
    history = train(config, data).history
    to_beat = bar(initial_model(config, data), data.images, "grey")
    assert history[-1]["loss"] < to_beat.mean_image
    assert max(report["loss"] for report in history[1:]) < to_beat.height


def test_a_learned_scale_begins_at_the_data_and_falls():
    images = photographs(16)
    changes = {"model.likelihood.kind": "gaussian", "model.likelihood.learned": True, "training.epochs": 12,
               "training.batch_size": 10}  # fmt: skip
    data = TrainingData(images, None)
    config = resolve(small("tutorial", **changes), data)
    scales = [
        0.001 + np.log1p(np.exp(model.decoder.family.free_scale))
        for model in (initial_model(config, data), train(config, data).model)
    ]
    assert scales[0] == pytest.approx(config.model.likelihood.scale, rel=1e-4)
    assert scales[1] < 0.95 * scales[0]


NETWORKS = {
    "plain": ({"model.encoder.hidden": [16]}, {"encoder.network.layers.0.weight"}),
    "as wide as the image": ({"model.encoder.hidden": [784, 16]}, {"encoder.network.layers.0.weight"}),
    "gated": (
        {"model.encoder.activation": "gated"},
        {"encoder.network.layers.0.value.weight", "encoder.network.layers.0.gate.weight"},
    ),
    "no layers": ({"model.encoder.hidden": []}, {"encoder.heads.mean.weight", "encoder.heads.log_variance.weight"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_weights_that_read_pixels(name: str, few_digits: Dataset):
    """A step moves them by their share, and everything else as before."""
    changes, expected = NETWORKS[name]
    data = TrainingData(few_digits.train.images, None)
    config = resolve(small("tutorial", **changes, **{"training.first_layer_rate": 0.25}), data)
    parameters = initial_model(config, data)
    mask = weights_on_pixels(parameters)
    gradient = jax.tree.map(lambda array: array + 1.0, parameters)
    whole, part = (
        named_arrays(optimiser.update(gradient, optimiser.init(parameters), parameters)[0])
        for optimiser in (build_optimiser(config.training, 10), build_optimiser(config.training, 10, mask))
    )
    assert {key for key in whole if (whole[key] != part[key]).any()} == expected
    for key in expected:
        np.testing.assert_allclose(part[key], 0.25 * whole[key], rtol=1e-6)


def test_pixels_in_other_units_begin_as_pixels_of_size_one():
    """0 to 255 as floats: before training the codes lie where those of pixels in [0, 1] do, and training is no divergence."""
    images = photographs(16, 60).astype(np.float32)
    config = resolve(small("tutorial", **{"model.likelihood.kind": "gaussian"}), TrainingData(images, None))
    model = initial_model(config, TrainingData(images, None))
    codes = jax.vmap(lambda image: model.posterior(image).mean)(images)
    assert np.abs(codes).max() < 10
    assert train(config, TrainingData(images, None)).kept_epoch == 2
