"""Every block of code in the README and the docs, in both languages: it runs, and gives what the page says it does. That both languages
show the same code is tested in test_twins.py.

A block of ```sh, or a line of an indented block that begins with `vaelab`, goes through the real parser; `train` makes its configuration
besides. A block of ```toml is loaded. Blocks of ```python are run in their order, in one namespace a page, on few images; those in Keras
are only compiled, for Keras is not installed (benchmarks/peers/keras_tutorial.py is the same script, and runs).
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

import vaelab
from docs.pages import ROOT, agrees, blocks, commands, statements, words_of
from vaelab.cli.app import app
from vaelab.config import Config, load_recipe

IN_BOTH = [f"{page}{ending}" for page in ("README", "docs/from-keras") for ending in (".md", ".zh-CN.md")]
ALL = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("README*.md", "CONTRIBUTING*.md", "docs/*.md")
    for path in ROOT.glob(pattern)
)
FEW = 200


LINES = sorted({line for page in ALL for line in commands(page)})


def test_the_pages_have_commands():
    assert len(LINES) > 25
    assert {line.split()[1] for line in LINES} >= {
        "train",
        "plot",
        "sample",
        "evaluate",
        "doctor",
        "fit-prior",
        "explore",
    }


@pytest.mark.parametrize("line", LINES)
def test_a_command_is_one_that_the_parser_takes(line: str):
    command: Any = typer.main.get_command(app)
    silenced(command)
    command.main(words_of(line), prog_name="vaelab", standalone_mode=False)


def silenced(command: Any) -> None:
    """Parse the arguments, and do nothing with them."""
    for inner in getattr(command, "commands", {}).values():
        silenced(inner)
    if not hasattr(command, "commands"):
        command.callback = lambda **values: None


def configuration_of(line: str, monkeypatch: pytest.MonkeyPatch) -> Config:
    """What a `vaelab train` line would train; of a dry run what it would rehearse."""
    made: list[Config] = []
    monkeypatch.setattr("vaelab.cli.train._train_new", lambda config, out, **options: made.append(config))
    result = CliRunner().invoke(app, [word for word in words_of(line) if word != "--dry-run"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return made[0]


TRAINED = [
    line for line in LINES if line.startswith("vaelab train") and "--resume" not in line and "--config" not in line
]


@pytest.mark.parametrize("line", TRAINED)
def test_a_training_line_makes_a_configuration(line: str, monkeypatch: pytest.MonkeyPatch):
    assert configuration_of(line, monkeypatch).training.epochs >= 1


@pytest.mark.parametrize("page", ALL)
def test_a_toml_block_is_a_configuration(page: str):
    for language, text, _ in blocks(page):
        if language == "toml":
            Config.from_toml(text, source=page)


@pytest.mark.parametrize("page", IN_BOTH[2:])
def test_the_constants_are_one_model_in_toml_on_the_command_line_and_in_python(
    page: str, monkeypatch: pytest.MonkeyPatch
):
    """All but what a training is called and how often it is looked at."""
    toml = next(text for language, text, _ in blocks(page) if language == "toml")
    line = next(line for line in commands(page) if "--latent-dim" in line)
    python = next(text for language, text, keras in blocks(page) if language == "python" and not keras)
    of_toml, of_line = Config.from_toml(toml, source=page), configuration_of(line, monkeypatch)
    assert of_toml.model_copy(update={"recipe": "tutorial"}) == of_line == load_recipe("tutorial")
    namespace: dict[str, Any] = {}
    exec(python, namespace)
    images = vaelab.load_data("digits").train.images[:FEW]
    fitted = namespace["vae"].set_params(epochs=1).fit(images, X_val=images).config_
    for part in ("model", "objective", "training"):
        ours, theirs = getattr(fitted, part).model_dump(), getattr(of_line, part).model_dump()
        for name in (
            "image_shape",
            "snapshots",
            "epochs",
            "output_bias",
            "first_layer_rate",
        ):  # read off the data, or of this test
            ours.pop(name, None), theirs.pop(name, None)
        assert ours == theirs


@pytest.mark.parametrize(
    "page", [*IN_BOTH, "docs/python.md", "docs/python.zh-CN.md", "docs/labels.md", "docs/labels.zh-CN.md"]
)
def test_python_blocks_run_and_give_what_is_written(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import matplotlib as mpl

    mpl.use("agg")
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    checked = 0
    for language, text, keras in blocks(page):
        if language != "python":
            continue
        if keras:
            compile(text, page, "exec")
            continue
        for statement in statements(text):
            exec(statement, namespace)
            checked += agrees(statement, namespace)
            for name in ("X", "y", "X_test", "y_test"):  # few images are enough from here on
                if isinstance(namespace.get(name), np.ndarray):
                    namespace[name] = namespace[name][:FEW]
    assert checked >= 1


# --- the commands of the README, for real ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the reader's after `vaelab train`: a run of small digits in its place, and a folder of pictures."""
    folder = tmp_path_factory.mktemp("desk")
    pictures = folder / "my-images"
    images = vaelab.load_data("digits").train
    for number, (image, label) in enumerate(zip(images.images[:60], images.labels[:60], strict=True)):
        (pictures / str(label % 2)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(pictures / str(label % 2) / f"{number}.png")
    return folder


def run_line(line: str, desk: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A line as written, on digits in place of MNIST, of a narrow perceptron, for one epoch without figures."""
    monkeypatch.chdir(desk)
    # of 8 x 8 pixels
    instead = {"mnist": "digits", "0,14,28,14": "0,4,8,4"}
    words = [instead.get(word, word) for word in words_of(line)]
    if words[0] == "train" and "--resume" not in words:
        words += ["--epochs", "1", *(() if "--network" in words else ("--hidden", "16"))]
        if "digits" not in words and not any(word.endswith("/") for word in words):
            words.insert(1, "digits")
        if words[1:2] == ["digits"] and not {"--recipe", "--condition"} & set(words):
            words += ["--out", "runs/tutorial-mnist"]
    if words[0] == "train":
        words += ["--no-figures"]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


DEAR = ("vaelab evaluate", "vaelab doctor", "vaelab fit-prior")
SERVED = "vaelab explore runs/tutorial-mnist"


def test_the_readmes_commands_run(desk: Path, monkeypatch: pytest.MonkeyPatch):
    lines = [line for line in commands("README.md") if not line.startswith(DEAR) and line != SERVED]
    done = {line: run_line(line, desk, monkeypatch) for line in lines}
    assert len(done) > 10
    assert (desk / "latent.html").is_file()
    assert (desk / "digits.png").is_file()


@pytest.mark.slow
def test_the_readmes_dear_commands_run(desk: Path, monkeypatch: pytest.MonkeyPatch):
    lines = commands("README.md")
    if not (desk / "runs/tutorial-mnist").exists():
        run_line(lines[0], desk, monkeypatch)
    for line in lines:
        if line.startswith(DEAR):
            assert run_line(line, desk, monkeypatch)


@pytest.mark.slow
def test_the_file_and_the_command_train_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from vaelab.model_file import load_model
    from vaelab.naming import named_arrays
    from vaelab.runs import Run

    monkeypatch.chdir(tmp_path)
    toml = next(text for language, text, _ in blocks("docs/from-keras.md") if language == "toml")
    Path("my-vae.toml").write_text(toml)
    for out, words in (("file", ["--config", "my-vae.toml"]), ("command", [])):
        result = CliRunner().invoke(app, ["train", *words, "--epochs", "1", "--no-figures", "--out", out])
        assert result.exit_code == 0, result.output
    ours, theirs = (named_arrays(load_model(Run.open(name))) for name in ("file", "command"))
    assert all((ours[name] == theirs[name]).all() for name in ours)
