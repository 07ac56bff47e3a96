"""The nodes of an operation graph, as they are written.

A node is never changed: where two operations are one (a product and its bias, a maximum and a minimum), a third node is written for both,
and those that no output asks for are left out at the end.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

WITH_BIAS = ("dense", "convolution", "transposed-convolution")
"""The layers: what is added to them along their channels is their bias."""

LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Value:
    """An array that depends on the example; `shape` is the page's, whose numbers are those of JAX in the same order."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Tensor:
    """An array of the model, by its name in the file."""

    name: str
    shape: tuple[int, ...]


Operand = Value | Tensor | float


def size_of(shape: Sequence[int]) -> int:
    return math.prod(shape)


@dataclass
class Nodes:
    """Operations on one example, in order, by the name of what they write."""

    by_name: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, op: str, source: dict[str, Any], of_shape: Sequence[int], **attributes: Any) -> Value:
        """What an operation gives, written once however often it is asked for."""
        output = f"v{len(self.by_name)}"
        for known in self.by_name.values():
            if {**known, "output": output} == {"op": op, **source, "output": output, **attributes}:
                return Value(known["output"], tuple(of_shape))
        self.by_name[output] = {"op": op, **source, "output": output, **attributes}
        return Value(output, tuple(of_shape))

    def behind(self, value: Value, op: str) -> dict[str, Any] | None:
        """The node that writes a value, where it is an `op`."""
        node = self.by_name.get(value.name)
        return node if node is not None and node["op"] == op else None

    # --- one method an operation ----------------------------------------------------------------------------------------------------

    def reshape(self, value: Value, shape: Sequence[int]) -> Value:
        if value.shape == tuple(shape):
            return value
        before = self.behind(value, "reshape")
        source = value.name if before is None else before["input"]
        return self.add("reshape", {"input": source}, shape, shape=list(shape))

    def pair(self, op: str, a: Value, b: Value) -> Value | None:
        same = size_of(a.shape) == size_of(b.shape)
        return self.add(op, {"inputs": [a.name, b.name]}, a.shape) if same else None

    def affine(self, value: Value, scale: float, shift: float) -> Value:
        before = self.behind(value, "affine")
        if before is not None:
            shift, scale = before["shift"] * scale + shift, before["scale"] * scale
        source = value.name if before is None else before["input"]
        return self.add("affine", {"input": source}, value.shape, scale=scale, shift=shift)

    def clip(self, value: Value, low: float = -LARGEST, high: float = LARGEST) -> Value:
        before = self.behind(value, "clip")
        if before is not None:
            low, high = (min(max(before[end], low), high) for end in ("low", "high"))
        source = value.name if before is None else before["input"]
        return self.add("clip", {"input": source}, value.shape, low=low, high=high)

    def activation(self, value: Value, kind: str) -> Value:
        return self.add("activation", {"input": value.name}, value.shape, kind=kind)

    def clipped_logistic_mean(self, mean: Value, log_scale: Value | Tensor) -> Value | None:
        """Of a logarithm of the scale for each number, or one tensor for all of them."""
        if isinstance(log_scale, Value):
            return self.pair("clipped-logistic-mean", mean, log_scale)
        return self.add("clipped-logistic-mean", {"input": mean.name}, mean.shape, weight=log_scale.name)

    def dense(self, value: Value, weight: Tensor) -> Value:
        rows, columns = weight.shape
        return self.add("dense", {"input": self.reshape(value, (rows,)).name}, (columns,), weight=weight.name)

    def convolution(self, image: Value, weight: Tensor, shape: tuple[int, ...], **geometry: Any) -> Value:
        return self.add("convolution", {"input": image.name}, shape, weight=weight.name, **geometry)

    def along_channels(self, value: Value, weight: Tensor) -> Value:
        """A dense layer at each place of a map."""
        return self.add("dense", {"input": value.name}, (*value.shape[:-1], weight.shape[1]), weight=weight.name)

    def transposed_convolution(
        self, image: Value, weight: Tensor, shape: tuple[int, ...], *, stride: list[int], crop: list[int]
    ) -> Value:
        geometry = {"stride": stride, "crop": crop, "size": list(shape[:2])}
        return self.add("transposed-convolution", {"input": image.name}, shape, weight=weight.name, **geometry)

    def group_norm(self, value: Value, weight: Tensor, bias: Tensor, group: int) -> Value:
        named = {"weight": weight.name, "bias": bias.name, "group": group}
        return self.add("group-norm", {"input": value.name}, value.shape, **named)

    def crop(self, value: Value, shape: tuple[int, ...]) -> Value:
        return self.add("crop", {"input": value.name}, shape, size=list(shape[:2]))

    def space_to_depth(self, value: Value, block: int) -> Value:
        height, width, depth = value.shape
        shape = (-(-height // block), -(-width // block), depth * block**2)
        return self.add("space-to-depth", {"input": value.name}, shape, block=block)

    def with_bias(self, value: Value, bias: Tensor) -> Value | None:
        """The layer behind a value, with a bias for each of its channels; None where no layer without one is behind it."""
        before = next(filter(None, (self.behind(value, op) for op in WITH_BIAS)), None)
        if before is None or "bias" in before or bias.shape != value.shape[-1:]:
            return None
        attributes = {name: given for name, given in before.items() if name not in ("op", "input", "output")}
        return self.add(before["op"], {"input": before["input"]}, value.shape, **attributes, bias=bias.name)

    def depth_to_space(self, image: Value, block: int) -> Value:
        height, width, depth = image.shape
        shape = (height * block, width * block, depth // block**2)
        return self.add("depth-to-space", {"input": image.name}, shape, block=block)

    # --- what is left ---------------------------------------------------------------------------------------------------------------

    def as_dict(self, outputs: Mapping[str, Value]) -> dict[str, Any]:
        """The nodes that the outputs ask for, numbered anew, and the outputs."""
        asked, kept = {value.name for value in outputs.values()}, []
        for node in reversed(self.by_name.values()):
            if node["output"] in asked:
                kept.append(node)
                asked.update(sources_of(node))
        kept.reverse()
        new = {node["output"]: f"v{number}" for number, node in enumerate(kept)}
        return {
            "nodes": [_renamed(node, new) for node in kept],
            "outputs": {name: new.get(value.name, value.name) for name, value in outputs.items()},
        }


def sources_of(node: Mapping[str, Any]) -> list[str]:
    """The values that a node reads."""
    return node["inputs"] if "inputs" in node else [node["input"]]


def _renamed(node: Mapping[str, Any], new: Mapping[str, str]) -> dict[str, Any]:
    sources = [new.get(name, name) for name in sources_of(node)]
    source = {"inputs": sources} if "inputs" in node else {"input": sources[0]}
    return {**node, **source, "output": new[node["output"]]}
