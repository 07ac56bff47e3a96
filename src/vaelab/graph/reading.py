"""A jaxpr, equation by equation, as the page's operations.

JAX writes down what a function does to arrays of given shapes (`jax.make_jaxpr`); no weight is looked at. Each equation is one of the
page's operations (docs/design.md, "Operation graph"), or unknown, and so is then all that follows from it. What no output asks for is
left out, known or not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Jaxpr, JaxprEqn, Literal
from jaxtyping import Array, PyTree

from vaelab.graph.equations import named_function, operation_of
from vaelab.graph.nodes import Nodes, Operand, Tensor, Value, size_of

CALLS = {"jit", "pjit", "closed_call", "core_call", "custom_jvp_call", "custom_vjp_call", "checkpoint", "remat2"}
"""Equations that call a function of their own, which is read in their place."""


@dataclass(frozen=True)
class UnknownOperation:
    """What the page cannot do: the name of the first such equation that an output asks for."""

    name: str


def read_graph(
    function: Callable[[Any, Array], Mapping[str, Array]], input_name: str, input_shape: tuple[int, ...], arrays: PyTree
) -> dict[str, Any] | UnknownOperation:
    """The operations of `function(arrays, x)`, which returns its outputs by name; x is ONE float32 example.

    `arrays` is a tree of arrays, or of their shapes, such as `{"encoder": encoder}`; tensors are named by their path in it.
    """
    changing, fixed = eqx.partition(jax.tree.map(_shape_of, arrays), _is_shape)
    traced, outputs = jax.make_jaxpr(lambda some, x: function(eqx.combine(some, fixed), x), return_shape=True)(
        changing, jax.ShapeDtypeStruct(input_shape, jnp.float32)
    )
    tensors = [Tensor(_name(path), leaf.shape) for path, leaf in jax.tree_util.tree_leaves_with_path(changing)]
    nodes = Nodes()
    found = _read(traced.jaxpr, traced.consts, [*tensors, Value(input_name, input_shape)], nodes)
    values: dict[str, Value] = {}
    for (path, output), value in zip(jax.tree_util.tree_leaves_with_path(outputs), found, strict=True):
        if not isinstance(value, Value):
            return value if isinstance(value, UnknownOperation) else UnknownOperation("an output without an input")
        values[_name(path)] = nodes.reshape(value, output.shape)
    return {"input": {"name": input_name, "shape": list(input_shape)}, **nodes.as_dict(values)}


def _is_shape(leaf: Any) -> bool:
    return isinstance(leaf, jax.ShapeDtypeStruct)


def _shape_of(leaf: Any) -> Any:
    return jax.ShapeDtypeStruct(leaf.shape, leaf.dtype) if eqx.is_array(leaf) or _is_shape(leaf) else leaf


def _name(path: tuple[Any, ...]) -> str:
    """As `naming.py` has it."""
    return jax.tree_util.keystr(path, simple=True, separator=".")


def _read(
    jaxpr: Jaxpr, constants: Sequence[Any], arguments: Sequence[Operand | UnknownOperation], nodes: Nodes
) -> list[Operand | UnknownOperation]:
    """What the outputs of a jaxpr are; writes the nodes on the way."""
    known: dict[Any, Operand | UnknownOperation] = dict(zip(jaxpr.invars, arguments, strict=True))
    known |= {variable: _constant(value) for variable, value in zip(jaxpr.constvars, constants, strict=True)}

    def operand(variable: Any) -> Operand | UnknownOperation:
        return _constant(variable.val) if isinstance(variable, Literal) else known[variable]

    for equation in jaxpr.eqns:
        found = _equation(equation, [operand(variable) for variable in equation.invars], nodes)
        known.update(zip(equation.outvars, found, strict=True))
    return [operand(variable) for variable in jaxpr.outvars]


def _constant(value: Any) -> float | UnknownOperation:
    """A number, or an array that holds one number throughout; others have no name in a model's file."""
    if isinstance(getattr(value, "dtype", np.dtype(float)), np.dtype):  # keys of random numbers have another
        array = np.asarray(value)
        if array.size and array.dtype.kind in "fiu" and (array == array.flat[0]).all():
            return float(array.flat[0])
    return UnknownOperation("an array that is not the model's")


def _equation(
    equation: JaxprEqn, inputs: list[Operand | UnknownOperation], nodes: Nodes
) -> Sequence[Operand | UnknownOperation]:
    name, outputs = equation.primitive.name, equation.outvars
    known: list[Operand] = [value for value in inputs if not isinstance(value, UnknownOperation)]
    if name in CALLS:
        written = named_function(equation, known, nodes) if len(known) == len(inputs) else None
        return [written] if written is not None else _read_call(equation, inputs, nodes)
    if len(known) == len(inputs) and len(outputs) == 1:
        found = operation_of(equation, known, nodes)
        if found is not None and _fits(found, outputs[0].aval):
            return [found]
    unknown = next((value for value in inputs if isinstance(value, UnknownOperation)), UnknownOperation(name))
    return [unknown] * len(outputs)


def _read_call(
    equation: JaxprEqn, inputs: list[Operand | UnknownOperation], nodes: Nodes
) -> list[Operand | UnknownOperation]:
    inner = equation.params["call_jaxpr" if "call_jaxpr" in equation.params else "jaxpr"]
    return (
        _read(inner, (), inputs, nodes) if isinstance(inner, Jaxpr) else _read(inner.jaxpr, inner.consts, inputs, nodes)
    )


def _fits(found: Operand, output: Any) -> bool:
    """The page's numbers are float32, and it broadcasts nothing."""
    return not isinstance(found, Value) or (size_of(found.shape) == output.size and output.dtype == jnp.float32)
