"""Which operation an equation of a jaxpr is.

It is told by what the equation does, not by who wrote it: `jax.nn.relu` is a maximum with zero. Where the pattern says nothing (the mean
of a continuous Bernoulli), the function is a `jax.jit` of its own, and its name stands in the jaxpr. Shapes are the business of what an
operation needs: a reshape only leaves the numbers as they are, until one of another shape is asked for.
"""

from typing import Any

from jax.extend.core import JaxprEqn, Literal

from vaelab.graph.nodes import Nodes, Operand, Tensor, Value, size_of

SAME_NUMBERS = {"reshape", "squeeze", "expand_dims", "broadcast_in_dim", "slice", "convert_element_type", "copy"}
"""These leave the numbers and their order as they are, where they leave their count."""

NHWC = ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
"""Images (N, H, W, C), weights (H, W, in, out), images: the axes in the order in which `lax` counts them."""


def operation_of(equation: JaxprEqn, inputs: list[Operand], nodes: Nodes) -> Operand | None:
    """What an equation gives, written as nodes; None where the page has no operation for it."""
    match equation.primitive.name, *inputs:
        case "add", Value() as a, Value() as b:
            return nodes.pair("add", a, b)
        case ("add", Value() as a, float() as c) | ("add", float() as c, Value() as a):
            return nodes.affine(a, 1.0, c)
        case ("add", Value() as a, Tensor() as bias) | ("add", Tensor() as bias, Value() as a):
            return nodes.with_bias(a, bias)
        case "sub", Value() as a, Value() as b:
            return nodes.pair("add", a, nodes.affine(b, -1.0, 0.0))
        case "sub", Value() as a, float() as c:
            return nodes.affine(a, 1.0, -c)
        case "sub", float() as c, Value() as a:
            return nodes.affine(a, -1.0, c)
        case "neg", Value() as a:
            return nodes.affine(a, -1.0, 0.0)
        case "mul", Value() as a, Value() as b:
            return nodes.pair("multiply", a, b)
        case ("mul", Value() as a, float() as c) | ("mul", float() as c, Value() as a):
            return nodes.affine(a, c, 0.0)
        case "div", Value() as a, float() as c if c != 0.0:
            return nodes.affine(a, 1.0 / c, 0.0)
        case ("max", Value() as a, float() as c) | ("max", float() as c, Value() as a):
            return nodes.activation(a, "relu") if c == 0.0 else nodes.clip(a, low=c)
        case ("min", Value() as a, float() as c) | ("min", float() as c, Value() as a):
            return nodes.clip(a, high=c)
        case "clamp", float() as low, Value() as a, float() as high:
            return nodes.clip(a, low=low, high=high)
        case "tanh", Value() as a:
            return nodes.activation(a, "tanh")
        case "logistic", Value() as a:
            return nodes.activation(a, "sigmoid")
        case "dot_general", Value() as a, Tensor(shape=(rows, _)) as weight:
            if _multiplies(equation, 0, rows):
                return nodes.dense(a, weight)
            return nodes.along_channels(nodes.reshape(a, _shapes(equation)[0]), weight) if _is_along(equation) else None
        case "dot_general", Tensor(shape=(rows, _)) as weight, Value() as a:
            return nodes.dense(a, weight) if _multiplies(equation, 1, rows) else None
        case "conv_general_dilated", Value() as a, Tensor(shape=(_, _, _, _)) as weight:
            return _convolution(equation, a, weight, nodes)
        case "vaelab_convolution", Value() as a, Tensor(shape=(_, _, _, _)) as weight:
            return _own_convolution(equation, a, weight, nodes)
        case "slice", Value() as a if _crops(equation):
            return nodes.crop(nodes.reshape(a, _shapes(equation)[0]), _shapes(equation)[1])
        case name, (Value() | float()) as same if name in SAME_NUMBERS and not _permutes(equation):
            return same
        case "reshape" | "broadcast_in_dim", Tensor() as tensor:
            return _along_channels(equation, tensor)
    return None


def named_function(equation: JaxprEqn, inputs: list[Operand], nodes: Nodes) -> Operand | None:
    """What a function gives that is known by its name; None for all others, which are read equation by equation."""
    match equation.primitive.name, equation.params.get("name"), *inputs:
        case "jit" | "pjit", "continuous_bernoulli_mean", Value() as a:
            return nodes.activation(a, "continuous-bernoulli-mean")
        case "jit" | "pjit", "clipped_logistic_mean", Value() as a, (Value() | Tensor(shape=())) as log_scale:
            return nodes.clipped_logistic_mean(a, log_scale)
        case "jit" | "pjit", "depth_to_space", Value() as a:
            return _depth_to_space(equation, a, nodes)
        case "jit" | "pjit", "vaelab_space_to_depth", Value() as a:
            return nodes.space_to_depth(nodes.reshape(a, _shapes(equation)[0]), 2)
        case "jit" | "pjit", "vaelab_group_norm", Value() as a, Tensor() as weight, Tensor() as bias:
            grouped = next(one for one in equation.params["jaxpr"].jaxpr.eqns if one.primitive.name == "reshape")
            return nodes.group_norm(nodes.reshape(a, _shapes(equation)[0]), weight, bias, _shapes(grouped)[1][-1])
        case "jit" | "pjit", "softplus", Value() as a if _is_softplus(equation):
            return nodes.activation(a, "softplus")
    return None


def _is_softplus(equation: JaxprEqn) -> bool:
    """`jax.nn.softplus` is log(e^x + e^0), one function of two arguments; a function of this name with a slope of its own is another."""
    body = equation.params["jaxpr"].jaxpr.eqns
    constants = [one.val for equation in body for one in equation.invars if isinstance(one, Literal)]
    return [one.primitive.name for one in body] == ["custom_jvp_call"] and constants == [0.0]


def _shapes(equation: JaxprEqn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of its first input and of its first output."""
    return _shape_of(equation.invars[0]), _shape_of(equation.outvars[0])


def _shape_of(variable: Any) -> tuple[int, ...]:
    return variable.aval.shape


def _permutes(equation: JaxprEqn) -> bool:
    return equation.primitive.name == "reshape" and equation.params["dimensions"] is not None


def _multiplies(equation: JaxprEqn, value: int, rows: int) -> bool:
    """Whether a product sums over the first axis of the weight and the whole of the value, which is operand number `value`."""
    contracted, batched = equation.params["dimension_numbers"]
    shape = _shape_of(equation.invars[value])
    whole = [shape[axis] for axis in contracted[value]] == [rows] and size_of(shape) == rows
    return whole and tuple(contracted[1 - value]) == (0,) and not batched[0]


def _convolution(equation: JaxprEqn, image: Value, weight: Tensor, nodes: Nodes) -> Value | None:
    parameters = equation.params
    axes = parameters["dimension_numbers"]
    plain = (
        (tuple(axes.lhs_spec), tuple(axes.rhs_spec), tuple(axes.out_spec)) == NHWC
        and set(parameters["lhs_dilation"]) | set(parameters["rhs_dilation"]) == {1}
        and parameters["feature_group_count"] == parameters["batch_group_count"] == 1
        and min(min(side) for side in parameters["padding"]) >= 0
    )
    (count, *shape), (_, *written) = _shapes(equation)
    if not plain or count != 1:
        return None
    stride, padding = list(parameters["window_strides"]), [list(side) for side in parameters["padding"]]
    return nodes.convolution(nodes.reshape(image, shape), weight, tuple(written), stride=stride, padding=padding)


def _is_along(equation: JaxprEqn) -> bool:
    """Whether a product with a weight is along the last axis of a value, at each of its places."""
    contracted, batched = equation.params["dimension_numbers"]
    last = len(_shape_of(equation.invars[0])) - 1
    return tuple(contracted[0]) == (last,) and tuple(contracted[1]) == (0,) and not batched[0]


def _own_convolution(equation: JaxprEqn, image: Value, weight: Tensor, nodes: Nodes) -> Value | None:
    """A convolution of `vaelab.networks.convolving`, whose primitive says which."""
    (count, *shape), (_, *written) = _shapes(equation)
    if count != 1:
        return None
    image = nodes.reshape(image, shape)
    match equation.params["kind"]:
        case "same":
            geometry: dict[str, Any] = {"stride": [1, 1], "padding": [[1, 1], [1, 1]]}
        case "down":
            geometry = {"stride": [2, 2], "padding": [[1, 1 + size % 2] for size in shape[:2]]}
        case _:
            return nodes.transposed_convolution(image, weight, tuple(written), stride=[2, 2], crop=[1, 1])
    return nodes.convolution(image, weight, tuple(written), **geometry)


def _crops(equation: JaxprEqn) -> bool:
    """Whether a slice keeps the first rows and columns of a map, and all of its channels."""
    before, after = _shapes(equation)
    first = len(before) == 3 and not any(equation.params["start_indices"]) and before[2] == after[2]
    return first and before != after and equation.params["strides"] is None


def _depth_to_space(equation: JaxprEqn, image: Value, nodes: Nodes) -> Value | None:
    """Only where its channels are ordered (C, block, block): other libraries' functions of this name have the block first."""
    (*_, height, width, _), (*_, tall, _, channels) = _shapes(equation)
    block = tall // height
    folded = (height, width, channels, block, block)
    moved = [one for one in equation.params["jaxpr"].jaxpr.eqns if one.primitive.name == "transpose"]
    if len(moved) != 1 or _shapes(moved[0])[0][-5:] != folded or size_of(image.shape) != size_of(folded):
        return None
    leading = len(moved[0].params["permutation"]) - 5
    if moved[0].params["permutation"][leading:] != tuple(leading + axis for axis in (0, 3, 1, 4, 2)):
        return None
    return nodes.depth_to_space(nodes.reshape(image, (height, width, channels * block**2)), block)


def _along_channels(equation: JaxprEqn, tensor: Tensor) -> Tensor | None:
    """A tensor of n numbers laid along the last axis, where they stand for a channel each; None for any other way to lay it."""
    numbers = size_of(tensor.shape)
    before, after = _shapes(equation)
    axes = equation.params.get("broadcast_dimensions", (len(after) - 1,))
    laid = before[-1:] == after[-1:] == (numbers,) and axes[-1:] == (len(after) - 1,)
    return Tensor(tensor.name, (numbers,)) if laid else None
