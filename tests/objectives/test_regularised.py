"""What keeps a decoder smooth, against NumPy."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from laws.table import IMAGE, KEY, model_of
from vaelab.kinds import OBJECTIVES
from vaelab.objectives.base import MODEL, Batch, Loss
from vaelab.objectives.regularised import matrices, squared_jacobian

IMAGES = (jr.uniform(KEY, (16, *IMAGE)) > 0.5).astype(jnp.float32)
MODEL_OF_POINTS = model_of(posterior="deterministic")


def loss_of(penalty: str, state: Any = None, **settings: Any) -> Loss:
    objective = OBJECTIVES.build(OBJECTIVES.settings({"kind": "regularised", "penalty": penalty, **settings}))
    state = objective.start(MODEL_OF_POINTS, key=KEY) if state is None else state
    batch = Batch(IMAGES, None)
    return objective({MODEL: MODEL_OF_POINTS}, state, batch, jnp.float32(1.0), jr.split(KEY, 16))


def weights() -> list[np.ndarray]:
    """The decoder's layers of the widths 7 and 6, and its head."""
    found = [np.asarray(layer.weight) for layer in MODEL_OF_POINTS.decoder.network.layers]
    return [*found, *(np.asarray(head.weight) for head in MODEL_OF_POINTS.decoder.heads.values())]


def test_small_codes_and_small_weights():
    loss = loss_of("l2", code=0.3, weight=0.2)
    z = np.asarray(jax.vmap(MODEL_OF_POINTS.encoder)(IMAGES).mean)
    expected = 0.3 * 0.5 * np.mean(np.sum(z**2, axis=1)) + 0.2 * sum(np.sum(w**2) for w in weights())
    assert float(loss.losses[MODEL] - loss.shown["reconstruction"]) == pytest.approx(expected, rel=1e-4)
    assert float(loss.shown["kl"]) == 0.0


def test_the_jacobians_square_is_unbiased():
    z = jnp.array([0.3, -0.7, 0.2])
    jacobian = jax.jacobian(lambda z: MODEL_OF_POINTS.likelihood(z).centre)(z)
    found = np.asarray(jax.vmap(lambda key: squared_jacobian(MODEL_OF_POINTS, z, None, key))(jr.split(KEY, 20_000)))
    assert abs(found.mean() - float(np.sum(np.asarray(jacobian) ** 2))) < 5 * found.std() / 20_000**0.5


def test_power_iteration_comes_to_the_largest_singular_values():
    expected = sum(np.linalg.svd(w, compute_uv=False)[0] ** 2 for w in weights())
    loss = loss_of("spectral")
    assert float(loss.shown["penalty"]) < expected
    for _ in range(60):
        loss = loss_of("spectral", loss.state)
    assert float(loss.shown["penalty"]) == pytest.approx(expected, rel=1e-3)


def test_a_convolutions_weight_is_a_matrix_to_its_channels():
    model = model_of(network="convolutional")
    for matrix in matrices(model):
        assert matrix.ndim == 2
    assert max(matrix.shape[0] for matrix in matrices(model)) >= 16 * 32
