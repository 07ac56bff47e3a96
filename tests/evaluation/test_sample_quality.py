"""Every figure of sample quality gets worse in step as real digits are blurred, noised, or thinned of their modes."""

import dataclasses
import inspect
import json
import math

import numpy as np
import pytest
import scipy.ndimage

from vaelab.data.packaged import read_mnist
from vaelab.errors import VaelabError
from vaelab.evaluation.feature_networks import FeatureNetwork, digit_classifier
from vaelab.evaluation.sample_quality import class_entropy, quality_floor, sample_quality

COUNT = 800
# More noise than 0.2 leaves precision and recall at zero. Six kinds of digits must be missing before the kernel distance
# is in step: it is mostly a distance of means, and those of eight, six and five kinds of digits are about as far off
# (0.0023, 0.0017, 0.0012, each ± 0.0004); the Fréchet distance, recall and coverage are in step from ten down to two.
STRENGTHS = {"blurred": (0.0, 0.8, 1.3, 2.0), "noised": (0.0, 0.1, 0.15, 0.2), "thinned": (10, 4, 3, 2)}


def degraded(images: np.ndarray, labels: np.ndarray, kind: str, strength: float) -> np.ndarray:
    """`COUNT` images blurred (standard deviation in pixels), with Gaussian noise, or of digits < `strength`."""
    if kind == "thinned":
        return images[labels < strength][:COUNT]
    images = images[:COUNT] / np.float32(255)
    if kind == "blurred":
        return scipy.ndimage.gaussian_filter(images, (0, strength, strength)) if strength else images
    noise = np.random.default_rng(0).normal(size=images.shape).astype(np.float32)
    return np.clip(images + np.float32(strength) * noise, 0, 1)


def remembering(function):
    """`function` of images, run once for each set of them: the reference and the undamaged ones come again and again."""
    known = {}

    def remembered(images: np.ndarray) -> np.ndarray:
        key = images.tobytes()
        if key not in known:
            known[key] = function(images)
        return known[key]

    return remembered


@pytest.fixture(scope="module")
def qualities():
    """For each damage, the quality at each strength: training images, damaged, against test images."""
    train, test = read_mnist()
    network = digit_classifier()
    network = dataclasses.replace(network, features=remembering(network.features), classes=remembering(network.classes))
    return {
        kind: [
            sample_quality(
                degraded(train.images[:9000], train.labels[:9000], kind, strength),
                test.images[:COUNT],
                features=network,
                resamples=0,
            )
            for strength in strengths
        ]
        for kind, strengths in STRENGTHS.items()
    }


def in_step(values: list[float], worse: str) -> bool:
    steps = np.diff(values)
    return bool((steps > 0).all() if worse == "higher" else (steps < 0).all())


@pytest.mark.parametrize("kind", STRENGTHS)
@pytest.mark.parametrize(
    ("figure", "worse"),
    [("frechet_distance", "higher"), ("kernel_distance", "higher"), ("recall", "lower"), ("coverage", "lower")],
)
def test_each_damage_shows_in_step(qualities, kind, figure, worse):
    values = [getattr(quality, figure).value for quality in qualities[kind]]
    assert in_step(values, worse), values


@pytest.mark.parametrize("kind", ["blurred", "noised"])
@pytest.mark.parametrize("figure", ["precision", "density"])
def test_unreal_images_show_in_step(qualities, kind, figure):
    values = [getattr(quality, figure).value for quality in qualities[kind]]
    assert in_step(values, "lower"), values


def test_missing_modes_leave_what_is_there_real(qualities):
    precisions = [quality.precision.value for quality in qualities["thinned"]]
    assert min(precisions) > precisions[0] - 0.05


def test_missing_modes_show_in_the_classes(qualities):
    entropies = [quality.class_entropy.value for quality in qualities["thinned"]]
    assert in_step(entropies, "lower"), entropies
    assert entropies[0] == pytest.approx(math.log(10), abs=0.02)
    assert entropies[-1] == pytest.approx(math.log(2), abs=0.05)
    assert qualities["thinned"][-1].class_histogram[:2].sum() > 0.99
    assert qualities["thinned"][-1].reference_class_entropy.value == pytest.approx(math.log(10), abs=0.02)


def test_the_floor_lies_under_every_damage(qualities):
    train, test = read_mnist()
    floor = quality_floor(train.images, test.images[:COUNT], features=digit_classifier(), resamples=20)
    assert floor.samples == floor.reference == COUNT
    damaged = [quality.frechet_distance.value for damage in qualities.values() for quality in damage[1:]]
    assert floor.frechet_distance.value + 4 * floor.frechet_distance.standard_error < min(damaged)
    assert abs(floor.kernel_distance.value) < 5 * floor.kernel_distance.standard_error
    # k = 5 and equal numbers: 1 - 2^-5 where both are of one distribution; the first test images are a little apart
    assert floor.coverage.value == pytest.approx(0.969, abs=0.05)


@pytest.fixture
def pixels():
    """A feature network of a user's: the mean of each row of pixels."""
    return FeatureNetwork(name="row means", layer="rows", features=lambda images: images.mean(axis=(2, 3)))


def test_the_result_names_its_network_and_is_json(pixels):
    generator = np.random.default_rng(0)
    samples, reference, training = (generator.uniform(size=(n, 6, 5)) for n in (40, 50, 60))
    quality = sample_quality(samples, reference, features=pixels, training_images=training)
    result = json.loads(json.dumps(quality.as_dict()))
    assert result["features"] == {"network": "row means", "layer": "rows", "digest": ""}
    assert (result["samples"], result["reference"]) == (40, 50)
    assert result["frechet_feature_distance"]["value"] == quality.frechet_distance.value > 0
    assert result["frechet_feature_distance"]["standard_error"] > 0
    assert result["class_entropy"] is None
    assert result["memorisation"]["closer_than_held_out"]["value"] == pytest.approx(0.5, abs=0.3)
    assert "fid" not in json.dumps(result).lower()


def test_a_quality_is_a_function_of_its_seed(pixels):
    samples, reference = np.random.default_rng(0).uniform(size=(2, 40, 6, 5))
    first, again, other = (
        sample_quality(samples, reference, features=pixels, seed=seed).as_dict() for seed in (0, 0, 1)
    )
    assert first == again != other | {"seed": 0}


def test_class_entropy_of_closed_forms():
    assert class_entropy(np.array([0.0, 1.0, 0.0])) == 0
    assert class_entropy(np.full(10, 0.1)) == pytest.approx(math.log(10))
    assert class_entropy(np.array([0.5, 0.25, 0.25])) == pytest.approx(1.5 * math.log(2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"samples": np.zeros((19, 6, 5))}, "20 images or more"),
        ({"samples": np.full((40, 6, 5), 2.0)}, "samples must lie in"),
        ({"reference": np.zeros((40, 30))}, "reference must have shape"),
        ({"training_images": np.zeros((40, 6, 5)), "memorisation_images": 0}, "memorisation_images must be"),
        ({"training_images": np.zeros((40, 5, 6))}, "one shape"),
    ],
)
def test_what_cannot_be_judged_is_refused(pixels, arguments, message):
    given = {"samples": np.zeros((40, 6, 5)), "reference": np.zeros((40, 6, 5)), "features": pixels} | arguments
    with pytest.raises(VaelabError, match=message):
        inspect.unwrap(sample_quality)(**given)


def test_a_floor_of_more_images_than_there_are_is_refused(pixels):
    with pytest.raises(VaelabError, match="ask for fewer"):
        quality_floor(np.zeros((30, 6, 5)), np.zeros((40, 6, 5)), features=pixels, samples=31)
