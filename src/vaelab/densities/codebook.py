"""A finite set of values of z, and the mass at one of them."""

from abc import abstractmethod
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.densities.base import AbstractCentredDensity, AbstractDensity


class AbstractCodebook(eqx.Module):
    """z as a row of symbols, each of a finite alphabet, and the values that they stand for.

    A map of positions has one or more symbols at each, position by position.
    """

    @property
    @abstractmethod
    def alphabets(self) -> tuple[int, ...]:
        """How many letters each symbol has."""

    @property
    @abstractmethod
    def letter_dim(self) -> int:
        """How many numbers a letter is told by, to what reads symbols."""

    @abstractmethod
    def symbols(self, value: Float[Array, " latent"]) -> Int[Array, " symbols"]:
        """Those of a value; of one that no symbols stand for, those nearest to it."""

    @abstractmethod
    def letters(self, symbols: Int[Array, " symbols"]) -> Float[Array, "symbols letter"]:
        """The numbers that tell each symbol's letter."""

    @abstractmethod
    def value(self, symbols: Int[Array, " symbols"]) -> Float[Array, " latent"]:
        """What they stand for."""

    @abstractmethod
    def codes(self, symbols: Int[Array, "*n symbols"]) -> tuple[Int[Array, "*n books positions"], int]:
        """The code of each position, of each book where there are several, and how many codes a book has: what usage is counted over."""


class CodeMass(AbstractCentredDensity):
    """All mass at one value of a codebook: log q(z|x) is 0 there, and minus infinity at every other.

    The KL to a p(z) over codes is -log p(z) then, so that log p(x) >= log p(x|z) + log p(z), in nats. The gradient of a draw passes
    straight through to what was rounded (Bengio, Leonard and Courville, "Estimating or propagating gradients through stochastic neurons",
    2013).
    """

    draws_and_scores_at_once: ClassVar[bool] = True
    quick_elsewhere: ClassVar[bool] = False
    own: Float[Array, " latent"]
    codebook: AbstractCodebook
    taught: Float[Array, ""] | None

    @property
    def centre(self) -> Float[Array, " latent"]:
        return self.own

    @property
    def lesson(self) -> Float[Array, ""] | None:
        return self.taught

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        same = self.codebook.symbols(value) == self.codebook.symbols(self.own)
        return jnp.where(jnp.all(same), 0.0, -jnp.inf)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        del key
        return self.own

    def sample_and_log_prob(self, key: PRNGKeyArray) -> tuple[Float[Array, " latent"], Float[Array, ""]]:
        del key
        return self.own, jnp.zeros(())

    def shared(self) -> PyTree[bool]:
        mask = jax.tree.map(lambda _: False, self)
        return eqx.tree_at(lambda it: it.codebook, mask, jax.tree.map(lambda _: True, self.codebook))


class UniformCodes(AbstractDensity):
    """Every symbol alike: log p(z) = -sum_i log A_i, A_i the letters of symbol i."""

    codebook: AbstractCodebook

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        return jnp.full((), -jnp.sum(jnp.log(jnp.array(self.codebook.alphabets, jnp.float32))), value.dtype)

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        alphabets = jnp.array(self.codebook.alphabets)
        return self.codebook.value(jr.randint(key, alphabets.shape, 0, alphabets))


def straight_through(rounded: Float[Array, "*shape"], continuous: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """`rounded`, exactly, with the gradient of `continuous`."""
    return jax.lax.stop_gradient(rounded) + (continuous - jax.lax.stop_gradient(continuous))


def gradient_alone(loss: Float[Array, ""]) -> Float[Array, ""]:
    """0, with the gradient of the loss."""
    return loss - jax.lax.stop_gradient(loss)
