"""What training begins with: the configuration resolved by the data, and the initial model."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.likelihoods import BernoulliLikelihood, ContinuousBernoulliLikelihood
from vaelab.model import Model, build_model
from vaelab.pixels import scaled
from vaelab.priors import class_count
from vaelab.training.sources import TrainingData, check_range


def resolve(config: Config, data: TrainingData) -> Config:
    """The configuration with what only the data can tell, checked against them.

    Raises:
        VaelabError: where images and configuration do not fit.
    """
    shape = config.model.image_shape
    if shape is not None and shape != data.image_shape:
        raise VaelabError(
            f"images have shape {data.image_shape}; the model asks for {shape}. Give images of that shape, or leave model.image_shape out"
        )
    check_range(data.images, config.model.likelihood.kind)
    if config.data.pixels == "static" and not _is_binary(data.images):
        raise VaelabError(
            "data.pixels = 'static' is for images that were binarised once; these have grey values. Choose 'dynamic', which binarises them"
        )
    if config.data.pixels != "grey":
        check_range(data.images, "bernoulli", what="images whose pixels are to be binarised")
    if config.training.batch_size > len(data.images):
        raise VaelabError(
            f"training.batch_size is {config.training.batch_size}, more than the {len(data.images)} training images; choose a smaller one"
        )
    known: dict[str, Any] = {"model.image_shape": list(data.image_shape)}
    if config.model.prior.kind == "class" and config.model.prior.classes is None:
        known["model.prior.classes"] = class_count(data.labels)
    return config.with_values(known, source="the data")


def _is_binary(images: np.ndarray) -> bool:
    return bool(np.isin(images, (0, 255 if images.dtype == np.uint8 else 1)).all())


def initial_model(config: Config, data: TrainingData) -> Model:
    """The model before its first step, a function of the seed and, where the configuration says so, of the training images."""
    key = jr.fold_in(jr.key(config.seed), 0)
    # as one program: its operations one by one would each be compiled
    model = eqx.filter_jit(build_model)(config.model, key)
    prior = model.prior.started_from(data.images, data.labels, key=jr.fold_in(key, 1))
    model = eqx.tree_at(lambda model: model.prior, model, prior)
    if config.model.output_bias == "data-mean":
        model = _with_output_bias(model, data.images)
    return model


def _with_output_bias(model: Model, images: np.ndarray) -> Model:
    """The decoder's last bias such that it begins at the mean image: a logit for Bernoulli pixels, the mean itself for Gaussian ones."""
    mean = np.mean(
        [
            np.asarray(scaled(jnp.asarray(part))).mean(axis=0)
            for part in np.array_split(images, max(len(images) // 5000, 1))
        ],
        axis=0,
    )
    mean = jnp.ravel(jnp.asarray(mean, jnp.float32))
    if isinstance(model.decoder, BernoulliLikelihood | ContinuousBernoulliLikelihood):
        bounded = jnp.clip(mean, 1e-3, 1.0 - 1e-3)
        return eqx.tree_at(lambda model: model.decoder.logits.bias, model, jax.scipy.special.logit(bounded))
    return eqx.tree_at(lambda model: model.decoder.mean.bias, model, mean)
