"""A second-stage VAE on the latents."""

import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.fitting.descent import fitted_by_descent
from vaelab.fitting.fitted import Fit
from vaelab.fitting.parts import Draws, log_probs
from vaelab.language import to_translate
from vaelab.model import Model, elbo_terms
from vaelab.priors.normal import NormalPrior
from vaelab.priors.second_stage import NODES, SecondStageArchitecture, SecondStagePrior, quadrature_density


def fit_second_stage(draws: Draws, *, seed: int = 0, width: int = 128, rounds: int = 100) -> Fit:
    """The VAE of Dai and Wipf (ICLR 2019), section 4, by its own ELBO on the fitted draws, stopped early by the held-out ones."""
    build_key, fit_key = jr.split(jr.key(seed))
    architecture = SecondStageArchitecture(draws.latent_dim, width)
    prior = SecondStagePrior(architecture, key=build_key).with_scale(draws.centre, draws.spread)
    prior, loss, done = fitted_by_descent(prior, _negative_elbo, draws, key=fit_key, rounds=rounds, learning_rate=2e-3)
    elbo = -loss - float(np.log(draws.spread).sum())
    if prior.latent_dim in NODES:
        note = to_translate(
            "its log-density is an integral over u, done by quadrature (error {error:.1g} nats)",
            error=_quadrature_error(prior, draws),
        )
    else:
        note = to_translate("it is a VAE itself: its log-density is known only as a lower bound")
    return Fit(
        prior,
        to_translate("a second-stage VAE"),
        to_translate("rounds of training, by its ELBO"),
        ((str(done), round(elbo, 4)),),
        (note,),
    )


def _negative_elbo(prior: SecondStagePrior, value: Float[Array, " latent"], key: PRNGKeyArray) -> Float[Array, ""]:
    """For one draw, in standard units."""
    size = prior.latent_dim
    model = Model(prior.encoder, prior.decoder, NormalPrior(size))
    terms = elbo_terms(model, model.prior_density(), (value - prior.centre) / prior.spread, key)
    return terms.rate - terms.reconstruction


def _quadrature_error(prior: SecondStagePrior, draws: Draws) -> float:
    """The mean change of log p over held-out draws when the grid is halved."""
    some = draws.held_out[:500]
    whole = log_probs(prior.density(), some)
    half = log_probs(quadrature_density(prior, NODES[prior.latent_dim] // 2), some)
    return float(np.abs(whole - half).mean())
