"""`vaelab fit-prior` and what every other command does with a prior's name."""

import shutil
from pathlib import Path

import jax.random as jr
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from vaelab.cli.demo_bimodal import bimodal
from vaelab.cli.fit_prior import fit_prior
from vaelab.cli.sample import sample
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.model_file import load_model
from vaelab.prior_file import fingerprint, load_prior, save_prior
from vaelab.priors.mixture import MixturePrior
from vaelab.priors.normal import NormalPrior
from vaelab.runs import Run

app = typer.Typer()
app.command()(fit_prior)
app.command()(bimodal)
app.command()(sample)


def run_command(*arguments: object) -> str:
    """The output; a refusal is raised as it is."""
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def run(tiny_run: Run, tmp_path: Path, few_digits: Dataset, monkeypatch: pytest.MonkeyPatch) -> Run:
    shutil.copytree(tiny_run.folder, tmp_path / "run")
    monkeypatch.setattr("vaelab.run_data.load_data", lambda *_, **__: few_digits)
    return Run.open(tmp_path / "run")


def test_a_fitted_prior_takes_the_place_of_the_models(run: Run) -> None:
    output = run_command("fit-prior", run.folder, "mixture", "--components", 3)
    assert "a mixture of 3 Gaussians" in output
    assert "under N(0, I); a gain of" in output
    assert output.rstrip().endswith(f"vaelab evaluate {run.folder} --prior mixture")
    assert run.prior_names() == ["mixture"]
    assert isinstance(load_model(run).prior, NormalPrior)
    fitted = load_model(run, "mixture").prior
    assert isinstance(fitted, MixturePrior)
    assert fitted.components == 3
    with pytest.raises(VaelabError, match=r"exists already; choose another --name, or add --overwrite"):
        run_command("fit-prior", run.folder, "mixture")
    run_command("fit-prior", run.folder, "mixture", "--components", 2, "--overwrite")
    assert load_model(run, "mixture").prior.components == 2
    run_command(
        "fit-prior", run.folder, "mixture", "--components", 1, "--by-class", "--out", run.folder / "x.safetensors"
    )
    assert load_model(run, str(run.folder / "x.safetensors")).prior.labels == tuple(range(10))


def test_a_label_is_drawn_from_the_one_prior_that_knows_labels(run: Run, tmp_path: Path) -> None:
    by_class = ("fit-prior", run.folder, "mixture", "--components", 1, "--by-class")
    run_command("fit-prior", run.folder, "mixture", "--components", 2)
    with pytest.raises(VaelabError, match="does not know of labels; fit one that does"):
        run_command("sample", run.folder, "--label", 7, "-n", 5, "--out", tmp_path / "no.npz")
    run_command(*by_class, "--name", "classes")
    printed = run_command("sample", run.folder, "--label", 7, "-n", 5, "--out", tmp_path / "sevens.npz")
    assert "5 samples of label 7 from prior classes" in printed
    run_command(*by_class, "--name", "others")
    with pytest.raises(VaelabError, match="choose one: --prior classes or others"):
        run_command("sample", run.folder, "--label", 7, "-n", 5, "--out", tmp_path / "which.npz")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mixtures"], "unknown kind of prior 'mixtures'; did you mean 'mixture'"),
        (["mixture", "--name", "trained"], "--name trained: reserved"),
        (["mixture", "--name", "../x"], "expected letters, digits"),
        (["mixture", "--components", "0"], "--components 0: expected 1 or more"),
        (["mixture", "--components", "5000"], "needs 5000 images at least; found"),
        (["mixture", "--out", "prior.npz"], "expected one file name that ends in .safetensors"),
    ],
)
def test_bad_input_is_one_line(run: Run, arguments: list[str], message: str) -> None:
    with pytest.raises(VaelabError, match=message) as caught:
        run_command("fit-prior", run.folder, *arguments)
    assert "\n" not in str(caught.value)


def test_a_run_in_use_is_left_alone(run: Run) -> None:
    with run.locked(), pytest.raises(VaelabError, match="in use by another"):
        run_command("fit-prior", run.folder, "mixture", "--components", 1)


def test_priors_that_do_not_fit_the_run_are_refused(run: Run) -> None:
    model = load_model(run)
    with pytest.raises(VaelabError, match="none is fitted yet; make one with: vaelab fit-prior"):
        load_model(run, "mixture")
    save_prior(run.prior_file("mixture"), NormalPrior(2), {"encoder": fingerprint(model.encoder)})
    with pytest.raises(VaelabError, match="has no prior of that name; did you mean 'mixture'"):
        load_model(run, "mixtur")
    save_prior(run.prior_file("wide"), MixturePrior(3, 2, "full", key=jr.key(0)))
    with pytest.raises(VaelabError, match=r"a prior over 3 latent dimensions; the run .* has 2"):
        load_model(run, "wide")
    save_prior(run.prior_file("stale"), NormalPrior(2), {"encoder": "of other weights"})
    with pytest.raises(VaelabError, match="fitted to the latents of other weights"):
        load_model(run, "stale")


def test_a_damaged_prior_file_is_refused(run: Run) -> None:
    path = run.prior_file("broken")
    save_prior(path, MixturePrior(2, 2, "full", key=jr.key(0)))
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(VaelabError, match="its digest does not fit its content"):
        load_model(run, "broken")
    path.write_bytes(content[:100])
    with pytest.raises(VaelabError, match="cut short or altered"):
        load_prior(path)
    path.write_bytes(run.model_file.read_bytes())
    with pytest.raises(VaelabError, match="expected a prior's file"):
        load_prior(path)


def test_the_demonstration_prints_and_draws(tmp_path: Path) -> None:
    output = run_command("bimodal", "--out", tmp_path / "picture.png", "-n", 50)
    assert "the best single Gaussian" in output
    assert (tmp_path / "picture.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(VaelabError, match="exists already"):
        run_command("bimodal", "--out", tmp_path / "picture.png")
    with pytest.raises(VaelabError, match="expected a name that ends in"):
        run_command("bimodal", "--out", tmp_path / "picture.jpg")


def test_the_demonstration_moves(tmp_path: Path) -> None:
    from PIL import Image

    from vaelab.fitting.bimodal import bimodal as compute
    from vaelab.plotting.bimodal import write_animation

    write_animation([compute(apart, 40) for apart in (0.0, 2.0, 4.0)], tmp_path / "moves.gif")
    with Image.open(tmp_path / "moves.gif") as picture:
        assert picture.n_frames == 4  # there and back
        first = np.asarray(picture.convert("L"))
        picture.seek(2)
        assert (np.asarray(picture.convert("L")) != first).any()
