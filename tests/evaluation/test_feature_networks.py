"""The classifier behind the sample figures: its parts, its file, its training, and the packaged weights."""

from importlib.resources import as_file, files

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.ndimage
import sklearn.datasets

from vaelab.data.packaged import read_mnist
from vaelab.errors import VaelabError
from vaelab.evaluation.classifier import Classifier, Convolution
from vaelab.evaluation.classifier_file import load_classifier, save_classifier
from vaelab.evaluation.classifier_training import train_classifier, warped
from vaelab.evaluation.feature_networks import (
    BLOCK,
    FeatureNetwork,
    accuracy,
    classifier_network,
    digit_classifier,
    labelled_network,
    saved_classifier,
)
from vaelab.evaluation.images import as_float_images, as_uint8_images
from vaelab.tensors import write_tensors


@pytest.fixture(scope="module")
def digits():
    """scikit-learn's 1,797 digits of 8 x 8 pixels."""
    bunch = sklearn.datasets.load_digits()
    return np.rint(bunch.images * (255 / 16)).astype(np.uint8), bunch.target


def small(shape=(8, 8, 1), classes=3) -> Classifier:
    return Classifier(shape, classes, channels=(3, 4, 5, 6), hidden=7, key=jr.key(1))


def test_convolution_is_jax_s_own():
    convolution = Convolution(3, 5, key=jr.key(0))
    image = jr.normal(jr.key(1), (6, 9, 3))
    kernel = convolution.weight.reshape(3, 3, 3, 5)
    expected = jax.lax.conv_general_dilated(
        image[None], kernel, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
    )
    np.testing.assert_allclose(convolution(image), expected[0], atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 13, 3), (1, 2, 1), (28, 28, 4)])
def test_any_height_width_and_channels(shape):
    classifier = small(shape)
    image = jr.uniform(jr.key(0), shape)
    features = classifier.features(image)
    assert features.shape == (5 + 6,)
    assert bool((features >= 0).all())
    np.testing.assert_allclose(classifier(image), classifier.output(classifier.hidden_layer(image)), rtol=1e-6)


@pytest.mark.parametrize(
    ("angle", "scale", "down", "right"), [(0.0, 1.0, 0.0, 0.0), (0.2, 0.9, 1.5, -0.7), (-0.1, 1.1, -2.0, 2.0)]
)
def test_warp_is_scipy_s_affine_transform(angle, scale, down, right):
    image = np.zeros((20, 16))
    image[5:15, 4:12] = np.random.default_rng(0).uniform(size=(10, 8))  # a margin: the two treat the border differently
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([9.5, 7.5])
    offset = middle + np.array([down, right]) - matrix @ middle
    expected = scipy.ndimage.affine_transform(image, matrix, offset, order=1)
    values = [jnp.float32(value) for value in (angle, scale, down, right)]
    actual = warped(jnp.asarray(image[..., None], jnp.float32), *values)
    np.testing.assert_allclose(actual[..., 0], expected, atol=1e-4)


def test_blocks_change_nothing():
    classifier = small()
    images = np.random.default_rng(0).uniform(size=(BLOCK + 3, 8, 8)).astype(np.float32)
    network = classifier_network(classifier, name="small", image_shape=(8, 8, 1))
    expected = jax.vmap(classifier.features)(jnp.asarray(images[..., None]))
    np.testing.assert_allclose(network(images), expected, atol=1e-5)
    assert network(images).dtype == np.float64


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_saved_classifier_comes_back(tmp_path, dtype):
    classifier = small()
    path = tmp_path / "classifier.safetensors"
    save_classifier(path, classifier, name="small", image_shape=(8, 8, 1), dtype=dtype, about={"seed": 1})
    again, header = load_classifier(path)
    assert header["name"] == "small"
    assert header["about"] == {"seed": 1}
    assert header["classes"] == 3
    for expected, actual in zip(jax.tree.leaves(classifier), jax.tree.leaves(again), strict=True):
        np.testing.assert_array_equal(actual, np.asarray(expected).astype(dtype).astype(np.float32))
    network = saved_classifier(path)
    assert network.image_shape == (8, 8, 1)
    assert network.name == "small"
    assert network.digest == classifier_network(again, name="other", image_shape=(8, 8, 1)).digest


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    write_tensors(path, {"weight": np.zeros(3, np.float32)}, {"format": "vaelab-model-1"})
    with pytest.raises(VaelabError, match="not a classifier"):
        load_classifier(path)
    with pytest.raises(VaelabError, match="no such file"):
        load_classifier(tmp_path / "missing.safetensors")


@pytest.mark.slow
def test_training_learns_other_labelled_images(digits):
    images, labels = digits
    seen = []
    classifier = train_classifier(
        images[:1500],
        labels[:1500],
        epochs=15,
        batch_size=50,
        progress=lambda epoch, loss, _: seen.append((epoch, loss)),
    )
    assert [epoch for epoch, _ in seen] == list(range(1, 16))
    assert seen[-1][1] < 0.2 * seen[0][1]
    assert accuracy(classifier, images[1500:], labels[1500:]) > 0.93  # chance is 0.1


@pytest.mark.slow
def test_training_is_a_function_of_its_seed(digits):
    images, labels = digits[0][:128], digits[1][:128]
    first, again, other = (labelled_network(images, labels, name="n", epochs=1, seed=seed) for seed in (0, 0, 1))
    assert first.digest == again.digest != other.digest
    assert first.name == "n"
    assert "112 values" in first.layer


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((128, 8, 8), np.uint8), np.zeros(127, np.int64), "one integer an image"),
        (np.zeros((128, 8, 8), np.uint8), np.zeros(128, np.int64), "two classes"),
        (np.zeros((128, 8, 8), np.uint8), np.arange(128) - 1, "integers from 0"),
        (np.zeros((20, 8, 8), np.uint8), np.arange(20) % 2, "one batch"),
        (np.zeros((128, 64), np.uint8), np.arange(128) % 2, "shape"),
    ],
)
def test_training_refuses(images, labels, message):
    with pytest.raises(VaelabError, match=message):
        train_classifier(images, labels)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 64), np.float32), "must have shape"),
        (np.zeros((0, 8, 8), np.float32), "none of them 0"),
        (np.full((3, 8, 8), 255.0), r"must lie in \[0, 1\]"),
        (np.full((3, 8, 8), np.nan), r"must lie in \[0, 1\]"),
        (np.zeros((3, 8, 8), np.int64), "uint8 or floats"),
        (np.zeros((3, 9, 8), np.uint8), "reads images of shape"),
    ],
)
def test_images_that_cannot_be_judged_are_refused(images, message):
    network = classifier_network(small(), name="small", image_shape=(8, 8, 1))
    with pytest.raises(VaelabError, match=message):
        network(images)


def test_uint8_and_floats_are_the_same_images():
    images = np.arange(256, dtype=np.uint8).reshape(4, 8, 8)
    np.testing.assert_array_equal(as_uint8_images(as_float_images(images)), images[..., None])


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda images: images, "one vector per image"),
        (lambda images: images[1:].reshape(len(images) - 1, -1), "one vector per image"),
        (lambda images: np.full((len(images), 2), np.nan), "not finite"),
    ],
)
def test_a_network_of_the_user_s_is_checked(function, message):
    network = FeatureNetwork(name="mine", layer="last", features=function)
    with pytest.raises(VaelabError, match=f"'mine'.*{message}"):
        network(np.zeros((3, 8, 8), np.uint8))


def test_the_packaged_classifier_knows_the_test_digits():
    _, test = read_mnist()
    network = digit_classifier()
    assert network.classes is not None
    share = np.mean(network.classes(as_float_images(test.images)) == test.labels)
    assert share >= 0.993
    assert network.name == "MNIST digit classifier"
    assert network.figure_name == "frechet_digit_distance"


def test_the_packaged_weights_say_how_they_were_made():
    with as_file(files("vaelab.evaluation") / "digit_classifier.safetensors") as path:
        _, header = load_classifier(path)
    about = header["about"]
    assert about["test_accuracy"] >= 0.993
    assert about["data"] == "MNIST"
    assert about["settings"]["seed"] == 0
