"""One epoch as one `lax.scan` over a source of images, and the scores of held-out images.

A training step is a pure function of (state, step number): the order of the images, the pixel draws and the latent draws all come from
`fold_in(key, ...)`, so a run can be stopped and resumed with the same numbers, bit for bit.

Neither function knows of one training: both are compiled (`programs.py`) for a plan and shapes, and trainings of equal ones share them.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, PyTree

from vaelab.batching import in_blocks
from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.objectives.base import MODEL, Batch
from vaelab.pixels import seen
from vaelab.training.sources import AbstractSource
from vaelab.training.step import Players, averaged, step
from vaelab.training.trainer import Trainer, TrainingState
from vaelab.training.warm_up import beta_at

ALWAYS_SHOWN = ("loss", "reconstruction", "kl")
"""What every objective shows and scores, in nats."""

TAKEN = ("epoch", "beta", "seconds", "images_per_second")
"""What a report of an epoch says beside that."""


class Draws(NamedTuple):
    """What chance decides in each step of an epoch. Made for all of them at once: in the scan, each small operation has its price."""

    images: PyTree  # what the source makes a batch of
    pixels: Key[Array, " steps"]
    latents: Key[Array, "steps batch"]


class StepLosses(NamedTuple):
    """For each step of an epoch."""

    losses: dict[str, Float[Array, " steps"]]  # of each player
    # loss, reconstruction, kl in nats, averaged over a batch, and what else the objective shows
    shown: dict[str, Float[Array, " steps"]]
    beta: Float[Array, " steps"]


Scores = dict[str, Float[Array, ""]]
"""Averages over held-out images at the final beta: loss, reconstruction, kl in nats, and what else the objective scores."""


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
            _check_carried(state.objective, found.state)
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
            translated(
                "an objective shows {names}, in nats, and what else it likes; found no {names_2}",
                names=", ".join(ALWAYS_SHOWN),
                names_2=", ".join(missing),
            )
        )
    taken = [name for name in shown if name in TAKEN or name.startswith("val_")]
    if taken:
        raise VaelabError(
            translated(
                "an objective shows '{taken}', which a report of an epoch says of itself; give it another name",
                taken=taken[0],
            )
        )


def _check_carried(before: PyTree, after: PyTree) -> None:
    def shapes(tree: PyTree) -> PyTree:
        return jax.tree.map(lambda leaf: f"{jnp.result_type(leaf)}{list(jnp.shape(leaf))}", tree)

    if shapes(before) != shapes(after):
        raise VaelabError(
            translated(
                "an objective hands its state on in the shapes that `start` gave it, {shapes}; found {shapes_2}",
                shapes=shapes(before),
                shapes_2=shapes(after),
            )
        )


SCORE_CHUNK = 1000


def score(
    trainer: Trainer, state: TrainingState, images: Array, labels: Int[Array | np.ndarray, " n"] | None = None
) -> Scores:
    """The averages over all images, in chunks that fit in memory; the last chunk is padded and its padding not counted.

    `labels` are a conditional model's, which is scored given them: its loss bounds log p(x|y). Any other model gets none.
    """
    model, beta = trainer.model_of(state), jnp.float32(trainer.plan.beta)
    key = jr.fold_in(trainer.score_key, state.step)
    count = images.shape[0]
    size = min(SCORE_CHUNK, count)
    places = in_blocks(jnp.arange(count), size, filler=count)

    def score_chunk(inputs: tuple[Array, Array]) -> Scores:
        here, key = inputs
        chosen = jnp.minimum(here, count - 1)
        # a class prior is scored as the mixture over its labels: the held-out label is never used
        batch = Batch(seen(images[chosen], "grey", key), None if labels is None else labels[chosen])
        terms = trainer.objective.score(model, batch, beta, jr.split(key, size))
        _check_shown(terms)
        counted = (here < count).astype(jnp.float32)
        return {name: jnp.sum(values * counted) for name, values in terms.items()}

    sums = jax.lax.map(score_chunk, (places, jr.split(key, len(places))))
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
