"""The autoregressive prior over codes."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.conditional import AbstractConditional, codebook_of
from vaelab.densities import AbstractDensity
from vaelab.densities.codebook import AbstractCodebook
from vaelab.densities.made import Made
from vaelab.priors.base import AbstractPrior, Shapes
from vaelab.priors.settings import AutoregressiveCodesPriorSettings

FEATURES = 16
"""Numbers that the network gives for a symbol, from which its letters' probabilities come."""


class AutoregressiveCodesPrior(AbstractPrior):
    """p(z) = prod_i p(s_i | s_1, ..., s_i-1), s the symbols of z, by one masked network that reads the letters before each.

    What van den Oord et al. ("Neural discrete representation learning", NeurIPS 2017, section 3.3) fit to the codes of a trained model,
    here with the network of Germain et al. ("MADE", ICML 2015). It holds no codebook: the encoder's says what the symbols of a z are.
    """

    reads_encoder: ClassVar[bool] = True  # pyright: ignore[reportIncompatibleVariableOverride]
    network: Made
    table: Float[Array, "features letters"]
    bias: Float[Array, "symbols letters"]
    latent_dim: int = eqx.field(static=True)
    alphabets: tuple[int, ...] = eqx.field(static=True)

    @classmethod
    def build(
        cls, settings: AutoregressiveCodesPriorSettings, shapes: Shapes, *, key: PRNGKeyArray
    ) -> "AutoregressiveCodesPrior":
        network_key, table_key = jr.split(key)
        symbols, most = len(settings.alphabets), max(settings.alphabets)
        return cls(
            network=Made(
                symbols, of_input=settings.letter_dim, of_output=FEATURES, width=settings.width, key=network_key
            ),
            table=0.1 * jr.normal(table_key, (FEATURES, most)),
            bias=jnp.zeros((symbols, most)),
            latent_dim=shapes.latent_dim,
            alphabets=settings.alphabets,
        )

    def settings(self) -> AutoregressiveCodesPriorSettings:
        return AutoregressiveCodesPriorSettings(
            alphabets=self.alphabets,
            letter_dim=self.network.read.shape[0] // len(self.alphabets),
            width=self.network.unit_bias.shape[0],
        )

    def density(self, encoder: AbstractConditional | None = None) -> "AutoregressiveCodes":
        return self.over(codebook_of(encoder))

    def over(self, codebook: AbstractCodebook) -> "AutoregressiveCodes":
        """The density over the values of a codebook."""
        return AutoregressiveCodes(self, codebook)


class AutoregressiveCodes(AbstractDensity):
    """`log_prob` in one pass of the network, a draw in one for each symbol."""

    prior: AutoregressiveCodesPrior
    codebook: AbstractCodebook

    def log_prob(self, value: Float[Array, " latent"]) -> Float[Array, ""]:
        symbols = self.codebook.symbols(value)
        each = self._log_probs(self.codebook.letters(symbols))
        return jnp.sum(jnp.take_along_axis(each, symbols[:, None], axis=1))

    def sample(self, key: PRNGKeyArray) -> Float[Array, " latent"]:
        keys = jr.split(key, len(self.prior.alphabets))

        def draw(symbols: Array, place: Array) -> tuple[Array, None]:
            # what is not drawn yet is not seen by what is drawn now
            logits = self._log_probs(self.codebook.letters(symbols))[place]
            return symbols.at[place].set(jr.categorical(keys[place], logits).astype(symbols.dtype)), None

        begin = jnp.zeros(len(self.prior.alphabets), jnp.int32)
        symbols, _ = jax.lax.scan(draw, begin, jnp.arange(len(self.prior.alphabets)))
        return self.codebook.value(symbols)

    def _log_probs(self, letters: Float[Array, "symbols letter"]) -> Float[Array, "symbols letters"]:
        prior = self.prior
        features = jax.nn.tanh(prior.network(jnp.ravel(letters)).reshape(len(prior.alphabets), -1))
        logits = features @ prior.table + prior.bias
        exists = np.arange(prior.table.shape[1])[None] < np.array(prior.alphabets)[:, None]
        return jax.nn.log_softmax(jnp.where(exists, logits, -1e9), axis=1)
