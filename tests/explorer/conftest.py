"""What the explorer's tests stand on: Node for the page's modules, Chromium for the page itself; where they are not, a test is skipped."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.local_server import Serving
from vaelab.config import load_recipe
from vaelab.data import Dataset, Split, load_data
from vaelab.explorer.assemble import PAGE
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.explored import explored_run
from vaelab.runs import Run

HERE = Path(__file__).parent
CHROMIUM = [os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]


@pytest.fixture(scope="session")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("needs Node, which is not installed (apt-get install nodejs)")
    return found


@pytest.fixture(scope="session")
def run_module(node: str):
    """Runs one of the .mjs files beside this one with the page's modules; its standard output."""

    def run(name: str, *arguments: str | Path) -> str:
        done = subprocess.run(
            [node, str(HERE / name), str(PAGE), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="session")
def some_digits() -> Dataset:
    """MNIST, shortened: enough to learn what a seven is."""
    whole = load_data("mnist")

    def few(part: Split, count: int) -> Split:
        assert part.labels is not None
        return Split(part.images[:count], part.labels[:count])

    parts = {"train": few(whole.train, 4000), "validation": few(whole.validation, 100), "test": few(whole.test, 600)}
    return Dataset(name="mnist", **parts, label_names=whole.label_names, licence=whole.licence, origin=whole.origin)


def trained(folder: Path, dataset: Dataset, **changes: object) -> Run:
    """A run of the tutorial's recipe with changes, trained as the command does."""
    from vaelab.training import TrainingData, train
    from vaelab.training.beginning import resolve

    config = load_recipe("tutorial").with_values(changes)
    data = TrainingData.from_dataset(dataset, config.data)
    config = resolve(config, data)
    run = Run.create(folder, config)
    train(config, data, run=run, facts={"data": dataset.name, "label_names": dataset.label_names})
    return run


@pytest.fixture(scope="session")
def digit_run(tmp_path_factory: pytest.TempPathFactory, some_digits: Dataset) -> Run:
    """A run that has learnt its digits well enough to tell them apart on the map."""
    changes = {
        "model.encoder.hidden": [128],
        "model.decoder.hidden": [128],
        "training.epochs": 30,
        "training.snapshots": 4,
        "training.learning_rate": 2e-3,
    }
    return trained(tmp_path_factory.mktemp("explored") / "digits", some_digits, **changes)


@pytest.fixture(scope="session")
def other_run(tmp_path_factory: pytest.TempPathFactory, some_digits: Dataset) -> Run:
    """A second run on the same images: another seed, and three latent dimensions."""
    changes = {"seed": 1, "model.latent_dim": 3, "training.snapshots": 0, "training.epochs": 3}
    return trained(tmp_path_factory.mktemp("explored") / "other", some_digits, **changes)


@pytest.fixture(scope="session")
def bundle(digit_run: Run, other_run: Run, some_digits: Dataset) -> Bundle:
    return Bundle((explored_run(digit_run, some_digits), explored_run(other_run, some_digits)))


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install '.[test]')")
    path = next((path for path in CHROMIUM if path and Path(path).exists()), None)
    if path is None:
        pytest.skip("needs Chromium, which is not installed (apt-get install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(bundle: Bundle) -> Iterator[str]:
    """Where the bundle is served, with its token."""
    with Serving(bundle) as found:
        yield found
