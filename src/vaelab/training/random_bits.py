"""JAX's default random numbers as straight-line code.

On CPUs JAX rolls the rounds of its threefry generator into a loop, and in a scan whose every step draws a little noise that loop costs
more than the noise. Here the twenty rounds stand one after the other, so that XLA makes one pass of them. The numbers are JAX's own, bit
for bit (a test holds them to that), and so do not depend on how arrays are sharded.

Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

import math

import jax
import jax.numpy as jnp
from jax.extend.random import define_prng_impl
from jaxtyping import Array, PRNGKeyArray, Shaped, UInt32

from vaelab.language import translated

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def _threefry(
    key: UInt32[Array, " 2"], high: UInt32[Array, " *shape"], low: UInt32[Array, " *shape"]
) -> tuple[UInt32[Array, " *shape"], UInt32[Array, " *shape"]]:
    """Threefry-2x32 with 20 rounds: each pair of counters (high, low) enciphered under the key."""
    words = (key[0], key[1], key[0] ^ key[1] ^ jnp.uint32(0x1BD11BDA))
    high, low = high + words[0], low + words[1]
    for block in range(5):
        for rotation in ROTATIONS[block % 2]:
            high = high + low
            low = (low << jnp.uint32(rotation)) | (low >> jnp.uint32(32 - rotation))
            low = low ^ high
        high = high + words[(block + 1) % 3]
        low = low + words[(block + 2) % 3] + jnp.uint32(block + 1)
    return high, low


def _counters(shape: tuple[int, ...]) -> tuple[UInt32[Array, " *shape"], UInt32[Array, " *shape"]]:
    """0, 1, 2, ... in the shape, in two words each. No array here has 2^32 entries, so the upper word is 0."""
    if math.prod(shape) >= 2**32:
        raise ValueError(translated("one draw of {shape} is more than 2^32 numbers", shape=shape))
    places = jnp.arange(math.prod(shape), dtype=jnp.uint32).reshape(shape)
    return jnp.zeros_like(places), places


def _seed(seed: Shaped[Array, ""]) -> UInt32[Array, " 2"]:
    return jax.random.key_data(jax.random.key(seed, impl="threefry2x32"))


def _split(key: UInt32[Array, " 2"], shape: tuple[int, ...]) -> UInt32[Array, "*shape 2"]:
    return jnp.stack(_threefry(key, *_counters(shape)), axis=-1)


def _fold_in(key: UInt32[Array, " 2"], data: UInt32[Array, ""]) -> UInt32[Array, " 2"]:
    return jnp.stack(_threefry(key, jnp.zeros((), jnp.uint32), data))


def _random_bits(key: UInt32[Array, " 2"], bit_width: int, shape: tuple[int, ...]) -> Shaped[Array, " *shape"]:
    high, low = _threefry(key, *_counters(shape))
    if bit_width == 64:
        return (high.astype(jnp.uint64) << jnp.uint64(32)) | low.astype(jnp.uint64)
    mixed = high ^ low
    return mixed if bit_width == 32 else mixed.astype({8: jnp.uint8, 16: jnp.uint16}[bit_width])


STRAIGHT = define_prng_impl(
    key_shape=(2,),
    seed=_seed,
    split=_split,
    random_bits=_random_bits,
    fold_in=_fold_in,  # pyright: ignore[reportArgumentType]
    name="straight threefry",
    tag="sfry",
)


def key_of(seed: int) -> PRNGKeyArray:
    """The key that `jax.random.key(seed)` is, whose draws are made in one pass."""
    return jax.random.key(seed, impl=STRAIGHT)
