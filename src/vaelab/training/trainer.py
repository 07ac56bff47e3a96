"""A training but for its images: who is trained, by which optimisers, and what its compiled programs are for.

What a program is compiled for is a `Plan`, which is compared by its values; all else is arrays. So a second training of the same shapes
and settings, whatever its seed, compiles nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from jaxtyping import Array, Float, Int, PRNGKeyArray, PyTree

from vaelab.config import Config, TrainingConfig
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.model import Model, own_paced, trainable_parts, weights_on_pixels
from vaelab.objectives.base import MODEL, AbstractObjective
from vaelab.pixels import Pixels
from vaelab.training.optimisers import Optimiser, build_optimiser
from vaelab.training.place import Place
from vaelab.training.programs import compiled
from vaelab.training.random_bits import key_of
from vaelab.training.step import Players, awaiting
from vaelab.training.warm_up import WarmUp, warm_up_of


class TrainingState(NamedTuple):
    """All that a step carries on; nothing else changes in training."""

    step: Int[Array, ""]
    players: Players  # the trainable arrays of the model, and of those that its objective trains beside it
    average: PyTree | None  # the moving average of the model's, where the configuration asks for one
    optimisers: dict[str, PyTree]  # of each player
    objective: PyTree  # what the objective carries on


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
        carried = jax.tree.map(jnp.asarray, self.objective.start(_shared(players[MODEL]), key=key))
        return TrainingState(
            jnp.int32(0), parameters, average, compiled(_first_states, self, parameters)(self, parameters), carried
        )

    def players_of(self, parameters: Players) -> dict[str, Any]:
        """The players whole, of their trainable arrays."""
        return {name: eqx.combine(moved, self.fixed[name]) for name, moved in parameters.items()}

    def model_of(self, state: TrainingState) -> Model:
        """The model as it is used: with the averaged weights, where there are some. It does not know its training images' values."""
        return self.model_with(state.players[MODEL] if state.average is None else state.average)

    def model_with(self, parameters: PyTree) -> Model:
        """The model of these trainable arrays."""
        return eqx.combine(parameters, self.fixed[MODEL])

    def optimisers(self, parameters: Players) -> dict[str, optax.GradientTransformation]:
        """Optax's own, for each player."""
        masks = (weights_on_pixels(parameters[MODEL]), own_paced(parameters[MODEL]))
        return {
            name: awaiting(found.build(self.rates[name], *(masks if name == MODEL else ())))
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


def _settings_of(
    config: Config, objective: AbstractObjective, players: Mapping[str, eqx.Module]
) -> dict[str, TrainingConfig]:
    """`training.*` for each player: the run's, and for those beside the model what the objective says of them."""
    own = objective.optimisers()
    unknown = sorted(own.keys() - players.keys())
    if unknown:
        raise VaelabError(
            translated(
                "an objective has an optimiser for {names}; its players are {names_2}",
                names=", ".join(unknown),
                names_2=", ".join(sorted(players)),
            )
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


def _first_states(trainer: Trainer, parameters: Players) -> dict[str, PyTree]:
    return {name: optimiser.init(parameters[name]) for name, optimiser in trainer.optimisers(parameters).items()}
