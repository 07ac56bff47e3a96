"""Make the rows of a table: train, fit priors, measure, write down. Stopped at any moment, it goes on where it was."""

import dataclasses
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import numpy as np
from filelock import FileLock, Timeout

from vaelab.config import Config, load_recipe, recipe_names
from vaelab.data import Dataset, Fingerprint, load_data
from vaelab.errors import VaelabError
from vaelab.evaluation.figure import Figure, mean_figure
from vaelab.fitting import fit_prior
from vaelab.language import to_translate, translated
from vaelab.model_file import load_model
from vaelab.reproduction.measuring import Judged, measured
from vaelab.reproduction.records import Record, add_record, is_done, read_records
from vaelab.reproduction.tables import Row, Table
from vaelab.reproduction.weights import TrainedRow, keep_weights, kept_weights, weights_file
from vaelab.run_data import check_same
from vaelab.runs import Run
from vaelab.training import Outcome, Stopped, TrainingData, train
from vaelab.training.beginning import resolve
from vaelab.version import __version__

Say = Callable[[str], None]
TRAINED = "trained"


def reproduce(
    table: Table,
    *,
    results: Path,
    work: Path,
    seeds: int | None = None,
    only: str | None = None,
    stop: Stopped | None = None,
    say: Say = print,
) -> bool:
    """Make what is still missing of a table: every row with seed 0 first, then with seed 1, and so on.

    **Arguments:**

    - `results`: the folder of the finished rows, one JSON file a table
    - `work`: the folder of the runs; a training that was stopped goes on from its checkpoint
    - `seeds`: at most so many of each row
    - `only`: the one row to make
    - `stop`: asked between the steps, and during training

    Returns whether all of it is done.

    **Raises:** `VaelabError` for an unknown row, and where another process is making the same table.
    """
    stop = stop or Stopped()
    rows = [row for row in table.rows if only in (None, row.name)]
    if not rows:
        raise VaelabError(
            translated(
                "table '{name}' has no row '{only}'; its rows: {rows}",
                name=table.name,
                only=only,
                rows=", ".join(row.name for row in table.rows),
            )
        )
    work = work / table.name
    work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise VaelabError(
            translated("{work}: another process is making this table; wait for it, or choose another --work", work=work)
        ) from None
    try:
        for seed in range(max(row.seeds for row in rows) if seeds is None else seeds):
            for row in rows:
                if row.recipe is not None and row.recipe not in recipe_names():
                    say(
                        to_translate(
                            "{name}: there is no recipe '{recipe}'; left out", name=row.name, recipe=row.recipe
                        )
                    )
                    continue
                if seed < row.seeds and not _make(table, row, seed, results, work, stop, say):
                    return False
        return True
    finally:
        lock.release()


def row_config(row: Row, seed: int) -> Config:
    """The configuration of a row."""
    base = load_recipe(row.recipe) if row.recipe else Config()
    return base.with_values({**row.changes, "seed": seed}, source=f"row {row.name}")


def _make(
    table: Table,
    row: Row,
    seed: int,
    results: Path,
    work: Path,
    stop: Stopped,
    say: Say,
    *,
    needed: bool = False,
) -> bool:
    """Make what is missing of one row with one seed; where its scores are `needed` for another row's gain, those too."""
    config = row_config(row, seed)
    deterministic = not config.model.posterior.has_density
    priors = [*([] if deterministic else [TRAINED]), *row.fitted]
    missing = [prior for prior in priors if not is_done(read_records(results, table.name), row.name, prior, seed)]
    folder = work / f"{row.name}-{seed}"
    if row.gain_over == row.name and (missing or needed) and not _scores(work, row.name, seed, TRAINED).is_file():
        missing = [TRAINED, *(prior for prior in missing if prior != TRAINED)]
    if not missing:
        return True
    if row.gain_over not in (None, row.name) and not _scores(work, row.gain_over, seed, TRAINED).is_file():
        # finished rows are kept, but their scores of each image lie in a work folder that may be another
        other = next(other for other in table.rows if other.name == row.gain_over)
        if not _make(table, other, seed, results, work, stop, say, needed=True):
            return False
    dataset = load_data(**config.data.source)  # split as the row says
    config = resolve(config, TrainingData.from_dataset(dataset, config.data))
    kept = weights_file(results, row.name, seed)
    trained = None if (folder / "config.toml").is_file() else kept_weights(kept, config)
    if trained is None:
        say(
            to_translate(
                "{name}, seed {seed}: training {epochs} epochs", name=row.name, seed=seed, epochs=config.training.epochs
            )
        )
        trained = _trained(config, dataset, folder, stop, say)
        if trained is None:
            return False
        if table.keeps_weights:
            keep_weights(kept, trained, config)
    else:
        say(to_translate("{name}, seed {seed}: from the weights in {kept}", name=row.name, seed=seed, kept=kept))
        folder.mkdir(exist_ok=True)
    model = trained.model
    judged = Judged.of(config, dataset)
    held_out = len(dataset.validation) if config.data.validation == "held-out" else 0
    for prior in missing:
        if stop.requests:
            return False
        begun = time.monotonic()
        chosen = model
        if prior != TRAINED:
            fitted = fit_prior(model, judged.training, prior, pixels=config.data.pixels, seed=seed)
            chosen = eqx.tree_at(lambda model: model.prior, model, fitted.prior)
        figures, log_probs = measured(table, chosen, judged, seed)
        if log_probs is not None:
            np.save(_scores(work, row.name, seed, prior), log_probs.astype(np.float32), allow_pickle=False)
            figures |= _differences(work, row, prior, seed, log_probs)
        record: Record = {
            "row": row.name,
            "prior": prior,
            "seed": seed,
            "trained_prior": config.model.prior.kind,
            "figures": {name: dataclasses.asdict(figure) for name, figure in figures.items()},
            "importance_samples": table.importance_samples,
            "pixels": config.data.pixels,
            "split": f"{len(judged.training):,} / {held_out:,} / {len(judged.test):,}",
            "epochs": trained.epochs,
            "published": row.published if prior == TRAINED else "",
            "note": row.note,
            "training_seconds": round(trained.seconds, 1),
            "measuring_seconds": round(time.monotonic() - begun, 1),
            "cores": os.cpu_count(),
            "version": __version__,
            "command": f"vaelab reproduce {table.name} --row {row.name}",
        }
        add_record(results, table.name, record)
        shown = ", ".join(f"{name} {figure}" for name, figure in figures.items())
        say(
            to_translate(
                "{name}, seed {seed}, prior {prior}: {shown} ({measuring_seconds:.0f} s)",
                name=row.name,
                seed=seed,
                prior=prior,
                shown=shown,
                measuring_seconds=record["measuring_seconds"],
            )
        )
    return True


def _trained(config: Config, dataset: Dataset, folder: Path, stop: Stopped, say: Say) -> TrainedRow | None:
    """The row trained to its end, from where its folder stands; None where it was stopped before."""
    data = TrainingData.from_dataset(dataset, config.data)
    if (folder / "config.toml").is_file():
        run = Run.open(folder)
        if run.config != config:
            raise VaelabError(
                translated(
                    "{folder}: holds a run of another configuration; delete it, or choose another --work", folder=folder
                )
            )
        check_same(run, dataset, dataset.name)
    else:
        run = Run.create(folder, config, Fingerprint.of(dataset, config.data.name, config.data.source["binarised"]))
    said = time.monotonic()

    def on_epoch(report: dict[str, Any]) -> None:
        nonlocal said
        if time.monotonic() - said > 60.0 or report["epoch"] == config.training.epochs:
            said = time.monotonic()
            held_out = f", val_loss {report['val_loss']:.2f}" if "val_loss" in report else ""
            say(
                to_translate(
                    "  {name}: epoch {epoch}, loss {loss:.2f}{held_out}, {seconds:.1f} s",
                    name=folder.name,
                    epoch=report["epoch"],
                    loss=report["loss"],
                    held_out=held_out,
                    seconds=report["seconds"],
                )
            )

    result = train(config, data, run=run, facts={"data": dataset.name}, on_epoch=on_epoch, stop=stop)
    # of the epochs alone: compilation, and the pauses of a run that was stopped, say nothing of its cost
    metrics = run.metrics()
    if result.outcome is Outcome.INTERRUPTED:
        return None
    return TrainedRow(load_model(run), len(metrics), sum(line["seconds"] for line in metrics))


def _scores(work: Path, row: str, seed: int, prior: str) -> Path:
    """log p(x) of each test image, in nats: what gains are paired on."""
    return work / f"{row}-{seed}" / f"nll-{prior}.npy"


def _differences(work: Path, row: Row, prior: str, seed: int, log_probs: np.ndarray) -> dict[str, Figure]:
    """What is gained on the same test images over the row `gain_over` with its own prior, of the same seed."""
    if row.gain_over is None or (row.gain_over == row.name and prior == TRAINED):
        return {}
    reference = _scores(work, row.gain_over, seed, TRAINED)
    before = np.load(reference, allow_pickle=False).astype(np.float64)
    return {"gain_over_normal": mean_figure(log_probs - before, f"{len(log_probs):,} test images, paired")}
