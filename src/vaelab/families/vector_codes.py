"""Codes by the nearest vector of learned books."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.densities.codebook import CodeMass, gradient_alone, straight_through
from vaelab.densities.vector_codebook import VectorCodebook
from vaelab.families.base import AbstractFamily
from vaelab.families.positions import map_of
from vaelab.families.settings import VectorCodesSettings
from vaelab.space import Shape, Space
from vaelab.support import CODES, Support


class VectorCodes(AbstractFamily):
    """VQ with moving averages; residual VQ where there are several books.

    van den Oord, Vinyals and Kavukcuoglu, "Neural discrete representation learning", NeurIPS 2017, section 3 and appendix A.1: a code is
    the moving average of the vectors that chose it, m_k / N_k, N_k that of how many did. Both averages are numbers that move at their own
    pace (`own_pace.py`): the gradient of each is what is left to go, N_k - n_k and m_k - sum of the vectors, for a position, so that a
    plain step of 0.1 is the moving average of decay 0.9. The encoder's vectors are held to their codes by `commitment` times their squared
    distance. Both reach the weights through a loss whose value is 0 (`AbstractCentredDensity.lesson`): the ELBO that is shown is the ELBO.

    With `normalised` the vectors and the codes of the first book have length 1 (Yu et al., "Vector-quantized image modeling with improved
    VQGAN", ICLR 2022, section 3.2), so that no code starts out of reach.
    """

    EMPTY: ClassVar[float] = 1e-5
    support: ClassVar[Support] = CODES  # pyright: ignore[reportIncompatibleVariableOverride]
    shares: Float[Array, "books codes"]  # N: of the positions, how many chose each
    sums: Float[Array, "books codes dim"]  # m
    space: Space = eqx.field(static=True)
    commitment: float = eqx.field(static=True)
    normalised: bool = eqx.field(static=True)

    @classmethod
    def build(cls, settings: VectorCodesSettings, shape: Shape, *, key: PRNGKeyArray) -> "VectorCodes":
        codes, dim = settings.codes, settings.dim
        first = jr.normal(key, (settings.books, codes, dim))
        if settings.normalised:
            first = first / jnp.linalg.norm(first, axis=-1, keepdims=True)
        # each further book is for what the last has left
        scale = 0.5 ** jnp.arange(settings.books, dtype=jnp.float32)[:, None, None]
        return cls(
            shares=jnp.full((settings.books, codes), 1.0 / codes),
            sums=scale * first / codes,
            space=Space.of_shape(shape),
            commitment=settings.commitment,
            normalised=settings.normalised,
        )

    def parameters(self) -> dict[str, Shape]:
        return {"vectors": map_of(self._positions, self.sums.shape[-1])}

    def codebook(self) -> VectorCodebook:
        averages = self.sums / jnp.maximum(self.shares, self.EMPTY)[..., None]
        if self.normalised:
            averages = jnp.concatenate([_unit(averages[:1]), averages[1:]])
        return VectorCodebook(averages, self._positions)

    def __call__(self, *, vectors: Float[Array, "*map dim"]) -> CodeMass:  # pyright: ignore[reportIncompatibleMethodOverride]
        book = jax.lax.stop_gradient(self.codebook())
        rows = vectors.reshape(-1, self.sums.shape[-1])
        rows = _unit(rows) if self.normalised else rows
        chosen, asked = book.nearest(rows)
        value, asked_for = book.value(chosen.ravel()), jnp.ravel(jnp.swapaxes(asked, 0, 1))
        lesson = self.commitment * jnp.sum((asked_for - value) ** 2) + self._left_to_go(chosen, asked)
        return CodeMass(straight_through(value, asked_for), book, gradient_alone(lesson))

    @property
    def _positions(self) -> int:
        return self.space.size // (self.sums.shape[0] * self.sums.shape[-1])

    def own_paced(self) -> PyTree[bool]:
        return eqx.tree_at(lambda it: (it.shares, it.sums), jax.tree.map(lambda _: False, self), (True, True))

    def _left_to_go(
        self, chosen: Int[Array, "positions books"], asked: Float[Array, "books positions dim"]
    ) -> Float[Array, ""]:
        """What has N - n and m - s for its gradients by N and m, of one image's positions."""
        hot = jax.nn.one_hot(chosen.T, self.shares.shape[1])  # (books, positions, codes)
        counted = hot.mean(axis=1)
        summed = jnp.einsum("bpk,bpd->bkd", hot, asked) / hot.shape[1]
        to_go = jax.lax.stop_gradient((self.shares - counted, self.sums - summed))
        return jnp.sum(self.shares * to_go[0]) + jnp.sum(self.sums * to_go[1])


def _unit(vectors: Float[Array, "*rows dim"]) -> Float[Array, "*rows dim"]:
    return vectors * jax.lax.rsqrt(jnp.maximum(jnp.sum(vectors**2, axis=-1, keepdims=True), 1e-12))
