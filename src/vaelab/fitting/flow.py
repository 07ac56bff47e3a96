"""A normalising flow by maximum likelihood."""

import jax.random as jr

from vaelab.fitting.descent import ROUNDS, fitted_by_descent
from vaelab.fitting.fitted import Fit
from vaelab.fitting.parts import Draws
from vaelab.language import to_translate
from vaelab.priors.flow import FlowArchitecture, FlowPrior


def fit_flow(draws: Draws, *, seed: int = 0, architecture: FlowArchitecture | None = None, rounds: int = ROUNDS) -> Fit:
    """A flow that maximises the mean log-likelihood of the fitted draws, stopped early by the held-out ones."""
    if architecture is None:
        architecture = FlowArchitecture(draws.latent_dim)
    build_key, fit_key = jr.split(jr.key(seed))
    prior = FlowPrior(architecture, key=build_key).with_scale(draws.centre, draws.spread)
    prior, loss, done = fitted_by_descent(
        prior, lambda prior, value, _key: -prior.density().log_prob(value), draws, key=fit_key, rounds=rounds
    )
    kind = architecture.flow.replace("-", " ")
    words = to_translate("a {kind} flow of {layers} layers of splines", kind=kind, layers=architecture.layers)
    return Fit(prior, words, to_translate("rounds of training"), ((str(done), round(-loss, 4)),))
