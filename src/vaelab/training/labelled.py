"""What training asks of the labels of its images: that they are there and enough, how frequent each is, and the balance of an epoch."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated
from vaelab.model import Model
from vaelab.priors.by_label import class_count, log_frequencies
from vaelab.training.sources import InMemory, TrainingData


def check_labels(config: Config, data: TrainingData) -> None:
    """Refuse data whose labels are not what the configuration asks for.

    Raises:
        VaelabError: where a conditional model or a balanced epoch has no labels to go by, held-out images have none, or have one that
            no training image has.
    """
    if config.data.balance and data.labels is None:
        raise VaelabError(translated("data.balance = true takes each label equally often, and these data have none"))
    if not config.model.is_conditional:
        return
    if data.labels is None:
        raise VaelabError(
            translated(
                "model.condition = 'labels' needs a label for each image, and these data have none; give labels, or leave it out"
            )
        )
    known = np.unique(data.labels)
    held_out = data.validation_images is not None and len(data.validation_images) > 0
    for what, labels, there in (
        (to_translate("validation images"), data.validation_labels, held_out),
        (to_translate("test images"), data.test_labels, data.test_images is not None and len(data.test_images) > 0),
    ):
        if not there:
            continue
        if labels is None:
            raise VaelabError(
                translated(
                    "model.condition = 'labels': the {what} have no labels, and scores are given them",
                    what=translated(what),
                )
            )
        unseen = np.setdiff1d(labels, known)
        if len(unseen):
            raise VaelabError(
                translated(
                    "model.condition = 'labels': the {what} have the label number {label}, which no training image has; leave them out, or "
                    "train on some",
                    what=translated(what),
                    label=int(unseen[0]),
                )
            )


def classes_of(config: Config, data: TrainingData) -> int:
    """How many labels a conditional model is built for: so many as the training images have, or as were asked for.

    Raises:
        VaelabError: for fewer than the data have.
    """
    found = class_count(data.labels)
    asked = config.model.classes or found
    if asked < found:
        raise VaelabError(
            translated(
                "model.classes is {asked}; the data have the label number {label}. Leave it out, and labels are counted",
                asked=asked,
                label=found - 1,
            )
        )
    return asked


def with_frequencies(model: Model, labels: np.ndarray | None) -> Model:
    """A conditional model that knows how frequent each label is among the training images: p(y). Any other as it is."""
    if model.log_frequencies is None:
        return model
    return replace(model, log_frequencies=jnp.asarray(log_frequencies(labels, len(model.log_frequencies))))


def source_of(config: Config, data: TrainingData) -> InMemory:
    """The images that training runs over; with `data.balance` each label equally often."""
    if not config.data.balance:
        return InMemory(data.images, data.labels)
    assert data.labels is not None
    return InMemory(data.images, data.labels, np.unique(data.labels, return_counts=True)[1])
