"""What each idea for a faster epoch brings: the tutorial's epoch as it is, and with one thing done otherwise, by turns in one process.

`python -m benchmarks.epoch_variants [ROUNDS]` prints the median seconds of each, and its share of the first.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any
from unittest.mock import patch

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array
from vaelab.posteriors import GaussianPosterior

from benchmarks.matrix_products import products_epoch
from vaelab.config import load_recipe
from vaelab.data import load_data
from vaelab.densities import Bernoulli, DiagonalNormal
from vaelab.training import InMemory, TrainingData, optimisers, step
from vaelab.training.beginning import begin, resolve
from vaelab.training.epoch import run_epoch

WARM_UP = 1


@jax.custom_vjp
def _in_one_pass(logits: Array, value: Array) -> Array:
    return _forward(logits, value)[0]


def _forward(logits: Array, value: Array) -> tuple[Array, tuple[Array, Array]]:
    small = jnp.exp(-jnp.abs(logits))
    log_prob = jnp.sum(value * logits - jnp.maximum(logits, 0.0) - jnp.log(1.0 + small))
    return log_prob, (value - jnp.where(logits >= 0, jnp.float32(1), small) / (1.0 + small), logits)


def _backward(kept: tuple[Array, Array], share: Array) -> tuple[Array, Array]:
    residual, logits = kept
    return share * residual, share * logits


_in_one_pass.defvjp(_forward, _backward)


def _one_pass(self: Bernoulli, value: Array) -> Array:
    return _in_one_pass(jnp.ravel(self.logits), jnp.ravel(value))


def _both_heads(self: GaussianPosterior, image: Array) -> DiagonalNormal:
    features = self.network(jnp.ravel(image))
    weight = jnp.concatenate([self.mean.weight, self.log_variance.weight], axis=1)
    both = features @ weight + jnp.concatenate([self.mean.bias, self.log_variance.bias])
    latent = self.mean.bias.shape[0]
    return DiagonalNormal(both[:latent], jnp.clip(both[latent:], *self.BOUNDS))


def _flat(*arguments: Any) -> optax.GradientTransformation:
    return optax.flatten(_build_optimiser(*arguments))


_build_optimiser = optimisers.build_optimiser


@contextmanager
def _as_it_is() -> Iterator[None]:
    yield


VARIANTS: dict[str, Callable[[], Any]] = {
    "as it is": _as_it_is,
    "weights not updated in place": lambda: patch.object(step, "awaited", lambda gradient: gradient),
    "both heads as one product": lambda: patch.object(GaussianPosterior, "__call__", _both_heads),
    "loss and gradient in one pass": lambda: patch.object(Bernoulli, "log_prob", _one_pass),
    "one flat vector of parameters and moments": lambda: patch.object(optimisers, "build_optimiser", _flat),
}


def measure(rounds: int) -> dict[str, list[float]]:
    """Wall seconds of an epoch of each variant, and of its matrix products alone, in `rounds` turns."""
    config = load_recipe("tutorial")
    data = TrainingData.from_dataset(load_data(config.data.name), config.data)
    config = resolve(config, data)
    runs: dict[str, Callable[[], Any]] = {}
    for name, changed in VARIANTS.items():
        with changed():
            # a variant is no other plan: by `compiled` the last one's program would be found
            begun = begin(config, data)
            whole = begun.trainer.plan.place.whole
            given = whole((begun.trainer, begun.state(), InMemory(data.images, data.labels)))
            compiled = eqx.filter_jit(lambda *given: run_epoch(*given)).lower(*given).compile()
        runs[name] = lambda compiled=compiled, given=given: jax.block_until_ready(compiled(*given))
    products = products_epoch()
    seconds: dict[str, list[float]] = {name: [] for name in [*runs, "its matrix products alone"]}
    for turn in range(rounds + WARM_UP):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            if turn >= WARM_UP:
                seconds[name].append(time.perf_counter() - start)
        bound = products()
        if turn >= WARM_UP:
            seconds["its matrix products alone"].append(bound)
    return seconds


def main() -> None:
    seconds = measure(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
    first = median(seconds["as it is"])
    for name, values in seconds.items():
        print(f"{name:44} {median(values):.3f} s  {median(values) / first:.2f}")


if __name__ == "__main__":
    main()
