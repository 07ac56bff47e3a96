"""Straight-line threefry gives JAX's own numbers."""

from collections.abc import Callable

import jax.random as jr
import numpy as np
import pytest
from jaxtyping import Array, PRNGKeyArray

from vaelab.training.random_bits import key_of

DRAWS: dict[str, Callable[[PRNGKeyArray], Array]] = {
    "bits of 32": lambda key: jr.bits(key, (5, 3)),
    "bits of 8": lambda key: jr.bits(key, (7,), "uint8"),
    "bits of 16": lambda key: jr.bits(key, (), "uint16"),
    "normal": lambda key: jr.normal(key, (33,)),
    "folded": lambda key: jr.uniform(jr.fold_in(key, 11), (4,)),
    "split": lambda key: jr.normal(jr.split(key, (3, 2))[2, 1], (4,)),
    "permutation": lambda key: jr.permutation(key, 50),
    "choice": lambda key: jr.categorical(key, np.log(np.array([0.2, 0.8], np.float32)), shape=(9,)),
}


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("seed", [0, 12345])
def test_the_numbers_are_jaxs_own(name: str, seed: int):
    draw = DRAWS[name]
    np.testing.assert_array_equal(draw(key_of(seed)), draw(jr.key(seed, impl="threefry2x32")))
