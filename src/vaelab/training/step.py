"""One training step, for whatever is trained here: models and who plays against them, priors on latents, classifiers.

Each player takes the gradient of its own loss and of no other, and its own optimiser moves it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from vaelab.errors import VaelabError
from vaelab.language import translated

Players = dict[str, PyTree]
"""The trainable arrays of each player by its name, None elsewhere."""


class Stepped(NamedTuple):
    """What a step leaves: the players moved, their optimisers' states, and from before the move the losses and what came with them."""

    players: Players
    optimisers: dict[str, PyTree]
    losses: dict[str, Float[Array, ""]]
    rest: Any


def step(
    losses_of: Callable[[Players], tuple[dict[str, Float[Array, ""]], Any]],
    players: Players,
    states: dict[str, PyTree],
    optimisers: Mapping[str, optax.GradientTransformation],
) -> Stepped:
    """One step of every player, all from where they stand now.

    `losses_of` gives a loss for each player and anything else; `states` are their optimisers'. The losses are computed once and pulled
    back once for each player. With one player it is `jax.value_and_grad`, bit for bit.

    Raises:
        VaelabError: where losses and players do not have the same names.
    """
    losses, pull_back, rest = jax.vjp(losses_of, players, has_aux=True)
    if losses.keys() != players.keys():
        raise VaelabError(
            translated(
                "an objective has one loss for each player: the players are {named}; found losses of {named_2}",
                named=_named(players),
                named_2=_named(losses),
            )
        )
    moved: Players = {}
    new_states: dict[str, PyTree] = {}
    for name in players:
        own = {other: jnp.ones_like(loss) if other == name else jnp.zeros_like(loss) for other, loss in losses.items()}
        gradient = pull_back(own)[0][name]
        updates, new_states[name] = optimisers[name].update(gradient, states[name], players[name])
        moved[name] = optax.apply_updates(players[name], updates)
    return Stepped(moved, new_states, losses, rest)


def awaiting(optimiser: optax.GradientTransformation) -> optax.GradientTransformation:
    """The optimiser, which begins once the whole backward pass is done. So weights are replaced in place.

    Else XLA copies those of the decoder in every step, for it does not see that the backward pass is done with them: a tenth of the
    tutorial's epoch (`python -m benchmarks.steady_epoch`).
    """

    def update(updates: PyTree, state: PyTree, params: PyTree | None = None):
        return optimiser.update(awaited(updates), state, params)

    return optax.GradientTransformation(optimiser.init, update)


def awaited(gradient: PyTree) -> PyTree:
    """The gradient as it is, every array of it once the first is there: that of the encoder's first layer, the last of the backward pass.

    Where the first entry is none, none is.
    """
    (first, *rest), tree = jax.tree.flatten(gradient)
    last = jnp.ravel(first)[0]
    return jax.tree.unflatten(tree, [first, *(jnp.where(last == last, array, array + last) for array in rest)])


def averaged(average: PyTree, new: PyTree, step: Int[Array, ""], decay: float) -> PyTree:
    """The moving average of weights after a step, counted from 0: short at first, so that the initial weights are soon forgotten.

    decay_t = min(decay, (1 + t) / (10 + t)), as TensorFlow's moving average has it.
    """
    count = step.astype(jnp.float32)
    share = jnp.minimum(jnp.float32(decay), (1.0 + count) / (10.0 + count))
    return jax.tree.map(lambda old, new: share * old + (1.0 - share) * new, average, new)


def _named(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names)) or "none"
