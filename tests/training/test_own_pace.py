"""Scales that move at their own pace: to their optimum, whatever the run's optimiser and its rate."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from scipy import stats

import vaelab
from vaelab.families.base import AbstractFamily
from vaelab.families.own_pace import own_optimiser
from vaelab.kinds import LIKELIHOODS

KEY = jr.key(0)
SHAPE = (20, 20)


def family_of(kind: str, **settings: object) -> AbstractFamily:
    return LIKELIHOODS.build(LIKELIHOODS.settings({"kind": kind, "learned": "optimal", **settings}), SHAPE, key=KEY)


@pytest.mark.parametrize("scale", [0.004, 0.9])
@pytest.mark.parametrize("kind", ["gaussian", "laplace", "discretised-logistic"])
def test_from_far_off_they_reach_their_optimum_in_a_hundred_steps(kind: str, scale: float) -> None:
    values = jnp.round(255 * jnp.clip(0.5 + 0.05 * jr.normal(KEY, (30, *SHAPE)), 0, 1)) / 255
    family = family_of(kind, scale=scale)
    optimiser = own_optimiser()

    def loss(family: AbstractFamily) -> jax.Array:
        density = family(mean=jnp.full(SHAPE, 0.5))
        return -jax.vmap(density.log_prob)(values).mean()

    moving, fixed = eqx.partition(family, family.own_paced())
    state = optimiser.init(moving)
    gradient = jax.jit(jax.grad(lambda moving: loss(eqx.combine(moving, fixed))))
    for _ in range(100):
        updates, state = optimiser.update(gradient(moving), state)
        moving = optax.apply_updates(moving, updates)
    found = float(eqx.combine(moving, fixed).optimal_scale())
    if kind == "gaussian":
        expected = float(jnp.sqrt(jnp.mean((values - 0.5) ** 2)))
    elif kind == "laplace":
        expected = float(jnp.mean(jnp.abs(values - 0.5)))
    else:
        expected = float(stats.logistic.fit(np.ravel(values), floc=0.5)[1])
    assert found == pytest.approx(expected, rel=0.01)


def test_the_gradient_is_the_natural_one() -> None:
    """Of a Gaussian: (1 - mean square error / variance) / 2, whatever the number of pixels."""
    family = family_of("gaussian", scale=0.5)
    value = 0.7 * jr.normal(KEY, SHAPE)
    found = eqx.filter_grad(lambda family: -family(mean=jnp.zeros(SHAPE)).log_prob(value))(family)
    expected = 0.5 * (1.0 - float(jnp.mean(value**2)) / 0.25)
    assert float(found.optimal_scale.log_scale) == pytest.approx(expected, rel=1e-5)


def test_no_floor_is_passed() -> None:
    family = family_of("gaussian", scale=0.01, floor=0.005)
    moved = eqx.tree_at(lambda family: family.optimal_scale.log_scale, family, jnp.float32(-20.0))
    assert float(moved(mean=jnp.zeros(SHAPE)).scale) == pytest.approx(0.005)


def test_in_a_training_it_ends_at_the_error_that_is_left() -> None:
    images = np.asarray(jnp.clip(0.5 + 0.1 * jr.normal(KEY, (200, 6, 6)), 0, 1))
    vae = vaelab.VAE(
        2,
        (8,),
        likelihood={"kind": "gaussian", "learned": "optimal"},
        epochs=80,
        batch_size=50,
        learning_rate=1e-2,
        random_state=0,
    ).fit(images)
    error = np.sqrt(np.mean((vae.inverse_transform(vae.transform(images)).reshape(images.shape) - images) ** 2))
    assert float(vae.model_.decoder.family.scale) == pytest.approx(error, rel=0.02)
