"""Compiled programs, found again by what they were compiled for; and so many at most, that a process of many trainings does not drown.

JAX itself keeps every program of a function as long as the function lives. A program of one training takes some hundred memory mappings,
of which Linux gives a process 65,530.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

ARRAYS = (jax.Array, np.ndarray)

KEPT = 64
"""So many programs; a training has four."""


class Program:
    """A compiled function, to be called with arguments of the shapes that it was compiled for."""

    def __init__(self, of_arrays: Any):
        self._of_arrays = of_arrays

    def __call__(self, *arguments: PyTree) -> Any:
        return self._of_arrays(*(leaf for leaf in jax.tree.leaves(arguments) if isinstance(leaf, ARRAYS)))

    @property
    def memory(self) -> int | None:
        """The bytes that running it takes on a device beside its arguments: results and what is on the way; None where nobody knows."""
        found = self._of_arrays.memory_analysis()
        return None if found is None else found.temp_size_in_bytes + found.output_size_in_bytes


def compiled(function: Callable[..., Any], *arguments: PyTree) -> Program:
    """The function compiled for arguments of these shapes and places, to be called with such.

    What is no array in them is a constant of the program, compared by its value. `function` is one of its module: another one with the
    same code would be compiled again.
    """
    leaves, tree = jax.tree.flatten(arguments)
    # by its type as well: 1, 1.0 and True are equal
    constants = tuple(None if isinstance(leaf, ARRAYS) else (type(leaf), leaf) for leaf in leaves)
    shapes = tuple(_shape(leaf) for leaf in leaves if isinstance(leaf, ARRAYS))
    precision = jax.config.jax_default_matmul_precision  # pyright: ignore[reportAttributeAccessIssue]
    return Program(_program(function, tree, constants, shapes, precision))


def forget_programs() -> None:
    """Let go of all that are kept."""
    _program.cache_clear()


def _shape(array: jax.Array | np.ndarray) -> jax.ShapeDtypeStruct:
    # what is bound to no device goes where the others are; a key has no weak type
    place = array.sharding if isinstance(array, jax.Array) and array.committed else None
    weak = getattr(array, "weak_type", False)
    return jax.ShapeDtypeStruct(array.shape, array.dtype, sharding=place, weak_type=weak)


@lru_cache(KEPT)
def _program(
    function: Callable[..., Any],
    tree: Any,
    constants: tuple[tuple[type, Hashable] | None, ...],
    shapes: tuple[jax.ShapeDtypeStruct, ...],
    precision: str | None,
) -> Callable[..., Any]:
    del precision  # JAX's setting of this moment, which is compiled in

    def of_arrays(*arrays: jax.Array) -> PyTree:
        given = iter(arrays)
        leaves = [next(given) if constant is None else constant[1] for constant in constants]
        return function(*jax.tree.unflatten(tree, leaves))

    return jax.jit(of_arrays).lower(*shapes).compile()
