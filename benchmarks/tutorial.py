"""The tutorial's job by its Keras script, by the same in other libraries, and by ours, in turn.

`python -m benchmarks.tutorial --prepare` makes the virtual environments beforehand; `python -m benchmarks.tutorial`
runs everything and puts the table into benchmarks/README.md.
"""

import argparse
import gzip
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks import environments, machine, results
from benchmarks.jobs import JOBS, MNIST, Job
from benchmarks.measured_process import measure

DESCRIPTION = "The tutorial's job by its Keras script, by the same in other libraries, and by ours, in turn."
QUIET_LOAD = 0.5  # cores at work before we start


def main() -> None:
    options = parse()
    chosen = [JOBS[name] for name in options.only]
    for name in dict.fromkeys(job.environment for job in chosen):
        say(f"environment {name}")
        environments.prepare(name)
    if not MNIST.exists():
        write_mnist(MNIST)
    if options.prepare:
        return
    failed: list[str] = []
    begun: set[str] = set()
    for turn in range(options.repeat):
        for job in chosen:
            if job.name in failed:
                continue
            stored = results.read(job.name, options.epochs) if options.resume or job.name in begun else None
            if stored is not None and not same_conditions(stored, job):
                say(f"{job.name}: stored results are of other versions or another machine; measured again")
                stored = None
            begun.add(job.name)
            if stored is not None and len(stored["runs"]) > turn:
                say(f"{job.name}: run {turn + 1} is there already")
                continue
            try:
                run_once(job, options.epochs, stored)
            except RuntimeError as error:  # one peer's failure must not cost the others their turn
                failed.append(job.name)
                say(f"{job.name}: FAILED\n{error}")
    print(results.table(options.epochs))
    if options.epochs == results.PUBLISHED_EPOCHS:
        results.write_table()
    if failed:
        sys.exit(f"failed: {', '.join(failed)}; the rest is stored, and --resume runs only what is missing")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tutorial", description=DESCRIPTION)
    parser.add_argument("--only", nargs="+", choices=JOBS, default=list(JOBS), metavar="NAME", help=", ".join(JOBS))
    parser.add_argument("--epochs", type=int, default=results.PUBLISHED_EPOCHS, help="default: %(default)s")
    parser.add_argument("--repeat", type=int, default=1, help="so many rounds through all jobs; the table has medians")
    parser.add_argument("--resume", action="store_true", help="keep stored runs of the same versions and machine")
    parser.add_argument("--prepare", action="store_true", help="make the environments and the data, and stop there")
    return parser.parse_args()


def run_once(job: Job, epochs: int, stored: results.Result | None) -> None:
    """Run the job, and add the run to its results."""
    if job.name == "vaelab-again" and not job.cache.exists():
        raise RuntimeError("vaelab-again needs the cache that vaelab-first leaves; run that one before it")
    job.start_afresh()
    variables = environments.process_environment(job.environment, job.cache) | job.variables()
    load = settled_load()
    say(f"{job.name}: started" + ("" if load < QUIET_LOAD else f" (the machine is busy: load {load:.1f})"))
    measured = measure(job.command(epochs), folder=job.folder, variables=variables, log=job.folder / "output.log")
    report = job.report()
    run = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "load_before": round(load, 2),
        "seconds": round(measured.seconds, 3),
        "cpu_seconds": round(measured.cpu_seconds, 3),
        "peak_bytes": measured.peak_bytes,
    }
    if job.name == "steady-epoch":
        run |= report
        outcome = f"training epoch {min(report['training']):.2f} s, products {min(report['products']):.2f} s at best"
    else:
        run |= {"epoch_seconds": report["seconds"], "loss": report["loss"], "val_loss": report["val_loss"]}
        outcome = f"val_loss {report['val_loss'][-1]:.2f} after {len(report['val_loss'])} epochs"
    result = stored or {
        "job": job.name,
        "epochs": epochs,
        "machine": machine.describe(),
        "versions": environments.versions(job.environment),
        "runs": [],
    }
    result["runs"].append(run)
    results.write(job.name, epochs, result)
    say(f"{job.name}: {measured.seconds:.1f} s, {measured.peak_bytes / 2**20:.0f} MiB, {outcome}")


def same_conditions(stored: results.Result, job: Job) -> bool:
    return stored["machine"] == machine.describe() and stored["versions"] == environments.versions(job.environment)


def settled_load(patience: float = 30.0) -> float:
    """The load of the last seconds, by the processor's idle time: the job before has ended, others may not have.

    Waits up to `patience` seconds for a quiet machine, then takes it as it is.
    """
    end = time.monotonic() + patience
    while True:
        load = busy_cores(2.0)
        if load < QUIET_LOAD or time.monotonic() > end:
            return load


def busy_cores(seconds: float) -> float:
    """How many cores were at work over the next so many seconds; the load average where there is no /proc/stat."""
    before = processor_ticks()
    time.sleep(seconds)
    after = processor_ticks()
    if before is None or after is None:
        return os.getloadavg()[0]
    return (after - before) / os.sysconf("SC_CLK_TCK") / seconds


def processor_ticks() -> int | None:
    """Clock ticks spent at work by all cores since the start, user, nice and system."""
    listing = Path("/proc/stat")
    return sum(int(field) for field in listing.read_text().split()[1:4]) if listing.exists() else None


def write_mnist(path: Path) -> None:
    """The package's MNIST in the layout of Keras's mnist.npz, for all peers alike."""
    folder = environments.ROOT / "src" / "vaelab" / "data" / "mnist"

    def idx(name: str, header: int) -> np.ndarray:
        return np.frombuffer(gzip.decompress((folder / f"{name}.gz").read_bytes()), np.uint8, offset=header)

    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        x_train=idx("train-images-idx3-ubyte", 16).reshape(-1, 28, 28),
        y_train=idx("train-labels-idx1-ubyte", 8),
        x_test=idx("t10k-images-idx3-ubyte", 16).reshape(-1, 28, 28),
        y_test=idx("t10k-labels-idx1-ubyte", 8),
    )


def say(line: str) -> None:
    print(f"{datetime.now():%H:%M:%S} {line}", flush=True)


if __name__ == "__main__":
    main()
