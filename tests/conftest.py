"""What every test stands on: shape checks at run time, strict dtypes and ranks, and two devices.

The settings come before the first import of vaelab, so that the checks reach all of it.
"""

import os
import tempfile

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")
# tests compile much and run little
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
# what is said is compared with English, wherever the tests run; a test of another language says so
os.environ["VAELAB_LANGUAGE"] = "en"
os.environ["JAX_NUMPY_DTYPE_PROMOTION"] = "strict"
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"

# Nothing that a test makes reaches the user's cache folder. Compiled programs are shared by the tests of one worker, and by the processes
# that they start; not by two workers, for JAX writes an entry in place, and another may read it half written.
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["VAELAB_CACHE"] = tempfile.mkdtemp(prefix="vaelab-tests-")
os.environ["JAX_COMPILATION_CACHE_DIR"] = (
    f"{os.environ['VAELAB_CACHE']}/compiled-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
)
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "0"

import jaxtyping

jaxtyping.install_import_hook("vaelab", "beartype.beartype")

import gc
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
import pytest

from vaelab.config import Config, load_recipe
from vaelab.data import Dataset, Split, load_data
from vaelab.runs import Run
from vaelab.training.programs import forget_programs

TESTS = Path(__file__).parent
QUICK_ROOMS = ("core", "laws")
NOT_QUICK = {
    "test_it_bounds_the_negative_log_likelihood_from_above",
    "test_mixtures_of_many_dimensions_are_scipys_and_their_gradients_those_of_differences",
}
"""Of these rooms, those that take as long as ten others (`--durations=20`)."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Other rooms are not even imported by `-m quick`, which would take as long again."""
    inside = collection_path.is_relative_to(TESTS) and collection_path != TESTS
    if config.option.markexpr == "quick" and inside and collection_path.relative_to(TESTS).parts[0] not in QUICK_ROOMS:
        return True
    return None


@pytest.hookimpl(tryfirst=True)  # before the marks choose
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        room = item.path.relative_to(TESTS).parts[0]
        slow = item.get_closest_marker("slow") or getattr(item, "originalname", item.name) in NOT_QUICK
        if room in QUICK_ROOMS and not slow:
            item.add_marker(pytest.mark.quick)


MOST_MAPPINGS = 20_000


@pytest.fixture(scope="module", autouse=True)
def programs_forgotten() -> Iterator[None]:
    """A compiled program takes some hundred memory mappings, of which Linux gives a process 65,530: beyond them compiling is a crash.

    Between two modules, once a worker has many, JAX forgets its programs; what is needed again is read from the worker's cache.
    """
    yield
    mappings = Path("/proc/self/maps")
    if mappings.is_file() and mappings.read_bytes().count(b"\n") > MOST_MAPPINGS:
        forget_programs()
        jax.clear_caches()
        gc.collect()


@pytest.fixture(scope="session")
def few_digits() -> Dataset:
    """MNIST, much shortened: 600 training, 100 validation and 200 test images."""
    whole = load_data("mnist")

    def few(part: Split, count: int) -> Split:
        assert part.labels is not None
        return Split(part.images[:count], part.labels[:count])

    return Dataset(
        name="mnist",
        train=few(whole.train, 600),
        validation=few(whole.validation, 100),
        test=few(whole.test, 200),
        label_names=whole.label_names,
        licence=whole.licence,
        origin=whole.origin,
    )


def small(recipe: str, **changes: object) -> Config:
    """A recipe made small: 16 hidden units, 2 epochs, batches of 50."""
    values = {
        "model.encoder.hidden": [16],
        "model.decoder.hidden": [16],
        "training.epochs": 2,
        "training.batch_size": 50,
    }
    return load_recipe(recipe).with_values(values | changes)


def train_run(folder: Path, config: Config, dataset: Dataset) -> Run:
    """Train into a run folder, as the command does."""
    from vaelab.training import TrainingData, train
    from vaelab.training.beginning import resolve

    data = TrainingData.from_dataset(dataset, config.data)
    config = resolve(config, data)
    run = Run.create(folder, config)
    train(config, data, run=run, facts={"data": dataset.name, "label_names": dataset.label_names})
    return run


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory, few_digits: Dataset) -> Run:
    """A finished run of a small tutorial VAE, trained for 2 epochs on 700 digits. Read it; do not write to it."""
    return train_run(tmp_path_factory.mktemp("runs") / "tiny", small("tutorial"), few_digits)


@pytest.fixture(scope="session")
def tiny_autoencoder_run(tmp_path_factory: pytest.TempPathFactory, few_digits: Dataset) -> Run:
    """As `tiny_run`, a plain autoencoder."""
    return train_run(tmp_path_factory.mktemp("runs") / "tiny-autoencoder", small("autoencoder"), few_digits)


@pytest.fixture(scope="session")
def tiny_conditional_run(tmp_path_factory: pytest.TempPathFactory, few_digits: Dataset) -> Run:
    """As `tiny_run`, of a model that sees labels."""
    config = small("tutorial", **{"model.condition": "labels"})
    return train_run(tmp_path_factory.mktemp("runs") / "tiny-conditional", config, few_digits)


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(0)
