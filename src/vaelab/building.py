"""Settings to modules: a model with its initial weights, a function of the configuration and the key."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import PRNGKeyArray

from vaelab.conditional import AbstractConditional, ConditionalDensity
from vaelab.config import ModelConfig
from vaelab.errors import VaelabError
from vaelab.kinds import LIKELIHOODS, NETWORKS, POSTERIORS, PRIORS
from vaelab.language import translated
from vaelab.model import Model
from vaelab.networks.building import build_network
from vaelab.networks.settings import ConditionedSettings
from vaelab.priors.base import Shapes
from vaelab.settings import NetworkSettings, ObjectiveSettings
from vaelab.space import Space


def build_model(config: ModelConfig, key: PRNGKeyArray) -> Model:
    """The model that a configuration describes.

    A part that is built as a whole conditional (a subclass of `AbstractConditional` in the place of a network) stands as it is; every
    other network gets the heads that its family asks for.

    Raises:
        VaelabError: where `image_shape` is not known yet, and for a foreign part that is none.
    """
    if config.image_shape is None:
        raise VaelabError(
            translated("model.image_shape: expected the shape of the images, such as [28, 28]; found none")
        )
    image, latent_shape = Space.of_shape(config.image_shape), (config.latent_dim,)
    encoder_key, posterior_key, decoder_key, likelihood_key, prior_key = jr.split(key, 5)
    encoder = build_network(_network(config, config.encoder), image, key=encoder_key)
    if not isinstance(encoder, AbstractConditional):
        family = POSTERIORS.build(config.posterior, latent_shape, key=posterior_key)
        encoder = ConditionalDensity(encoder, family, key=posterior_key)
    decoder = build_network(_network(config, config.decoder), encoder.space, wanted=image, key=decoder_key)
    if not isinstance(decoder, AbstractConditional):
        family = LIKELIHOODS.build(config.likelihood, config.image_shape, key=likelihood_key)
        decoder = ConditionalDensity(decoder, family, key=likelihood_key)
    prior = PRIORS.build(config.prior, Shapes(encoder.space.size, config.image_shape), key=prior_key)
    # until training has counted its labels, one is as frequent as another
    frequencies = (
        jnp.full(config.classes, -math.log(config.classes), jnp.float32)
        if config.is_conditional and config.classes
        else None
    )
    return Model(encoder, decoder, prior, log_frequencies=frequencies)


def _network(config: ModelConfig, network: NetworkSettings) -> NetworkSettings:
    """The settings of a network as it is built: told the label, where the model is to see it."""
    return ConditionedSettings(network=network, classes=config.classes) if config.is_conditional else network


def check_parts(config: ModelConfig, objective: ObjectiveSettings, model: Model) -> None:
    """Refuse parts of others that do not fit together, before the first step. Ours are known to.

    Raises:
        VaelabError: naming the part that could not be called, or what it gave where something else was needed.
    """
    settings = (config.encoder, config.decoder, config.posterior, config.likelihood, config.prior)
    tables = (NETWORKS, NETWORKS, POSTERIORS, LIKELIHOODS, PRIORS)
    if all(part.kind in table.rows for part, table in zip(settings, tables, strict=True)):
        return
    model = model.of_any_label()
    image = jax.ShapeDtypeStruct(model.image_shape, jnp.float32)
    posterior = _called(f"the encoder ({config.encoder.kind}, {config.posterior.kind})", model.encoder, image)
    code = _called(f"the posterior ({config.posterior.kind})", lambda density: density.centre, posterior)
    found = [leaf.shape for leaf in jax.tree.leaves(code)]
    if found != list(model.latent.shapes):
        raise VaelabError(
            translated(
                "the posterior ({kind}): expected codes of the shapes {shapes}; found {found}",
                kind=config.posterior.kind,
                shapes=list(model.latent.shapes),
                found=found,
            )
        )
    likelihood = _called(f"the decoder ({config.decoder.kind}, {config.likelihood.kind})", model.decoder, code)
    score = _called(
        f"the likelihood ({config.likelihood.kind})", lambda density, x: density.log_prob(x), likelihood, image
    )
    if getattr(score, "shape", None) != ():
        raise VaelabError(
            translated(
                "the likelihood ({kind}): expected one log-density for an image, a number; found {score}",
                kind=config.likelihood.kind,
                score=score,
            )
        )
    z = jax.ShapeDtypeStruct((model.latent_dim,), jnp.float32)
    own = _called(f"the prior ({config.prior.kind})", lambda model, z: model.prior_density().log_prob(z), model, z)
    if getattr(own, "shape", None) != ():
        raise VaelabError(
            translated(
                "the prior ({kind}): expected one log-density for a code, a number; found {own}",
                kind=config.prior.kind,
                own=own,
            )
        )
    if not model.has_density and (objective.needs_density or not config.prior.is_fixed):
        raise VaelabError(
            translated(
                "the posterior ({kind}) has no density, so there is no KL that would train a prior, and there are no "
                "importance weights; choose the prior 'normal' and the objective 'elbo', and fit a prior afterwards",
                kind=config.posterior.kind,
            )
        )


def _called(what: str, function: Any, *arguments: Any) -> Any:
    """What it gives for one example, in the abstract: nothing is computed."""
    try:
        return eqx.filter_eval_shape(function, *arguments)
    except VaelabError:
        raise
    except Exception as error:
        first = (str(error).splitlines() or [""])[0]
        raise VaelabError(
            translated(
                "{what}: could not be called with one example as a function of its arrays ({found_type}: {first})",
                what=what,
                found_type=type(error).__name__,
                first=first,
            )
        ) from error
