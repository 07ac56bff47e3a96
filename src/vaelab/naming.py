"""The arrays of a tree by their path (`encoder.network.layers.0.weight`): how every file of ours names them."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from vaelab.errors import VaelabError
from vaelab.language import translated


def named_arrays(tree: PyTree) -> dict[str, np.ndarray]:
    """The arrays of a tree by their path."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(eqx.filter(tree, eqx.is_array))
    return {jax.tree_util.keystr(path, simple=True, separator="."): np.asarray(leaf) for path, leaf in leaves}


def with_named_arrays(tree: PyTree, arrays: dict[str, np.ndarray], *, source: str) -> PyTree:
    """The tree (of arrays or of their shapes) filled with arrays by path.

    Raises:
        VaelabError: naming `source` and the array that is missing or of another shape.
    """

    def fill(path: tuple[Any, ...], leaf: Any) -> Any:
        if not isinstance(leaf, jax.Array | jax.ShapeDtypeStruct | np.ndarray):
            return leaf
        name = jax.tree_util.keystr(path, simple=True, separator=".")
        if name not in arrays:
            raise VaelabError(
                translated(
                    "{source}: has no array '{name}', which its configuration asks for", source=source, name=name
                )
            )
        if arrays[name].shape != leaf.shape:
            raise VaelabError(
                translated(
                    "{source}: array '{name}' has shape {shape}; its configuration asks for {shape_2}",
                    source=source,
                    name=name,
                    shape=arrays[name].shape,
                    shape_2=leaf.shape,
                )
            )
        return jnp.asarray(arrays[name], leaf.dtype)

    return jax.tree_util.tree_map_with_path(fill, tree)
