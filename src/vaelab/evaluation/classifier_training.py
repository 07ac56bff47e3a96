"""Training the small classifier on labelled images: AdamW, a cosine schedule, moved images, averaged weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, Int, Key, Num, PyTree, UInt8

from vaelab.errors import VaelabError
from vaelab.evaluation.classifier import Classifier
from vaelab.evaluation.images import as_uint8_images
from vaelab.language import translated
from vaelab.training.optimisers import promoting
from vaelab.training.sources import InMemory
from vaelab.training.step import Players, averaged, step

CLASSIFIER = "classifier"
"""The one player."""


def train_classifier(
    images: Num[np.ndarray, "image ..."],
    labels: Int[np.ndarray, "..."],
    *,
    epochs: int = 4,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    weight_decay: float = 1e-3,
    dropout: float = 0.3,
    move: bool = True,
    average: float = 0.998,
    seed: int = 0,
    progress: Callable[[int, float, Classifier], None] | None = None,
) -> Classifier:
    """A `Classifier` of `images` into `labels`, to take features from where the digits' own classifier would not do.

    Cross-entropy under AdamW, warmed up for 2 % of the steps and then lowered along a cosine to zero; every image is
    rotated by up to 12 degrees, scaled by up to 12 % and shifted by up to 8 % of its size anew at each visit (`move`);
    the weights returned are the running average of the trained ones. A minute for some 60,000 small grey images and the
    default of four epochs.

    **Arguments:**

    - `images`: uint8, or floats in [0, 1], of shape (image, height, width) or (image, height, width, channels)
    - `labels`: integers 0 ... classes - 1
    - `epochs`: visits of every image
    - `batch_size`: images a step; no more than there are images
    - `learning_rate`: the highest
    - `weight_decay`: of AdamW (Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101)
    - `dropout`: share of the hidden layer left out while training
    - `move`: whether images are rotated, scaled and shifted
    - `average`: decay of the average of weights, a step
    - `seed`: of the initial weights, the order and the movements
    - `progress`: called after each epoch with its number from 1, the mean training loss (nats) and the averaged
      classifier

    **Raises:** `VaelabError` for images of another shape or range, labels that do not match them, and fewer than two
    classes.
    """
    images = as_uint8_images(images)
    classes = _check_labels(labels, len(images))
    steps = len(images) // batch_size
    if steps < 1 or epochs < 1:
        raise VaelabError(
            translated(
                "a classifier needs at least one batch and one epoch; got {images} images, "
                "batch_size={batch_size}, epochs={epochs}. Lower batch_size, or give more images.",
                images=len(images),
                batch_size=batch_size,
                epochs=epochs,
            )
        )
    plan = Plan(batch_size, epochs * steps, learning_rate, weight_decay, dropout, average, move)
    initial_key, order_key, training_key = jr.split(jr.key(seed), 3)
    classifier = Classifier(images.shape[1:], classes, key=initial_key)
    arrays: Any = classifier  # optax takes any tree of arrays, though its types do not say so
    moments = plan.optimiser().init(arrays)
    state = State(classifier, moments, jax.tree.map(jnp.copy, classifier), jnp.zeros((), jnp.int32))
    source = InMemory(jnp.asarray(images), jnp.asarray(labels, jnp.int32))
    for number in range(1, epochs + 1):
        state, losses = _epoch(plan, state, source, jr.fold_in(order_key, number), training_key)
        if progress is not None:
            progress(number, float(losses.mean()), jax.tree.map(jnp.copy, state.averaged))
    return state.averaged


@dataclass(frozen=True)
class Plan:
    """What an epoch is compiled for, beside its arrays' shapes."""

    batch_size: int
    steps: int  # of all epochs
    learning_rate: float
    weight_decay: float
    dropout: float
    average: float
    move: bool

    def optimiser(self) -> optax.GradientTransformation:
        warm_up = math.ceil(0.02 * self.steps)
        schedule = optax.warmup_cosine_decay_schedule(0.0, self.learning_rate, warm_up, max(self.steps, warm_up + 1))
        return promoting(optax.adamw(schedule, weight_decay=self.weight_decay))


class State(NamedTuple):
    classifier: Classifier
    moments: PyTree
    averaged: Classifier
    step: Int[Array, ""]


@partial(jax.jit, static_argnums=0, donate_argnums=1)
def _epoch(
    plan: Plan, state: State, source: InMemory, order_key: Key[Array, ""], training_key: Key[Array, ""]
) -> tuple[State, Float[Array, " steps"]]:
    optimisers = {CLASSIFIER: plan.optimiser()}

    def one(state: State, chosen: Int[Array, " batch"]) -> tuple[State, Float[Array, ""]]:
        key = jr.fold_in(training_key, state.step)
        images, labels = source.batch(chosen)
        assert labels is not None

        def losses_of(players: Players) -> tuple[dict[str, Float[Array, ""]], None]:
            return {CLASSIFIER: _loss(players[CLASSIFIER], images, labels, key, plan.dropout, plan.move)}, None

        moved = step(losses_of, {CLASSIFIER: state.classifier}, {CLASSIFIER: state.moments}, optimisers)
        classifier = moved.players[CLASSIFIER]
        average = averaged(state.averaged, classifier, state.step, plan.average)
        return State(classifier, moved.optimisers[CLASSIFIER], average, state.step + 1), moved.losses[CLASSIFIER]

    return jax.lax.scan(one, state, source.epoch(order_key, plan.batch_size))


def _check_labels(labels: Int[np.ndarray, "..."], images: int) -> int:
    if labels.shape != (images,):
        raise VaelabError(
            translated(
                "labels must be one integer an image, shape ({images},); got shape {shape}. Pass images and "
                "labels of the same rows.",
                images=images,
                shape=labels.shape,
            )
        )
    if labels.size == 0 or labels.min() < 0 or labels.max() < 1:
        raise VaelabError(
            translated(
                "labels must be integers from 0, of at least two classes; renumber them with "
                "numpy.unique(labels, return_inverse=True)."
            )
        )
    return int(labels.max()) + 1


def _loss(
    classifier: Classifier,
    images: UInt8[Array, "batch height width channels"],
    labels: Int[Array, " batch"],
    key: Key[Array, ""],
    dropout: float,
    move: bool,
) -> Float[Array, ""]:
    def one(
        image: Float[Array, "height width channels"], label: Int[Array, ""], key: Key[Array, ""]
    ) -> Float[Array, ""]:
        move_key, drop_key = jr.split(key)
        hidden = classifier.hidden_layer(moved(image, move_key) if move else image)
        kept = jr.bernoulli(drop_key, 1 - dropout, hidden.shape)
        logits = classifier.output(jnp.where(kept, hidden / (1 - dropout), 0.0))
        return -jax.nn.log_softmax(logits)[label]

    return jax.vmap(one)(images.astype(jnp.float32) / 255, labels, jr.split(key, len(images))).mean()


def moved(image: Float[Array, "height width channels"], key: Key[Array, ""]) -> Float[Array, "height width channels"]:
    """`image` rotated (12 degrees), scaled (12 %), shifted (8 %) by uniform draws up to these."""
    height, width, _ = image.shape
    angle, scale, down, right = jr.uniform(key, (4,), jnp.float32, -1.0, 1.0)
    return warped(image, angle * math.radians(12), 1 + 0.12 * scale, 0.08 * height * down, 0.08 * width * right)


def warped(
    image: Float[Array, "height width channels"],
    angle: Float[Array, ""],
    scale: Float[Array, ""],
    down: Float[Array, ""],
    right: Float[Array, ""],
) -> Float[Array, "height width channels"]:
    """The pixels of `image` at places scaled, rotated (radians) about its middle, and `down` and `right` (pixels).

    Bilinear between pixels, zero outside.
    """
    height, width, _ = image.shape
    row = (jnp.arange(height, dtype=jnp.float32) - (height - 1) / 2)[:, None]
    column = (jnp.arange(width, dtype=jnp.float32) - (width - 1) / 2)[None, :]
    source_row = scale * (jnp.cos(angle) * row - jnp.sin(angle) * column) + (height - 1) / 2 + down
    source_column = scale * (jnp.sin(angle) * row + jnp.cos(angle) * column) + (width - 1) / 2 + right
    top, left = jnp.floor(source_row), jnp.floor(source_column)
    below, beside = (source_row - top)[..., None], (source_column - left)[..., None]
    rows, columns = top.astype(jnp.int32) + 1, left.astype(jnp.int32) + 1
    padded = jnp.pad(image, ((1, 2), (1, 2), (0, 0)))

    def pixel(
        rows: Int[Array, "height width"], columns: Int[Array, "height width"]
    ) -> Float[Array, "height width channels"]:
        return padded[jnp.clip(rows, 0, height + 1), jnp.clip(columns, 0, width + 1)]

    upper = (1 - beside) * pixel(rows, columns) + beside * pixel(rows, columns + 1)
    lower = (1 - beside) * pixel(rows + 1, columns) + beside * pixel(rows + 1, columns + 1)
    return (1 - below) * upper + below * lower
