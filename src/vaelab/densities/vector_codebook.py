"""Codes that are vectors of a learned table, or one vector of each of several."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from vaelab.densities.codebook import AbstractCodebook


class VectorCodebook(AbstractCodebook):
    """Each position is one vector of each book: the nearest of the first, then of the next the nearest to what is left.

    van den Oord, Vinyals and Kavukcuoglu, "Neural discrete representation learning", NeurIPS 2017, eq. 1; of several books residual
    quantisation, as in Zeghidour et al., "SoundStream", 2021, algorithm 1. z holds the vectors of all books side by side, and not their sum
    alone, from which they could not be told apart again: the first layer of a decoder adds them as it likes.
    """

    books: Float[Array, "books codes dim"]
    positions: int = eqx.field(static=True)

    @property
    def alphabets(self) -> tuple[int, ...]:
        return (self.books.shape[1],) * (self.positions * self.books.shape[0])

    @property
    def letter_dim(self) -> int:
        return self.books.shape[2]

    def symbols(self, value: Float[Array, " latent"]) -> Int[Array, " symbols"]:
        each = jnp.swapaxes(value.reshape(self.positions, *self.books.shape[::2]), 0, 1)  # (books, positions, dim)
        return jax.vmap(_nearest)(self.books, each).T.ravel()

    def letters(self, symbols: Int[Array, " symbols"]) -> Float[Array, "symbols letter"]:
        count = self.books.shape[0]
        return self.books[jnp.tile(jnp.arange(count), self.positions), symbols]

    def value(self, symbols: Int[Array, " symbols"]) -> Float[Array, " latent"]:
        return self.letters(symbols).ravel()

    def codes(self, symbols: Int[Array, "*n symbols"]) -> tuple[Int[Array, "*n books positions"], int]:
        each = symbols.reshape(*symbols.shape[:-1], self.positions, self.books.shape[0])
        return jnp.swapaxes(each, -1, -2), self.books.shape[1]

    def nearest(
        self, vectors: Float[Array, "positions dim"]
    ) -> tuple[Int[Array, "positions books"], Float[Array, "books positions dim"]]:
        """The code of each book at each position, and what each book was asked for: the vectors, then what was left of them."""
        chosen, asked = [], []
        for book in jax.lax.stop_gradient(self.books):
            asked.append(vectors)
            chosen.append(_nearest(book, vectors))
            vectors = vectors - book[chosen[-1]]
        return jnp.stack(chosen, axis=1), jnp.stack(asked)


def _nearest(book: Float[Array, "codes dim"], vectors: Float[Array, "positions dim"]) -> Int[Array, " positions"]:
    # |v - e|^2 but for |v|^2, which is the same for all codes
    return jnp.argmin(jnp.sum(book**2, axis=1)[None] - 2.0 * vectors @ book.T, axis=1)
