"""The shape of z, or of x: of one array, or of a tree of arrays."""

import math
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Space:
    """The values of a latent variable or an image: arrays of these shapes, in a tree. Hashable, so that it may be static in a module.

    `flat` and `back` go to vectors of `size` numbers and return; for a single vector both are the identity.
    """

    shapes: tuple[Shape, ...]  # of the leaves, in the tree's order
    tree: Any  # the tree's structure; that of one leaf for a single array

    @classmethod
    def of_shape(cls, shape: Shape) -> "Space":
        """That of single arrays of one shape."""
        return cls((tuple(shape),), jax.tree.structure(0))

    @classmethod
    def of(cls, shapes: PyTree) -> "Space":
        """That of a tree of shapes, `{"map": (4, 4, 8), "vector": (16,)}`; a shape is a tuple of whole numbers."""
        leaves, tree = jax.tree.flatten(
            shapes, is_leaf=lambda node: isinstance(node, tuple) and all(isinstance(n, int) for n in node)
        )
        return cls(tuple(map(tuple, leaves)), tree)

    @property
    def is_array(self) -> bool:
        """Whether a value is one array."""
        return self.tree == jax.tree.structure(0)

    @property
    def shape(self) -> Shape:
        """Of a value that is one array; of a tree's flat vector."""
        return self.shapes[0] if self.is_array else (self.size,)

    @property
    def size(self) -> int:
        """How many numbers a value has."""
        return sum(math.prod(shape) for shape in self.shapes)

    @property
    def tree_of_shapes(self) -> Any:
        """The shape of a value that is one array; else the tree with a shape in the place of each leaf."""
        return self.shapes[0] if self.is_array else jax.tree.unflatten(self.tree, self.shapes)

    def flat(self, value: PyTree) -> Float[Array, " size"]:
        """The numbers of a value as one vector, leaf by leaf."""
        return (
            jnp.concatenate([jnp.ravel(leaf) for leaf in jax.tree.leaves(value)])
            if not self.is_array
            else jnp.ravel(value)
        )

    def back(self, vector: Float[Array, " size"]) -> Any:
        """The value whose numbers these are."""
        leaves, start = [], 0
        for shape in self.shapes:
            leaves.append(jnp.reshape(vector[start : start + math.prod(shape)], shape))
            start += math.prod(shape)
        return jax.tree.unflatten(self.tree, leaves)
