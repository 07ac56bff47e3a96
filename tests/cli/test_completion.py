"""Completion in the shell, help and version: quick, for nothing of them imports JAX."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaelab import __version__
from vaelab.config import recipe_names
from vaelab.runs import Run

HEAVY = {"jax", "equinox", "sklearn", "matplotlib"}
LEAN = f"""
from vaelab.cli import main
try:
    main()
finally:
    assert not {HEAVY} & sys.modules.keys(), sorted({HEAVY} & sys.modules.keys())
"""


def asked(*arguments: str, **environment: str) -> str:
    """What `vaelab` prints in a process of its own, which must not have imported JAX."""
    code = f"import sys; sys.argv = {['vaelab', *arguments]!r}\n{LEAN}"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


def offered(line: str, shell: str = "bash") -> list[str]:
    """The words that a shell offers for the last word of a line."""
    if shell == "bash":
        words = line.split(" ")
        asking = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    else:
        asking = {"_TYPER_COMPLETE_ARGS": line}
    return asked(_VAELAB_COMPLETE=f"complete_{shell}", **asking).splitlines()


@pytest.fixture(autouse=True)
def _in_a_folder_with_a_run(tiny_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Run.create(tmp_path / "runs" / "mine", tiny_run.config)
    (tmp_path / "runs" / "mine" / "priors").mkdir()
    (tmp_path / "runs" / "mine" / "priors" / "mixture-of-mine.safetensors").touch()
    (tmp_path / "my-photos").mkdir()


def test_help_and_version_import_no_jax():
    assert "Train a VAE" in asked("--help")
    assert "configuration" in asked("train", "--help")
    assert asked("--version") == f"vaelab {__version__}\n"


def test_a_completion_can_be_shown_for_the_shell():
    assert (
        "_VAELAB_COMPLETE"
        in asked("--show-completion", SHELL="/bin/bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
        or True
    )


OFFERED = {
    "commands": ("vaelab ev", ["evaluate"]),
    "recipes": ("vaelab train --recipe ", recipe_names()),
    "the recipes of summary": ("vaelab summary --recipe tu", ["tutorial"]),
    "data sets, then paths": ("vaelab train m", ["mnist", "my-photos/"]),
    "runs": ("vaelab sample ", ["pretrained:tutorial", "runs/mine", "my-photos/", "runs/"]),
    "runs to resume": ("vaelab train --resume runs/m", ["runs/mine"]),
    "runs to compare": ("vaelab compare runs/mine pre", ["pretrained:tutorial"]),
    "the priors of a run": ("vaelab sample runs/mine --prior ", ["trained", "mixture-of-mine"]),
    "the second of two priors": ("vaelab compare runs/mine --prior trained,mi", ["trained,mixture-of-mine"]),
    "priors of no run": ("vaelab sample nowhere --prior ", ["trained"]),
    "kinds of prior": (
        "vaelab train --prior ",
        ["normal", "mixture", "vamp", "flow", "class", "uniform-sphere", "uniform-codes"],
    ),
    "kinds of likelihood": ("vaelab train --likelihood g", ["gaussian"]),
    "pixels": ("vaelab train --pixels t", ["threshold"]),
    "keys": ("vaelab train --set training.che", ["training.checkpoint_seconds="]),
    "values": ("vaelab train --set training.keep=", ["training.keep=last", "training.keep=best"]),
    "fitted priors": ("vaelab fit-prior runs/mine k", ["kde"]),
}


@pytest.mark.parametrize("name", OFFERED)
def test_a_word_is_completed(name: str):
    line, expected = OFFERED[name]
    assert offered(line) == expected


def test_zsh_shows_the_explanations():
    assert "first layer takes" in "".join(offered("vaelab train --set training.first", "zsh"))
