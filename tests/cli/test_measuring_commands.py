"""`evaluate`, `doctor`, `compare` and `reproduce` from the command line, on small runs."""

import json
import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from vaelab.cli.compare import compare
from vaelab.cli.doctor import doctor
from vaelab.cli.evaluate import evaluate
from vaelab.cli.reproduce import reproduce
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.runs import Run

app = typer.Typer()
for command in (evaluate, doctor, compare, reproduce):
    app.command()(command)


@pytest.fixture
def own_run(tiny_run: Run, few_digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the small run that may be written to, judged by few digits."""
    from vaelab import run_data

    monkeypatch.setattr(run_data, "load_data", lambda *args, **kwargs: few_digits)
    folder = tmp_path / "run"
    shutil.copytree(tiny_run.folder, folder)
    monkeypatch.chdir(tmp_path)
    return folder


def invoked(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_evaluate_prints_and_writes(own_run: Path) -> None:
    shown = invoked("evaluate", str(own_run), "--importance-samples", "20", "--samples", "0", "--no-figures")
    assert "grey cross-entropy, exact" in shown  # grey pixels: no likelihood
    assert max(map(len, shown.split("\n\n")[1].splitlines())) <= 80
    assert "by quadrature" not in shown
    assert "grey floor" in shown
    assert "K = 20" in shown
    assert "report.html" in shown
    saved = json.loads((own_run / "evaluation.json").read_text())
    assert saved["nll_importance"]["samples"] == 20
    assert (own_run / "report.html").read_text().startswith("<!doctype html>")


def test_evaluate_explains_when_asked(own_run: Path) -> None:
    words = ("evaluate", str(own_run), "--importance-samples", "2", "--samples", "0", "--no-figures", "--explain")
    assert "KL(q(z|x) || p(z|x)), exact" in invoked(*words)


def test_evaluate_json_is_one_object(own_run: Path) -> None:
    found = json.loads(
        invoked("evaluate", str(own_run), "--importance-samples", "5", "--samples", "0", "--no-figures", "--json")
    )
    assert found["format"] == "vaelab-evaluation-1"
    assert found["nll_quadrature"]["value"] > 0


def test_doctor_speaks(own_run: Path) -> None:
    assert "too few epochs" in invoked("doctor", str(own_run))
    findings = json.loads(invoked("doctor", str(own_run), "--json"))
    assert {"symptom", "figure", "reference", "advice", "harmless", "mend"} <= set(findings[0])


def test_compare_draws_and_pairs(own_run: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(own_run, other)
    words = ("compare", str(own_run), str(other), "--importance-samples", "5", "--out", str(tmp_path / "figure.png"))
    shown = invoked(*words)
    assert "minus run" in shown
    assert "0.00 ± 0.00" in shown  # the same model twice
    assert "uncovered" in shown
    table = shown.split("\n\n")[1]
    assert max(map(len, table.splitlines())) <= 80
    assert (tmp_path / "figure.png").stat().st_size > 5000
    with pytest.raises(VaelabError, match="exists already"):
        invoked(*words)


def test_reproduce_lists_its_tables(own_run: Path) -> None:
    assert "two-dimensions" in invoked("reproduce")


def test_bad_input(own_run: Path) -> None:
    with pytest.raises(VaelabError, match="--importance-samples 0: expected at least 1"):
        invoked("evaluate", str(own_run), "--importance-samples", "0")
    with pytest.raises(VaelabError, match="no prior of that name"):
        invoked("evaluate", str(own_run), "--prior", "mixture")
    with pytest.raises(VaelabError, match="two runs or more"):
        invoked("compare", str(own_run))
    with pytest.raises(VaelabError, match=r"ends in \.png"):
        invoked("compare", str(own_run), str(own_run), "--out", "figure.txt")
    with pytest.raises(VaelabError, match="unknown table 'nothing'"):
        invoked("reproduce", "nothing")
