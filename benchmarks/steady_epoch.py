"""Our steady training epoch, its validation, a snapshot for the explorer's replay, and the matrix products alone, by turns in one process.

Run as `python -m benchmarks.steady_epoch REPORT.json ROUNDS`. Seconds of each round are written; the first round is
for warming up and is left out.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import jax

from benchmarks.matrix_products import products_epoch
from vaelab.config import load_recipe
from vaelab.data import load_data
from vaelab.runs import Run
from vaelab.training import InMemory, TrainingData
from vaelab.training.beginning import begin, resolve
from vaelab.training.epoch import run_epoch, score
from vaelab.training.programs import compiled
from vaelab.training.snapshots import snapshot_epochs, snapshot_of, write_snapshot


def measure(rounds: int) -> dict[str, list[float]]:
    """Wall seconds of `rounds` epochs of the recipe `tutorial`, of their validation, of a snapshot, and of the products."""
    config = load_recipe("tutorial")
    data = TrainingData.from_dataset(load_data(config.data.name), config.data)
    config = resolve(config, data)
    begun = begin(config, data)
    place = begun.trainer.plan.place
    trainer, state = place.whole((begun.trainer, begun.state()))
    source = place.whole(InMemory(data.images, data.labels))
    held_out = place.whole(data.validation_images)
    epoch = compiled(run_epoch, trainer, state, source)
    scores = compiled(score, trainer, state, held_out)
    products = products_epoch()
    run = Run.create(Path(tempfile.mkdtemp()) / "run", config)
    watched = place.whole(data.watched_images)

    seconds: dict[str, list[float]] = {"training": [], "validation": [], "snapshot": [], "products": []}
    for turn in range(rounds + 1):
        start = time.perf_counter()
        state, _ = jax.block_until_ready(epoch(trainer, state, source))
        trained = time.perf_counter()
        jax.block_until_ready(scores(trainer, state, held_out))
        validated = time.perf_counter()
        write_snapshot(run, snapshot_of(turn, trainer.model_of(state), watched))
        saved = time.perf_counter()
        measured = {"training": trained - start, "validation": validated - trained, "snapshot": saved - validated}
        measured["products"] = products()
        if turn:
            for name, value in measured.items():
                seconds[name].append(value)
        print(f"round {turn}: " + ", ".join(f"{name} {value:.3f} s" for name, value in measured.items()), flush=True)
    epochs = config.training.epochs
    kept = len(snapshot_epochs(epochs, config.training.snapshots))
    share = (
        kept * median(seconds["snapshot"]) / (epochs * (median(seconds["training"]) + median(seconds["validation"])))
    )
    size = run.snapshot_file(1).stat().st_size / 1e6
    print(f"{kept} snapshots of {size:.2f} MB take {100 * share:.1f} % of the time of {epochs} epochs")
    return seconds


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(json.dumps(measure(int(sys.argv[2]))))
