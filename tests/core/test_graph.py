"""The operation graph in the model file, interpreted by plain numpy, gives what the model gives."""

from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.special

from vaelab.building import build_model
from vaelab.config import Config
from vaelab.model_graph import operation_graph
from vaelab.naming import named_arrays


def interpret(graph: dict[str, Any], arrays: dict[str, np.ndarray], value: np.ndarray) -> dict[str, np.ndarray]:
    values = {graph["input"]["name"]: value.astype(np.float64)}
    activations = {
        "relu": lambda x: np.maximum(x, 0),
        "tanh": np.tanh,
        "sigmoid": scipy.special.expit,
        "continuous-bernoulli-mean": lambda x: np.where(
            np.abs(x) < 1e-6, 0.5, 1 / -np.expm1(-np.where(x == 0, 1, x)) - 1 / np.where(x == 0, 1, x)
        ),
    }
    for node in graph["nodes"]:
        given = [values[name] for name in node.get("inputs", [node.get("input")])]
        match node["op"]:
            case "dense":
                out = given[0] @ arrays[node["weight"]] + arrays[node["bias"]]
            case "multiply":
                out = given[0] * given[1]
            case "add":
                out = given[0] + given[1]
            case "affine":
                out = given[0] * node["scale"] + node["shift"]
            case "clip":
                out = np.clip(given[0], node["low"], node["high"])
            case "activation":
                out = activations[node["kind"]](given[0])
            case "reshape":
                out = given[0].reshape(node["shape"])
            case other:
                raise AssertionError(f"unknown operation {other}")
        values[node["output"]] = out
    return {name: values[value] for name, value in graph["outputs"].items()}


CONFIGURATIONS = {
    "tutorial": {},
    "gated": {"model.encoder.activation": "gated", "model.encoder.hidden": [7, 5], "model.decoder.activation": "gated"},
    "tanh": {"model.encoder.activation": "tanh", "model.decoder.activation": "tanh"},
    "no hidden layer": {"model.encoder.hidden": [], "model.decoder.hidden": []},
    "autoencoder": {"model.posterior.kind": "deterministic"},
    "continuous Bernoulli": {"model.likelihood.kind": "continuous-bernoulli"},
    "Gaussian": {"model.likelihood.kind": "gaussian", "model.likelihood.learned": True},
    "colour": {"model.image_shape": [4, 5, 3], "model.latent_dim": 3},
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_graph_does_what_the_model_does(name: str, generator: np.random.Generator):
    base = {"model.image_shape": [6, 5], "model.encoder.hidden": [9], "model.decoder.hidden": [9]}
    config = Config().with_values(base | CONFIGURATIONS[name]).model
    model = build_model(config, jr.key(0))
    # biases begin at zero: moved, so that a forgotten one shows
    model = jax.tree.map(lambda leaf: leaf + 0.1 if isinstance(leaf, jax.Array) else leaf, model)
    arrays, graph = named_arrays(model), operation_graph(model)
    image = generator.random(model.image_shape)
    encoded = interpret(graph["encoder"], arrays, image)
    posterior = model.posterior(jnp.asarray(image, jnp.float32))
    np.testing.assert_allclose(encoded["mean"], posterior.mean, rtol=1e-4, atol=1e-5)
    assert ("log_variance" in encoded) == model.has_density
    if model.has_density:
        np.testing.assert_allclose(encoded["log_variance"], posterior.log_variance, rtol=1e-4, atol=1e-5)
    z = generator.normal(size=model.latent_dim)
    decoded = interpret(graph["decoder"], arrays, z)["mean"]
    shown = model.likelihood(jnp.asarray(z, jnp.float32)).mean
    assert decoded.shape == model.image_shape
    np.testing.assert_allclose(decoded, shown, rtol=1e-4, atol=1e-5)
