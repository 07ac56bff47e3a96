"""The operation graph that is read off a jaxpr, interpreted by plain numpy, gives what the function gives; or it is said that none does."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.signal
import scipy.special
from jaxtyping import Array

from vaelab.building import build_model
from vaelab.config import Config
from vaelab.densities import continuous_bernoulli_mean
from vaelab.graph import UnknownOperation, multiplications, read_graph, value_shapes
from vaelab.model import Model
from vaelab.model_graph import operation_graph, part_graphs
from vaelab.naming import named_arrays

GOLDEN = sorted((Path(__file__).parent / "golden_graphs").glob("*.json"))


def interpret(graph: dict[str, Any], arrays: dict[str, np.ndarray], value: np.ndarray) -> dict[str, np.ndarray]:
    """The outputs in double precision; beside the way, every value has the shape that is promised for it."""
    values = {graph["input"]["name"]: value.astype(np.float64)}
    activations = {
        "relu": lambda x: np.maximum(x, 0),
        "tanh": np.tanh,
        "sigmoid": scipy.special.expit,
        "softplus": lambda x: np.logaddexp(x, 0),
        "continuous-bernoulli-mean": lambda x: np.where(
            np.abs(x) < 1e-6, 0.5, 1 / -np.expm1(-np.where(x == 0, 1, x)) - 1 / np.where(x == 0, 1, x)
        ),
    }
    for node in graph["nodes"]:
        given = [values[name] for name in node.get("inputs", [node.get("input")])]
        match node["op"]:
            case "dense":
                out = given[0] @ arrays[node["weight"]] + (arrays[node["bias"]] if "bias" in node else 0.0)
            case "clipped-logistic-mean":
                mean, log_scale = given if len(given) == 2 else (given[0], arrays[node["weight"]])
                scale = np.exp(log_scale)
                out = scale * (np.logaddexp(mean / scale, 0) - np.logaddexp((mean - 1) / scale, 0))
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
            case "convolution":
                out = convolved(given[0], arrays[node["weight"]], node["stride"], node["padding"])
                out = out + (arrays[node["bias"]] if "bias" in node else 0.0)
            case "transposed-convolution":
                (height, width, _), weight = given[0].shape, arrays[node["weight"]]
                (top, left), (rows, columns) = node["crop"], node["size"]
                whole = np.zeros((2 * height + 4, 2 * width + 4, weight.shape[3]))
                for y, x in np.ndindex(height, width):
                    whole[2 * y : 2 * y + 4, 2 * x : 2 * x + 4] += np.einsum("i,abio->abo", given[0][y, x], weight)
                out = whole[top : top + rows, left : left + columns] + arrays[node["bias"]]
            case "space-to-depth":
                block, (height, width, depth) = node["block"], given[0].shape
                padded = np.pad(given[0], [[0, -height % block], [0, -width % block], [0, 0]])
                places = [padded[y::block, x::block] for y in range(block) for x in range(block)]
                out = np.stack(places, axis=-1).reshape(*places[0].shape[:2], depth * block**2)
            case "group-norm":
                grouped = given[0].reshape(*given[0].shape[:2], -1, node["group"])
                mean, variance = grouped.mean((0, 1, 3), keepdims=True), grouped.var((0, 1, 3), keepdims=True)
                normal = ((grouped - mean) / np.sqrt(variance + 1e-5)).reshape(given[0].shape)
                out = normal * arrays[node["weight"]] + arrays[node["bias"]]
            case "crop":
                out = given[0][: node["size"][0], : node["size"][1]]
            case "depth-to-space":
                (height, width, depth), block = given[0].shape, node["block"]
                folded = given[0].reshape(height, width, depth // block**2, block, block)
                out = np.concatenate(
                    [
                        np.concatenate([folded[y, x].transpose(1, 2, 0) for x in range(width)], axis=1)
                        for y in range(height)
                    ]
                )
            case other:
                raise AssertionError(f"unknown operation {other}")
        values[node["output"]] = out
    shapes = value_shapes(graph, {name: array.shape for name, array in arrays.items()})
    assert {name: value.shape for name, value in values.items()} == shapes
    return {name: values[value] for name, value in graph["outputs"].items()}


def convolved(image: np.ndarray, weight: np.ndarray, stride: list[int], padding: list[list[int]]) -> np.ndarray:
    padded = np.pad(image, [*padding, [0, 0]])
    whole = [
        sum(scipy.signal.correlate2d(padded[:, :, i], weight[:, :, i, o], "valid") for i in range(weight.shape[2]))
        for o in range(weight.shape[3])
    ]
    return np.stack(whole, axis=-1)[:: stride[0], :: stride[1]]


def meaning(graph: dict[str, Any], value: str) -> Any:
    """A value as the expression that it is, without names and without an order of what does not depend on each other."""
    written = {node["output"]: node for node in graph["nodes"]}
    if value not in written:
        return graph["input"]
    node = dict(written[value])
    del node["output"]
    sources = node.pop("inputs") if "inputs" in node else [node.pop("input")]
    return node, [meaning(graph, source) for source in sources]


# --- the parts of this package ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_the_graph_is_that_which_was_written_by_hand(path: Path):
    """The golden files hold what the parts themselves wrote, operation by operation, before the jaxpr was read."""
    golden = json.loads(path.read_text(encoding="utf-8"))
    shapes = eqx.filter_eval_shape(build_model, Config().with_values(golden["configuration"]).model, jr.key(0))
    found = json.loads(json.dumps(operation_graph(shapes)))
    assert found.keys() == golden["graph"].keys()
    for part, expected in golden["graph"].items():
        assert found[part]["input"] == expected["input"]
        assert len(found[part]["nodes"]) == len(expected["nodes"])
        assert found[part]["outputs"].keys() == expected["outputs"].keys()
        for name, value in expected["outputs"].items():
            assert meaning(found[part], found[part]["outputs"][name]) == meaning(expected, value)


@pytest.mark.parametrize("learned", ["optimal", "each"])
def test_the_mean_of_levels_is_one_operation(learned: str, generator: np.random.Generator):
    changes = {"kind": "discretised-logistic", "scale": 0.2, "learned": learned}
    settings = {f"model.likelihood.{name}": value for name, value in changes.items()} | {"model.image_shape": [4, 5]}
    model = build_model(Config().with_values(settings).model, jr.key(0))
    graph = operation_graph(model)
    assert graph is not None
    z = generator.normal(size=model.latent_dim)
    found = interpret(graph["decoder"], named_arrays(model), z)["mean"]
    np.testing.assert_allclose(found, model.likelihood(jnp.asarray(z, jnp.float32)).centre, atol=1e-5)


def model_of(path: Path) -> Model:
    model = build_model(Config().with_values(json.loads(path.read_text())["configuration"]).model, jr.key(0))
    # biases begin at zero: moved, so that a forgotten one shows
    return jax.tree.map(lambda leaf: leaf + 0.1 if isinstance(leaf, jax.Array) else leaf, model)


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_the_graph_does_what_the_model_does(path: Path, generator: np.random.Generator):
    model = model_of(path)
    arrays, graph = named_arrays(model), operation_graph(model)
    assert graph is not None
    image = generator.random(model.image_shape)
    encoded = interpret(graph["encoder"], arrays, image)
    posterior = model.encoder(jnp.asarray(image, jnp.float32))
    np.testing.assert_allclose(encoded["mean"], posterior.mean, rtol=1e-4, atol=1e-5)
    assert ("log_variance" in encoded) == hasattr(posterior, "log_variance")
    if "log_variance" in encoded:
        np.testing.assert_allclose(encoded["log_variance"], posterior.log_variance, rtol=1e-4, atol=1e-5)
    z = generator.normal(size=model.latent_dim)
    decoded = interpret(graph["decoder"], arrays, z)["mean"]
    shown = model.decoder(jnp.asarray(z, jnp.float32)).mean
    assert decoded.shape == model.image_shape
    np.testing.assert_allclose(decoded, shown, rtol=1e-4, atol=1e-5)


class Sorted(eqx.Module):
    """A network of somebody else's, with an operation that no page knows."""

    network: eqx.Module

    def __call__(self, x: Array, condition: Array | None = None, *, key: Array | None = None) -> Array:
        return jnp.sort(self.network(x))  # pyright: ignore[reportCallIssue]


def test_a_model_with_an_operation_that_the_page_does_not_know_has_no_graph():
    model = model_of(GOLDEN[0])
    assert operation_graph(model) is not None
    foreign = eqx.tree_at(lambda model: model.decoder.network, model, Sorted(model.decoder.network))
    assert operation_graph(foreign) is None
    parts = part_graphs(foreign)
    assert isinstance(parts["encoder"], dict)
    assert parts["decoder"] == UnknownOperation("sort")


# --- the reader ---------------------------------------------------------------------------------------------------------------------

DIMENSIONS = ("NHWC", "HWIO", "NHWC")
ARRAYS = {
    "w": (6, 4),
    "b": (4,),
    "square": (6, 6),
    "kernel": (3, 2, 2, 8),
    "channels": (8,),
    "head": (32, 6),
    "map": (1, 1, 8, 4),
}
Arrays = dict[str, Array]


def depth_to_space(image: Array) -> Array:
    height, width, depth = image.shape
    folded = image.reshape(height, width, depth // 4, 2, 2)
    return folded.transpose(0, 3, 1, 4, 2).reshape(2 * height, 2 * width, depth // 4)


def block_first(image: Array) -> Array:
    """As TensorFlow orders the channels: not the page's operation, whatever its name."""
    height, width, depth = image.shape
    folded = image.reshape(height, width, 2, 2, depth // 4)
    return folded.transpose(0, 2, 1, 3, 4).reshape(2 * height, 2 * width, depth // 4)


def as_named(name: str, function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function whose name stands in the jaxpr."""
    function.__name__ = name
    return jax.jit(function)


def convolution(arrays: Arrays, x: Array, **options: Any) -> Array:
    settings = {"window_strides": (2, 1), "padding": ((0, 1), (1, 0))} | options
    image = jnp.reshape(x, (1, 3, 1, 2))
    return jax.lax.conv_general_dilated(image, arrays["kernel"], dimension_numbers=DIMENSIONS, **settings)


def upsampled(arrays: Arrays, x: Array) -> Array:
    features = jax.nn.relu(convolution(arrays, x)[0] + arrays["channels"].reshape(1, 1, 8))
    return jax.jit(depth_to_space)(features) * 2.0


@jax.custom_vjp
def with_its_own_gradient(x: Array) -> Array:
    return 2.0 * x


with_its_own_gradient.defvjp(lambda x: (2.0 * x, None), lambda _, gradient: (gradient,))

POSITIONS = np.arange(6, dtype=np.float32)


# x has six numbers
READ: dict[str, tuple[Callable[[Arrays, Array], Array], list[str]]] = {
    "dense with its bias": (lambda a, x: x @ a["w"] + a["b"], ["dense"]),
    "dense without": (lambda a, x: x @ a["w"], ["dense"]),
    "the product with and without a bias": (
        lambda a, x: (x @ a["w"] + a["b"]) * (x @ a["w"]),
        ["dense", "dense", "multiply"],
    ),
    "a weight that is named first": (lambda a, x: a["b"] + jnp.tensordot(a["w"], x, ((0,), (0,))), ["dense"]),
    "a row": (lambda a, x: (x[None] @ a["w"])[0] + a["b"], ["dense"]),
    "constants, folded": (lambda a, x: 3.0 * (2.0 * x + 1.0) / 4.0 - 0.5, ["affine"]),
    "constants from the left": (lambda a, x: 1.0 - (-x), ["affine"]),
    "a constant as an array": (lambda a, x: x + jnp.full(6, 2.0), ["affine"]),
    "differences": (lambda a, x: x * x - x, ["multiply", "affine", "add"]),
    "relu": (lambda a, x: jax.nn.relu(x), ["activation"]),
    "relu, as a maximum": (lambda a, x: jnp.maximum(0.0, x), ["activation"]),
    "relu6": (lambda a, x: jax.nn.relu6(4.0 * x), ["affine", "activation", "clip"]),
    "silu": (lambda a, x: jax.nn.silu(x), ["activation", "multiply"]),
    "sigmoid and tanh": (lambda a, x: jax.nn.sigmoid(jnp.tanh(x)), ["activation", "activation"]),
    "softplus": (lambda a, x: jax.nn.softplus(x), ["activation"]),
    "a softplus that is a relu": (lambda a, x: as_named("softplus", lambda x: jnp.maximum(x, 0.0))(x), ["activation"]),
    "the mean of a continuous Bernoulli": (lambda a, x: continuous_bernoulli_mean(x), ["activation"]),
    "a clip": (lambda a, x: jnp.clip(x, -0.3, 0.4), ["clip"]),
    "two clips": (lambda a, x: jnp.clip(jnp.clip(x, -0.3, 0.4), 0.1, 2.0), ["clip"]),
    "a clamp": (lambda a, x: jax.lax.clamp(-0.3, x, 0.4), ["clip"]),
    "a bound above": (lambda a, x: jnp.minimum(x, 0.2), ["clip"]),
    "shapes that come to nothing": (lambda a, x: x.reshape(2, 3)[None].reshape(6) + 1.0, ["affine"]),
    "another shape": (lambda a, x: jnp.tanh(x.reshape(2, 3)), ["activation", "reshape"]),
    "a function of its own": (lambda a, x: jax.checkpoint(jax.jit(lambda x: x * 2.0))(x), ["affine"]),
    "a gradient of its own": (lambda a, x: with_its_own_gradient(x), ["affine"]),
    "a convolution": (
        lambda a, x: convolution(a, x)[0] + a["channels"][None, None],
        ["reshape", "convolution"],
    ),
    "convolution, depth to space": (upsampled, ["reshape", "convolution", "activation", "depth-to-space", "affine"]),
    "a head on a map": (
        lambda a, x: jax.lax.conv_general_dilated(
            convolution(a, x), a["map"], (1, 1), "VALID", dimension_numbers=DIMENSIONS
        )[0],
        ["reshape", "convolution", "convolution"],
    ),
    "what nobody asks for": (lambda a, x: (x * 2.0, jnp.sort(x), jnp.tanh(x), jnp.sum(a["b"]))[0], ["affine"]),
}

UNKNOWN: dict[str, tuple[Callable[[Arrays, Array], Array], str]] = {
    "an operation": (lambda a, x: jnp.sort(x), "sort"),
    "an operation before known ones": (lambda a, x: jnp.tanh(jnp.sin(x)) * 2.0, "sin"),
    "an operation inside a function": (lambda a, x: jax.jit(jnp.cos)(x), "cos"),
    "a scan": (lambda a, x: jax.lax.scan(lambda c, _: (c * 2.0, None), x, length=2)[0], "scan"),
    "an array that is nowhere in the model": (lambda a, x: x + POSITIONS, "an array that is not the model's"),
    "a weight the other way round": (lambda a, x: a["square"] @ x, "dot_general"),
    "a tensor that multiplies": (lambda a, x: (x @ a["w"]) * a["b"], "mul"),
    "a tensor added to no layer": (lambda a, x: jnp.tanh(x @ a["w"]) + a["b"], "add"),
    "a second bias": (lambda a, x: x @ a["w"] + a["b"] + a["b"], "add"),
    "a bias for each row": (lambda a, x: (x @ a["w"])[:, None] + a["b"][:, None], "broadcast_in_dim"),
    "one number for many": (lambda a, x: jnp.broadcast_to((x @ a["w"])[:1], (4,)), "slice"),
    "half precision": (lambda a, x: x.astype(jnp.bfloat16).astype(jnp.float32), "convert_element_type"),
    "columns in the order of another": (lambda a, x: x.reshape(2, 3).T, "transpose"),
    "a dilated convolution": (lambda a, x: convolution(a, x, lhs_dilation=(2, 1))[0], "conv_general_dilated"),
    "a convolution that cuts": (lambda a, x: convolution(a, x, padding=((1, -1), (1, 1)))[0], "conv_general_dilated"),
    "a batch": (lambda a, x: jnp.concatenate([convolution(a, x)] * 2), "concatenate"),
    "blocks in another order": (
        lambda a, x: as_named("depth_to_space", block_first)(convolution(a, x)[0]),
        "transpose",
    ),
    "a softplus of another slope": (lambda a, x: as_named("softplus", lambda x: jnp.logaddexp(2.0 * x, 0.0))(x), "ne"),
    "positions": (lambda a, x: x + jnp.arange(6.0), "iota"),
    "what does not depend on the input": (lambda a, x: jnp.zeros(6), "an output without an input"),
}


@pytest.fixture
def arrays(generator: np.random.Generator) -> dict[str, np.ndarray]:
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in ARRAYS.items()}


@pytest.mark.parametrize("name", READ)
def test_what_is_read_does_what_the_function_does(
    name: str, arrays: dict[str, np.ndarray], generator: np.random.Generator
):
    function, operations = READ[name]
    graph = read_graph(lambda arrays, x: {"y": function(arrays, x)}, "x", (6,), jax.tree.map(jnp.asarray, arrays))
    assert isinstance(graph, dict), graph
    assert [node["op"] for node in graph["nodes"]] == operations
    x = generator.normal(size=6).astype(np.float32)
    expected = function(jax.tree.map(jnp.asarray, arrays), jnp.asarray(x))
    found = interpret(json.loads(json.dumps(graph, allow_nan=False)), arrays, x)["y"]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_the_page_does_not_know_is_named(name: str, arrays: dict[str, np.ndarray]):
    function, operation = UNKNOWN[name]
    function(jax.tree.map(jnp.asarray, arrays), jnp.ones(6))  # it is a function that JAX knows
    found = read_graph(lambda arrays, x: {"y": function(arrays, x)}, "x", (6,), arrays)
    assert found == UnknownOperation(operation)


def test_shapes_are_enough(arrays: dict[str, np.ndarray]):
    shapes = {name: jax.ShapeDtypeStruct(array.shape, array.dtype) for name, array in arrays.items()}
    read = lambda given: read_graph(lambda arrays, x: {"y": upsampled(arrays, x)}, "x", (6,), given)  # noqa: E731
    assert read(shapes) == read(arrays)


def test_constants_become_one_affine_operation():
    found = read_graph(lambda _, x: {"y": 3.0 * (2.0 * x + 1.0) / 4.0 - 0.5}, "x", (6,), {})
    assert found == {
        "input": {"name": "x", "shape": [6]},
        "nodes": [{"op": "affine", "input": "x", "output": "v0", "scale": 1.5, "shift": 0.25}],
        "outputs": {"y": "v0"},
    }


def test_multiplications_are_those_of_the_layers():
    """A dense layer multiplies once a weight, a convolution once a weight at each place that it writes."""
    function = lambda arrays, x: {"y": convolution(arrays, x)[0].ravel() @ arrays["head"]}  # noqa: E731
    shapes = {name: jax.ShapeDtypeStruct(shape, jnp.float32) for name, shape in ARRAYS.items()}
    image = jax.eval_shape(lambda arrays, x: convolution(arrays, x), shapes, jax.ShapeDtypeStruct((6,), jnp.float32))
    shapes["head"] = jax.ShapeDtypeStruct((image.size, 5), jnp.float32)
    graph = read_graph(function, "x", (6,), shapes)
    assert isinstance(graph, dict)
    places = image.shape[1] * image.shape[2]
    assert multiplications(graph, ARRAYS | {"head": (image.size, 5)}) == places * 3 * 2 * 2 * 8 + image.size * 5
