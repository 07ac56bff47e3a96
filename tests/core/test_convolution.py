"""A convolution is that of `jax.lax` and of a sum written out, on CPUs and elsewhere, with its gradients; in a batch it is one product."""

import re
from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from jaxtyping import Array

from vaelab.networks.convolution import Convolution, Downward, Upward
from vaelab.networks.convolving import SIDES, Kind, Size, _by_weight, convolved, half, in_slices, of_lax

SIZES = [(4, 6), (5, 3), (1, 2)]
"""Of the larger map."""
EACH = [(kind, size) for kind in SIDES for size in SIZES]


def sizes_of(kind: Kind, size: Size) -> tuple[Size, Size]:
    """Before and after."""
    halves = (half(size[0]), half(size[1]))
    return {"same": (size, size), "down": (size, halves), "up": (halves, size)}[kind]


def arrays(kind: Kind, size: Size) -> tuple[Array, Array]:
    side = SIDES[kind]
    return jr.normal(jr.key(0), (2, *sizes_of(kind, size)[0], 3)), jr.normal(jr.key(1), (side, side, 3, 2))


def written_out(kind: Kind, image: np.ndarray, weight: np.ndarray, size: Size) -> np.ndarray:
    """The sums of the docstring, in double precision."""
    found = np.zeros((*size, weight.shape[3]))
    stride = 1 if kind == "same" else 2
    small, large = (image.shape, size) if kind == "up" else (size, image.shape)
    for i, j, a, b in np.ndindex(*small[:2], *weight.shape[:2]):
        row, column = stride * i + a - 1, stride * j + b - 1
        if 0 <= row < large[0] and 0 <= column < large[1]:
            if kind == "up":
                found[row, column] += image[i, j] @ weight[a, b]
            else:
                found[i, j] += image[row, column] @ weight[a, b]
    return found


@pytest.mark.parametrize(("kind", "size"), EACH)
def test_it_is_the_sum_that_is_written_down(kind: Kind, size: Size):
    (images, weight), (_, after) = arrays(kind, size), sizes_of(kind, size)
    expected = [written_out(kind, np.asarray(image, float), np.asarray(weight, float), after) for image in images]
    for found in (
        jax.vmap(lambda image: convolved(image, weight, kind, after))(images),
        jnp.stack([convolved(image, weight, kind, after) for image in images]),
        of_lax(images, weight, kind=kind, size=after),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize(("kind", "size"), EACH)
def test_its_gradients_are_those_of_lax(kind: Kind, size: Size):
    (images, weight), (_, after) = arrays(kind, size), sizes_of(kind, size)

    def mine(images: Array, weight: Array) -> Array:
        return jnp.sum(jnp.sin(jax.vmap(lambda image: convolved(image, weight, kind, after))(images)))

    def theirs(images: Array, weight: Array) -> Array:
        return jnp.sum(jnp.sin(of_lax(images, weight, kind=kind, size=after)))

    for own, expected in zip(
        jax.grad(mine, (0, 1))(images, weight), jax.grad(theirs, (0, 1))(images, weight), strict=True
    ):
        np.testing.assert_allclose(own, expected, rtol=1e-4, atol=5e-5)


@pytest.mark.parametrize("kind", SIDES)
def test_second_derivatives_of_either_order_are_those_of_lax(kind: Kind):
    (images, weight), (_, after) = arrays(kind, (3, 4)), sizes_of(kind, (3, 4))

    def of(function, image: Array, weight: Array) -> Array:
        return jnp.sum(jnp.sin(function(image, weight)))

    mine = partial(of, lambda image, weight: convolved(image, weight, kind, after))
    theirs = partial(of, lambda image, weight: of_lax(image[None], weight, kind=kind, size=after)[0])
    towards = (jr.normal(jr.key(2), images[0].shape), jr.normal(jr.key(3), weight.shape))
    for second in (
        lambda f: jax.jvp(jax.grad(f, (0, 1)), (images[0], weight), towards)[1],
        lambda f: jax.grad(lambda a, b: jax.jvp(f, (a, b), towards)[1], (0, 1))(images[0], weight),
    ):
        for own, expected in zip(second(mine), second(theirs), strict=True):
            np.testing.assert_allclose(own, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", SIDES)
def test_elsewhere_the_weights_gradient_is_the_same(kind: Kind):
    (images, weight), (_, after) = arrays(kind, (5, 4)), sizes_of(kind, (5, 4))
    gradient = of_lax(images, weight, kind=kind, size=after)
    np.testing.assert_allclose(
        *(_by_weight(images, gradient, kind=kind, function=function) for function in (in_slices, of_lax)),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("kind", SIDES)
def test_each_example_may_have_its_own_weight_and_its_own_gradient(kind: Kind):
    (images, weight), (_, after) = arrays(kind, (5, 4)), sizes_of(kind, (5, 4))
    weights = jnp.stack([weight, -2.0 * weight])

    def loss(weight: Array, image: Array) -> Array:
        return jnp.sum(jnp.sin(convolved(image, weight, kind, after)))

    for batched, one_by_one in (
        (jax.vmap(loss)(weights, images), [loss(w, x) for w, x in zip(weights, images, strict=True)]),
        (jax.vmap(jax.grad(loss), (None, 0))(weight, images), [jax.grad(loss)(weight, image) for image in images]),
    ):
        np.testing.assert_allclose(batched, jnp.stack(one_by_one), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", SIDES)
def test_in_a_batch_it_is_a_product_of_all_examples_and_places(kind: Kind):
    """No product of its own for each example, which would be many small ones; and on a CPU no convolution of XLA's."""
    (images, weight), (_, after) = arrays(kind, (4, 6)), sizes_of(kind, (4, 6))

    def loss(weight: Array, images: Array) -> Array:
        return jnp.sum(jax.vmap(lambda image: convolved(image, weight, kind, after))(images) ** 2)

    written = jax.jit(jax.grad(loss, (0, 1))).lower(weight, images).as_text()
    products = [line for line in written.splitlines() if "dot_general" in line]
    assert len(products) >= 3
    assert not any("batching_dims" in line for line in products)
    assert not re.search(r"stablehlo\.convolution", written)


@pytest.mark.parametrize(
    ("built", "given", "wanted"),
    [
        (lambda key: Convolution(3, 2, key=key), (5, 7), (5, 7)),
        (lambda key: Downward(3, 2, key=key), (5, 8), (3, 4)),
        (lambda key: Upward(3, 2, (5, 8), key=key), (3, 4), (5, 8)),
    ],
    ids=["same", "down", "up"],
)
def test_a_layer_has_a_bias_for_each_channel_and_keeps_the_size_of_numbers(built, given, wanted):
    layer = built(jr.key(0))
    image = jr.normal(jr.key(1), (*given, 3))
    moved = jax.tree.map(lambda leaf: leaf + jnp.arange(2.0) if leaf.ndim == 1 else leaf, layer)
    out = layer(image)
    assert out.shape == (*wanted, 2)
    np.testing.assert_allclose(moved(image), out + jnp.arange(2.0)[None, None], rtol=1e-5, atol=1e-6)
    assert 0.3 < float(out.std()) < 2.0  # Glorot's weights neither swell nor shrink what they are given


def test_a_size_that_no_convolution_comes_from_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        convolved(jnp.zeros((2, 2, 1)), jnp.zeros((4, 4, 1, 1)), "up", (6, 4))
