"""`vaelab train --network`, `--dry-run` and `vaelab summary` of networks that read images as maps."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from cli.in_process import vaelab
from vaelab.runs import Run

SMALL = ["digits", "--epochs", "1", "--no-figures", "--quiet"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vaelab"])


def test_both_sides_are_convolutional_and_as_deep_as_the_images_ask_for(capsys: pytest.CaptureFixture[str]):
    narrow = [f"model.{side}.channels=[4]" for side in ("encoder", "decoder")]
    assert (
        vaelab("train", *SMALL, "--network", "convolutional", "--out", "run", "--set", narrow[0], "--set", narrow[1])
        == 0
    )
    model = Run.open("run").config.model
    assert (model.encoder.kind, model.decoder.kind) == ("convolutional", "convolutional")
    capsys.readouterr()
    assert vaelab("summary", "run") == 0
    shown = capsys.readouterr().out
    assert "down.0" in shown
    assert vaelab("sample", "run", "-n", "2", "--out", "samples.png") == 0
    assert vaelab("train", "digits", "--network", "residual", "--dry-run") == 0


def test_a_dry_run_says_what_a_training_takes_and_leaves_nothing(capsys: pytest.CaptureFixture[str]):
    assert vaelab("train", "digits", "--hidden", "8", "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    # 64-8-2+2 and 2-8-64, with biases
    count = 64 * 8 + 8 + 2 * (8 * 2 + 2) + 2 * 8 + 8 + 8 * 64 + 64
    assert lines[0] == f"parameters  {count:,} ({count:,} trained)"
    assert [line.split()[0] for line in lines] == ["parameters", "memory", "an", "nothing"]
    assert list(Path().iterdir()) == []
    assert vaelab("train", "digits", "--hidden", "8", "--dry-run", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["parameters"] == count
    assert found["state_bytes"] >= 2 * 4 * count  # weights, and RMSprop's squares
    assert found["steps"] == 16
    assert found["epoch_seconds"] == pytest.approx(found["steps"] * found["step_seconds"] + found["score_seconds"])
    assert found["bytes"] > found["data_bytes"] > 1700 * 64


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["digits", "--network", "convolution"], "did you mean 'convolutional'?"),
        (["digits", "--network", "convolutional", "--hidden", "8"], "it belongs to another kind of model.encoder"),
        (["tiny.npy", "--network", "convolutional"], "smaller than the network convolutional's kernel of 4 x 4"),
        (["rows.npy", "--network", "residual"], "is for images (height, width)"),
        (
            ["digits", "--network", "convolutional", "--set", "model.encoder.channels=[8,8,8,8]"],
            "cannot be halved 4 times",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    np.save("tiny.npy", np.zeros((40, 3, 3), np.uint8))
    np.save("rows.npy", np.zeros((40, 30), np.uint8))
    assert vaelab("train", *arguments) == 2
    complaint = capsys.readouterr().err
    assert words in complaint
    assert complaint.count("\n") == 1
    assert not Path("runs").exists()
