"""One epoch as one jitted `lax.scan` over a source of images, and the scores of held-out images.

A training step is a pure function of (state, step number): the order of the images, the pixel draws and the latent draws all come from
`fold_in(key, ...)`, so a run can be stopped and resumed with the same numbers, bit for bit.

The jitted functions are of this module, not of one training. What a program is compiled for is a `Plan`, which is compared by its values;
all else is arrays. So a second training of the same shapes and settings, whatever its seed, compiles nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray, PyTree

from vaelab.config import Config
from vaelab.errors import VaelabError
from vaelab.model import Model, trainable_parts, weights_on_pixels
from vaelab.objectives.base import MODEL, AbstractObjective, Batch
from vaelab.pixels import Pixels, seen
from vaelab.training.optimisers import Optimiser, build_optimiser
from vaelab.training.place import Place
from vaelab.training.random_bits import key_of
from vaelab.training.sources import AbstractSource
from vaelab.training.step import Players, averaged, awaiting, step
from vaelab.training.warm_up import WarmUp, beta_at, warm_up_of

ALWAYS_SHOWN = ("loss", "reconstruction", "kl")
"""What every objective shows and scores, in nats."""


class TrainingState(NamedTuple):
    """All that a step carries on; nothing else changes in training."""

    step: Int[Array, ""]
    players: Players  # the trainable arrays of the model, and of those that its objective trains beside it
    average: PyTree | None  # the moving average of the model's, where the configuration asks for one
    optimisers: dict[str, PyTree]  # of each player
    objective: PyTree  # what the objective carries on


class Draws(NamedTuple):
    """What chance decides in each step of an epoch. Made for all of them at once: in the scan, each small operation has its price."""

    images: PyTree  # what the source makes a batch of
    pixels: Key[Array, " steps"]
    latents: Key[Array, "steps batch"]


class StepLosses(NamedTuple):
    """For each step of an epoch."""

    losses: dict[str, Float[Array, " steps"]]  # of each player
    shown: dict[
        str, Float[Array, " steps"]
    ]  # loss, reconstruction, kl in nats, averaged over a batch, and what else the objective shows
    beta: Float[Array, " steps"]


Scores = dict[str, Float[Array, ""]]
"""Averages over held-out images at the final beta: loss, reconstruction, kl in nats, and what else the objective scores."""


@dataclass(frozen=True)
class Plan:
    """What the programs of a training are compiled for: values, and no functions, so that equal plans share them."""

    batch_size: int
    pixels: Pixels
    beta: float
    warm_up: WarmUp | None  # None where beta does not rise
    averaging: float | None
    optimisers: tuple[tuple[str, Optimiser], ...]
    place: Place


class Trainer(eqx.Module):
    """A training but for its state and its images: what no step changes."""

    objective: AbstractObjective
    fixed: dict[str, PyTree]  # of each player, what training does not move
    rates: dict[str, Float[Array, ""] | None]  # of each player's optimiser; None where it has it as a constant
    order_key: PRNGKeyArray
    step_key: PRNGKeyArray
    score_key: PRNGKeyArray
    plan: Plan = eqx.field(static=True)

    def start(self, players: Mapping[str, Any], key: PRNGKeyArray) -> TrainingState:
        """The state before the first step; `key` is for what the objective carries on."""
        parameters, _ = _parted(players)
        average = parameters[MODEL] if self.plan.averaging is not None else None
        carried = self.objective.start(_shared(players[MODEL]), key=key)
        return TrainingState(jnp.int32(0), parameters, average, _first_states(self, parameters), carried)

    def players_of(self, parameters: Players) -> dict[str, Any]:
        """The players whole, of their trainable arrays."""
        return {name: eqx.combine(moved, self.fixed[name]) for name, moved in parameters.items()}

    def model_of(self, state: TrainingState) -> Model:
        """The model as it is used: with the averaged weights, where there are some. It does not know its training images' values."""
        return self.model_with(state.players[MODEL] if state.average is None else state.average)

    def model_with(self, parameters: PyTree) -> Model:
        """The model of these trainable arrays."""
        return eqx.combine(parameters, self.fixed[MODEL])

    def optimisers(self, parameters: Players) -> dict[str, Any]:
        """Optax's own, for each player."""
        reads_pixels = weights_on_pixels(parameters[MODEL])
        return {
            name: awaiting(found.build(self.rates[name], reads_pixels if name == MODEL else None))
            for name, found in self.plan.optimisers
        }


def build_trainer(
    config: Config, objective: AbstractObjective, players: Mapping[str, eqx.Module], steps: int
) -> Trainer:
    """The training of these players, `players["model"]` among them, by so many steps an epoch.

    Raises:
        VaelabError: for an optimiser or a warm-up that cannot be built.
    """
    warm_up = warm_up_of(config, steps)
    settings = _settings_of(config, objective, players)
    for own in settings.values():
        build_optimiser(own, steps)  # refused here, if at all
    total = steps * config.training.epochs
    optimisers = {name: Optimiser.of(own, total) for name, own in settings.items()}
    plan = Plan(
        batch_size=config.training.batch_size,
        pixels=config.data.pixels,
        beta=config.objective.beta,
        warm_up=warm_up if warm_up.rise else None,
        averaging=config.training.averaging,
        optimisers=tuple((name, optimiser) for name, (optimiser, _) in optimisers.items()),
        place=Place.sharing(config.training.batch_size),
    )
    _, fixed = _parted(players)
    key = key_of(config.seed)
    order_key, step_key, score_key = (jr.fold_in(key, stream) for stream in (1, 2, 3))
    rates = {name: rate for name, (_, rate) in optimisers.items()}
    return Trainer(objective, fixed, rates, order_key, step_key, score_key, plan)


def _settings_of(config: Config, objective: AbstractObjective, players: Mapping[str, eqx.Module]) -> dict[str, Any]:
    """`training.*` for each player: the run's, and for those beside the model what the objective says of them."""
    own = objective.optimisers()
    unknown = sorted(own.keys() - players.keys())
    if unknown:
        raise VaelabError(
            f"an objective has an optimiser for {', '.join(unknown)}; its players are {', '.join(sorted(players))}"
        )
    found = {}
    for name in players:
        # the share of the first layer is the model's, which reads the pixels
        of_others = {} if name == MODEL else {"first_layer_rate": 1.0}
        changes = {f"training.{key}": value for key, value in (of_others | own.get(name, {})).items()}
        changed = config.with_values(changes, source=f"the optimiser of {name}") if changes else config
        found[name] = changed.training
    return found


def _parted(players: Mapping[str, Any]) -> tuple[Players, dict[str, PyTree]]:
    """What training moves of each player, and the rest: of the model what its parts declare, of others all floating-point arrays."""
    parameters, fixed = {}, {}
    for name, player in players.items():
        player = _shared(player) if name == MODEL else player
        mask = trainable_parts(player) if name == MODEL else jax.tree.map(eqx.is_inexact_array, player)
        parameters[name], fixed[name] = eqx.partition(player, mask)
    return parameters, fixed


def _shared(model: Model) -> Model:
    """The model without the range of its training images, by which compiled programs would differ, though none looks at it."""
    return replace(model, values=None)


@eqx.filter_jit
def _first_states(trainer: Trainer, parameters: Players) -> dict[str, PyTree]:
    return {name: optimiser.init(parameters[name]) for name, optimiser in trainer.optimisers(parameters).items()}


@eqx.filter_jit
def run_epoch(trainer: Trainer, state: TrainingState, source: AbstractSource) -> tuple[TrainingState, StepLosses]:
    """`source.count // batch_size` steps over a fresh permutation of the images; those left over wait for the next epoch."""
    plan, objective = trainer.plan, trainer.objective
    optimisers = trainer.optimisers(state.players)

    def one(state: TrainingState, draws: Draws) -> tuple[TrainingState, StepLosses]:
        rows, labels = source.batch(plan.place.shared_out(draws.images))
        latent_keys = plan.place.shared_out(draws.latents)
        batch = Batch(seen(rows, plan.pixels, draws.pixels), labels)
        beta = jnp.float32(plan.beta) if plan.warm_up is None else beta_at(state.step, plan.beta, plan.warm_up)

        def losses_of(parameters: Players) -> tuple[dict[str, Array], tuple[dict[str, Array], PyTree]]:
            found = objective(trainer.players_of(parameters), state.objective, batch, beta, latent_keys)
            _check_shown(found.shown)
            return found.losses, (found.shown, found.state)

        moved = step(losses_of, state.players, state.optimisers, optimisers)
        shown, carried = moved.rest
        average = (
            None
            if state.average is None or plan.averaging is None
            else averaged(state.average, moved.players[MODEL], state.step, plan.averaging)
        )
        new_state = TrainingState(state.step + 1, moved.players, average, moved.optimisers, carried)
        return new_state, StepLosses(moved.losses, shown, beta)

    return jax.lax.scan(one, state, _draws_of_epoch(trainer, state.step, source))


def _draws_of_epoch(trainer: Trainer, first_step: Int[Array, ""], source: AbstractSource) -> Draws:
    batch_size = trainer.plan.batch_size
    steps = source.count // batch_size
    step_keys = jax.vmap(lambda number: jr.fold_in(trainer.step_key, first_step + number))(jnp.arange(steps))
    pixel_keys, latent_keys = jnp.moveaxis(jax.vmap(jr.split)(step_keys), 1, 0)
    return Draws(
        source.epoch(jr.fold_in(trainer.order_key, first_step // steps), batch_size),
        pixel_keys,
        jax.vmap(lambda key: jr.split(key, batch_size))(latent_keys),
    )


def _check_shown(shown: Mapping[str, Any]) -> None:
    missing = [name for name in ALWAYS_SHOWN if name not in shown]
    if missing:
        raise VaelabError(
            f"an objective shows {', '.join(ALWAYS_SHOWN)}, in nats, and what else it likes; found no {', '.join(missing)}"
        )


SCORE_CHUNK = 1000


@eqx.filter_jit
def score(trainer: Trainer, state: TrainingState, images: Array) -> Scores:
    """The averages over all images, in chunks that fit in memory; the last chunk is padded and its padding not counted."""
    model, beta = trainer.model_of(state), jnp.float32(trainer.plan.beta)
    key = jr.fold_in(trainer.score_key, state.step)
    count = images.shape[0]
    size = min(SCORE_CHUNK, count)
    chunks = -(-count // size)
    places = jnp.arange(chunks * size).reshape(chunks, size)

    def score_chunk(inputs: tuple[Array, Array]) -> Scores:
        here, key = inputs
        chosen = jnp.minimum(here, count - 1)
        # a class prior is scored as the mixture over its labels: the held-out label is never used
        batch = Batch(seen(images[chosen], "grey", key), labels=None)
        terms = trainer.objective.score(model, batch, beta, jr.split(key, size))
        _check_shown(terms)
        counted = (here < count).astype(jnp.float32)
        return {name: jnp.sum(values * counted) for name, values in terms.items()}

    sums = jax.lax.map(score_chunk, (places, jr.split(key, chunks)))
    return {name: term.sum() / count for name, term in sums.items()}


def first_bad_step(losses: StepLosses) -> tuple[int, str] | None:
    """The first step of an epoch at which a player's loss is not finite, and the term at fault; None if all are."""
    bad = ~np.isfinite(np.stack([np.asarray(values) for values in losses.losses.values()])).all(axis=0)
    if not bad.any():
        return None
    index = int(np.argmax(bad))
    terms = {name: values for name, values in losses.shown.items() if name != "loss"}
    terms |= {f"loss of {name}": values for name, values in losses.losses.items() if name != MODEL}
    order = in_order(terms)
    at_fault = [name for name in order if not np.isfinite(np.asarray(terms[name])[index])]
    return index, " and ".join(at_fault) or "their sum"


def in_order(shown: Mapping[str, Any]) -> list[str]:
    """The names of what is shown as a reader expects them: loss, reconstruction, kl, then the others."""
    return [*(name for name in ALWAYS_SHOWN if name in shown), *sorted(shown.keys() - set(ALWAYS_SHOWN))]
