"""Critics: what they find where the answer is known, and whom they tell it."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

from laws.table import IMAGE, KEY, model_of
from vaelab.kinds import OBJECTIVES
from vaelab.objectives.base import MODEL, Batch, Loss
from vaelab.objectives.critic import CRITIC, Critic, telling_apart
from vaelab.objectives.factor import permuted_dimensions
from vaelab.training.optimisers import promoting

IMAGES = (jr.uniform(KEY, (16, *IMAGE)) > 0.5).astype(jnp.float32)


def test_shuffled_dimensions_have_the_same_numbers_and_no_correlation():
    x = jr.normal(KEY, (20_000, 1))
    z = jnp.concatenate([x, x + 0.1 * jr.normal(jr.key(1), x.shape)], axis=1)
    found = np.asarray(permuted_dimensions(z, jr.key(2)))
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(np.asarray(z), axis=0))
    assert np.corrcoef(np.asarray(z).T)[0, 1] > 0.99
    assert abs(np.corrcoef(found.T)[0, 1]) < 5 / 20_000**0.5


def test_a_trained_critic_finds_the_total_correlation():
    """Of a Gaussian in the plane with correlation rho it is -1/2 log(1 - rho^2)."""
    rho = 0.8
    root = jnp.linalg.cholesky(jnp.array([[1.0, rho], [rho, 1.0]]))
    optimiser = promoting(optax.adam(3e-3))

    def codes(key: Any, count: int) -> Any:
        return jr.normal(key, (count, 2)) @ root.T

    arrays, static = eqx.partition(Critic(2, (32, 32), key=KEY), eqx.is_inexact_array)

    def loss(arrays: Any, key: Any) -> Any:
        critic = jax.vmap(eqx.combine(arrays, static))
        z = codes(key, 1000)
        return telling_apart(critic(z[:500]), critic(permuted_dimensions(z[500:], jr.fold_in(key, 1))))

    def one(carried: Any, key: Any) -> Any:
        arrays, state = carried
        updates, state = optimiser.update(jax.grad(loss)(arrays, key), state)
        return (optax.apply_updates(arrays, updates), state), None

    train = jax.jit(lambda carried, keys: jax.lax.scan(one, carried, keys))
    (arrays, _), _ = train((arrays, optimiser.init(arrays)), jr.split(KEY, 1000))
    critic = eqx.combine(arrays, static)
    found = float(jax.vmap(critic)(codes(jr.key(9), 20_000)).mean())
    assert found == pytest.approx(-0.5 * np.log(1 - rho**2), abs=0.06)


def losses(settings: dict[str, Any], *, change: Any = None, model: Any = None) -> Loss:
    model = model_of() if model is None else model
    objective = OBJECTIVES.build(OBJECTIVES.settings(settings))
    players = {MODEL: model, **objective.players(model, key=KEY)}
    if change is not None:
        players[CRITIC] = change(players[CRITIC])
    return objective(players, None, Batch(IMAGES, None), jnp.float32(1.0), jr.split(KEY, 16))


def silent(critic: Any) -> Any:
    """A critic that guesses: log-odds of 0."""
    return eqx.tree_at(lambda one: one.head, critic, jax.tree.map(jnp.zeros_like, critic.head))


SETTINGS = {
    "factor": {"kind": "factor", "critic": (6,)},
    "adversarial": {"kind": "adversarial", "critic": (6,)},
    "vae-gan": {"kind": "vae-gan", "critic": "mlp"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_critic_that_guesses_loses_a_bit_for_each_it_is_shown(name: str):
    found = losses(SETTINGS[name], change=silent)
    assert float(found.losses[CRITIC]) == pytest.approx((3 if name == "vae-gan" else 2) * np.log(2), rel=1e-5)
    if name == "factor":
        assert float(found.shown["total_correlation"]) == 0.0


@pytest.mark.parametrize("name", SETTINGS)
def test_the_critics_loss_moves_no_code_and_no_picture(name: str):
    def of_critic(model: Any) -> Any:
        return losses(SETTINGS[name], model=model).losses[CRITIC]

    for leaf in jax.tree.leaves(eqx.filter_grad(of_critic)(model_of())):
        assert not np.any(leaf)


def test_codes_are_drawn_to_where_the_critic_sees_the_prior():
    """Codes that it takes for the prior's cost less, and the gradient of the encoder by a linear critic points that way."""

    def leaning(critic: Critic) -> Critic:
        return eqx.tree_at(lambda one: one.head.bias, silent(critic), jnp.array([2.0]))

    sure, unsure = (losses(SETTINGS["adversarial"], change=one).shown["adversarial"] for one in (leaning, silent))
    assert float(unsure) == pytest.approx(np.log(2), rel=1e-5)
    assert float(sure) == pytest.approx(np.log1p(np.exp(-2.0)), rel=1e-5)


def test_only_the_decoder_learns_to_deceive():
    """In the VAE-GAN the weight of the critic changes the decoder's gradient, and neither encoder's nor prior's."""
    model = model_of(prior="mixture")

    def gradient(weight: float) -> Any:
        def of_model(model: Any) -> Any:
            return losses({**SETTINGS["vae-gan"], "weight": weight}, model=model).losses[MODEL]

        return eqx.filter_grad(of_model)(model)

    without, with_it = gradient(0.0), gradient(50.0)
    for part, is_moved in (("encoder", False), ("prior", False), ("decoder", True)):
        pairs = zip(*(jax.tree.leaves(getattr(one, part)) for one in (without, with_it)), strict=True)
        assert any(np.abs(a - b).max() > 1e-3 for a, b in pairs) == is_moved, part
