"""A training rehearsed: how many parameters, how much memory and how long an epoch, by a few steps that leave nothing behind."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
from jaxtyping import PyTree

from vaelab.config import Config
from vaelab.objectives.base import MODEL
from vaelab.training.beginning import Beginning
from vaelab.training.epoch import SCORE_CHUNK, run_epoch, score
from vaelab.training.programs import Program, compiled
from vaelab.training.sources import InMemory, TrainingData

STEPS = 3
"""So many steps are measured, or all of a shorter epoch."""
ENOUGH_SECONDS = 2.0
"""They are repeated until they took as long, and the quickest time counts: a machine that does other things is only ever slower."""


@dataclass(frozen=True)
class Rehearsal:
    """What a training would take. Bytes are those of one device; seconds are of this machine as it is now."""

    trainable: int  # parameters
    fixed: int
    state_bytes: int  # weights, their moving average, and the optimisers' own
    data_bytes: int  # images and labels, those held out included
    step_bytes: int | None  # what a step needs beside that, its results included; None where nobody knows
    steps: int  # of an epoch
    measured_steps: int
    step_seconds: float
    score_seconds: float  # of held-out images, after each epoch
    epochs: int

    @property
    def parameters(self) -> int:
        return self.trainable + self.fixed

    @property
    def bytes(self) -> int:
        """All of it together."""
        return self.state_bytes + self.data_bytes + (self.step_bytes or 0)

    @property
    def epoch_seconds(self) -> float:
        return self.steps * self.step_seconds + self.score_seconds


def rehearse(config: Config, data: TrainingData, begun: Beginning) -> Rehearsal:
    """A few steps of a training from its beginning, compiled as the training itself would be; its state is let go of."""
    place, trainer = begun.trainer.plan.place, begun.trainer.plan.place.whole(begun.trainer)
    state = place.whole(begun.state())
    steps = min(STEPS, begun.steps_per_epoch)
    count = steps * config.training.batch_size
    source = place.whole(InMemory(data.images[:count], None if data.labels is None else data.labels[:count]))
    epoch = compiled(run_epoch, trainer, state, source)
    step_seconds = _seconds(epoch, trainer, state, source) / steps
    held_out, score_seconds = data.validation_images, 0.0
    if held_out is not None and len(held_out) > 0:
        chunk = place.whole(held_out[:SCORE_CHUNK])
        once = _seconds(compiled(score, trainer, state, chunk), trainer, state, chunk)
        score_seconds = once * math.ceil(len(held_out) / SCORE_CHUNK)
    trainable = _count(state.players[MODEL])
    return Rehearsal(
        trainable=trainable,
        fixed=_count(begun.model) - trainable,
        state_bytes=_bytes((state, trainer.fixed)),
        data_bytes=_bytes((data.images, data.labels, held_out)),
        step_bytes=epoch.memory,
        steps=begun.steps_per_epoch,
        measured_steps=steps,
        step_seconds=step_seconds,
        score_seconds=score_seconds,
        epochs=config.training.epochs,
    )


def _seconds(program: Program | Callable[..., Any], *arguments: PyTree) -> float:
    """The quickest of some runs."""
    best, sum_ = math.inf, 0.0
    while sum_ < ENOUGH_SECONDS:
        started = time.monotonic()
        jax.block_until_ready(program(*arguments))
        seconds = time.monotonic() - started
        best, sum_ = min(best, seconds), sum_ + seconds
    return best


def _count(tree: PyTree) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(tree) if hasattr(leaf, "shape"))


def _bytes(tree: PyTree) -> int:
    return sum(leaf.nbytes for leaf in jax.tree.leaves(tree) if hasattr(leaf, "nbytes"))
