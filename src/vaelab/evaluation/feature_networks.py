"""Feature networks: what turns images into the vectors in which samples are compared, always with a name beside it."""

import dataclasses
import functools
import hashlib
import os
from collections.abc import Callable
from importlib.resources import as_file, files
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Float64, Int, Num

from vaelab.batching import in_batches
from vaelab.errors import VaelabError
from vaelab.evaluation.classifier import Classifier
from vaelab.evaluation.classifier_file import load_classifier
from vaelab.evaluation.classifier_training import train_classifier
from vaelab.evaluation.images import as_float_images, with_channels
from vaelab.language import translated

BATCH = 128
BLOCK = 50  # images at once: the patches of this many stay in the processor's cache, which halves the cost


@dataclasses.dataclass(frozen=True)
class FeatureNetwork:
    """Something that turns images into feature vectors, and the name that stands beside every figure made with it.

    - `name`: such as "MNIST digit classifier"
    - `layer`: which layer of it, such as "last two convolutions, averaged, 112 values"
    - `features`: float32 images in [0, 1] of shape (image, height, width, channels) to features (image, feature)
    - `classes`: the same images to integer classes; `None` for a network that names none
    - `class_count`: how many classes there are
    - `image_shape`: the (height, width, channels) it reads; `None` for any
    - `digest`: SHA-256 of its weights, empty where they are unknown
    - `figure_name`: the machine-readable name of the Fréchet distance made with it
    - `features_and_classes`: both in one pass, where that is cheaper
    """

    name: str
    layer: str
    features: Callable[[Float32[np.ndarray, "image height width channels"]], Float[np.ndarray, "image feature"]]
    classes: Callable[[Float32[np.ndarray, "image height width channels"]], Int[np.ndarray, " image"]] | None = None
    class_count: int | None = None
    image_shape: tuple[int, int, int] | None = None
    digest: str = ""
    figure_name: str = "frechet_feature_distance"
    features_and_classes: (
        Callable[
            [Float32[np.ndarray, "image height width channels"]],
            tuple[Float[np.ndarray, "image feature"], Int[np.ndarray, " image"]],
        ]
        | None
    ) = None

    def __call__(
        self, images: Num[np.ndarray, "image ..."], name: str = "images"
    ) -> Float64[np.ndarray, "image feature"]:
        """Features of uint8 images, or floats in [0, 1], of shape (n, height, width) or (n, height, width, channels),
        in float64.

        **Raises:** `VaelabError` for images of another shape or range, and for a network whose features are no finite
        (n, feature) table.
        """
        prepared = self.prepared(images, name)
        return self._checked(self.features(prepared), prepared, name)

    def described(
        self, images: Num[np.ndarray, "image ..."], name: str = "images"
    ) -> tuple[Float64[np.ndarray, "image feature"], Int[np.ndarray, " image"] | None]:
        """Features, as a call gives them, and classes; None for a network that names none."""
        prepared = self.prepared(images, name)
        if self.features_and_classes is not None:
            features, classes = self.features_and_classes(prepared)
        else:
            features, classes = self.features(prepared), None if self.classes is None else self.classes(prepared)
        return self._checked(features, prepared, name), None if classes is None else np.asarray(classes)

    def _checked(self, found: np.ndarray, prepared: np.ndarray, name: str) -> Float64[np.ndarray, "image feature"]:
        features = np.asarray(found, np.float64)
        if features.ndim != 2 or len(features) != len(prepared) or features.shape[1] == 0:
            raise VaelabError(
                translated(
                    "the feature network {name!r} must give one vector per image, shape ({count}, features); got "
                    "{shape}.",
                    name=self.name,
                    count=len(prepared),
                    shape=features.shape,
                )
            )
        if not np.isfinite(features).all():
            raise VaelabError(
                translated(
                    "the feature network {name!r} gave features that are not finite for some {what}; check its "
                    "input range ([0, 1]).",
                    name=self.name,
                    what=name,
                )
            )
        return features

    def prepared(
        self, images: Num[np.ndarray, "image ..."], name: str = "images"
    ) -> Float32[np.ndarray, "image height width channels"]:
        prepared = as_float_images(images, name)
        if self.image_shape is not None and prepared.shape[1:] != self.image_shape:
            raise VaelabError(
                translated(
                    "the feature network {name!r} reads images of shape {image_shape}; {what} have {shape}. Train "
                    "one on this data with train_classifier, or pass a network of your own.",
                    name=self.name,
                    image_shape=self.image_shape,
                    what=name,
                    shape=prepared.shape[1:],
                )
            )
        return prepared


@functools.cache
def digit_classifier() -> FeatureNetwork:
    """The packaged classifier of MNIST digits, made by `scripts/train_digit_classifier.py`; 28 x 28 grey images."""
    with as_file(files("vaelab.evaluation") / "digit_classifier.safetensors") as path:
        network = saved_classifier(path)
    return dataclasses.replace(network, figure_name="frechet_digit_distance")


def saved_classifier(path: str | os.PathLike[str]) -> FeatureNetwork:
    """The feature network of a classifier written with `save_classifier`."""
    classifier, header = load_classifier(path)
    height, width, channels = header["image_shape"]
    return classifier_network(classifier, name=header["name"], image_shape=(height, width, channels))


def labelled_network(
    images: Num[np.ndarray, "image ..."],
    labels: Int[np.ndarray, "..."],
    *,
    name: str,
    epochs: int = 4,
    seed: int = 0,
) -> FeatureNetwork:
    """The features of a classifier trained on the spot on a user's `images` and `labels`; a minute for 60,000 small
    ones.

    Train it on the training part, so that it says nothing about the images that are judged. For other settings use
    `train_classifier` and `classifier_network`; to keep it, `save_classifier`.
    """
    _, height, width, channels = with_channels(images).shape
    classifier = train_classifier(images, labels, epochs=epochs, batch_size=min(BATCH, len(images)), seed=seed)
    return classifier_network(classifier, name=name, image_shape=(height, width, channels))


def classifier_network(classifier: Classifier, *, name: str, image_shape: tuple[int, int, int]) -> FeatureNetwork:
    """The feature network of a trained `classifier` of images of `image_shape` (height, width, channels)."""
    width = sum(convolution.bias.shape[0] for convolution in classifier.convolutions[2:])
    weights = b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(classifier))
    return FeatureNetwork(
        name=name,
        layer=f"last two convolutions, each channel averaged over positions, {width} values",
        features=lambda images: _blockwise(_features, classifier, images),
        classes=lambda images: _blockwise(_classes, classifier, images),
        features_and_classes=lambda images: _blockwise(_features_and_classes, classifier, images),
        class_count=classifier.output.bias.shape[0],
        image_shape=image_shape,
        digest=hashlib.sha256(weights).hexdigest(),
    )


def accuracy(classifier: Classifier, images: Num[np.ndarray, "image ..."], labels: Int[np.ndarray, " image"]) -> float:
    """The share of `images` that `classifier` gives their label."""
    return float(np.mean(_blockwise(_classes, classifier, as_float_images(images)) == labels))


@jax.jit
def _features(
    classifier: Classifier, images: Float32[Array, "image height width channels"]
) -> Float32[Array, "image feature"]:
    return jax.vmap(classifier.features)(images)


@jax.jit
def _classes(classifier: Classifier, images: Float32[Array, "image height width channels"]) -> Int[Array, " image"]:
    return jnp.argmax(jax.vmap(classifier)(images), axis=1)


@jax.jit
def _features_and_classes(
    classifier: Classifier, images: Float32[Array, "image height width channels"]
) -> tuple[Float32[Array, "image feature"], Int[Array, " image"]]:
    return _features(classifier, images), _classes(classifier, images)  # what both need is computed once


def _blockwise(
    function: Callable, classifier: Classifier, images: Float32[np.ndarray, "image height width channels"]
) -> Any:
    return in_batches(lambda block: function(classifier, block), images, rows=BLOCK)
