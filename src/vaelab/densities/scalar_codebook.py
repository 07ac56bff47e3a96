"""Codes whose every number has a few levels."""

import math

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from vaelab.densities.codebook import AbstractCodebook


class ScalarCodebook(AbstractCodebook):
    """Each position has a number of each of `levels`; of L levels it is one of (0, ..., L - 1) - floor(L / 2), over floor(L / 2).

    Mentzer, Minnen, Agustsson and Tschannen, "Finite scalar quantization: VQ-VAE made simple", ICLR 2024, section 3.1.
    """

    levels: tuple[int, ...] = eqx.field(static=True)
    positions: int = eqx.field(static=True)

    @property
    def alphabets(self) -> tuple[int, ...]:
        return self.levels * self.positions

    @property
    def letter_dim(self) -> int:
        return 1

    def symbols(self, value: Float[Array, " latent"]) -> Int[Array, " symbols"]:
        half, most = self._halves(), jnp.array(self.alphabets) - 1
        return jnp.clip(jnp.round(value * half.astype(jnp.float32)).astype(jnp.int32) + half, 0, most)

    def letters(self, symbols: Int[Array, " symbols"]) -> Float[Array, "symbols letter"]:
        return self.value(symbols)[:, None]

    def value(self, symbols: Int[Array, " symbols"]) -> Float[Array, " latent"]:
        half = self._halves()
        return (symbols - half).astype(jnp.float32) / half.astype(jnp.float32)

    def codes(self, symbols: Int[Array, "*n symbols"]) -> tuple[Int[Array, "*n books positions"], int]:
        digits = symbols.reshape(*symbols.shape[:-1], 1, self.positions, len(self.levels))
        number = jnp.zeros(digits.shape[:-1], jnp.int32)
        for place, levels in enumerate(self.levels):
            number = number * levels + digits[..., place]
        return number, math.prod(self.levels)

    def _halves(self) -> Int[Array, " symbols"]:
        return jnp.array(self.alphabets) // 2
