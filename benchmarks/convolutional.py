"""An epoch of the same convolutional VAE in other libraries and in ours, one process after another, in turns.

    python -m benchmarks.convolutional --prepare   # the virtual environments
    python -m benchmarks.convolutional             # 20 minutes on two quiet cores; writes its table into benchmarks/README.md

The network: 4 x 4 convolutions of stride 2 of 32, 64 and 128 channels, mirrored, 32 latent dimensions, Bernoulli, Adam, batches of 128;
and our residual network beside the same layers in PyTorch. Images are generated: what they show does not change the time.
"""

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import environments, machine
from benchmarks.jobs import PEERS, WORK
from benchmarks.measured_process import measure
from benchmarks.results import FOLDER, README
from benchmarks.tutorial import settled_load

BATCH = 128
EPOCHS = 3
"""The first, which compiles or warms up, is left out."""
BEGIN, END = "<!-- convolutional: begin -->", "<!-- convolutional: end -->"
FILE = FOLDER / "convolutional.json"


@dataclass(frozen=True)
class Images:
    side: int
    depth: int
    count: int

    def __str__(self) -> str:
        return f"{self.side} x {self.side} x {self.depth}"

    @property
    def path(self) -> Path:
        return WORK / f"images-{self.side}-{self.depth}.npy"

    def write(self) -> None:
        if not self.path.exists():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            shape = (self.count, self.side, self.side, self.depth)
            np.save(self.path, np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), allow_pickle=False)


SIZES = (Images(32, 1, 64 * BATCH), Images(64, 3, 16 * BATCH))


@dataclass(frozen=True)
class Job:
    """One row; `arguments` after the interpreter, or the command of ours, for images and a number of epochs."""

    title: str
    environment: str
    network: str
    arguments: Callable[[Images, int], list[str]]

    def command(self, images: Images, epochs: int) -> list[str]:
        return [str(environments.python(self.environment)), *self.arguments(images, epochs)]


def script(name: str, *more: str) -> Callable[[Images, int], list[str]]:
    return lambda images, epochs: [str(PEERS / name), str(images.path), str(epochs), *more]


def ours(network: str) -> Callable[[Images, int], list[str]]:
    keys = ["training.optimiser=adam", f"training.batch_size={BATCH}", "training.snapshots=0", "data.validation=none"]
    if network == "convolutional":
        keys += ["model.encoder.channels=[32,64,128]", "model.decoder.channels=[128,64,32]"]
    options = [word for key in keys for word in ("--set", key)]
    return lambda images, epochs: [
        "-m", "vaelab", "train", str(images.path), "--network", network, "--likelihood", "bernoulli", "--latent-dim", "32",
        "--epochs", str(epochs), "--out", "run", "--no-figures", *options,
    ]  # fmt: skip


JOBS = (
    Job("Keras {keras} on TensorFlow {tensorflow-cpu}", "keras-tensorflow", "convolutional", script("keras_convolutional.py")),
    Job("PyTorch {torch}", "torch", "convolutional", script("torch_convolutional.py", "convolutional", "contiguous")),
    Job("PyTorch {torch}, channels last", "torch", "convolutional", script("torch_convolutional.py", "convolutional", "channels_last")),
    Job("pythae {pythae} on PyTorch {torch}", "pythae", "convolutional", script("pythae_convolutional.py")),
    Job("**vaelab**", "vaelab", "convolutional", ours("convolutional")),
    Job("its matrix products alone", "vaelab", "convolutional", lambda images, epochs: [
        "-m", "benchmarks.convolution_products", "report.json", str(images.side), str(images.depth), str(images.count // BATCH)]),
    Job("PyTorch {torch}", "torch", "residual", script("torch_convolutional.py", "residual", "contiguous")),
    Job("PyTorch {torch}, channels last", "torch", "residual", script("torch_convolutional.py", "residual", "channels_last")),
    Job("**vaelab**", "vaelab", "residual", ours("residual")),
)  # fmt: skip


def seconds_of(job: Job, images: Images) -> dict[str, Any]:
    """Seconds of each epoch of one process but the first, and its peak memory."""
    folder = WORK / "convolutional"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    cache = environments.FOLDER / job.environment / "cache"
    variables = environments.process_environment(job.environment, cache) | {"PYTHONPATH": str(environments.ROOT)}
    load = settled_load()
    measured = measure(job.command(images, EPOCHS), folder=folder, variables=variables, log=folder / "output.log")
    if (folder / "report.json").exists():
        seconds = json.loads((folder / "report.json").read_text())["seconds"]
    else:
        lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
        seconds = [json.loads(line)["seconds"] for line in lines]
    return {"seconds": seconds[1:] or seconds, "peak_bytes": measured.peak_bytes, "load_before": round(load, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolutional")
    parser.add_argument("--prepare", action="store_true", help="make the environments, and stop there")
    parser.add_argument("--repeat", type=int, default=3, help="so many rounds through all jobs; the table has medians")
    options = parser.parse_args()
    for name in dict.fromkeys(job.environment for job in JOBS):
        environments.prepare(name)
    if options.prepare:
        return
    rows: list[dict[str, Any]] = []
    for images in SIZES:
        images.write()
        found: list[list[dict[str, Any]]] = [[] for _ in JOBS]
        for turn in range(options.repeat):
            for job, runs in zip(JOBS, found, strict=True):
                runs.append(seconds_of(job, images))
                print(
                    f"{images}, {job.network}, round {turn + 1}, {job.title}: {median(runs[-1]['seconds']):.2f} s",
                    flush=True,
                )
        for job, runs in zip(JOBS, found, strict=True):
            title = job.title.format(**environments.versions(job.environment))
            rows.append({"images": str(images), "network": job.network, "title": title, "runs": runs})
    result = {"machine": machine.describe(), "date": datetime.now(UTC).isoformat(timespec="seconds"), "rows": rows}
    FILE.write_text(json.dumps(result, indent=1) + "\n")
    page = README.read_text()
    before, _, rest = page.partition(BEGIN)
    README.write_text(before + BEGIN + "\n" + table(result) + "\n" + END + rest.partition(END)[2])
    print(table(result))


def table(result: dict[str, Any]) -> str:
    lines = ["| images | network | | epoch, s | of ours | MiB |", "| --- | --- | --- | --: | --: | --: |"]
    epochs = [median(seconds for run in row["runs"] for seconds in run["seconds"]) for row in result["rows"]]
    for row, epoch in zip(result["rows"], epochs, strict=True):
        own = next(
            seconds
            for other, seconds in zip(result["rows"], epochs, strict=True)
            if other["title"] == "**vaelab**" and all(other[name] == row[name] for name in ("images", "network"))
        )
        memory = max(run["peak_bytes"] for run in row["runs"]) / 2**20
        cells = [row["images"], row["network"], row["title"], f"{epoch:.2f}", f"{epoch / own:.2f}", f"{memory:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    found, load = result["machine"], max(run["load_before"] for row in result["rows"] for run in row["runs"])
    where = f"{found['processor']}, {found['cores']} cores, {found['memory_gib']} GiB"
    rounds = len(result["rows"][0]["runs"])
    return "\n".join(
        [
            *lines,
            "",
            f"Measured {result['date'][:10]} on {where}; medians of {rounds} rounds; load before a run at most {load}.",
        ]
    )


if __name__ == "__main__":
    main()
