"""The floor under a training step: its five matrix products alone.

A step of the 784-256-2-256-784 network on 100 images cannot do without

    h   = x @ encoder              (100, 784) @ (784, 256)
    y   = h @ decoder              (100, 256) @ (256, 784)
    d_d = h.T @ y                  (256, 100) @ (100, 784)    the decoder's gradient
    d_h = y @ decoder.T            (100, 784) @ (784, 256)
    d_e = x.T @ d_h                (784, 100) @ (100, 256)    the encoder's gradient

which is 2 * 5 * 100 * 784 * 256 = 0.2 GFLOP. An epoch is 600 such steps in one `lax.scan`, as in training.
"""

import re
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

BATCH, PIXELS, HIDDEN, STEPS = 100, 784, 256, 600


def scanned_products(
    x: Float[Array, "batch pixels"],
    encoder: Float[Array, "pixels hidden"],
    decoder: Float[Array, "hidden pixels"],
) -> tuple[Float[Array, "pixels hidden"], Float[Array, "hidden pixels"]]:
    """The encoder's and the decoder's last gradient after 600 steps of the five products and nothing else.

    No product can be moved out of the loop or dropped, and nothing is added to prevent it: the encoder's gradient,
    which has the encoder's shape, is the next step's encoder, and the decoder's gradient leaves with the carry.
    """

    def step(carry: tuple[Array, Array], nothing: None) -> tuple[tuple[Array, Array], None]:
        del nothing
        encoder = carry[0]
        h = x @ encoder
        y = h @ decoder
        return (x.T @ (y @ decoder.T), h.T @ y), None

    gradients, _ = jax.lax.scan(step, (encoder, jnp.zeros_like(decoder)), length=STEPS)
    return gradients


def products_epoch() -> Callable[[], float]:
    """A function that does the products of one epoch, compiled already, and returns the wall seconds it took.

    The rows of `x` and of `decoder` are orthonormal, so that a step maps the encoder to `x.T @ x @ encoder`, a
    projection: the numbers neither grow nor fade to denormal ones, which processors multiply slowly.

    Raises `RuntimeError` when the compiled loop does not hold five products, or when its result is not that projection.
    """
    random = np.random.default_rng(0)
    x, decoder = orthonormal_rows(random, BATCH), orthonormal_rows(random, HIDDEN)
    encoder = random.standard_normal((PIXELS, HIDDEN)).astype(np.float32)
    arguments = (jnp.asarray(x), jnp.asarray(encoder), jnp.asarray(decoder))
    compiled = jax.jit(scanned_products).lower(*arguments).compile()

    found = products_in(compiled.as_text() or "")
    if found != 5:
        raise RuntimeError(f"the compiled loop should hold 5 matrix products; found {found}")
    gradient = np.asarray(compiled(*arguments)[0])
    if not np.allclose(gradient, x.T @ (x @ encoder), atol=1e-2):
        raise RuntimeError("the products gave another result than they do one by one")

    def seconds() -> float:
        start = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        return time.perf_counter() - start

    return seconds


def orthonormal_rows(random: np.random.Generator, rows: int) -> np.ndarray:
    columns, _ = np.linalg.qr(random.standard_normal((PIXELS, rows)))
    return np.ascontiguousarray(columns.T, dtype=np.float32)


def products_in(compiled_text: str) -> int:
    """How many matrix products a compiled program's text holds, whichever way this version of XLA writes them."""
    return len(re.findall(r"= f32\[\d+,\d+\]\S* dot\(", compiled_text))
