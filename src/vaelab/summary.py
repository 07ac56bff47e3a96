"""The layers of a model, as Keras's `summary` shows them: read off its operation graph."""

import math
from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax

from vaelab.graph import UnknownOperation, multiplications_of, sources_of, value_shapes
from vaelab.model import Model, trainable_parts
from vaelab.model_graph import part_graphs
from vaelab.naming import named_arrays


@dataclass(frozen=True)
class Layer:
    """One line: what it is, the shape of its output for one example (None for an array on its own), how many parameters it has, and how
    many multiply-adds one example costs (None where nobody knows; elementwise operations are not counted).
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    parameters: int
    multiplications: int | None = None


@dataclass(frozen=True)
class Summary:
    """The layers by part, and the counts; a parameter is four bytes."""

    parts: dict[str, list[Layer]]
    trainable: int
    fixed: int

    def parameters_of(self, part: str) -> int:
        return sum(layer.parameters for layer in self.parts[part])

    def multiplications_of(self, part: str) -> int | None:
        """Of one example; None for a part without a graph."""
        found = [layer.multiplications for layer in self.parts[part]]
        return None if None in found else sum(filter(None, found))


def summarise(model: Model) -> Summary:
    """The summary of a model: its encoder, its decoder and, where it has parameters, its prior.

    A part that has no graph is shown by its arrays.
    """
    shapes = {name: array.shape for name, array in named_arrays(model).items()}
    parts = {
        part: _arrays(part, shapes) if isinstance(graph, UnknownOperation) else _layers(part, graph, shapes)
        for part, graph in part_graphs(model).items()
    }
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    prior = sum(size for name, size in sizes.items() if name.startswith("prior."))
    if prior:
        parts["prior"] = [Layer("prior", type(model.prior).__name__, (model.latent_dim,), prior)]
    moved = eqx.filter(model, trainable_parts(model))
    trainable = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(moved))
    return Summary(parts, trainable, sum(sizes.values()) - trainable)


def _layers(part: str, graph: dict[str, Any], shapes: dict[str, tuple[int, ...]]) -> list[Layer]:
    """What has weights or gives another shape; an activation stands with the layer that it follows."""
    layers: list[Layer] = []
    values = value_shapes(graph, shapes)
    for node in graph["nodes"]:
        source, shape = values[sources_of(node)[0]], values[node["output"]]
        kind = node.get("kind", node["op"])
        if "weight" in node:
            name = _called(part, node["weight"].removesuffix(".weight"))
            size = sum(math.prod(shapes[node[one]]) for one in ("weight", "bias") if one in node)
            layers.append(Layer(name, kind, shape, size, multiplications_of(node, values, shapes)))
        elif node["op"] == "activation" and layers and layers[-1].output_shape == shape:
            layers[-1] = replace(layers[-1], kind=f"{layers[-1].kind}, {kind}")
        elif shape != source:
            layers.append(Layer(node["op"], kind, shape, 0, 0))
    return layers


def _arrays(part: str, shapes: dict[str, tuple[int, ...]]) -> list[Layer]:
    """A part's arrays by their path: what is known of it without a graph."""
    mine = {name.removeprefix(f"{part}."): shape for name, shape in shapes.items() if name.startswith(f"{part}.")}
    return [Layer(name, f"array {shape}", None, math.prod(shape)) for name, shape in mine.items()]


def _called(part: str, name: str) -> str:
    """An array's path without what every part has: `layers.0` of `encoder.network.layers.0`, `mean` of `encoder.heads.mean`."""
    return name.removeprefix(f"{part}.").removeprefix("network.").removeprefix("heads.")
