"""Colour images through the commands: which likelihood, in which units, and in whose features they are judged."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from cli.in_process import vaelab
from vaelab.runs import Run

SMALL = ["photographs.npz", "--hidden", "8", "--epochs", "2", "--batch-size", "20", "--no-figures", "--quiet"]


@pytest.fixture(autouse=True)
def _beside_photographs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generator: np.random.Generator) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["vaelab"])
    tints = generator.integers(0, 256, (60, 1, 1, 3))
    images = np.clip(tints + generator.integers(-20, 20, (60, 8, 8, 3)), 0, 255).astype(np.uint8)
    np.savez("photographs.npz", x_train=images[:40], x_test=images[40:])


def test_colour_is_scored_in_bits_unless_something_else_was_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert vaelab("train", *SMALL, "--out", "run") == 0
    assert "colour images: the likelihood is discretised-logistic" in capsys.readouterr().err
    likelihood = Run.open("run").config.model.likelihood
    assert (likelihood.kind, likelihood.learned) == ("discretised-logistic", "optimal")
    assert vaelab("evaluate", "run", "--samples", "0", "--no-figures", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    expected = found["nll_quadrature"]["value"] / (192 * math.log(2.0))
    assert found["bits_per_dimension"]["value"] == pytest.approx(expected)
    assert 1.0 < expected < 12.0
    for choice in (["--likelihood", "gaussian"], ["--set", "model.likelihood.kind=gaussian"]):
        assert vaelab("train", *SMALL, *choice, "--out", f"other{len(choice[1])}") == 0
        assert "colour images" not in capsys.readouterr().err
    assert vaelab("evaluate", "other8", "--samples", "0", "--no-figures", "--json") == 0
    assert json.loads(capsys.readouterr().out)["bits_per_dimension"] is None


def test_samples_and_reconstructions_in_features_of_the_data_themselves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaelab.evaluation.own_features.VIEWS", 4)
    assert vaelab("train", *SMALL, "--out", "run") == 0
    capsys.readouterr()
    words = ["evaluate", "run", "--samples", "40", "--own-features", "--no-figures"]
    assert vaelab(*words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert "patches" in found["sample_quality_setting"]["features"]["network"]
    assert found["reconstruction_feature_distance"]["value"] > 0.0
    assert found["frechet_feature_distance"]["value"] > 0.0


def test_values_between_the_levels_are_refused(
    capsys: pytest.CaptureFixture[str], generator: np.random.Generator
) -> None:
    np.savez("floats.npz", x_train=generator.random((30, 4, 4, 3)), x_test=generator.random((10, 4, 4, 3)))
    words = ["train", "floats.npz", *SMALL[1:], "--likelihood", "categorical", "--out", "run"]
    assert vaelab(*words) == 2
    assert "gives each of 256 levels a probability; found values between them" in capsys.readouterr().err
    assert not Path("run").exists()
