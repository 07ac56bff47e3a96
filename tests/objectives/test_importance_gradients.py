"""Several bounds, and the doubly reparameterised gradient: the values by NumPy, the gradients by the standard one's mean."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy.special import logsumexp

from laws.table import IMAGE, KEY, model_of
from vaelab.model import Model, elbo_terms
from vaelab.objectives.base import MODEL, Batch
from vaelab.objectives.importance_weighted import ImportanceWeighted
from vaelab.objectives.terms import dropout_key

IMAGES = (jr.uniform(KEY, (2, *IMAGE)) > 0.5).astype(jnp.float32)


def loss_of(objective: ImportanceWeighted, model: Model, key: Any, beta: float = 1.0) -> jax.Array:
    return objective({MODEL: model}, None, Batch(IMAGES, None), jnp.float32(beta), jr.split(key, 2)).losses[MODEL]


def log_weights(model: Model, key: Any, draws: int) -> np.ndarray:
    """(image, draw), of the draws that the objective makes."""
    prior = model.prior_density()

    def one(image: Any, key: Any) -> Any:
        return elbo_terms(model, prior, image, key, None, dropout_key(key, True)).log_weight

    return np.asarray(
        [[one(image, draw) for draw in jr.split(k, draws)] for image, k in zip(IMAGES, jr.split(key, 2), strict=True)],
        np.float64,
    )


def bound(weights: np.ndarray) -> np.ndarray:
    """log of the mean of w along the last axis."""
    return logsumexp(weights, axis=-1) - np.log(weights.shape[-1])


VALUES: dict[str, tuple[ImportanceWeighted, Callable[[np.ndarray], np.ndarray]]] = {
    "IWAE": (ImportanceWeighted(6), lambda w: bound(w)),
    "MIWAE of one bound is IWAE": (ImportanceWeighted(6, 1), lambda w: bound(w)),
    "MIWAE of single draws is the ELBO": (ImportanceWeighted(1, 6), lambda w: w.mean(axis=1)),
    "MIWAE": (ImportanceWeighted(3, 2), lambda w: bound(w.reshape(-1, 2, 3)).mean(axis=1)),
    "PIWAE is scored by all draws": (ImportanceWeighted(3, 2, joint=True), lambda w: bound(w)),
    "CIWAE": (ImportanceWeighted(6, elbo_share=0.3), lambda w: 0.7 * bound(w) + 0.3 * w.mean(axis=1)),
    "CIWAE of the ELBO alone": (ImportanceWeighted(6, elbo_share=1.0), lambda w: w.mean(axis=1)),
    "doubly": (ImportanceWeighted(6, doubly=True), lambda w: bound(w)),
}


@pytest.mark.parametrize("name", VALUES)
def test_values_are_those_of_the_papers(name: str):
    objective, expected = VALUES[name]
    model = model_of(network="mlp without layers")
    found = loss_of(objective, model, KEY)
    assert float(found) == pytest.approx(-expected(log_weights(model, KEY, 6)).mean(), rel=1e-5)


def gradients(objective: ImportanceWeighted, model: Model, keys: Any, beta: float = 1.0) -> Any:
    """Of each key, stacked."""
    arrays, static = eqx.partition(model, eqx.is_inexact_array)

    def one(key: Any) -> Any:
        return jax.grad(lambda arrays: loss_of(objective, eqx.combine(arrays, static), key, beta))(arrays)

    return jax.jit(jax.vmap(one))(keys)


def test_partially_importance_weighted_is_each_bounds_gradient_for_its_part():
    model, keys = model_of(network="mlp without layers"), jr.split(KEY, 3)
    found = gradients(ImportanceWeighted(3, 2, joint=True), model, keys)
    of_encoder = gradients(ImportanceWeighted(3, 2), model, keys).encoder
    of_decoder = gradients(ImportanceWeighted(6), model, keys).decoder
    for ours, expected in ((found.encoder, of_encoder), (found.decoder, of_decoder)):
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_the_decoders_gradient_is_untouched_by_the_encoders_estimator():
    model, keys = model_of(network="mlp without layers", prior="mixture"), jr.split(KEY, 3)
    ours, expected = (gradients(ImportanceWeighted(4, doubly=doubly), model, keys) for doubly in (True, False))
    for a, b in zip(
        jax.tree.leaves((ours.decoder, ours.prior)), jax.tree.leaves((expected.decoder, expected.prior)), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


SAME = {
    "at beta 1": (ImportanceWeighted(4), "normal", 1.0),
    "while beta rises": (ImportanceWeighted(4), "normal", 0.4),
    "of several bounds with the ELBO": (ImportanceWeighted(3, 2, False, 0.3), "mixture", 1.0),
    "with the encoder within p(z)": (ImportanceWeighted(4), "vamp", 1.0),
    "with the encoder within p(z), while beta rises": (ImportanceWeighted(4), "vamp", 0.4),
}


@pytest.mark.parametrize("name", SAME)
def test_the_doubly_reparameterised_gradient_has_the_mean_of_the_standard_one(name: str):
    """To five standard errors of each of the encoder's weights, over 4,000 draws."""
    objective, prior, beta = SAME[name]
    model, keys = model_of(network="mlp without layers", prior=prior), jr.split(KEY, 4000)
    doubly = replace(objective, doubly=True)
    ours, standard = (gradients(one, model, keys, beta).encoder for one in (doubly, objective))
    differs = 0.0
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(standard), strict=True):
        a, b = (np.asarray(part, np.float64) for part in (a, b))
        error = np.sqrt((a.var(axis=0) + b.var(axis=0)) / len(keys))
        assert np.all(np.abs(a.mean(axis=0) - b.mean(axis=0)) < 5 * error + 1e-6)
        differs = max(differs, np.abs(a - b).max())
    assert differs > 1e-3


@pytest.mark.parametrize("draws", [1, 4, 16])
def test_its_spread_is_smaller(draws: int):
    """The variance over draws, summed over the encoder's weights: about 0.35, 0.4 and 0.57 of the standard gradient's here."""
    model, keys = model_of(network="mlp without layers"), jr.split(KEY, 1000)
    doubly, standard = (
        sum(float(np.var(g, axis=0).sum()) for g in jax.tree.leaves(gradients(one, model, keys).encoder))
        for one in (ImportanceWeighted(draws, doubly=True), ImportanceWeighted(draws))
    )
    assert doubly < 0.7 * standard
