"""The page's interpreter against JAX, for every recipe of the package, in single and in half precision."""

import json
import math
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from safetensors.numpy import save_file

from vaelab.building import build_model
from vaelab.config import ModelConfig, load_recipe, recipe_names
from vaelab.densities import clipped_logistic_mean
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.explored import explored_model
from vaelab.generating import decode, encode
from vaelab.model import Model
from vaelab.model_graph import operation_graph
from vaelab.naming import named_arrays
from vaelab.priors.settings import NormalPriorSettings

EXAMPLES = 7  # not a multiple of the interpreter's block of four


def model_of(recipe: str) -> Model:
    config = load_recipe(recipe).model
    # the prior has no part in encoding and decoding, and a class prior asks for labels
    changes = {"image_shape": config.image_shape or (28, 28), "prior": NormalPriorSettings()}
    return build_model(config.model_copy(update=changes), jax.random.key(3))


@pytest.mark.parametrize(("half", "tolerance"), [(False, 1e-4), (True, 1e-2)], ids=["single", "half"])
def test_every_recipe_decodes_and_encodes_as_jax_does(
    run_module, tmp_path: Path, generator, half: bool, tolerance: float
):
    jobs, expected = [], {}
    for recipe in recipe_names():
        model = model_of(recipe)
        images = generator.random((EXAMPLES, *model.image_shape)).astype(np.float32)
        latents = generator.normal(size=(EXAMPLES, model.latent_dim)).astype(np.float32)
        (tmp_path / f"{recipe}.weights").write_bytes(Bundle((explored_model(model, images),)).weights(0, half=half))
        (tmp_path / f"{recipe}.images").write_bytes(images.tobytes())
        (tmp_path / f"{recipe}.latents").write_bytes(latents.tobytes())
        for part, source in (("encoder", "images"), ("decoder", "latents")):
            job = {"weights": f"{recipe}.weights", "part": part, "input": f"{recipe}.{source}", "count": EXAMPLES}
            jobs.append({**job, "output": f"{recipe}.{part}"})
        encoded = encode(model, images)
        expected[f"{recipe}.encoder.mean"] = encoded.mean
        if encoded.log_variance is not None:
            expected[f"{recipe}.encoder.log_variance"] = encoded.log_variance
        expected[f"{recipe}.decoder.mean"] = decode(model, latents)
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    run_module("run_graph.mjs", tmp_path)
    for name, values in expected.items():
        found = np.frombuffer((tmp_path / name).read_bytes(), np.float32).reshape(values.shape)
        assert np.abs(found - values).max() < tolerance, name


def test_the_mean_of_levels_is_that_of_jax(run_module, tmp_path: Path, generator):
    mean = generator.normal(0.5, 0.7, size=(2, 3, 4)).astype(np.float32)
    log_scale = np.full((), -3.0, np.float32)
    node = {"op": "clipped-logistic-mean", "input": "x", "output": "y", "weight": "s"}
    found = run_nodes(run_module, tmp_path, [node], mean, "y", {"s": log_scale})
    expected = clipped_logistic_mean(jnp.asarray(mean), jnp.asarray(log_scale))
    np.testing.assert_allclose(found.reshape(mean.shape), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(9, 6), (12, 9, 3)])
@pytest.mark.parametrize("kind", ["convolutional", "residual"])
def test_networks_of_maps_decode_and_encode_as_jax_does(run_module, tmp_path: Path, generator, kind: str, shape):
    """Odd sizes: padded and cropped on the page as in JAX."""
    part = {"kind": kind, "channels": [16, 8], "activation": "silu"}
    config = ModelConfig.model_validate({"latent_dim": 3, "image_shape": shape, "encoder": part, "decoder": part})
    model = jax.jit(lambda key: build_model(config, key))(jax.random.key(0))
    model = jax.tree.map(lambda leaf: leaf + 0.1 * jnp.sin(jnp.arange(leaf.size)).reshape(leaf.shape), model)
    images = generator.random((EXAMPLES, *shape)).astype(np.float32)
    latents = generator.normal(size=(EXAMPLES, 3)).astype(np.float32)
    graph = operation_graph(model)
    assert graph is not None
    save_file(named_arrays(model), tmp_path / "weights", metadata={"graph": json.dumps(graph)})
    jobs = [
        {"weights": "weights", "part": part, "input": f"{part}.in", "count": EXAMPLES, "output": part} for part in graph
    ]
    (tmp_path / "jobs.json").write_text(json.dumps(jobs))
    (tmp_path / "encoder.in").write_bytes(images.tobytes())
    (tmp_path / "decoder.in").write_bytes(latents.tobytes())
    run_module("run_graph.mjs", tmp_path)
    encoded = encode(model, images)
    for name, expected in {
        "encoder.mean": encoded.mean,
        "encoder.log_variance": encoded.log_variance,
        "decoder.mean": decode(model, latents),
    }.items():
        found = np.frombuffer((tmp_path / name).read_bytes(), np.float32).reshape(expected.shape)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("stride", "padding"), [((1, 1), ((1, 1), (1, 1))), ((2, 2), ((0, 1), (2, 0))), ((2, 1), ((0, 0), (0, 0)))]
)
def test_a_convolution_is_that_of_lax(run_module, tmp_path: Path, generator, stride, padding):
    images = generator.normal(size=(2, 7, 6, 3)).astype(np.float32)
    weight = generator.normal(size=(3, 2, 3, 8)).astype(np.float32)
    bias = generator.normal(size=8).astype(np.float32)
    dimensions = ("NHWC", "HWIO", "NHWC")
    expected = jax.lax.conv_general_dilated(
        images, weight, stride, padding, dimension_numbers=dimensions
    ) + bias.reshape(1, 1, 1, 8)
    node = {
        "op": "convolution",
        "input": "x",
        "output": "y",
        "weight": "w",
        "bias": "b",
        "stride": stride,
        "padding": padding,
    }
    found = run_nodes(run_module, tmp_path, [node], images, "y", {"w": weight, "b": bias})
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-4)


def test_depth_goes_to_space_channel_by_channel(run_module, tmp_path: Path, generator):
    images = generator.normal(size=(2, 2, 3, 8)).astype(np.float32)
    node = {"op": "depth-to-space", "input": "x", "output": "y", "block": 2}
    found = run_nodes(run_module, tmp_path, [node], images, "y")
    # (H, W, C b b): the channel first, then row and column of the block
    expected = images.reshape(2, 2, 3, 2, 2, 2).transpose(0, 1, 4, 2, 5, 3).reshape(2, 4, 6, 2)
    np.testing.assert_array_equal(found.reshape(expected.shape), expected)


@pytest.mark.parametrize("kind", ["relu", "tanh", "sigmoid", "softplus", "continuous-bernoulli-mean"])
def test_an_activation_is_that_of_jax(run_module, tmp_path: Path, kind: str):
    from vaelab.densities import continuous_bernoulli_mean

    functions = {
        "relu": jax.nn.relu,
        "tanh": jnp.tanh,
        "sigmoid": jax.nn.sigmoid,
        "softplus": jax.nn.softplus,
        "continuous-bernoulli-mean": continuous_bernoulli_mean,
    }
    x = np.concatenate([np.linspace(-40, 40, 81), np.geomspace(1e-6, 0.2, 40), -np.geomspace(1e-6, 0.2, 40)]).astype(
        np.float32
    )
    node = {"op": "activation", "input": "x", "output": "y", "kind": kind}
    found = run_nodes(run_module, tmp_path, [node], x[None], "y")
    np.testing.assert_allclose(found, functions[kind](jnp.asarray(x)), atol=2e-5)


def test_elementwise_operations(run_module, tmp_path: Path, generator):
    x = generator.normal(size=(3, 5)).astype(np.float32)
    nodes = [
        {"op": "affine", "input": "x", "output": "a", "scale": -2.0, "shift": 0.5},
        {"op": "clip", "input": "a", "output": "b", "low": -1.0, "high": 1.5},
        {"op": "multiply", "inputs": ["b", "x"], "output": "c"},
        {"op": "add", "inputs": ["c", "a"], "output": "y"},
    ]
    a = -2.0 * x + 0.5
    np.testing.assert_allclose(
        run_nodes(run_module, tmp_path, nodes, x, "y").reshape(3, 5), np.clip(a, -1, 1.5) * x + a, atol=1e-5
    )


def run_nodes(
    run_module, folder: Path, nodes: list[dict], values: np.ndarray, output: str, tensors: dict | None = None
) -> np.ndarray:
    """The numbers that a graph of these nodes, with the input `x`, gives for a batch."""
    graph = {"it": {"input": {"name": "x", "shape": list(values.shape[1:])}, "nodes": nodes, "outputs": {"y": output}}}
    save_file(tensors or {"none": np.zeros(1, np.float32)}, folder / "weights", metadata={"graph": json.dumps(graph)})
    (folder / "input").write_bytes(np.ascontiguousarray(values, np.float32).tobytes())
    job = {"weights": "weights", "part": "it", "input": "input", "count": len(values), "output": "output"}
    (folder / "jobs.json").write_text(json.dumps([job]))
    run_module("run_graph.mjs", folder)
    found = np.frombuffer((folder / "output.y").read_bytes(), np.float32)
    assert math.prod(found.shape) > 0
    return found
