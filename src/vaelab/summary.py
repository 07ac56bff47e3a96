"""The layers of a model, as Keras's `summary` shows them: read off its operation graph."""

import math
from dataclasses import dataclass

import equinox as eqx
import jax

from vaelab.model import Model, trainable_parts
from vaelab.model_graph import operation_graph
from vaelab.naming import named_arrays


@dataclass(frozen=True)
class Layer:
    """One line: what it is, the shape of its output for one example, and how many parameters it has."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Summary:
    """The layers by part, and the counts; a parameter is four bytes."""

    parts: dict[str, list[Layer]]
    trainable: int
    fixed: int

    def parameters_of(self, part: str) -> int:
        return sum(layer.parameters for layer in self.parts[part])


def summarise(model: Model) -> Summary:
    """The summary of a model: its encoder, its decoder and, where it has parameters, its prior."""
    arrays = named_arrays(model)
    sizes = {name: array.size for name, array in arrays.items()}
    parts = {}
    for part, graph in operation_graph(model).items():
        layers: list[Layer] = []
        shapes: dict[str, tuple[int, ...]] = {graph["input"]["name"]: tuple(graph["input"]["shape"])}
        for node in graph["nodes"]:
            source = shapes[node["input"] if "input" in node else node["inputs"][0]]
            if node["op"] == "dense":
                shape = (arrays[node["weight"]].shape[1],)
                name = node["weight"].removesuffix(".weight").removeprefix(f"{part}.").removeprefix("network.")
                layers.append(Layer(name, "dense", shape, sizes[node["weight"]] + sizes[node["bias"]]))
            else:
                shape = tuple(node["shape"]) if node["op"] == "reshape" else source
                kind = node.get("kind", node["op"])
                if node["op"] == "activation" and layers and layers[-1].output_shape == shape:
                    last = layers.pop()
                    layers.append(Layer(last.name, f"{last.kind}, {kind}", shape, last.parameters))
                elif shape != source:
                    layers.append(Layer(node["op"], kind, shape, 0))
            shapes[node["output"]] = shape
        parts[part] = layers
    prior = sum(size for name, size in sizes.items() if name.startswith("prior."))
    if prior:
        parts["prior"] = [Layer("prior", type(model.prior).__name__, (model.latent_dim,), prior)]
    moved = eqx.filter(model, trainable_parts(model))
    trainable = sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(moved))
    return Summary(parts, trainable, sum(sizes.values()) - trainable)
