"""Killed, interrupted, terminated: nothing is lost, and the weights come out as if nothing had happened."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vaelab.model_file import load_model
from vaelab.naming import named_arrays
from vaelab.runs import Run

COMMON = ["digits", "--hidden", "16", "--no-figures", "--set", "training.checkpoint_seconds=0"]


def start(*arguments: str, folder: Path) -> "subprocess.Popen[str]":
    # compiled programs of their own: a killed process may leave one cut short
    environment = {
        **os.environ,
        "JAX_NUM_CPU_DEVICES": "1",
        "PYTHONUNBUFFERED": "1",
        "JAX_COMPILATION_CACHE_DIR": f"{os.environ['VAELAB_CACHE']}/compiled-by-the-killed",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "vaelab", "train", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def begin_or_resume(folder: Path, name: str, epochs: int) -> "subprocess.Popen[str]":
    if (folder / name / "config.toml").is_file():
        return start("--resume", name, "--no-figures", folder=folder)
    return start(*COMMON, "--epochs", str(epochs), "--out", name, folder=folder)


def wait_for_first_epoch(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch"):
            return
    # a run that had nothing left to do has no epoch to print
    assert process.wait() == 0, process.stderr.read() if process.stderr else ""


def assert_same_end(folder: Path, name: str, reference: str, epochs: int) -> None:
    ours, theirs = Run.open(folder / name), Run.open(folder / reference)
    weights, expected = (named_arrays(load_model(run)) for run in (ours, theirs))
    assert all((weights[key] == expected[key]).all() for key in expected)
    assert [report["epoch"] for report in ours.metrics()] == list(range(1, epochs + 1))
    assert [report["loss"] for report in ours.metrics()] == [report["loss"] for report in theirs.metrics()]


def kill_and_resume(folder: Path, kills: int, seed: int, epochs: int) -> None:
    reference = start(*COMMON, "--epochs", str(epochs), "--out", "reference", folder=folder)
    assert reference.communicate()[1] == ""
    moments = random.Random(seed)
    for _ in range(kills):
        process = begin_or_resume(folder, "killed", epochs)
        if moments.random() < 0.8:
            wait_for_first_epoch(process)
            time.sleep(moments.random() * 0.2)
        else:  # while it is still starting
            time.sleep(moments.random() * 3)
        process.kill()
        process.communicate()
    process = begin_or_resume(folder, "killed", epochs)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert_same_end(folder, "killed", "reference", epochs)


def test_killed_at_three_random_moments(tmp_path: Path):
    kill_and_resume(tmp_path, kills=3, seed=0, epochs=40)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(tmp_path: Path):
    kill_and_resume(tmp_path, kills=20, seed=1, epochs=600)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_says_how_to_go_on(number: signal.Signals, code: int, tmp_path: Path):
    long = [*COMMON, "--epochs", "100000", "--out", "run"]
    process = start(*long, folder=tmp_path)
    wait_for_first_epoch(process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == code
    assert "go on with: vaelab train --resume run" in errors
    run = Run.open(tmp_path / "run")
    assert run.checkpoint_file.is_file()
    assert load_model(run).latent_dim == 2


def test_a_torn_last_line_of_metrics_is_dropped(tmp_path: Path):
    run = Run.create(tmp_path / "run", Run.open("pretrained:tutorial").config)
    run.append_metrics({"epoch": 1, "loss": 2.0})
    run.append_metrics({"epoch": 2, "loss": 1.0})
    with run.metrics_file.open("a") as file:
        file.write('{"epoch": 3, "lo')
    assert [report["epoch"] for report in run.metrics()] == [1, 2]
    run.keep_metrics(1)
    assert [json.loads(line) for line in run.metrics_file.read_text().splitlines()] == [{"epoch": 1, "loss": 2.0}]


def test_a_killed_process_leaves_no_lock(tmp_path: Path):
    process = start(*COMMON, "--epochs", "100000", "--out", "run", folder=tmp_path)
    wait_for_first_epoch(process)
    process.kill()
    process.communicate()
    with Run.open(tmp_path / "run").locked():
        pass
