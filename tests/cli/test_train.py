"""`vaelab train` as a user runs it: what it prints and writes, and what it says when it cannot."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from cli.in_process import vaelab
from vaelab.model_file import load_model
from vaelab.naming import named_arrays
from vaelab.runs import Run

SMALL = ["digits", "--hidden", "8", "--epochs", "2", "--no-figures"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vaelab"])


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line of an input that cannot be used."""
    assert vaelab(*arguments) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    assert captured.err.startswith("vaelab: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_a_run_has_all_its_files(capsys: pytest.CaptureFixture[str]):
    assert vaelab("train", *SMALL) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert re.fullmatch(r"val_loss \d+\.\d+ after 2 epochs in \d+ s; .*vaelab sample runs/tutorial-digits", last)
    run = Run.open("runs/tutorial-digits")
    assert run.config.model.image_shape == (8, 8)
    names = {path.name for path in run.folder.iterdir()} - {".lock"}
    assert {"config.toml", "metrics.jsonl", "model.safetensors", "checkpoint.safetensors", "environment.json"} <= names
    assert set(run.metrics()[0]) == {
        "epoch", "loss", "reconstruction", "kl", "beta", "val_loss", "val_reconstruction", "val_kl", "val_beta",
        "seconds", "images_per_second",
    }  # fmt: skip
    assert "jax" in json.loads(run.environment_file.read_text())["packages"]


def test_the_next_run_has_the_next_name_and_an_explicit_one_is_not_touched(capsys: pytest.CaptureFixture[str]):
    for _ in range(2):
        assert vaelab("train", *SMALL, "--epochs", "1", "--quiet") == 0
    assert {path.name for path in Path("runs").iterdir()} == {"tutorial-digits", "tutorial-digits-2"}
    before = Run.open("runs/tutorial-digits").model_file.read_bytes()
    assert "exists already" in complaint(capsys, "train", *SMALL, "--out", "runs/tutorial-digits")
    assert Run.open("runs/tutorial-digits").model_file.read_bytes() == before


def test_quiet_prints_one_line_and_json_one_object_an_epoch(capsys: pytest.CaptureFixture[str]):
    assert vaelab("train", *SMALL, "--quiet") == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert vaelab("train", *SMALL, "--json") == 0
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["epoch"] for report in reports] == [1, 2]


def test_flags_and_settings_reach_the_configuration():
    flags = ["--latent-dim", "3", "--hidden", "9,8", "--batch-size", "32", "--learning-rate", "2e-3", "--beta", "0.5"]
    more = ["--likelihood", "continuous-bernoulli", "--seed", "7", "--epochs", "1", "--set", "training.optimiser=adam"]
    cleared = ["--set", "training.optimiser_options={}", "--set", "training.clip_norm=5", "--out", "mine"]
    assert vaelab("train", "digits", "--no-figures", *flags, *more, *cleared) == 0
    config = Run.open("mine").config
    assert config.model.latent_dim == 3
    assert config.model.encoder.hidden == (9, 8)
    assert config.model.decoder.hidden == (8, 9)
    assert config.training.batch_size == 32
    assert config.training.learning_rate == 2e-3
    assert config.objective.beta == 0.5
    assert config.model.likelihood.kind == "continuous-bernoulli"
    assert config.seed == 7
    assert config.training.clip_norm == 5
    # the run's own file says all of it again
    assert vaelab("train", "digits", "--config", "mine/config.toml", "--no-figures", "--out", "again") == 0
    ours, theirs = (named_arrays(load_model(Run.open(name))) for name in ("mine", "again"))
    assert all((ours[name] == theirs[name]).all() for name in ours)


def test_a_binarised_file_is_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """And evaluated on: its test part, not the grey one."""
    from vaelab.data import load_data

    images = load_data("digits").train_and_validation.images
    np.savez(
        tmp_path / "binary.npz", x_train=(images > 100).astype(np.uint8), x_test=(images[:50] > 100).astype(np.uint8)
    )
    options = ["--set", "training.batch_size=50", "--set", "training.snapshots=0", "--no-figures", "-q"]
    out = str(tmp_path / "run")
    binary = str(tmp_path / "binary.npz")
    assert vaelab("train", "digits", "--static-file", binary, "--epochs", "1", "--out", out, *options) == 0
    assert Run.open(out).config.data.pixels == "static"
    assert vaelab("evaluate", out, "--json") == 0
    lines = capsys.readouterr().out
    result = json.loads(lines[lines.index("{") :])
    setting = result["setting"]
    assert (setting["pixels"], setting["images"], result["grey_floor"]) == ("static", 50, None)
    said = complaint(capsys, "train", "digits", "--static-file", binary, "--pixels", "grey", *options)
    assert "read where data.pixels is 'static'; found 'grey'" in said


def test_tensorboard_events_are_written():
    pytest.importorskip("tensorboardX")
    assert vaelab("train", *SMALL, "--tensorboard", "--out", "run") == 0
    assert list(Path("run/tensorboard").glob("events.*"))


BAD = {
    "an unknown data set": (["train", "mnits"], "did you mean 'mnist'"),
    "a missing file": (["train", "images/none.npz"], "no such file or folder"),
    "an unknown recipe": (["train", "--recipe", "tutorail"], "did you mean 'tutorial'"),
    "an unknown key": (["train", "--set", "training.epoch=3"], "did you mean 'training.epochs'"),
    "no value": (["train", "--set", "training.epochs"], "expected KEY=VALUE"),
    "latent_dim 0": (["train", "--latent-dim", "0"], "model.latent_dim"),
    "bad widths": (["train", "--hidden", "a,b"], "expected widths such as 300,300"),
    "two configurations": (["train", "--recipe", "tutorial", "--config", "x.toml"], "give one of them"),
    "a missing configuration": (["train", "--config", "x.toml"], "no such configuration file"),
    "a warm-up longer than training": (["train", "--set", "objective.warmup=2"], "longer than training"),
    "resuming nothing": (["train", "--resume", "nowhere"], "no run there"),
    "a folder that cannot be": (["train", "digits", "--out", "file/run"], "could not be made"),
    "an unknown model in the package": (["summary", "pretrained:tutorail"], "did you mean 'tutorial'"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line_and_exit_code_2(name: str, capsys: pytest.CaptureFixture[str]):
    Path("file").write_text("")
    arguments, words = BAD[name]
    assert words in complaint(capsys, *arguments)


REFUSED = {
    "an unknown optimiser": (["training.optimiser=adm"], "did you mean 'adam'"),
    "an option of another": (["training.optimiser_options.rho=0.9"], "rmsprop has no option 'rho'"),
    "an option that is no number": (["training.optimiser=adam", "training.optimiser_options.mu_dtype=0.5"], "cannot be built"),
    "a warm-up longer than training": (["objective.warmup=9 epochs"], "longer than training's"),
    "labels that are not there": (["model.prior.kind=class"], "labels"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_leaves_no_folder(name: str, capsys: pytest.CaptureFixture[str]):
    settings, words = REFUSED[name]
    np.save("data.npy", np.random.default_rng(0).random((60, 6)).astype(np.float32))
    arguments = [part for setting in settings for part in ("--set", setting)]
    assert words in complaint(capsys, "train", "data.npy", "--epochs", "2", "--batch-size", "20", *arguments)
    assert not Path("runs").exists()


def test_tensorboard_without_its_package_leaves_no_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vaelab.training.tensorboard.find_spec", lambda name: None)
    assert "needs an extra package" in complaint(capsys, "train", *SMALL, "--tensorboard")
    assert not Path("runs").exists()


def test_the_example_in_the_help_works():
    assert vaelab("train", *SMALL, "--set", "training.optimiser=adam", "--out", "run") == 0
    assert Run.open("run").config.training.optimiser_options == {}


def test_a_divergence_is_the_last_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]):
    wild = [
        "--set",
        "training.optimiser=sgd",
        "--learning-rate",
        "1e38",
        "--epochs",
        "1",
        "--batch-size",
        "2000",
        "--out",
        "run",
    ]
    assert vaelab("train", *SMALL, *wild) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith(
        "vaelab: training diverged: the loss became NaN or infinite at step 1"
    )
    assert "run holds no weights" in captured.err
    assert not Run.open("run").model_file.exists()


def test_a_batch_larger_than_the_data_is_all_of_them_and_said(capsys: pytest.CaptureFixture[str]):
    np.save("data.npy", np.random.default_rng(0).random((60, 6)).astype(np.float32))
    assert vaelab("train", "data.npy", "--epochs", "1", "--no-figures", "--out", "run") == 0
    count = Run.open("run").config.training.batch_size
    assert count < 60
    assert (
        f"batches of 100 are more than the {count} training images: each step takes all of them"
        in capsys.readouterr().err
    )


def test_values_out_of_range_are_refused_for_bernoulli(capsys: pytest.CaptureFixture[str]):
    np.save("data.npy", np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32))
    assert "must lie in [0, 1] for a bernoulli likelihood" in complaint(capsys, "train", "data.npy", "--epochs", "1")
    assert not Path("runs").exists()
    gaussian = ["--likelihood", "gaussian", "--epochs", "1", "--batch-size", "50", "--no-figures"]
    assert vaelab("train", "data.npy", *gaussian) == 0


def test_damaged_runs_are_one_line(capsys: pytest.CaptureFixture[str]):
    assert vaelab("train", *SMALL, "--out", "run", "--quiet") == 0
    capsys.readouterr()
    run = Run.open("run")
    whole = run.model_file.read_bytes()
    run.model_file.write_bytes(whole[:-100])
    assert "cut short or altered" in complaint(capsys, "summary", "run")
    altered = bytearray(whole)
    altered[-5] ^= 255
    run.model_file.write_bytes(bytes(altered))
    assert "cut short or altered" in complaint(capsys, "summary", "run")
    text = (run.folder / "config.toml").read_text()
    (run.folder / "config.toml").write_text(text.replace("format = 1", "format = 2"))
    assert "written by a newer vaelab" in complaint(capsys, "summary", "run")


def test_resume_takes_no_other_options(capsys: pytest.CaptureFixture[str]):
    assert "goes on exactly" in complaint(capsys, "train", "--resume", "run", "--epochs", "3")


def test_a_run_in_use_by_another_process_is_left_alone(capsys: pytest.CaptureFixture[str]):
    assert vaelab("train", *SMALL, "--out", "run", "--quiet") == 0
    capsys.readouterr()
    with Run.open("run").locked():
        assert "in use by another vaelab process" in complaint(capsys, "train", "--resume", "run")


def test_summary_is_the_tutorials(capsys: pytest.CaptureFixture[str]):
    assert vaelab("summary") == 0
    printed = capsys.readouterr().out
    for count in ("201,988", "202,256", "404,244 (1.54 MB)", "200,960", "201,488"):
        assert count in printed
    assert re.search(r"trainable\s+404,244", printed)
    assert re.search(r"not trainable\s+0", printed)
