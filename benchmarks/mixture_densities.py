"""A mixture's log-density and its gradients, by the squares of all differences and multiplied out, by turns in one process.

Run as `python -m benchmarks.mixture_densities`: 100 values, 500 components, 40 dimensions, as in a training step of the gated network.
"""

import time
from collections.abc import Callable
from statistics import median

import jax
import jax.random as jr
from jaxtyping import Array

from vaelab.densities import DiagonalNormal, log_probs_by_products

VALUES, COMPONENTS, LATENT, STEPS, ROUNDS = 100, 500, 40, 100, 5

LogProbs = Callable[[DiagonalNormal, Array], Array]


def by_differences(components: DiagonalNormal, value: Array) -> Array:
    return jax.vmap(lambda component: component.log_prob(value))(components)


def stepping(log_probs: LogProbs) -> Callable[[tuple[DiagonalNormal, Array]], tuple[DiagonalNormal, Array]]:
    """`STEPS` gradient steps in one compiled loop, as training takes them."""

    def total(both: tuple[DiagonalNormal, Array]) -> Array:
        components, values = both
        return jax.vmap(lambda value: jax.nn.logsumexp(log_probs(components, value)))(values).sum()

    def step(both: tuple[DiagonalNormal, Array], _: None) -> tuple[tuple[DiagonalNormal, Array], None]:
        return jax.tree.map(lambda old, new: old + 1e-6 * new, both, jax.grad(total)(both)), None

    return jax.jit(lambda both: jax.lax.scan(step, both, None, length=STEPS)[0])


def main() -> None:
    keys = jr.split(jr.key(0), 3)
    components = DiagonalNormal(
        jr.normal(keys[0], (COMPONENTS, LATENT)), -1.0 + 0.1 * jr.normal(keys[1], (COMPONENTS, LATENT))
    )
    both = components, jr.normal(keys[2], (VALUES, LATENT))
    ways = {"differences": stepping(by_differences), "products": stepping(log_probs_by_products)}
    for way in ways.values():
        jax.block_until_ready(way(both))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            begun = time.perf_counter()
            jax.block_until_ready(way(both))
            seconds[name].append((time.perf_counter() - begun) / STEPS)
    medians = {name: 1e3 * median(found) for name, found in seconds.items()}
    print(", ".join(f"{name} {value:.2f} ms a step" for name, value in medians.items()))
    print(f"ratio {medians['differences'] / medians['products']:.0f}")


if __name__ == "__main__":
    main()
