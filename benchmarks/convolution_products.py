"""The matrix products alone of a training step of the 32-64-128 convolutional network, timed one by one.

A convolution of stride 2 reads 4 x 4 patches: a product of (places, 16 channels) and (16 channels, out). Its gradients are two more of the
same size, one for the weight and one for the input (the images need none). A transposed one is the same with the roles exchanged.

Run as `python -m benchmarks.convolution_products REPORT.json SIDE DEPTH STEPS`: seconds of so many steps are written.
"""

import json
import sys
import time
from pathlib import Path
from statistics import median

import jax
import jax.numpy as jnp
import jax.random as jr

BATCH, LATENT, WIDTHS = 128, 32, (32, 64, 128)
REPEATS = 7


def products(side: int, depth: int) -> list[tuple[int, int, int]]:
    """(rows, inner, columns) of every product of a step."""
    layers: list[tuple[int, int, int, bool]] = []  # of a layer, and whether its input needs a gradient
    below, here = depth, side
    for width in WIDTHS:
        here //= 2
        layers.append((BATCH * here * here, 16 * below, width, below != depth))
        layers.append((BATCH * here * here, 16 * below, width, True))  # its mirror image in the decoder
        below = width
    features = here * here * WIDTHS[-1]
    layers += [(BATCH, features, 2 * LATENT, True), (BATCH, LATENT, features, True)]
    found = []
    for rows, inner, columns, needs_input in layers:
        found += [(rows, inner, columns), (inner, rows, columns)]
        found += [(rows, columns, inner)] if needs_input else []
    return found


def seconds_of(rows: int, inner: int, columns: int) -> float:
    a, b = (jr.normal(jr.key(n), shape) for n, shape in enumerate([(rows, inner), (inner, columns)]))
    multiply = jax.jit(jnp.matmul)
    jax.block_until_ready(multiply(a, b))
    found = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(multiply(a, b))
        found.append(time.perf_counter() - start)
    return median(found)


def main(report: Path, side: int, depth: int, steps: int) -> None:
    step = sum(seconds_of(*sizes) for sizes in products(side, depth))
    multiplications = sum(rows * inner * columns for rows, inner, columns in products(side, depth))
    report.write_text(json.dumps({"seconds": [steps * step], "multiplications": steps * multiplications}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
