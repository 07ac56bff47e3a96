"""What is run: a name, the environment it runs in, its command, and where its epochs are read from."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import FOLDER, ROOT, python

WORK = ROOT / "benchmarks" / ".work"
PEERS = ROOT / "benchmarks" / "peers"
MNIST = WORK / "mnist.npz"


@dataclass(frozen=True)
class Job:
    """One row of the table. `title` is its name there; `{}` in it takes the versions that were measured."""

    name: str
    environment: str
    title: str
    script: str | None = None  # of a peer; None: ours

    @property
    def folder(self) -> Path:
        """Its working folder, emptied before each run."""
        return WORK / self.name

    @property
    def cache(self) -> Path:
        """The cache folder of its user: warm for everyone but our first run."""
        return WORK / "first-cache" if self.name.startswith("vaelab") else FOLDER / self.environment / "cache"

    def command(self, epochs: int) -> list[str]:
        interpreter = str(python(self.environment))
        if self.name == "steady-epoch":
            return [interpreter, "-m", "benchmarks.steady_epoch", "report.json", str(max(3, epochs // 2))]
        if self.script is None:
            vaelab = str(FOLDER / self.environment / "bin" / "vaelab")
            return [vaelab, "train", "--epochs", str(epochs), "--out", "run"]
        return [interpreter, str(PEERS / self.script), str(MNIST), str(epochs)]

    def variables(self) -> dict[str, str]:
        """Environment variables beside the usual ones."""
        return {"PYTHONPATH": str(ROOT)} if self.name == "steady-epoch" else {}

    def start_afresh(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if self.name == "vaelab-first":
            shutil.rmtree(self.cache, ignore_errors=True)

    def report(self) -> dict[str, Any]:
        """What the finished job says of itself: seconds, loss and val_loss of each epoch."""
        if self.name.startswith("vaelab"):
            lines = (self.folder / "run" / "metrics.jsonl").read_text().splitlines()
            records = [json.loads(line) for line in lines]
            return {key: [record[key] for record in records] for key in ("seconds", "loss", "val_loss")}
        return json.loads((self.folder / "report.json").read_text())


JOBS = {
    job.name: job
    for job in (
        Job(
            "keras-tensorflow", "keras-tensorflow", "Keras {keras} on TensorFlow {tensorflow-cpu}", "keras_tutorial.py"
        ),
        Job("keras-jax", "keras-jax", "Keras {keras} on JAX {jax}", "keras_tutorial.py"),
        Job("torch", "torch", "PyTorch {torch}, plain loop", "torch_tutorial.py"),
        Job("pythae", "pythae", "pythae {pythae} on PyTorch {torch}", "pythae_tutorial.py"),
        Job("vaelab-first", "vaelab", "**`vaelab train`**, first run ever"),
        Job("vaelab-again", "vaelab", "**`vaelab train`**, any later run"),
        Job("steady-epoch", "vaelab", "steady epoch and its matrix products"),
    )
}
