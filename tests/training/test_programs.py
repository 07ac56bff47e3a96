"""Programs are found again by what they were compiled for, and those that have not been used for long are let go."""

import gc
import weakref

import jax.numpy as jnp
import numpy as np

from vaelab.training.programs import KEPT, compiled


def test_what_is_no_array_is_a_constant_and_the_rest_is_given():
    calls = []

    def scaled(given):
        calls.append(given["by"])  # while it is traced, and never again
        return {"twice": given["by"] * given["x"]}

    for by, x, expected in ((2.0, 1.0, 2.0), (2.0, 5.0, 10.0), (3.0, 5.0, 15.0), (2.0, 7.0, 14.0)):
        given = {"by": by, "x": jnp.float32(x), "nothing": None}
        assert float(compiled(scaled, given)(given)["twice"]) == expected
    assert calls == [2.0, 3.0]
    given = {"by": 2.0, "x": jnp.ones(3), "nothing": None}
    assert compiled(scaled, given)(given)["twice"].tolist() == [2.0, 2.0, 2.0]
    given = {"by": 2.0, "x": np.full(3, 2.0, np.float32), "nothing": None}
    assert compiled(scaled, given)(given)["twice"].tolist() == [4.0, 4.0, 4.0]
    assert calls == [2.0, 3.0, 2.0]


def test_programs_out_of_use_are_let_go():
    """By JAX as well, whose own caches would keep what was compiled as long as the process lives."""

    def doubled(x):
        return 2.0 * x

    gone = weakref.ref(doubled)
    assert float(compiled(doubled, jnp.float32(3.0))(jnp.float32(4.0))) == 8.0
    del doubled
    gc.collect()
    assert gone() is not None
    for size in range(KEPT):
        compiled(jnp.sin, jnp.zeros(size))
    gc.collect()
    assert gone() is None
