"""What a convolution computes, for maps (n, height, width, channels): 3 x 3 of stride 1, 4 x 4 of stride 2 down, and 4 x 4 of stride 2 up.

On CPUs a convolution is slices of the maps and matrix products: `jax.lax.conv` inside `jax.lax.scan`, which an epoch is, runs 29 times as
slow there (jax issue 12868; `python -m benchmarks.convolution_gradients`). Elsewhere it is `jax.lax.conv_general_dilated`. Which of the
two is chosen where a program is lowered for a device, and both give the same numbers but for rounding (tests/core/test_convolution.py).

The three are one JAX primitive, linear in the maps and in the weight, for two reasons. Its transpose is a convolution again: the gradient
that JAX takes of slices and products writes the slices' gradients out before it adds them, and takes 1.4 times as long. And its name stands
in a jaxpr, so that a reader of one sees a convolution (`graph/`). Under `jax.vmap` all examples are one product.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
from jax.core import ShapedArray
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir
from jaxtyping import Array, Float

Kind = Literal["same", "down", "up"]
Size = tuple[int, int]
Maps = Float[Array, "n height width channels"]

AXES = ("NHWC", "HWIO", "NHWC")
FEW = 8
"""Channels below which copies are cheaper than products."""
NAME = "vaelab_convolution"
"""What the primitive is called in a jaxpr; its parameters are `kind` and `size`."""


def half(size: int) -> int:
    """What a convolution of stride 2 makes of a height or a width."""
    return -(-size // 2)


def convolved(image: Float[Array, "height width channels"], weight: Array, kind: Kind, size: Size) -> Array:
    """The map of height and width `size` that a weight (rows, columns, channels, out) makes of one map x, with zeros around it.

    - `same`: y[i, j] = sum over a, b of x[i + a - 1, j + b - 1] W[a, b], W 3 x 3
    - `down`: y[i, j] = sum over a, b of x[2 i + a - 1, 2 j + b - 1] W[a, b], W 4 x 4; sizes are halved and rounded up
    - `up`: y[k, l] = sum over i, j of x[i, j] W[k + 1 - 2 i, l + 1 - 2 j], W 4 x 4, its transpose; sizes are doubled, or one less
    """
    return convolution_p.bind(image[None], weight, kind=kind, size=tuple(size))[0]


# --- slices and products ------------------------------------------------------------------------------------------------------------


def same_sliced(x: Maps, weight: Array, size: Size) -> Array:
    """Three slices along a row beside each other, then along a column two rows at once by four products in the place of six.

    With rows d of such slices and g those of the weight, (d0 - d2) g0 + m + n and m - n - (d1 - d3) g2 are the sums of two rows, where
    m, n = (d2 +- d1) (g0 +- g1 + g2) / 2: F(2, 3) of Winograd, "Arithmetic complexity of computations", SIAM 1980; Lavin and Gray,
    "Fast algorithms for convolutional neural networks", CVPR 2016, eq. 6.
    """
    (count, height, width, channels), pairs = x.shape, half(size[0])
    padded = jnp.pad(x, ((0, 0), (1, 1 + height % 2), (1, 1), (0, 0)))
    along = jnp.concatenate([padded[:, :, b : b + width] for b in range(3)], axis=-1)
    rows = jnp.reshape(along, (count, pairs + 1, 2, width, 3 * channels))
    d0, d1, d2, d3 = rows[:, :-1, 0], rows[:, :-1, 1], rows[:, 1:, 0], rows[:, 1:, 1]
    g0, g1, g2 = jnp.reshape(weight, (3, 3 * channels, -1))
    first, last = (d0 - d2) @ g0, (d1 - d3) @ g2
    both, apart = (d2 + d1) @ (0.5 * (g0 + g1 + g2)), (d2 - d1) @ (0.5 * (g0 - g1 + g2))
    found = jnp.stack([first + both + apart, both - apart - last], axis=2)
    return jnp.reshape(found, (count, 2 * pairs, width, -1))[:, :height]


def down_sliced(x: Maps, weight: Array, size: Size) -> Array:
    """Of many channels: four neighbours along a row beside each other, and one product for each of the four rows that a place reads.

    Of few, squares of 2 x 2 folded into channels, and a 2 x 2 convolution of those by four slices and one product: products of so few
    numbers a row cost more than the copies do.
    """
    (count, height, width, channels), out = x.shape, weight.shape[-1]
    tall, wide = size
    padded = jnp.pad(x, ((0, 0), (1, 1 + height % 2), (1, 1 + width % 2), (0, 0)))
    if channels >= FEW:
        pairs = jnp.reshape(padded, (count, tall + 1, 2, wide + 1, 2 * channels))
        along = jnp.concatenate([pairs[..., :-1, :], pairs[..., 1:, :]], axis=-1)
        above, below = along[:, :-1], along[:, 1:]
        first, second, third, fourth = jnp.reshape(weight, (4, 4 * channels, out))
        return above[:, :, 0] @ first + above[:, :, 1] @ second + below[:, :, 0] @ third + below[:, :, 1] @ fourth
    squares = jnp.reshape(padded, (count, tall + 1, 2, wide + 1, 2, channels))
    folded = jnp.reshape(jnp.transpose(squares, (0, 1, 3, 2, 4, 5)), (count, tall + 1, wide + 1, 4 * channels))
    patches = jnp.concatenate([folded[:, a : a + tall, b : b + wide] for a in range(2) for b in range(2)], axis=-1)
    ordered = jnp.transpose(jnp.reshape(weight, (2, 2, 2, 2, channels, out)), (0, 2, 1, 3, 4, 5))
    return patches @ jnp.reshape(ordered, (16 * channels, out))


def up_sliced(x: Maps, weight: Array, size: Size) -> Array:
    """One product makes of each place the 4 x 4 of the image that it is part of; these overlap by half, and are added up.

    With k + 1 = 2 m + r the sum is x[m] W[r] + x[m - 1] W[r + 2], along each axis: four squares of 2 x 2, each moved by none or one.
    """
    (count, height, width, channels), out = x.shape, weight.shape[-1]
    turned = jnp.reshape(jnp.transpose(weight, (2, 0, 1, 3)), (channels, 16 * out))
    parts = jnp.reshape(x @ turned, (count, height, width, 2, 2, 2, 2, out))

    def moved(down: int, right: int) -> Array:
        here = parts[:, :, :, down, :, right]
        return jnp.pad(here, ((0, 0), (down, 1 - down), (right, 1 - right), (0, 0), (0, 0), (0, 0)))

    squares = moved(0, 0) + moved(0, 1) + moved(1, 0) + moved(1, 1)
    whole = jnp.reshape(jnp.transpose(squares, (0, 1, 3, 2, 4, 5)), (count, 2 * height + 2, 2 * width + 2, out))
    return whole[:, 1 : 1 + size[0], 1 : 1 + size[1]]


SLICED: dict[Kind, Callable[[Array, Array, Size], Array]] = {
    "same": same_sliced,
    "down": down_sliced,
    "up": up_sliced,
}


def in_slices(x: Maps, weight: Array, *, kind: Kind, size: Size) -> Array:
    return SLICED[kind](x, weight, size)


# --- as JAX has it ------------------------------------------------------------------------------------------------------------------


def of_lax(x: Maps, weight: Array, *, kind: Kind, size: Size) -> Array:
    if kind == "same":
        return jax.lax.conv_general_dilated(x, weight, (1, 1), ((1, 1), (1, 1)), dimension_numbers=AXES)
    if kind == "down":
        padding = [(1, 1 + before % 2) for before in x.shape[1:3]]
        return jax.lax.conv_general_dilated(x, weight, (2, 2), padding, dimension_numbers=AXES)
    padding, turned = [(2, 2 - after % 2) for after in size], weight[::-1, ::-1]
    return jax.lax.conv_general_dilated(x, turned, (1, 1), padding, lhs_dilation=(2, 2), dimension_numbers=AXES)


# --- the primitives -----------------------------------------------------------------------------------------------------------------

convolution_p = Primitive(NAME)
"""y = W * x, of maps and a weight."""
weight_gradient_p = Primitive(f"{NAME}_weight_gradient")
"""Of maps x and a gradient by y: the gradient by W."""

SIDES: dict[Kind, int] = {"same": 3, "down": 4, "up": 4}
TRANSPOSED: dict[Kind, Kind] = {"same": "same", "down": "up", "up": "down"}


@partial(jax.jit, static_argnames=("kind", "size"))
def _convolution(x: Maps, weight: Array, *, kind: Kind, size: Size) -> Array:
    return convolution_p.bind(x, weight, kind=kind, size=size)


@partial(jax.jit, static_argnames=("kind",))
def _weight_gradient(x: Maps, gradient: Array, *, kind: Kind) -> Array:
    return weight_gradient_p.bind(x, gradient, kind=kind)


convolution_p.def_impl(_convolution)
weight_gradient_p.def_impl(_weight_gradient)


@convolution_p.def_abstract_eval
def _shape_after(x: Any, weight: Any, *, kind: Kind, size: Size) -> Any:
    before = tuple(x.shape[1:3])
    fits = {
        "same": before == size,
        "down": tuple(map(half, before)) == size,
        "up": tuple(map(half, size)) == before,
    }
    side = SIDES[kind]
    if not fits[kind] or weight.shape[:3] != (side, side, x.shape[3]):
        raise ValueError(f"convolution '{kind}' to {size}: maps {x.shape} and a weight {weight.shape} do not fit")
    return ShapedArray((x.shape[0], *size, weight.shape[3]), x.dtype)


@weight_gradient_p.def_abstract_eval
def _shape_of_weight(x: Any, gradient: Any, *, kind: Kind) -> Any:
    return ShapedArray((SIDES[kind], SIDES[kind], x.shape[3], gradient.shape[3]), x.dtype)


def _by_weight(x: Maps, gradient: Array, *, kind: Kind, function: Callable[..., Array]) -> Array:
    """The transpose of what is linear in the weight."""
    weight = jax.ShapeDtypeStruct((SIDES[kind], SIDES[kind], x.shape[3], gradient.shape[3]), x.dtype)
    linear = partial(function, x, kind=kind, size=gradient.shape[1:3])
    (found,) = jax.linear_transpose(linear, weight)(gradient)
    return found


def _by_weight_sliced(x: Maps, gradient: Array, *, kind: Kind) -> Array:
    """That of `up` is that of `down` with maps and gradient exchanged, whose slices are cheaper."""
    if kind == "up":
        return jnp.swapaxes(_by_weight(gradient, x, kind="down", function=in_slices), 2, 3)
    return _by_weight(x, gradient, kind=kind, function=in_slices)


def _by_maps(gradient: Array, weight: Array, *, kind: Kind, size: Size) -> Array:
    """The transpose of what is linear in the maps: a convolution of the gradient, to their size."""
    turned = jnp.swapaxes(weight[::-1, ::-1] if kind == "same" else weight, 2, 3)
    return convolution_p.bind(gradient, turned, kind=TRANSPOSED[kind], size=size)


ad.defbilinear(
    convolution_p,
    lambda gradient, x, weight, *, kind, size: _by_maps(gradient, weight, kind=kind, size=x.aval.shape[1:3]),
    lambda gradient, x, weight, *, kind, size: weight_gradient_p.bind(x, gradient, kind=kind),
)
ad.defbilinear(
    weight_gradient_p,
    lambda by_weight, x, gradient, *, kind: _by_maps(gradient, by_weight, kind=kind, size=x.aval.shape[1:3]),
    lambda by_weight, x, gradient, *, kind: convolution_p.bind(x, by_weight, kind=kind, size=gradient.aval.shape[1:3]),
)


def _convolution_of_batch(values: tuple[Array, Array], axes: tuple[Any, Any], *, kind: Kind, size: Size) -> Any:
    (x, weight), (of_x, of_weight) = values, axes
    if of_weight is not None:  # a weight for each: many products
        return jax.vmap(partial(in_slices, kind=kind, size=size), (of_x, of_weight))(x, weight), 0
    x = jnp.moveaxis(x, of_x, 0)
    batch, count, *shape = x.shape
    found = convolution_p.bind(jnp.reshape(x, (batch * count, *shape)), weight, kind=kind, size=size)
    return jnp.reshape(found, (batch, count, *found.shape[1:])), 0


def _weight_gradient_of_batch(values: tuple[Array, Array], axes: tuple[Any, Any], *, kind: Kind) -> Any:
    return jax.vmap(partial(_by_weight_sliced, kind=kind), axes)(*values), 0


batching.primitive_batchers[convolution_p] = _convolution_of_batch
batching.primitive_batchers[weight_gradient_p] = _weight_gradient_of_batch

for primitive, everywhere, on_cpus in (
    (convolution_p, of_lax, in_slices),
    (weight_gradient_p, partial(_by_weight, function=of_lax), _by_weight_sliced),
):
    mlir.register_lowering(primitive, mlir.lower_fun(everywhere, multiple_results=False))
    mlir.register_lowering(primitive, mlir.lower_fun(on_cpus, multiple_results=False), platform="cpu")
