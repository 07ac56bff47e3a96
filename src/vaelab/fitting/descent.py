"""Maximum likelihood by gradient steps, stopped by held-out draws."""

from collections.abc import Callable
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.fitting.parts import Draws
from vaelab.priors.base import AbstractPrior
from vaelab.training.optimisers import promoting
from vaelab.training.sources import order_of_epoch
from vaelab.training.step import Players, step

Prior = TypeVar("Prior", bound=AbstractPrior)
Loss = Callable[[Prior, Float[Array, " latent"], PRNGKeyArray], Float[Array, ""]]

LARGEST_BATCH, SMALLEST_BATCH, BATCHES = 500, 20, 40
"""A batch is a fortieth of the draws within these limits: few draws should not mean few steps."""

PRIOR = "prior"
"""The one player of a fit."""

ROUNDS = 60
PATIENCE = 12


def fitted_by_descent(
    prior: Prior,
    loss: Loss[Prior],
    draws: Draws,
    *,
    key: PRNGKeyArray,
    rounds: int = ROUNDS,
    learning_rate: float = 3e-3,
) -> tuple[Prior, float, int]:
    """The prior after the round whose held-out loss is lowest; that loss, in nats a draw; and the number of the round.

    A round is one pass over the fitted draws in batches (over fresh ones, where `draws` has any), with Adam and a learning rate that
    falls as half a cosine. Only what `prior.trainable()` names is moved. Ends after `PATIENCE` rounds without a lower held-out loss.
    """
    fresh_key = jr.fold_in(key, 0)
    judges = jnp.asarray(draws.held_out, jnp.float32)

    def values_of(number: int) -> Float[Array, "fitted latent"]:
        drawn = draws.fitted if draws.fresh is None else draws.fresh(jr.fold_in(fresh_key, number))
        return jnp.asarray(drawn, jnp.float32)

    values = values_of(0)
    count = len(values)
    batch = min(max(count // BATCHES, SMALLEST_BATCH), LARGEST_BATCH, count)
    steps = count // batch
    falling = optax.cosine_decay_schedule(learning_rate, steps * rounds)
    optimisers = {PRIOR: promoting(optax.chain(optax.clip_by_global_norm(10.0), optax.adam(falling)))}
    parameters, fixed = eqx.partition(prior, prior.trainable())
    state = optimisers[PRIOR].init(parameters)

    def mean_loss(parameters: PyTree, chosen: Array, key: PRNGKeyArray) -> Float[Array, ""]:
        whole = eqx.combine(parameters, fixed)
        return jax.vmap(lambda value, key: loss(whole, value, key))(chosen, jr.split(key, len(chosen))).mean()

    def one(
        carry: tuple[PyTree, PyTree], inputs: tuple[Float[Array, "batch latent"], PRNGKeyArray]
    ) -> tuple[tuple[PyTree, PyTree], None]:
        def losses_of(players: Players) -> tuple[dict[str, Float[Array, ""]], None]:
            return {PRIOR: mean_loss(players[PRIOR], *inputs)}, None

        parameters, state = carry
        moved = step(losses_of, {PRIOR: parameters}, {PRIOR: state}, optimisers)
        return (moved.players[PRIOR], moved.optimisers[PRIOR]), None

    # centre and spread of the draws are constants of the program, so each fit has its own
    @jax.jit
    def one_round(
        parameters: PyTree,
        state: PyTree,
        values: Float[Array, "fitted latent"],
        judges: Float[Array, "held_out latent"],
        key: PRNGKeyArray,
    ) -> tuple[PyTree, PyTree, Float[Array, ""]]:
        order_key, step_key = jr.split(key)
        order = order_of_epoch(order_key, count, batch)
        (parameters, state), _ = jax.lax.scan(one, (parameters, state), (values[order], jr.split(step_key, steps)))
        # the same noise in every round, so that rounds are compared fairly
        return parameters, state, mean_loss(parameters, judges, jr.key(0))

    best, best_loss, best_round = parameters, np.inf, 0
    for number in range(1, rounds + 1):
        values = values if draws.fresh is None else values_of(number)
        parameters, state, judged = one_round(parameters, state, values, judges, jr.fold_in(key, number))
        if float(judged) < best_loss:
            best, best_loss, best_round = parameters, float(judged), number
        elif number - best_round >= PATIENCE:
            break
    return eqx.combine(best, fixed), best_loss, best_round
