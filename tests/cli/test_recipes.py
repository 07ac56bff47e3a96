"""The named models in a terminal, each with what its file says; and every model and sampler of pythae with what replaces it."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from scripts.write_pythae_page import PAGE, page

import vaelab.training
from cli.in_process import vaelab
from vaelab.config import Config, load_recipe, recipe_names
from vaelab.config.headers import header_of
from vaelab.counterparts import MODELS, SAMPLERS, Counterpart
from vaelab.fitting.names import check_kind
from vaelab.runs import Run

THEIR_MODELS = [
    "AE",
    "VAE",
    "BetaVAE",
    "DisentangledBetaVAE",
    "BetaTCVAE",
    "FactorVAE",
    "VAE_LinNF",
    "VAE_IAF",
    "IWAE",
    "MIWAE",
    "PIWAE",
    "CIWAE",
    "MSSSIM_VAE",
    "WAE_MMD",
    "INFOVAE_MMD",
    "VAMP",
    "SVAE",
    "PoincareVAE",
    "Adversarial_AE",
    "VAEGAN",
    "VQVAE",
    "HRQVAE",
    "HVAE",
    "RHVAE",
    "RAE_L2",
    "RAE_GP",
]
THEIR_SAMPLERS = [
    "NormalSampler",
    "GaussianMixtureSampler",
    "TwoStageVAESampler",
    "VAMPSampler",
    "HypersphereUniformSampler",
    "PoincareDiskSampler",
    "RHVAESampler",
    "MAFSampler",
    "IAFSampler",
    "PixelCNNSampler",
]


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_says_its_command_cost_and_score(name: str):
    header = header_of(name)
    assert len(header.title.split()) > 2
    words = shlex.split(header.command)
    assert words[:2] == ["vaelab", "train"]
    assert words[2:] == ([] if name == "tutorial" else ["--recipe", name])
    assert header.cost
    assert header.score


def test_a_header_of_several_lines_is_read_whole():
    header = header_of("vamp")
    assert header.title == "The tutorial's networks with a VampPrior of 100 pseudo-inputs."
    assert header.score.startswith("exact negative log-likelihood 147.2")
    assert header.score.endswith("row tutorial-vamp of: vaelab reproduce two-dimensions")
    assert header.note.startswith("Tomczak and Welling")


def test_they_are_listed(capsys: pytest.CaptureFixture[str]):
    assert vaelab("recipes") == 0
    printed = capsys.readouterr().out
    for name in recipe_names():
        assert f" {name} " in printed
    assert "vaelab train --recipe NAME" in printed


def test_every_model_and_sampler_of_pythae_has_its_row(capsys: pytest.CaptureFixture[str]):
    assert [row.theirs for row in MODELS] == THEIR_MODELS
    assert [row.theirs for row in SAMPLERS] == THEIR_SAMPLERS
    assert vaelab("recipes", "--like", "pythae") == 0
    printed = re.sub(r"[│\s]+", " ", capsys.readouterr().out)
    for row in (*MODELS, *SAMPLERS):
        assert row.theirs in printed
        assert (row.command is None) == bool(row.why_none)
    assert "none: a posterior on the Poincaré ball is not here yet" in printed


def test_another_library_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]):
    assert vaelab("recipes", "--like", "keras") == 2
    assert capsys.readouterr().err.strip() == "vaelab: --like keras: the libraries that are known here are: pythae"


def test_the_page_is_what_the_table_says():
    assert PAGE.read_text(encoding="utf-8") == page(), "make it again: python -m scripts.write_pythae_page"


def config_of(row: Counterpart) -> Config:
    words = shlex.split(row.command or "")
    changes = dict(word.split("=", 1) for word in words if "=" in word)
    return load_recipe(str(row.recipe)).with_values(changes)


@pytest.mark.parametrize("row", [*MODELS, *SAMPLERS], ids=lambda row: row.theirs)
def test_every_command_is_one_that_there_is(row: Counterpart):
    if row.recipe is not None:
        assert config_of(row).recipe == row.recipe
    elif row.command is not None:
        words = shlex.split(row.command)
        assert words[1] in ("sample", "fit-prior")
        if words[1] == "fit-prior":
            check_kind(words[3])


@pytest.mark.parametrize("row", [row for row in MODELS if row.recipe is not None], ids=lambda row: row.theirs)
def test_every_training_goes_a_few_steps(row: Counterpart, tmp_path: Path):
    images = np.random.default_rng(0).integers(0, 256, (72, 28, 28), dtype=np.uint8)
    np.savez(tmp_path / "some.npz", images=images)
    few = ["--epochs", "1", "--batch-size", "30", "--hidden", "8", "--no-figures", "--quiet"]
    if config_of(row).model.prior.kind == "vamp":
        few += ["--set", "model.prior.components=5"]
    _, command, *words = shlex.split(row.command or "")
    assert vaelab(command, str(tmp_path / "some.npz"), *words, *few, "--out", str(tmp_path / "run")) == 0
    (report,) = Run.open(tmp_path / "run").metrics()
    assert all(np.isfinite(value) for value in report.values())


def test_any_part_of_a_recipe_may_be_another(tmp_path: Path):
    """A VampPrior under a total-correlation objective, on convolutions."""
    images = np.random.default_rng(0).integers(0, 256, (72, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "some.npz", images=images)
    run = tmp_path / "run"
    words = [
        "--recipe",
        "beta-tc",
        "--prior",
        "vamp",
        "--network",
        "convolutional",
        "--set",
        "model.prior.components=5",
    ]
    few = ["--epochs", "1", "--batch-size", "30", "--no-figures", "--quiet", "--out", str(run)]
    assert vaelab("train", str(tmp_path / "some.npz"), *words, *few) == 0
    config = Run.open(run).config
    kinds = (config.objective.kind, config.model.prior.kind, config.model.encoder.kind, config.model.decoder.kind)
    assert kinds == ("total-correlation", "vamp", "convolutional", "convolutional")
    assert config.objective.images == 58
    assert np.isfinite(Run.open(run).metrics()[0]["total_correlation"])
