"""Encoder, decoder and prior as one frozen module; the terms of its objective; its file.

A VAE is q(z|x), p(x|z) and p(z). Everything here is for ONE image; `jax.vmap` batches at the edge.
"""

import dataclasses
import math
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.config import (
    BernoulliConfig,
    Config,
    ContinuousBernoulliConfig,
    DeterministicPosteriorConfig,
    MlpConfig,
    ModelConfig,
)
from vaelab.data.image_spec import ImageSpec
from vaelab.data.image_values import ImageValues
from vaelab.densities import AbstractDensity, AbstractDensityWithMean, Delta, kl_divergence
from vaelab.errors import VaelabError
from vaelab.graph import UnknownOperation, read_graph
from vaelab.likelihoods import (
    AbstractLikelihood,
    BernoulliLikelihood,
    ContinuousBernoulliLikelihood,
    GaussianLikelihood,
)
from vaelab.naming import named_arrays, with_named_arrays
from vaelab.networks import Mlp
from vaelab.posteriors import AbstractPosterior, DeterministicPosterior, GaussianPosterior
from vaelab.priors import TRAINED, AbstractPrior, build_prior, fitted_prior
from vaelab.runs import Run
from vaelab.tensors import read_tensors, write_tensors

MODEL_FORMAT = "vaelab-model-1"


class Model(eqx.Module):
    """The generative model p(z) p(x|z) with its approximate posterior q(z|x)."""

    encoder: AbstractPosterior
    decoder: AbstractLikelihood
    prior: AbstractPrior
    image_shape: tuple[int, ...] = eqx.field(static=True)
    latent_dim: int = eqx.field(static=True)
    values: ImageValues | None = eqx.field(static=True, default=None)  # of the training images; None where nobody knows

    def posterior(self, image: Float[Array, " *image"]) -> AbstractDensityWithMean:
        """q(z|x) for one image as the model sees it (pixels in [0, 1], or as they are for a Gaussian likelihood)."""
        return self.encoder(image)

    def likelihood(self, z: Float[Array, " latent"]) -> AbstractDensityWithMean:
        """p(x|z), over images of shape `image_shape`; its `mean` is the picture shown."""
        return self.decoder(z)

    @property
    def image_spec(self) -> ImageSpec:
        """What images have to be, for this model to take them."""
        return ImageSpec(self.image_shape, self.decoder.kind, self.values)

    @property
    def has_density(self) -> bool:
        """False for a plain autoencoder: its posterior is deterministic, and no likelihood follows."""
        return not isinstance(self.encoder, DeterministicPosterior)


class ElboTerms(NamedTuple):
    """For one image and one z drawn from its posterior, in nats: ELBO = reconstruction - rate."""

    z: Float[Array, " latent"]
    reconstruction: Float[Array, ""]  # log p(x|z)
    rate: Float[Array, ""]  # KL(q(z|x) || p(z)), in closed form where there is one, else its estimate at z
    log_weight: Float[Array, ""] | None  # log p(x|z) + log p(z) - log q(z|x); None for a deterministic posterior


def elbo_terms(
    model: Model,
    prior: AbstractDensity,
    image: Float[Array, " *image"],
    key: PRNGKeyArray,
    condition: Int[Array, ""] | None = None,
) -> ElboTerms:
    """The two terms of the evidence lower bound, log p(x) >= E_q[log p(x|z)] - KL(q(z|x) || p(z)), at one draw z ~ q(z|x).

    Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, eqs. 3 and 7. `prior` is `model.prior.density(model)`;
    `condition` is the image's label, which only a class prior looks at.
    """
    posterior = model.posterior(image)
    prior = prior.given(condition)
    z = posterior.sample(key)
    reconstruction = model.likelihood(z).log_prob(image)
    if isinstance(posterior, Delta):
        return ElboTerms(z, reconstruction, jnp.zeros(()), None)
    log_ratio = posterior.log_prob(z) - prior.log_prob(z)
    divergence = kl_divergence(posterior, prior)
    rate = log_ratio if divergence is None else jnp.sum(divergence)
    return ElboTerms(z, reconstruction, rate, reconstruction - log_ratio)


# --- building -----------------------------------------------------------------------------------------------------------------------


def build_model(config: ModelConfig, key: PRNGKeyArray) -> Model:
    """A model with its initial weights, a function of the configuration and the key.

    Raises:
        VaelabError: where `image_shape` is not known yet.
    """
    if config.image_shape is None:
        raise VaelabError("model.image_shape: expected the shape of the images, such as [28, 28]; found none")
    encoder_key, posterior_key, decoder_key, likelihood_key, prior_key = jr.split(key, 5)
    encoder = _build_network(config.encoder, math.prod(config.image_shape), encoder_key)
    decoder = _build_network(config.decoder, config.latent_dim, decoder_key)
    return Model(
        encoder=_build_posterior(config, encoder, posterior_key),
        decoder=_build_likelihood(config, decoder, likelihood_key),
        prior=build_prior(config.prior, config.latent_dim, config.image_shape, prior_key),
        image_shape=config.image_shape,
        latent_dim=config.latent_dim,
    )


def _build_network(config: MlpConfig, in_features: int, key: PRNGKeyArray) -> Mlp:
    return Mlp(in_features, config.hidden, config.activation, key=key)


def _build_posterior(config: ModelConfig, network: Mlp, key: PRNGKeyArray) -> AbstractPosterior:
    if isinstance(config.posterior, DeterministicPosteriorConfig):
        return DeterministicPosterior(network, config.latent_dim, key=key)
    return GaussianPosterior(network, config.latent_dim, key=key)


def _build_likelihood(config: ModelConfig, network: Mlp, key: PRNGKeyArray) -> AbstractLikelihood:
    assert config.image_shape is not None
    likelihood = config.likelihood
    if isinstance(likelihood, BernoulliConfig):
        return BernoulliLikelihood(network, config.image_shape, key=key)
    if isinstance(likelihood, ContinuousBernoulliConfig):
        return ContinuousBernoulliLikelihood(network, config.image_shape, key=key)
    return GaussianLikelihood(
        network,
        config.image_shape,
        scale=1.0 if likelihood.scale == "auto" else likelihood.scale,  # what no data have resolved
        learned=likelihood.learned,
        floor=likelihood.floor,
        key=key,
    )


def trainable_parts(model: Model) -> PyTree[bool]:
    """True for each array of the model that training may move, as its parts declare."""
    arrays = jax.tree.map(eqx.is_inexact_array, model)
    return eqx.tree_at(lambda mask: mask.prior, arrays, model.prior.trainable())


def weights_on_pixels(model: Model) -> PyTree[bool]:
    """True for each weight of the encoder that reads the pixels: those of its first layer, gates included; of its heads, without layers."""
    pixels = math.prod(model.image_shape)
    layers = model.encoder.network.layers
    first = layers[0] if layers else model.encoder
    chosen = {
        id(leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(first)
        if str(path[-1]) == ".weight" and leaf.shape[0] == pixels
    }
    return jax.tree.map(lambda leaf: id(leaf) in chosen, model)


# --- its operations, and its file ---------------------------------------------------------------------------------------------------


def part_graphs(model: Model) -> dict[str, dict[str, Any] | UnknownOperation]:
    """Encoder and decoder as operations on named tensors (docs/design.md), or the operation that the browser does not know."""

    def encode(parts: dict[str, Any], image: Array) -> dict[str, Array]:
        density = parts["encoder"](image)
        spread = getattr(density, "log_variance", None)  # a deterministic posterior has none
        return {"mean": density.mean} if spread is None else {"mean": density.mean, "log_variance": spread}

    def decode(parts: dict[str, Any], z: Array) -> dict[str, Array]:
        return {"mean": parts["decoder"](z).mean}

    return {
        "encoder": read_graph(encode, "image", model.image_shape, {"encoder": model.encoder}),
        "decoder": read_graph(decode, "z", (model.latent_dim,), {"decoder": model.decoder}),
    }


def operation_graph(model: Model) -> dict[str, Any] | None:
    """Both parts as operations: what the browser reads; None where it cannot run them, and Python does it in its place."""
    parts = part_graphs(model)
    return None if any(isinstance(part, UnknownOperation) for part in parts.values()) else dict(parts)


def save_model(run: Run, model: Model, facts: dict[str, Any] | None = None) -> None:
    """Write the run's model file; `facts` (label names, epochs done) go into its header."""
    header = {
        "format": MODEL_FORMAT,
        "config": run.config.model_dump(mode="json", exclude_none=True),
        "graph": operation_graph(model),
        "facts": facts or {},
        "values": None if model.values is None else dataclasses.asdict(model.values),
    }
    write_tensors(run.model_file, named_arrays(model), header)


def load_model(run: Run, prior: str = TRAINED) -> Model:
    """The trained model of a run, with its own prior (`trained`) or one fitted afterwards, by its name or its file's path.

    Raises:
        VaelabError: where the run has no model yet, or its file is damaged, altered or of a newer version; where it
            has no prior of that name, or one that was fitted to another latent space.
    """
    if not run.model_file.is_file():
        raise VaelabError(f"{run.folder}: has no trained model yet; finish it with: vaelab train --resume {run.folder}")
    arrays, header = read_tensors(run.model_file)
    if header.get("format") != MODEL_FORMAT:
        raise VaelabError(
            f"{run.model_file}: is of format {header.get('format')!r}, this vaelab reads {MODEL_FORMAT!r}. Upgrade: pip install -U vaelab"
        )
    config = Config.from_values(header["config"], source=str(run.model_file))
    shapes = eqx.filter_eval_shape(build_model, config.model, jr.key(0))
    values = header.get("values")  # none in a file of an early version
    shapes = dataclasses.replace(shapes, values=None if values is None else ImageValues(**values))
    model = with_named_arrays(shapes, arrays, source=str(run.model_file))
    if prior == TRAINED:
        return model
    fitted = fitted_prior(run, prior, model.encoder, model.latent_dim)
    return eqx.tree_at(lambda model: model.prior, model, fitted)


def label_names(run: Run) -> tuple[str, ...] | None:
    """The names of the labels 0, 1, ... of a run's training data; None where they have none."""
    names = model_facts(run).get("label_names")
    return tuple(map(str, names)) if names else None


def model_facts(run: Run) -> dict[str, Any]:
    """What training wrote about the data beside the weights: `label_names`, `epochs`."""
    return read_tensors(run.model_file)[1].get("facts", {})
