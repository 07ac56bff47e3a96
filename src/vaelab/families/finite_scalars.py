"""Codes by rounding each number to a few levels."""

from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.densities.codebook import CodeMass, straight_through
from vaelab.densities.scalar_codebook import ScalarCodebook
from vaelab.families.base import AbstractFamily
from vaelab.families.positions import map_of
from vaelab.families.settings import FiniteScalarsSettings
from vaelab.space import Shape, Space
from vaelab.support import CODES, Support


class FiniteScalars(AbstractFamily):
    """FSQ: h tanh(x + arctanh(o / h)) - o, rounded, with h = (L - 1) (1 + 0.001) / 2, and o = 1/2 for an even number L of levels, else 0.

    Mentzer, Minnen, Agustsson and Tschannen, "Finite scalar quantization: VQ-VAE made simple", ICLR 2024, section 3.1 and appendix A. The
    offset puts the middle of an even number of levels between two of them, and the shift keeps 0 at 0: h tanh(shift) = o. (The paper's
    listing has tan(o / h) for the shift, by which 0 goes elsewhere.) Nothing is learned here, and no code is ever dead for want of a start.
    """

    support: ClassVar[Support] = CODES  # pyright: ignore[reportIncompatibleVariableOverride]
    space: Space = eqx.field(static=True)
    book: ScalarCodebook

    @classmethod
    def build(cls, settings: FiniteScalarsSettings, shape: Shape, *, key: PRNGKeyArray) -> "FiniteScalars":
        del key
        space = Space.of_shape(shape)
        return cls(space=space, book=ScalarCodebook(settings.levels, space.size // len(settings.levels)))

    def parameters(self) -> dict[str, Shape]:
        return {"numbers": map_of(self.book.positions, len(self.book.levels))}

    def __call__(self, *, numbers: Float[Array, "*map levels"]) -> CodeMass:  # pyright: ignore[reportIncompatibleMethodOverride]
        levels = np.array(self.book.levels)
        half = 0.5 * (levels - 1) * 1.001
        offset = np.where(levels % 2 == 0, 0.5, 0.0)
        shift, width = np.arctanh(offset / half), levels // 2
        half, offset, shift, width = (jnp.asarray(row, jnp.float32)[None] for row in (half, offset, shift, width))
        bounded = half * jnp.tanh(jnp.reshape(numbers, (-1, len(levels))) + shift) - offset
        value = straight_through(jnp.round(bounded), bounded) / width
        return CodeMass(jnp.ravel(value), self.book, None)

    def codebook(self) -> ScalarCodebook:
        return self.book
