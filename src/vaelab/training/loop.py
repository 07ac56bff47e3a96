"""The training loop: epochs, early stopping, checkpoints; what is printed is the caller's business."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, PyTree

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.model import Model
from vaelab.model_file import save_model
from vaelab.objectives.base import MODEL
from vaelab.pixels import seen_once
from vaelab.runs import Run
from vaelab.training.beginning import Beginning, begin
from vaelab.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from vaelab.training.divergence import (
    HOPELESS,
    JUDGED,
    Bar,
    advice,
    all_finite,
    bar,
    not_finite,
    under_current_beta,
)
from vaelab.training.epoch import Scores, StepLosses, in_order, run_epoch, score
from vaelab.training.labelled import source_of
from vaelab.training.place import fetch
from vaelab.training.programs import compiled
from vaelab.training.snapshots import Snapshot, snapshot_epochs, snapshot_of, write_snapshot
from vaelab.training.sources import AbstractSource, TrainingData
from vaelab.training.trainer import Trainer, TrainingState

EpochReport = dict[str, Any]
"""One line of `metrics.jsonl`: epoch, loss, reconstruction, kl, what else the objective shows, beta, their `val_` twins, seconds,
images_per_second."""


class Outcome(Enum):
    """How a training ended; the values are the words for it."""

    FINISHED = "finished"
    STOPPED_EARLY = "stopped early: val_loss had not fallen for as many epochs as training.patience allows"
    INTERRUPTED = "interrupted"


class Stopped:
    """A request to stop, made from outside (a signal): once, after the epoch under way; twice, at once."""

    def __init__(self) -> None:
        self.requests = 0

    def request(self) -> None:
        self.requests += 1


@dataclass(frozen=True)
class TrainingResult:
    model: Model
    history: list[EpochReport]
    outcome: Outcome
    kept_epoch: int  # whose weights the model has
    seconds: float


@dataclass(frozen=True)
class _Sound:
    """How training stood after the last epoch whose weights may be kept."""

    state: TrainingState
    best: PyTree | None
    progress: Progress


def train(
    config: Config,
    data: TrainingData,
    *,
    run: Run | None = None,
    begun: Beginning | None = None,
    facts: dict[str, Any] | None = None,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    on_snapshot: Callable[[Snapshot], None] | None = None,
    stop: Stopped | None = None,
) -> TrainingResult:
    """Train the model that a resolved configuration describes.

    With a `run`, its folder is written as training goes, and where it holds a checkpoint, training goes on from there: the weights come
    out bit for bit as those of a training that was never stopped. `begun` is `begin(config, data)`, where that was done before.
    The snapshots of `training.snapshots` go to `on_snapshot`, or else into the run.

    Raises:
        VaelabError: where training diverges: a loss or a weight is NaN or infinite, or the loss absurd to the end (`divergence.py`). The
            weights of the last epoch before that are kept in the run. Also where the folder cannot be written.
    """
    stop = stop or Stopped()
    begun = begun or begin(config, data)
    place, trainer = begun.trainer.plan.place, begun.trainer.plan.place.whole(begun.trainer)
    written = run if place.writes else None
    state, best, progress = place.whole(begun.state()), None, Progress()
    if run is not None and run.checkpoint_file.is_file():
        state, best, progress = load_checkpoint(run.checkpoint_file, state)
        state, best = place.whole((state, best))
    sound = _Sound(state, best, progress)
    history = [] if run is None else [record for record in run.metrics() if record["epoch"] <= progress.epoch]
    if written is not None:
        written.keep_metrics(progress.epoch)

    source = place.whole(source_of(config, data))
    held_out = _held_out(config, data)
    # where nothing is held out, some training images show whether the weights are of use; their scores are not reported
    scored = place.whole(_seen_once(data.images[:JUDGED], config) if held_out is None else held_out)
    scored_labels = None
    if config.model.is_conditional:
        scored_labels = data.labels[:JUDGED] if held_out is None else data.validation_labels  # pyright: ignore[reportOptionalSubscript]
        scored_labels = place.whole(scored_labels)
    do_epoch, do_score, to_beat = _compiled(begun.model, trainer, state, source, scored, scored_labels, config, data)
    take = on_snapshot or (None if written is None else partial(write_snapshot, written))
    snapshots = set(snapshot_epochs(config.training.epochs, config.training.snapshots)) if take is not None else set()
    watched = place.whole(data.watched_images) if snapshots else None
    warmup_epochs = -(-begun.warm_up.ends // begun.steps_per_epoch)

    def snapshot(epoch: int, state: TrainingState) -> None:
        if take is not None and watched is not None and epoch in snapshots:
            labels = data.watched_labels if config.model.is_conditional else None
            take(snapshot_of(epoch, trainer.model_of(state), watched, data.watched_rows, labels))

    def save_sound() -> None:
        if written is not None:
            save_checkpoint(written.checkpoint_file, fetch(sound.state), fetch(sound.best), sound.progress)

    def keep(outcome: str) -> tuple[Model, int]:
        """The model of the last sound epoch, or the best; in the run as well, with its checkpoint."""
        save_sound()
        kept, kept_epoch = _kept_model(trainer, sound)
        kept = replace(kept, values=begun.model.values)
        if written is not None:
            save_model(written, kept, {**(facts or {}), "epochs": kept_epoch, "outcome": outcome})
        return kept, kept_epoch

    def diverged(what: str) -> VaelabError:
        kept = None
        if sound.progress.epoch > 0 and run is not None:
            _, kept = keep("diverged")
        return VaelabError(
            translated(
                "training diverged: {what}.{kept_in} {advice}",
                what=what,
                kept_in=_kept_in(run, kept),
                advice=advice(config),
            )
        )

    if progress.epoch == 0:
        snapshot(0, state)
    outcome = Outcome.FINISHED
    trained_loss = scored_loss = 0.0  # of the last epoch done
    last_saved = time.monotonic()
    begun_at, seconds_before = time.monotonic(), progress.seconds
    while progress.epoch < config.training.epochs:
        started = time.monotonic()
        new_state, losses = do_epoch(trainer, state, source)
        scores = do_score(trainer, new_state, scored, scored_labels)
        finite = all_finite((new_state.players, new_state.average))
        if not _wait_for((new_state, losses, scores, finite), stop):
            outcome = Outcome.INTERRUPTED
            break
        bad = not_finite(losses, finite, scores)
        if bad is not None:
            step = progress.epoch * begun.steps_per_epoch + bad[0] + 1
            raise diverged(
                translated(
                    "the loss became NaN or infinite at step {step} (epoch {epoch}), in its {part}",
                    step=step,
                    epoch=progress.epoch + 1,
                    part=bad[1],
                )
            )
        state = new_state
        epoch = progress.epoch + 1
        report = _report(
            epoch,
            losses,
            None if held_out is None else scores,
            config.objective.beta,
            time.monotonic() - started,
            begun.steps_per_epoch * config.training.batch_size,
        )
        progress = replace(progress, epoch=epoch, seconds=seconds_before + time.monotonic() - begun_at)
        beta = float(np.asarray(losses.beta)[-1])
        trained_loss = under_current_beta(report["reconstruction"], report["kl"], beta)
        scored_loss = under_current_beta(float(scores["reconstruction"]), float(scores["kl"]), beta)
        absurd = to_beat.is_missed(trained_loss, scored_loss)
        counts = held_out is not None and epoch > warmup_epochs and not absurd
        if counts and (progress.best_loss is None or report["val_loss"] < progress.best_loss):
            progress = replace(progress, best_loss=report["val_loss"], best_epoch=epoch)
            if config.training.keep == "best":
                best = state.players[MODEL] if state.average is None else state.average
        history.append(report)
        if written is not None:
            written.append_metrics(report)
        snapshot(epoch, state)
        on_epoch(report)
        if not absurd:
            sound = _Sound(state, best, progress)
        patience = config.training.patience
        if patience is not None and progress.best_loss is not None and epoch - progress.best_epoch >= patience:
            outcome = Outcome.STOPPED_EARLY
            break
        if stop.requests:
            outcome = Outcome.INTERRUPTED if epoch < config.training.epochs else Outcome.FINISHED
            break
        if epoch - sound.progress.epoch >= HOPELESS:
            break
        if sound.progress.epoch == epoch and time.monotonic() - last_saved >= config.training.checkpoint_seconds:
            save_sound()
            last_saved = time.monotonic()

    epoch = progress.epoch
    if outcome is Outcome.INTERRUPTED:
        history = history[: sound.progress.epoch]  # what came after will be done again the same
    elif sound.progress.epoch < epoch:
        loss = max(trained_loss, scored_loss) if scored_loss > to_beat.height else trained_loss
        raise diverged(
            translated(
                "after epoch {epoch} the loss is {loss:.4g}, where the mean image alone, whatever its code, costs {mean_image:.4g}",
                epoch=epoch,
                loss=loss,
                mean_image=to_beat.mean_image,
            )
        )
    kept, kept_epoch = keep(outcome.name.lower())
    return TrainingResult(kept, history, outcome, kept_epoch, progress.seconds)


def _held_out(config: Config, data: TrainingData) -> np.ndarray | None:
    if data.validation_images is None or len(data.validation_images) == 0:
        return None
    return _seen_once(data.validation_images, config)


def _seen_once(images: np.ndarray, config: Config) -> np.ndarray:
    return seen_once(images, config.data.pixels, config.data.test_seed)


def _compiled(
    model: Model,
    trainer: Trainer,
    state: TrainingState,
    source: AbstractSource,
    scored: Array,
    scored_labels: Array | np.ndarray | None,
    config: Config,
    data: TrainingData,
) -> tuple[Callable[..., tuple[TrainingState, StepLosses]], Callable[..., Scores], Bar]:
    """Both functions compiled ahead of the first epoch and side by side, so that its time is that of any other; and the bar.

    What an earlier training of the same plan and shapes compiled is found again.
    """
    with ThreadPoolExecutor(2) as pool:
        epoch = pool.submit(compiled, run_epoch, trainer, state, source)
        scores = pool.submit(compiled, score, trainer, state, scored, scored_labels)
        to_beat = pool.submit(bar, model, data.images, config.data.pixels, data.labels)
        return epoch.result(), scores.result(), to_beat.result()


def _wait_for(results: PyTree, stop: Stopped) -> bool:
    """Until the arrays are there; False where a second request to stop comes first. Python's signals are heard meanwhile."""
    arrays: list[Any] = [leaf for leaf in jax.tree.leaves(results) if isinstance(leaf, jax.Array)]
    while not all(array.is_ready() for array in arrays):
        if stop.requests > 1:
            return False
        time.sleep(0.002)
    return True


def _report(
    epoch: int, losses: StepLosses, scores: Scores | None, beta: float, seconds: float, images: int
) -> EpochReport:
    """The averages of an epoch. While beta rises, the one given is its mean weighted by kl: so the parts add up to the loss."""
    shown = {name: np.asarray(losses.shown[name], np.float64) for name in in_order(losses.shown)}
    beta_of_step, kl = np.asarray(losses.beta, np.float64), shown["kl"].mean()
    report: EpochReport = {"epoch": epoch} | {name: float(values.mean()) for name, values in shown.items()}
    report["beta"] = float((beta_of_step * shown["kl"]).mean() / kl) if kl != 0 else float(beta_of_step.mean())
    if scores is not None:
        report |= {f"val_{name}": float(scores[name]) for name in in_order(scores)} | {"val_beta": beta}
    return report | {"seconds": seconds, "images_per_second": images / seconds}


def _kept_model(trainer: Trainer, sound: _Sound) -> tuple[Model, int]:
    if sound.best is None:
        return trainer.model_of(sound.state), sound.progress.epoch
    return trainer.model_with(sound.best), sound.progress.best_epoch


def _kept_in(run: Run | None, epoch: int | None) -> str:
    """What is true of the run folder after training diverged; of a training in memory there is nothing to say."""
    if run is None:
        return ""
    if epoch is None:
        return translated(" {folder} holds no weights: none came before it that were of use.", folder=run.folder)
    return translated(
        " The weights after epoch {epoch}, before it, are kept in {folder}.", epoch=epoch, folder=run.folder
    )
