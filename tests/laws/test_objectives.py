"""Laws of objectives: parts that add up, gradients for every player, and a loss that bounds what it should."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from laws.table import IMAGE, KEY, OBJECTIVE_SETTINGS, model_of, objective_of
from vaelab.kinds import OBJECTIVES, POSTERIORS
from vaelab.kinds import PRIORS as PRIORS_TABLE
from vaelab.model import trainable_parts
from vaelab.objectives.base import MODEL, AbstractObjective, Batch

BATCH = Batch((jr.uniform(KEY, (16, *IMAGE)) > 0.5).astype(jnp.float32), jnp.arange(16) % 3)
PRIORS = ("normal", "vamp")
EACH = [
    (name, prior)
    for name, settings in OBJECTIVE_SETTINGS.items()
    for prior in PRIORS
    if OBJECTIVES.settings(settings).refusal(POSTERIORS.settings("gaussian"), PRIORS_TABLE.settings(prior)) is None
]
"""What is not refused when a configuration is read."""


@pytest.mark.parametrize(("name", "prior"), EACH)
def test_loss_is_reconstruction_and_beta_kl(name: str, prior: str) -> None:
    objective, model = objective_of(name), model_of(prior=prior)
    players = {MODEL: model, **objective.players(model, key=KEY)}
    state = objective.start(model, key=KEY)
    of_beta = jax.jit(lambda beta: objective(players, state, BATCH, beta, jr.split(KEY, 16)))
    for beta in (0.3, 1.0):
        loss = of_beta(jnp.float32(beta))
        shown = loss.shown
        assert set(loss.losses) == set(players)
        np.testing.assert_allclose(shown["loss"], shown["reconstruction"] + beta * shown["kl"], rtol=1e-5)
        assert jax.tree.structure(loss.state) == jax.tree.structure(state)


@pytest.mark.parametrize(("name", "prior"), EACH)
def test_each_player_has_a_finite_gradient_that_moves_it(name: str, prior: str) -> None:
    objective, model = objective_of(name), model_of(prior=prior)
    players = {MODEL: model, **objective.players(model, key=KEY)}
    state = objective.start(model, key=KEY)

    def loss_of(player, who: str) -> jax.Array:
        return objective({**players, who: player}, state, BATCH, jnp.float32(1.0), jr.split(KEY, 16)).losses[who]

    for who, player in players.items():
        moved = eqx.filter(
            eqx.filter_jit(eqx.filter_grad(loss_of))(player, who), trainable_parts(model) if who == MODEL else True
        )
        for leaf in jax.tree.leaves(moved):
            assert np.isfinite(leaf).all()
        assert any(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(moved))


OF_ITS_OWN = [name for name in OBJECTIVE_SETTINGS if type(objective_of(name)).score is not AbstractObjective.score]
"""Those with a score of their own; all others have the ELBO's, as `elbo` of one draw has."""


@pytest.mark.parametrize("name", OF_ITS_OWN)
def test_scores_of_single_images_are_those_of_the_batch(name: str) -> None:
    objective, model = objective_of(name), model_of()
    keys = jr.split(KEY, 16)
    score = jax.jit(lambda images, keys: objective.score(model, Batch(images, None), jnp.float32(1.0), keys))
    whole = score(BATCH.images, keys)
    for place in (0, 7):
        one = score(BATCH.images[place : place + 1], keys[place : place + 1])
        for term, values in one.items():
            np.testing.assert_allclose(values[0], whole[term][place], rtol=1e-5)


@pytest.mark.parametrize("name", OF_ITS_OWN)
def test_it_bounds_the_negative_log_likelihood_from_above(name: str) -> None:
    """-log p(x) by importance sampling of 20,000 draws, which for such a small model is exact to a hundredth of a nat."""
    from vaelab.evaluation.likelihood import importance_weighted_bound

    objective, model = objective_of(name), model_of()
    images = np.asarray(BATCH.images)
    exact = -importance_weighted_bound(model, model.prior_density(), images, samples=20_000, key=KEY).log_prob
    score = jax.jit(lambda keys: objective.score(model, Batch(BATCH.images, None), jnp.float32(1.0), keys)["loss"])
    scores = [score(jr.split(jr.key(seed), 16)) for seed in range(200)]
    assert np.mean(scores, axis=0).mean() > exact.mean() - 0.02
