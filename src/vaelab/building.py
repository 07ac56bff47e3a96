"""Settings to modules: a model with its initial weights, a function of the configuration and the key."""

import jax.random as jr
from jaxtyping import PRNGKeyArray

from vaelab.conditional import AbstractConditional, ConditionalDensity
from vaelab.config import ModelConfig
from vaelab.errors import VaelabError
from vaelab.kinds import LIKELIHOODS, NETWORKS, POSTERIORS, PRIORS
from vaelab.model import Model
from vaelab.space import Space


def build_model(config: ModelConfig, key: PRNGKeyArray) -> Model:
    """The model that a configuration describes.

    A part that is built as a whole conditional (a subclass of `AbstractConditional` in the place of a network) stands as it is; every
    other network gets the heads that its family asks for.

    Raises:
        VaelabError: where `image_shape` is not known yet, and for a foreign part that is none.
    """
    if config.image_shape is None:
        raise VaelabError("model.image_shape: expected the shape of the images, such as [28, 28]; found none")
    image, latent_shape = Space.of_shape(config.image_shape), (config.latent_dim,)
    encoder_key, posterior_key, decoder_key, likelihood_key, prior_key = jr.split(key, 5)
    encoder = NETWORKS.build(config.encoder, image, key=encoder_key)
    if not isinstance(encoder, AbstractConditional):
        family = POSTERIORS.build(config.posterior, latent_shape, key=posterior_key)
        encoder = ConditionalDensity(encoder, family, key=posterior_key)
    decoder = NETWORKS.build(config.decoder, encoder.space, key=decoder_key)
    if not isinstance(decoder, AbstractConditional):
        family = LIKELIHOODS.build(config.likelihood, config.image_shape, key=likelihood_key)
        decoder = ConditionalDensity(decoder, family, key=likelihood_key)
    prior = PRIORS.build(config.prior, encoder.space.size, config.image_shape, key=prior_key)
    return Model(encoder, decoder, prior)
