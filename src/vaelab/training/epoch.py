"""One epoch as one jitted `lax.scan` over device-resident images, and the scores of held-out images.

A training step is a pure function of (state, step number): the order of the images, the pixel draws and the latent draws all come from
`fold_in(key, ...)`, so a run can be stopped and resumed with the same numbers, bit for bit.
"""

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray, PyTree

from vaelab.config import Config
from vaelab.kinds import OBJECTIVES
from vaelab.model import Model, trainable_parts, weights_on_pixels
from vaelab.objectives.base import AbstractObjective, Batch
from vaelab.pixels import seen
from vaelab.training.optimisers import build_optimiser
from vaelab.training.placement import shared_out
from vaelab.training.random_bits import key_of
from vaelab.training.warm_up import WarmUp, beta_at, warm_up_of


class TrainingState(NamedTuple):
    """All that a step carries on; nothing else changes in training."""

    step: Int[Array, ""]
    parameters: PyTree  # the trainable arrays of the model, None elsewhere
    average: PyTree | None  # their moving average, where the configuration asks for one
    optimiser: PyTree


class Draws(NamedTuple):
    """What chance decides in each step of an epoch. Made for all of them at once: in the scan, each small operation has its price."""

    images: Int[Array, "steps batch"]
    pixels: Key[Array, " steps"]
    latents: Key[Array, "steps batch"]


class StepLosses(NamedTuple):
    """For each step of an epoch, averaged over its batch, in nats."""

    loss: Float[Array, " steps"]
    reconstruction: Float[Array, " steps"]
    kl: Float[Array, " steps"]
    beta: Float[Array, " steps"]


class Scores(NamedTuple):
    """Averages over held-out images, in nats, at the final beta."""

    loss: Float[Array, ""]
    reconstruction: Float[Array, ""]
    kl: Float[Array, ""]


class Trainer(eqx.Module):
    """The compiled functions of one training: `start`, `epoch`, `score`."""

    start: Callable[[Model], TrainingState] = eqx.field(static=True)
    epoch: Callable[..., tuple[TrainingState, StepLosses]] = eqx.field(static=True)
    score: Callable[..., Scores] = eqx.field(static=True)
    steps_per_epoch: int = eqx.field(static=True)
    warm_up: WarmUp = eqx.field(static=True)
    model_of: Callable[[TrainingState], Model] = eqx.field(static=True)


def build_trainer(config: Config, model: Model, image_count: int, mesh: Mesh) -> Trainer:
    """The training functions for a model and so many training images.

    An epoch is `image_count // batch_size` steps over a fresh permutation; images left over wait for the next one.
    """
    batch_size = config.training.batch_size
    steps_per_epoch = image_count // batch_size
    warm_up = warm_up_of(config, steps_per_epoch)
    objective = OBJECTIVES.build(config.objective)
    parameters, fixed = eqx.partition(model, trainable_parts(model))
    reads_pixels = weights_on_pixels(parameters)
    optimiser = build_optimiser(config.training, steps_per_epoch * config.training.epochs, reads_pixels)
    key = key_of(config.seed)
    order_key, step_key, score_key = (jr.fold_in(key, stream) for stream in (1, 2, 3))

    def start(model: Model) -> TrainingState:
        parameters, _ = eqx.partition(model, trainable_parts(model))
        average = parameters if config.training.averaging is not None else None
        return TrainingState(jnp.int32(0), parameters, average, jax.jit(optimiser.init)(parameters))

    def loss_of(parameters: PyTree, batch: Batch, beta: Array, keys: Array) -> tuple[Array, tuple[Array, Array]]:
        terms = objective(eqx.combine(parameters, fixed), batch, beta, keys)
        return terms.loss.mean(), (terms.reconstruction.mean(), terms.kl.mean())

    def step(state: TrainingState, draws: Draws, images: Array, labels: Array | None):
        chosen, pixel_key, latent_keys = shared_out(draws.images, mesh), draws.pixels, shared_out(draws.latents, mesh)
        # rows are gathered faster flat
        rows = images.reshape(image_count, -1)[chosen].reshape(batch_size, *images.shape[1:])
        batch = Batch(seen(rows, config.data.pixels, pixel_key), None if labels is None else labels[chosen])
        beta = beta_at(state.step, config.objective.beta, warm_up)
        (loss, (reconstruction, kl)), gradient = jax.value_and_grad(loss_of, has_aux=True)(
            state.parameters, batch, beta, latent_keys
        )
        updates, optimiser_state = optimiser.update(_awaited(gradient), state.optimiser, state.parameters)
        parameters = optax.apply_updates(state.parameters, updates)
        average = averaged(state.average, parameters, state.step)
        new_state = TrainingState(state.step + 1, parameters, average, optimiser_state)
        return new_state, StepLosses(loss, reconstruction, kl, beta)

    def averaged(average: PyTree | None, parameters: PyTree, step: Array) -> PyTree | None:
        if average is None:
            return None
        # short at first, so that the initial weights are soon forgotten
        count = step.astype(jnp.float32)
        decay = jnp.minimum(jnp.float32(config.training.averaging), (1.0 + count) / (10.0 + count))
        return jax.tree.map(lambda old, new: decay * old + (1.0 - decay) * new, average, parameters)

    @jax.jit
    def epoch(state: TrainingState, images: Array, labels: Array | None) -> tuple[TrainingState, StepLosses]:
        draws = draws_of_epoch(state.step)
        return jax.lax.scan(lambda state, draws: step(state, draws, images, labels), state, draws)

    def draws_of_epoch(first_step: Array) -> Draws:
        order = jr.permutation(jr.fold_in(order_key, first_step // steps_per_epoch), image_count)
        step_keys = jax.vmap(lambda number: jr.fold_in(step_key, first_step + number))(jnp.arange(steps_per_epoch))
        pixel_keys, latent_keys = jnp.moveaxis(jax.vmap(jr.split)(step_keys), 1, 0)
        return Draws(
            order[: steps_per_epoch * batch_size].reshape(steps_per_epoch, batch_size),
            pixel_keys,
            jax.vmap(lambda key: jr.split(key, batch_size))(latent_keys),
        )

    @jax.jit
    def score(state: TrainingState, images: Array) -> Scores:
        return _scores(
            objective,
            model_of(state),
            images,
            jnp.float32(config.objective.beta),
            jr.fold_in(score_key, state.step),
        )

    def model_of(state: TrainingState) -> Model:
        """The model as it is used: with the averaged weights, where there are some."""
        return eqx.combine(state.parameters if state.average is None else state.average, fixed)

    return Trainer(start, epoch, score, steps_per_epoch, warm_up, model_of)


def _awaited(gradient: PyTree) -> PyTree:
    """The gradient as it is, every array of it once the first is there: that of the encoder's first layer, the last of the backward pass.

    So weights are replaced in place. Else XLA copies those of the decoder in every step, for it does not see that the backward pass is
    done with them: a tenth of the tutorial's epoch (`python -m benchmarks.steady_epoch`). Where the first entry is none, none is.
    """
    (first, *rest), tree = jax.tree.flatten(gradient)
    last = jnp.ravel(first)[0]
    return jax.tree.unflatten(tree, [first, *(jnp.where(last == last, array, array + last) for array in rest)])


SCORE_CHUNK = 1000


def _scores(objective: AbstractObjective, model: Model, images: Array, beta: Array, key: PRNGKeyArray) -> Scores:
    """The averages over all images, in chunks that fit in memory; the last chunk is padded and its padding not counted."""
    count = images.shape[0]
    size = min(SCORE_CHUNK, count)
    chunks = -(-count // size)
    places = jnp.arange(chunks * size).reshape(chunks, size)

    def score_chunk(inputs: tuple[Array, Array]) -> Scores:
        here, key = inputs
        chosen = jnp.minimum(here, count - 1)
        # a class prior is scored as the mixture over its labels: the held-out label is never used
        terms = objective(model, Batch(seen(images[chosen], "grey", key), labels=None), beta, jr.split(key, size))
        counted = (here < count).astype(jnp.float32)
        return Scores(*(jnp.sum(term * counted) for term in terms))

    sums = jax.lax.map(score_chunk, (places, jr.split(key, chunks)))
    return Scores(*(term.sum() / count for term in sums))


def first_bad_step(losses: StepLosses) -> tuple[int, str] | None:
    """The first step of an epoch whose loss is not finite, and the term at fault; None if all are."""
    bad = ~np.isfinite(np.asarray(losses.loss))
    if not bad.any():
        return None
    index = int(np.argmax(bad))
    terms = {"reconstruction": losses.reconstruction, "kl": losses.kl}
    at_fault = [name for name, values in terms.items() if not np.isfinite(np.asarray(values)[index])]
    return index, " and ".join(at_fault) or "their sum"
