"""The training loop: epochs, early stopping, checkpoints; what is printed is the caller's business."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, PyTree

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.model import Model, save_model
from vaelab.pixels import seen_once
from vaelab.runs import Run
from vaelab.training.beginning import initial_model
from vaelab.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from vaelab.training.epoch import Scores, StepLosses, Trainer, TrainingState, build_trainer, first_bad_step
from vaelab.training.placement import fetch, mesh_for, replicated
from vaelab.training.snapshots import save_snapshot, snapshot_epochs
from vaelab.training.sources import TrainingData

EpochReport = dict[str, Any]
"""One line of `metrics.jsonl`: epoch, loss, reconstruction, kl, beta, their `val_` twins, seconds, images_per_second."""


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


def train(
    config: Config,
    data: TrainingData,
    *,
    run: Run | None = None,
    facts: dict[str, Any] | None = None,
    on_epoch: Callable[[EpochReport], None] = lambda report: None,
    stop: Stopped | None = None,
) -> TrainingResult:
    """Train the model that a resolved configuration describes.

    With a `run`, its folder is written as training goes, and where it holds a checkpoint, training goes on from there: the weights come
    out bit for bit as those of a training that was never stopped.

    Raises:
        VaelabError: where the loss becomes NaN or infinite (the last good checkpoint stays), or the folder cannot be written.
    """
    stop = stop or Stopped()
    mesh = mesh_for(config.training.batch_size)
    model = initial_model(config, data)
    trainer = build_trainer(config, model, len(data.images), mesh)
    state, best, progress = replicated(trainer.start(model), mesh), None, Progress()
    if run is not None and run.checkpoint_file.is_file():
        state, best, progress = load_checkpoint(run.checkpoint_file, state)
        state, best = replicated((state, best), mesh)
    history = [] if run is None else [record for record in run.metrics() if record["epoch"] <= progress.epoch]
    if run is not None:
        run.keep_metrics(progress.epoch)

    images, labels = replicated((data.images, data.labels), mesh)
    held_out = _held_out(config, data)
    held_out = None if held_out is None else replicated(held_out, mesh)
    watched = None if data.watched_images is None else replicated(data.watched_images, mesh)
    run_epoch, run_score = _compiled(trainer, state, (images, labels), held_out)
    snapshots = set(snapshot_epochs(config.training.epochs, config.training.snapshots)) if run is not None else set()
    warmup_epochs = int(np.ceil(config.objective.warmup * config.training.epochs))

    def snapshot(epoch: int, state: TrainingState) -> None:
        if run is not None and watched is not None and epoch in snapshots:
            save_snapshot(run, epoch, trainer.model_of(state), watched)

    if progress.epoch == 0:
        snapshot(0, state)
    outcome = Outcome.FINISHED
    last_saved, saved_epoch = time.monotonic(), progress.epoch
    begun, seconds_before = time.monotonic(), progress.seconds
    while progress.epoch < config.training.epochs:
        started = time.monotonic()
        new_state, losses = run_epoch(state, images, labels)
        scores = None if held_out is None else run_score(new_state, held_out)
        if not _wait_for((new_state, losses, scores), stop):
            outcome = Outcome.INTERRUPTED
            break
        bad = first_bad_step(losses)
        if bad is not None:
            if run is not None and saved_epoch < progress.epoch:
                save_checkpoint(run.checkpoint_file, fetch(state), fetch(best), progress)
            raise VaelabError(_diverged(config, progress.epoch, bad, trainer.steps_per_epoch, run))
        state = new_state
        epoch = progress.epoch + 1
        report = _report(
            epoch,
            losses,
            scores,
            config.objective.beta,
            time.monotonic() - started,
            trainer.steps_per_epoch * config.training.batch_size,
        )
        progress = replace(progress, epoch=epoch, seconds=seconds_before + time.monotonic() - begun)
        counts = scores is not None and epoch > warmup_epochs and np.isfinite(report["val_loss"])
        if counts and (progress.best_loss is None or report["val_loss"] < progress.best_loss):
            progress = replace(progress, best_loss=report["val_loss"], best_epoch=epoch)
            if config.training.keep == "best":
                best = state.parameters if state.average is None else state.average
        history.append(report)
        if run is not None:
            run.append_metrics(report)
            snapshot(epoch, state)
        on_epoch(report)
        patience = config.training.patience
        if patience is not None and progress.best_loss is not None and epoch - progress.best_epoch >= patience:
            outcome = Outcome.STOPPED_EARLY
            break
        if stop.requests:
            outcome = Outcome.INTERRUPTED if epoch < config.training.epochs else Outcome.FINISHED
            break
        if run is not None and time.monotonic() - last_saved >= config.training.checkpoint_seconds:
            save_checkpoint(run.checkpoint_file, fetch(state), fetch(best), progress)
            last_saved, saved_epoch = time.monotonic(), epoch

    kept, kept_epoch = _kept_model(trainer, state, best, progress)
    if run is not None:
        save_checkpoint(run.checkpoint_file, fetch(state), fetch(best), progress)
        save_model(run, kept, {**(facts or {}), "epochs": kept_epoch, "outcome": outcome.name.lower()})
    return TrainingResult(kept, history, outcome, kept_epoch, progress.seconds)


def _held_out(config: Config, data: TrainingData) -> np.ndarray | None:
    if data.validation_images is None or len(data.validation_images) == 0:
        return None
    return seen_once(data.validation_images, config.data.pixels, config.data.test_seed)


def _compiled(
    trainer: Trainer, state: TrainingState, data: tuple[Array, Array | None], held_out: Array | None
) -> tuple[Callable[..., tuple[TrainingState, StepLosses]], Callable[..., Scores]]:
    """Both functions compiled ahead of the first epoch and side by side, so that its time is that of any other."""
    with ThreadPoolExecutor(2) as pool:
        epoch = pool.submit(lambda: trainer.epoch.lower(state, *data).compile())
        score = None if held_out is None else pool.submit(lambda: trainer.score.lower(state, held_out).compile())
        return epoch.result(), (trainer.score if score is None else score.result())


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
    steps = {name: np.asarray(values, np.float64) for name, values in losses._asdict().items()}
    kl = steps["kl"].mean()
    report: EpochReport = {
        "epoch": epoch,
        "loss": float(steps["loss"].mean()),
        "reconstruction": float(steps["reconstruction"].mean()),
        "kl": float(kl),
        "beta": float((steps["beta"] * steps["kl"]).mean() / kl) if kl != 0 else float(steps["beta"].mean()),
    }
    if scores is not None:
        report |= {
            "val_loss": float(scores.loss),
            "val_reconstruction": float(scores.reconstruction),
            "val_kl": float(scores.kl),
            "val_beta": beta,
        }
    return report | {"seconds": seconds, "images_per_second": images / seconds}


def _kept_model(trainer: Trainer, state: TrainingState, best: PyTree | None, progress: Progress) -> tuple[Model, int]:
    if best is None:
        return trainer.model_of(state), progress.epoch
    chosen = state._replace(parameters=best, average=None)
    return trainer.model_of(chosen), progress.best_epoch


def _diverged(config: Config, epoch: int, bad: tuple[int, str], steps_per_epoch: int, run: Run | None) -> str:
    step = epoch * steps_per_epoch + bad[0] + 1
    saved = "" if run is None else f" The weights after epoch {epoch} are kept in {run.folder}."
    return (
        f"the loss became NaN or infinite at step {step} (epoch {epoch + 1}), in its {bad[1]}.{saved} "
        f"Try a smaller learning rate (now {config.training.learning_rate:g}), --set training.clip_norm=10, "
        "or look for extreme values in the data"
    )
