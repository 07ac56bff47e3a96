"""Two 3 x 3 convolutions of stride 1 with their gradients, as our primitive, as the slices that JAX differentiates, and as `jax.lax.conv`.

Run as `python -m benchmarks.convolution_gradients`: 64 channels, 14 x 14, batch 128, steps in one compiled loop, by turns in one process.
"""

import time
from collections.abc import Callable
from statistics import median

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array

from vaelab.networks.convolving import convolution_p, in_slices, of_lax

BATCH, SIDE, CHANNELS, STEPS, ROUNDS = 128, 14, 64, 2, 5

Convolve = Callable[..., Array]

WAYS: dict[str, Convolve] = {
    "our primitive": convolution_p.bind,
    "slices, differentiated by JAX": in_slices,
    "jax.lax.conv": of_lax,
}


def stepping(convolve: Convolve) -> Callable[[tuple[Array, Array], Array], tuple[Array, Array]]:
    """`STEPS` gradient steps on two weights in one compiled loop, as training takes them."""

    def loss(weights: tuple[Array, Array], maps: Array) -> Array:
        for weight in weights:
            maps = jax.nn.relu(convolve(maps, weight, kind="same", size=(SIDE, SIDE)))
        return jnp.mean(maps**2)

    def steps(weights: tuple[Array, Array], maps: Array) -> tuple[Array, Array]:
        def step(weights: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
            return jax.tree.map(lambda old, new: old - 1e-3 * new, weights, jax.grad(loss)(weights, maps)), None

        return jax.lax.scan(step, weights, None, length=STEPS)[0]

    return jax.jit(steps)


def main() -> None:
    first, second, maps_key = jr.split(jr.key(0), 3)
    shape = (3, 3, CHANNELS, CHANNELS)
    weights = (0.05 * jr.normal(first, shape), 0.05 * jr.normal(second, shape))
    maps = jr.normal(maps_key, (BATCH, SIDE, SIDE, CHANNELS))
    compiled = {name: stepping(convolve) for name, convolve in WAYS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in compiled}
    for turn in range(ROUNDS + 1):
        for name, steps in compiled.items():
            start = time.perf_counter()
            jax.block_until_ready(steps(weights, maps))
            if turn:  # the first is for compiling
                seconds[name].append((time.perf_counter() - start) / STEPS)
    ours = median(seconds["our primitive"])
    for name, values in seconds.items():
        print(f"{name:30} {1e3 * median(values):8.1f} ms a step, {median(values) / ours:.2f} times ours")


if __name__ == "__main__":
    main()
