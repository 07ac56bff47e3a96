"""The operations of an encoder or a decoder as data: what a model file carries so that a browser can run it.

A part writes its operations with `Graph.add`, naming its tensors by their path in the model file; see docs/design.md for the table
of operations. Nothing here is executed by Python: `tests/test_graph.py` interprets it as an independent check.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Graph:
    """Operations on one example, in order. Every value has a name; `add` returns that of its output."""

    input_name: str
    input_shape: tuple[int, ...]
    nodes: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, str] = field(default_factory=dict)

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        output = f"v{len(self.nodes)}"
        source = {"input": inputs[0]} if len(inputs) == 1 else {"inputs": list(inputs)}
        self.nodes.append({"op": op, **source, "output": output, **attributes})
        return output

    def dense(self, value: str, path: str) -> str:
        """`value @ weight + bias`, with the tensors of the `Linear` at `path`."""
        return self.add("dense", value, weight=f"{path}.weight", bias=f"{path}.bias")

    def as_dict(self) -> dict[str, Any]:
        return {
            "input": {"name": self.input_name, "shape": list(self.input_shape)},
            "nodes": self.nodes,
            "outputs": self.outputs,
        }
