"""Many densities of one family as one: their arrays stacked along a leading axis, and what all have in common kept once.

The weights of a flow are the same for every image; 60,000 copies of them would not fit in memory.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import equinox as eqx
import jax
from jaxtyping import Array, PyTree

from vaelab.densities.base import AbstractDensity

Density = TypeVar("Density", bound=AbstractDensity)


def stack_axes(stack: AbstractDensity) -> PyTree[int | None]:
    """What `jax.vmap` is told of a stack: axis 0 for an array with a row for each density, none for one that all share."""
    return jax.tree.map(lambda shared: None if shared else 0, stack.shared())


def stack_of(make: Callable[..., Density], *rows: Any) -> Density:
    """`make(*row)` of each row, stacked."""
    of_one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), rows)
    return jax.vmap(make, out_axes=stack_axes(eqx.filter_eval_shape(make, *of_one)))(*rows)


def of_each(function: Callable[..., Any], stack: AbstractDensity, *rows: Any) -> Any:
    """`function(density, *row)` of each density of a stack, beside a row of each array."""
    return jax.vmap(function, in_axes=(stack_axes(stack), *(0 for _ in rows)))(stack, *rows)


def rows_of(stack: Density, which: Any) -> Density:
    """Some densities of a stack, by whatever chooses rows of an array; one, by a number."""
    return jax.tree.map(lambda leaf, shared: leaf if shared else leaf[which], stack, stack.shared())


def own_and_shared(stack: Density) -> tuple[Density, Density]:
    """The stack without what its densities share, and that alone: `eqx.combine` puts them together."""
    shared, own = eqx.partition(stack, stack.shared())
    return own, shared


def stack_size(stack: AbstractDensity) -> int:
    """How many densities it has."""
    leaves: list[Array] = jax.tree.leaves(own_and_shared(stack)[0])
    return leaves[0].shape[0]
