"""What shape each value of an operation graph has, and what running it costs."""

from collections.abc import Mapping
from typing import Any

from vaelab.graph.nodes import size_of, sources_of

Shapes = Mapping[str, tuple[int, ...]]


def value_shapes(graph: Mapping[str, Any], tensors: Shapes) -> dict[str, tuple[int, ...]]:
    """The shape of each value by its name, for one example; `tensors` are the shapes of the model's arrays."""
    shapes = {graph["input"]["name"]: tuple(graph["input"]["shape"])}
    for node in graph["nodes"]:
        shapes[node["output"]] = _shape_after(node, shapes[sources_of(node)[0]], tensors)
    return shapes


def multiplications(graph: Mapping[str, Any], tensors: Shapes) -> int:
    """The multiply-adds of its layers, for one example."""
    shapes, sum_ = value_shapes(graph, tensors), 0
    for node in graph["nodes"]:
        sum_ += multiplications_of(node, shapes, tensors)
    return sum_


def multiplications_of(node: Mapping[str, Any], shapes: Shapes, tensors: Shapes) -> int:
    """Those of one operation, by the shapes of all values; elementwise ones are not counted."""
    match node["op"]:
        case "dense":
            return size_of(shapes[node["output"]][:-1]) * size_of(tensors[node["weight"]])
        case "convolution":
            return size_of(shapes[node["output"]][:2]) * size_of(tensors[node["weight"]])
        case "transposed-convolution":
            return size_of(shapes[node["input"]][:2]) * size_of(tensors[node["weight"]])
    return 0


def _shape_after(node: Mapping[str, Any], source: tuple[int, ...], tensors: Shapes) -> tuple[int, ...]:
    match node["op"]:
        case "dense":
            rows, columns = tensors[node["weight"]]
            return (columns,) if size_of(source) == rows else (*source[:-1], columns)
        case "reshape":
            return tuple(node["shape"])
        case "convolution":
            tall, wide, _, filters = tensors[node["weight"]]
            (top, bottom), (left, right) = node["padding"]
            down, across = node["stride"]
            height, width, _ = source
            return ((height + top + bottom - tall) // down + 1, (width + left + right - wide) // across + 1, filters)
        case "transposed-convolution":
            return (*node["size"], tensors[node["weight"]][3])
        case "crop":
            return (*node["size"], source[2])
        case "space-to-depth":
            (height, width, depth), block = source, node["block"]
            return (-(-height // block), -(-width // block), depth * block**2)
        case "depth-to-space":
            (height, width, depth), block = source, node["block"]
            return (height * block, width * block, depth // block**2)
        case _:  # elementwise
            return source
