"""What training begins with: the configuration resolved by the data, and the initial model."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import PRNGKeyArray

from vaelab.building import build_model, check_parts
from vaelab.config import Config
from vaelab.data.image_values import ImageValues, check_unit
from vaelab.errors import VaelabError
from vaelab.kinds import OBJECTIVES
from vaelab.language import translated
from vaelab.model import Model, weights_on_pixels, with_output_bias
from vaelab.objectives.base import MODEL, AbstractObjective
from vaelab.priors.by_label import class_count
from vaelab.training.defaults import chosen_by_data, mean_image, pixel_size
from vaelab.training.labelled import check_labels, classes_of, with_frequencies
from vaelab.training.programs import compiled
from vaelab.training.sources import TrainingData
from vaelab.training.trainer import Trainer, TrainingState, build_trainer
from vaelab.training.warm_up import WarmUp, warm_up_of


def resolve(config: Config, data: TrainingData) -> Config:
    """The configuration with what only the data can tell, checked against them: the images' shape, what is `auto`, no batch larger
    than the data.

    Raises:
        VaelabError: where images and configuration do not fit.
    """
    shape = config.model.image_shape
    if shape is not None and shape != data.image_shape:
        raise VaelabError(
            translated(
                "images have shape {image_shape}; the model asks for {shape}. Give images of that shape, or leave "
                "model.image_shape out",
                image_shape=data.image_shape,
                shape=shape,
            )
        )
    data.image_spec(config.model.likelihood)
    if config.data.pixels == "static" and not _is_binary(data.images):
        raise VaelabError(
            translated(
                "data.pixels = 'static' is for images that were binarised once; these have grey values. Choose 'dynamic', "
                "which binarises them"
            )
        )
    if config.data.pixels != "grey":
        check_unit(data.images, "training images", reason="where pixels are binarised")
    known: dict[str, Any] = {"model.image_shape": list(data.image_shape)}
    check_labels(config, data)
    if config.model.is_conditional:
        known["model.classes"] = classes_of(config, data)
    if config.training.batch_size > len(data.images):
        known["training.batch_size"] = len(data.images)
    known |= chosen_by_data(config, data.images)
    prior = config.model.prior.completed(classes=lambda: class_count(data.labels))
    found = prior.model_dump(exclude={"kind"})
    known |= {
        f"model.prior.{name}": value for name, value in found.items() if value != getattr(config.model.prior, name)
    }
    objective = config.objective.completed(images=len(data.images))
    known |= {
        f"objective.{name}": value
        for name, value in objective.model_dump(exclude={"kind"}).items()
        if value != getattr(config.objective, name)
    }
    return config.with_values(known, source="the data").with_packages()


def said_of(asked: Config, resolved: Config) -> Iterator[str]:
    """A sentence for each thing that the data changed in what was asked for."""
    if resolved.training.batch_size < asked.training.batch_size:
        count = resolved.training.batch_size
        yield translated(
            "batches of {asked:,} are more than the {count:,} training images: each step takes all of them",
            asked=asked.training.batch_size,
            count=count,
        )


@dataclass(frozen=True)
class Beginning:
    """A training before its first step."""

    players: Mapping[str, Any]  # the model by the name "model", and those that its objective trains beside it
    trainer: Trainer
    steps_per_epoch: int
    warm_up: WarmUp
    key: PRNGKeyArray  # for what the objective carries on

    @property
    def model(self) -> Model:
        return self.players[MODEL]

    def state(self) -> TrainingState:
        return self.trainer.start(self.players, self.key)


def begin(
    config: Config, data: TrainingData, model: Model | None = None, objective: AbstractObjective | None = None
) -> Beginning:
    """Everything that a resolved configuration can be refused for, before a run folder is made for it.

    `model`: go on from its weights, which are of this configuration, in the place of initial ones; the optimiser begins anew.
    `objective`: in the place of the one that the configuration names.

    Raises:
        VaelabError: for an optimiser, a schedule, a warm-up or a prior that cannot be built.
    """
    model = initial_model(config, data) if model is None else model
    check_parts(config.model, config.objective, model)
    if (
        config.model.likelihood.support != model.decoder.support
    ):  # a likelihood that Python gave says only now what it scores
        model.image_spec.check(data.images, "training images")
    playing: AbstractObjective = objective or OBJECTIVES.build(config.objective)
    key = jr.key(config.seed)
    # streams 0 to 3 are the model's, and those of the steps
    others = playing.players(model, key=jr.fold_in(key, 4))
    if MODEL in others:
        raise VaelabError(
            translated("an objective's players beside the model need other names than '{MODEL}'", MODEL=MODEL)
        )
    players = {MODEL: model, **others}
    steps = len(data.images) // config.training.batch_size
    trainer = build_trainer(config, playing, players, steps)
    return Beginning(players, trainer, steps, warm_up_of(config, steps), jr.fold_in(key, 5))


def _is_binary(images: np.ndarray) -> bool:
    return bool(np.isin(images, (0, 255 if images.dtype == np.uint8 else 1)).all())


def initial_model(config: Config, data: TrainingData) -> Model:
    """The model before its first step, a function of the seed and, where the configuration says so, of the training images."""
    key = jr.fold_in(jr.key(config.seed), 0)
    # as one program: its operations one by one would each be compiled
    model = compiled(build_model, config.model, key)(config.model, key)
    model = replace(model, values=ImageValues.of(data.images))
    prior = model.prior.started_from(data.images, data.labels, key=jr.fold_in(key, 1))
    model = with_frequencies(eqx.tree_at(lambda model: model.prior, model, prior), data.labels)
    if config.training.first_layer_rate != 1.0:
        model = _with_unit_inputs(model, data.images)
    if config.model.output_bias == "data-mean":
        model = with_output_bias(model, jnp.asarray(mean_image(data.images), jnp.float32))
    return model


def _with_unit_inputs(model: Model, images: np.ndarray) -> Model:
    """The weights on the pixels such that the first layer begins as on pixels of size 1, where theirs is larger (0 to 255, as floats)."""
    size = pixel_size(images)
    if size <= 1.0:
        return model
    return jax.tree.map(lambda array, reads: array / size if reads else array, model, weights_on_pixels(model))
