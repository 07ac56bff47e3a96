"""Commands run in this process, and what they leave."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from vaelab import cli
from vaelab.cli.app import app
from vaelab.data import Dataset
from vaelab.errors import VaelabError

Command = Callable[..., str]


def vaelab(*arguments: str) -> int:
    """Run the command as a terminal does; its exit code."""
    sys.argv = ["vaelab", *arguments]
    try:
        cli.main()
    except SystemExit as stopped:
        return int(stopped.code or 0)
    return 0


def command_on(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Command:
    """Run commands in a folder, on a data set in the place of MNIST; gives what they printed. What they refuse is raised."""
    monkeypatch.chdir(folder)

    def few(name_or_path: str, **_: Any) -> Dataset:
        assert name_or_path == "mnist"
        return dataset

    monkeypatch.setattr("vaelab.run_data.load_data", few)

    def run(*words: object) -> str:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if isinstance(result.exception, VaelabError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout  # progress is on standard error

    return run


def arrays_of(path: str) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
