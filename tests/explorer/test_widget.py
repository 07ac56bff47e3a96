"""The explorer as a notebook's widget, and as a command."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load
from typer.testing import CliRunner

from vaelab.errors import VaelabError
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.economy import Economy


def test_the_widget_carries_the_view_and_the_weights(bundle: Bundle):
    pytest.importorskip("anywidget", reason="needs anywidget (pip install 'vaelab[notebook]')")
    from vaelab.explorer.widget import widget

    made = widget(bundle, lang="zh", theme="dark")
    assert made.view == bundle.light_view(Economy())
    for run, weights in enumerate(made.weights):
        sent, expected = load(weights), load(bundle.weights(run, half=True))
        assert sent.keys() == expected.keys()
        assert all((sent[name] == expected[name]).all() for name in expected)
    assert (made.lang, made.theme) == ("zh", "dark")
    made.close()


def test_a_fitted_estimator_is_explored_on_its_own_images(bundle: Bundle):
    pytest.importorskip("anywidget", reason="needs anywidget (pip install 'vaelab[notebook]')")
    from vaelab import VAE

    explored = bundle.explored[0]
    labels = np.where(explored.labels % 2 == 0, "even", "odd")
    fitted = VAE(hidden=(8,), epochs=2, snapshots=2, random_state=0).fit(explored.images)
    made = fitted.explore(explored.images, labels)
    view = made.view.replace(b'\\"', b'"')
    assert b'"label_names": ["even", "odd"]' in view
    assert b'"snapshots": [{"epoch": 0, "weights": true}' in view
    assert b"0/snapshots/means" in view
    made.close()


def test_without_anywidget_it_is_said_how_to_get_it(bundle: Bundle, monkeypatch):
    import sys

    from vaelab.explorer.widget import widget

    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(VaelabError, match="vaelab\\[notebook\\]"):
        widget(bundle)


@pytest.fixture
def command():
    import typer

    from vaelab.cli.explore import explore

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(explore)
    return lambda *words: CliRunner().invoke(app, list(map(str, words)))


def test_the_command_exports_one_file(command, digit_run, tmp_path: Path, monkeypatch, some_digits):
    import vaelab.run_data as run_data

    monkeypatch.setattr(run_data, "load_data", lambda *_, **__: some_digits)
    path = tmp_path / "latent.html"
    done = command(digit_run.folder, "--export", path)
    assert done.exit_code == 0, done.exception
    assert "MB" in done.output
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    again = command(digit_run.folder, "--export", path)
    assert isinstance(again.exception, VaelabError)
    assert "--overwrite" in str(again.exception)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["a", "b", "c"], "at most 2"),
        (["no-such-run", "--export", "x.html"], "no run there"),
        (["no-such-run", "--port", "70000"], "65535"),
    ],
)
def test_what_cannot_be_explored_is_said_in_one_line(command, tmp_path, monkeypatch, words: list[str], complaint: str):
    monkeypatch.chdir(tmp_path)
    done = command(*words)
    assert isinstance(done.exception, VaelabError)
    assert complaint in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_run_without_a_model_is_refused(command, digit_run, tmp_path: Path):
    import shutil

    shutil.copytree(digit_run.folder, tmp_path / "unfinished")
    (tmp_path / "unfinished" / "model.safetensors").unlink()
    done = command(tmp_path / "unfinished", "--export", tmp_path / "x.html")
    assert isinstance(done.exception, VaelabError)
    assert "no trained model" in str(done.exception)
