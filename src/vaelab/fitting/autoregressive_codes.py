"""An autoregressive prior over codes by maximum likelihood."""

import jax.random as jr

from vaelab.densities.codebook import AbstractCodebook
from vaelab.fitting.descent import fitted_by_descent
from vaelab.fitting.fitted import Fit
from vaelab.fitting.parts import Draws
from vaelab.language import to_translate
from vaelab.priors.autoregressive_codes import AutoregressiveCodesPrior
from vaelab.priors.base import Shapes
from vaelab.priors.settings import AutoregressiveCodesPriorSettings

ROUNDS = 30
"""Passes over all codes at most."""


def fit_autoregressive_codes(
    draws: Draws, *, codebook: AbstractCodebook, seed: int = 0, width: int = 256, rounds: int = ROUNDS
) -> Fit:
    """The prior that maximises the mean log-mass of the fitted codes, stopped early by the held-out ones."""
    build_key, fit_key = jr.split(jr.key(seed))
    settings = AutoregressiveCodesPriorSettings(
        alphabets=codebook.alphabets, letter_dim=codebook.letter_dim, width=width
    )
    prior = AutoregressiveCodesPrior.build(settings, Shapes(draws.latent_dim), key=build_key)
    prior, loss, done = fitted_by_descent(
        prior, lambda prior, value, _key: -prior.over(codebook).log_prob(value), draws, key=fit_key, rounds=rounds
    )
    words = to_translate("an autoregressive prior over {count} symbols", count=len(codebook.alphabets))
    return Fit(prior, words, to_translate("rounds of training"), ((str(done), round(-loss, 4)),))
