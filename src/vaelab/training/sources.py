"""The images that training runs over: the arrays of a run by their parts, and what the steps of an epoch ask of a source of images."""

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Int, PRNGKeyArray, PyTree, Shaped

from vaelab.config import DataConfig
from vaelab.data import Dataset
from vaelab.data.image_spec import ImageSpec
from vaelab.kept_sample import chosen_rows
from vaelab.settings import LikelihoodSettings

WATCHED = 2000
"""How many images the snapshots of a run follow."""


@dataclass(frozen=True)
class TrainingData:
    """Images `(n, *image_shape)`, uint8 or float32, with integer labels or None. Validation and test may be empty (None)."""

    images: np.ndarray
    labels: np.ndarray | None
    validation_images: np.ndarray | None = None
    validation_labels: np.ndarray | None = None
    test_images: np.ndarray | None = None
    test_labels: np.ndarray | None = None

    @property
    def image_shape(self) -> tuple[int, ...]:
        return self.images.shape[1:]

    @property
    def shown_images(self) -> np.ndarray:
        """Those that stand for test images where a model is looked at: of arrays without any, the validation or the training images."""
        if self.test_images is not None:
            return self.test_images
        held_out = self.validation_images
        return self.images if held_out is None or len(held_out) == 0 else held_out

    @property
    def shown_labels(self) -> np.ndarray | None:
        """Those of `shown_images`."""
        if self.test_images is not None:
            return self.test_labels
        held_out = self.validation_images
        return self.labels if held_out is None or len(held_out) == 0 else self.validation_labels

    @property
    def watched_rows(self) -> np.ndarray | None:
        """Which of `shown_images` the snapshots follow: None for the first ones. Arrays may be sorted by class, so of them a choice."""
        return None if self.test_images is not None else chosen_rows(len(self.shown_images), WATCHED)

    @property
    def watched_images(self) -> np.ndarray:
        """The images whose latent means the snapshots follow."""
        rows = self.watched_rows
        return self.shown_images[:WATCHED] if rows is None else self.shown_images[rows]

    @property
    def watched_labels(self) -> np.ndarray | None:
        """Those of `watched_images`."""
        rows, labels = self.watched_rows, self.shown_labels
        return None if labels is None else labels[:WATCHED] if rows is None else labels[rows]

    def image_spec(self, likelihood: LikelihoodSettings) -> ImageSpec:
        """What the model will take; every part is held against it.

        Raises:
            VaelabError: naming the part, for NaN or infinity, for values that the likelihood cannot score, and for a held-out part of
                another shape or scale than the training images.
        """
        spec = ImageSpec.of_training(self.images, likelihood, "training images")
        for name, images in self._held_out():
            spec.taken(images, name)
        return spec

    def _held_out(self) -> Iterator[tuple[str, np.ndarray]]:
        if self.validation_images is not None and self.validation_images is not self.test_images:
            yield "validation images", self.validation_images
        if self.test_images is not None:
            yield "test images", self.test_images

    @classmethod
    def from_dataset(cls, dataset: Dataset, config: DataConfig) -> "TrainingData":
        """The parts of a data set that the configuration asks for."""
        test = dataset.test.images
        if config.validation == "held-out":
            held_out = dataset.validation
            train = dataset.train
            return cls(train.images, train.labels, held_out.images, held_out.labels, test, dataset.test.labels)
        joined = dataset.train_and_validation
        if config.validation == "none":
            return cls(joined.images, joined.labels, test_images=test, test_labels=dataset.test.labels)
        return cls(joined.images, joined.labels, test, dataset.test.labels, test, dataset.test.labels)


class AbstractSource(eqx.Module):
    """What training asks of its images, from within a compiled epoch.

    A source has no say in which images make a batch: that is `order_of_epoch`, so that every source gives training the same batches.
    """

    @property
    @abstractmethod
    def count(self) -> int:
        """How many images."""

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, ...]:
        """Of one image."""

    @abstractmethod
    def epoch(self, key: PRNGKeyArray, batch_size: int) -> PyTree:
        """An epoch's batches in the order that its key says, arrays whose first axis counts the steps; what `batch` makes images of."""

    @abstractmethod
    def batch(self, part: Any) -> tuple[Shaped[Array, "batch *image"], Int[Array, " batch"] | None]:
        """One step's images, uint8 or floating point, and their labels: of the part of an epoch that is its own."""


class InMemory(AbstractSource):
    """All images on the device; a batch is gathered from them in its step. `classes`, where each label is to come equally often: their
    number of images each.
    """

    images: Shaped[Array | np.ndarray, "n *image"]
    labels: Int[Array | np.ndarray, " n"] | None
    classes: Int[Array | np.ndarray, " classes"] | None = None

    @property
    def count(self) -> int:
        return self.images.shape[0]

    @property
    def image_shape(self) -> tuple[int, ...]:
        return self.images.shape[1:]

    def epoch(self, key: PRNGKeyArray, batch_size: int) -> Int[Array, "steps batch"]:
        if self.classes is not None and self.labels is not None:
            return balanced_order(key, jnp.asarray(self.labels), jnp.asarray(self.classes), batch_size)
        return order_of_epoch(key, self.count, batch_size)

    def batch(self, part: Int[Array, " batch"]) -> tuple[Shaped[Array, "batch *image"], Int[Array, " batch"] | None]:
        # rows are gathered faster flat
        flat = self.images.reshape(self.count, math.prod(self.image_shape))
        rows = flat[part].reshape(len(part), *self.image_shape)
        return rows, None if self.labels is None else self.labels[part]


def order_of_epoch(key: PRNGKeyArray, count: int, batch_size: int) -> Int[Array, "steps batch"]:
    """Which images each step takes: a fresh permutation by the epoch's key; images left over wait for the next epoch."""
    steps = count // batch_size
    return jr.permutation(key, count)[: steps * batch_size].reshape(steps, batch_size)


def balanced_order(
    key: PRNGKeyArray, labels: Int[Array, " n"], counts: Int[Array, " classes"], batch_size: int
) -> Int[Array, "steps batch"]:
    """Which images each step takes, as many of each label as of any other (to one), and as many in all as there are images.

    A label with fewer images than its share gives each of them equally often (to one), one with more a fresh choice of them. A function
    of the epoch's key. `counts` are of the labels that occur, 1 or more each, numbered as `labels` are.
    """
    count = labels.shape[0]
    order_key, class_key, slot_key = jr.split(key, 3)
    # the images of each label in an order of their own, label after label
    shuffled = jr.permutation(order_key, count)
    rows = shuffled[jnp.argsort(labels[shuffled], stable=True)]
    starts = jnp.cumsum(counts) - counts
    # labels in turn; where they do not divide the images, the key says which come once more
    turn = jnp.arange(count)
    label = jr.permutation(class_key, len(counts))[turn % len(counts)]
    taken = rows[starts[label] + (turn // len(counts)) % counts[label]]
    steps = count // batch_size
    return jr.permutation(slot_key, taken)[: steps * batch_size].reshape(steps, batch_size)
