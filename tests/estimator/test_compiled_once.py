"""What is compiled, counted without a clock: a second training of the same shapes and settings compiles nothing, nor does looking at it."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from vaelab import VAE

X = load_digits().images / 16
SMALL: dict[str, Any] = {"epochs": 2, "batch_size": 37, "random_state": 0}

Counting = Callable[[Callable[[], Any]], int]


@pytest.fixture(scope="module")
def compilations() -> Iterator[Counting]:
    """How many programs are compiled while something is done; those that JAX reads from its folder of compiled ones count, too."""
    found: list[str] = []

    def listen(event: str, seconds: float, **_: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            found.append(event)

    def count(done: Callable[[], Any]) -> int:
        before = len(found)
        done()
        return len(found) - before

    jax.monitoring.register_event_duration_secs_listener(listen)
    yield count
    jax.monitoring.unregister_event_duration_listener(listen)


KINDS: dict[str, dict[str, Any]] = {
    "the default": {},
    "a mixture": {"prior": "mixture"},
    "a VampPrior": {"prior": "vamp"},
    "an autoencoder": {"deterministic": True},
    "all that carries state": {
        "pixels": "dynamic",
        "warmup": 0.5,
        "snapshots": 3,
        "settings": {"training.averaging": 0.9, "training.schedule.kind": "cosine"},
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_second_fit_compiles_nothing(kind: str, compilations: Counting):
    """Of other images, by another seed and another learning rate."""
    settings = {**SMALL, "hidden": (5,), **KINDS[kind]}
    first, second = X[:200], X[200:400]
    assert compilations(lambda: VAE(**settings).fit(first, X_val=X[400:450])) > 3
    others = {**settings, "random_state": 3, "learning_rate": 3e-3}
    assert compilations(lambda: VAE(**others).fit(second, X_val=X[450:500])) == 0


def test_the_range_of_floats_is_no_part_of_what_is_compiled(compilations: Counting):
    settings = {**SMALL, "hidden": (6,), "likelihood": "gaussian", "settings": {"model.likelihood.scale": 0.5}}
    assert compilations(lambda: VAE(**settings).fit(3 * X[:200] - 1)) > 3
    assert compilations(lambda: VAE(**settings).fit(2.5 * X[:200] - 0.5)) == 0


def test_a_longer_training_is_the_same_program(compilations: Counting):
    settings = {**SMALL, "hidden": (7,)}
    assert compilations(lambda: VAE(**settings).fit(X[:200])) > 3
    assert compilations(lambda: VAE(**{**settings, "epochs": 3}).fit(X[:200])) == 0


def test_looking_at_a_second_model_compiles_nothing(compilations: Counting):
    first, second = (VAE(**{**SMALL, "random_state": seed, "hidden": (8,)}).fit(X[:200]) for seed in (0, 1))

    def look(vae: VAE, images: np.ndarray) -> None:
        vae.transform(images)
        vae.score_samples(images, importance_samples=10)
        vae.reconstruct(images)
        vae.sample(3, random_state=0)

    assert compilations(lambda: look(first, X[:50])) > 0
    assert compilations(lambda: look(second, X[50:100])) == 0


def test_a_grid_search_compiles_one_fit(compilations: Counting):
    """Three folds of equal size and three learning rates: nine fits by the programs of one."""
    vae = VAE(**{**SMALL, "hidden": (9,)})
    rates = {"learning_rate": [1e-4, 1e-3, 1e-2]}

    def one_fit() -> None:
        VAE(**{**SMALL, "hidden": (10,)}).fit(X[:200]).score(X[200:300])

    one = compilations(one_fit)
    assert 3 < compilations(lambda: GridSearchCV(vae, rates, cv=3, refit=False).fit(X[:300])) <= one


def test_what_the_step_is_compiled_for_is_compiled_anew(compilations: Counting):
    """So that the zeros above are no accident of the counting."""
    settings = {**SMALL, "hidden": (11,)}
    VAE(**settings).fit(X[:200])
    for changes in ({"batch_size": 38}, {"optimiser": "sgd"}, {"settings": {"training.clip_norm": 1.0}}):
        assert compilations(lambda changes=changes: VAE(**{**settings, **changes}).fit(X[:200])) > 0
