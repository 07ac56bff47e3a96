"""Convolutional layers, over maps (height, width, channels): of stride 1, and of stride 2 down and up."""

import equinox as eqx
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.networks.convolving import Size, convolved, half

Map = Float[Array, "height width channels"]

HE = 2.0**0.5
"""The gain of weights that a ReLU follows, for it takes half of the variance: He et al., "Delving deep into rectifiers", ICCV 2015."""


class Convolution(eqx.Module):
    """3 x 3 of stride 1: the map keeps its height and width."""

    weight: Float[Array, "3 3 channels out"]
    bias: Float[Array, " out"]

    def __init__(self, channels: int, out: int, *, key: PRNGKeyArray, gain: float = 1.0):
        self.weight = glorot(key, (3, 3, channels, out), inputs=9 * channels, outputs=9 * out, gain=gain)
        self.bias = jnp.zeros(out)

    def __call__(self, image: Map) -> Float[Array, "height width out"]:
        return convolved(image, self.weight, "same", size_of(image)) + self.bias[None, None]


class Downward(eqx.Module):
    """4 x 4 of stride 2: height and width are halved, and rounded up where they are odd."""

    weight: Float[Array, "4 4 channels out"]
    bias: Float[Array, " out"]

    def __init__(self, channels: int, out: int, *, key: PRNGKeyArray, gain: float = 1.0):
        self.weight = glorot(key, (4, 4, channels, out), inputs=16 * channels, outputs=4 * out, gain=gain)
        self.bias = jnp.zeros(out)

    def __call__(self, image: Map) -> Float[Array, "half_height half_width out"]:
        return convolved(image, self.weight, "down", halved(size_of(image))) + self.bias[None, None]


class Upward(eqx.Module):
    """4 x 4 of stride 2, transposed: to the height and width `size`, which `Downward` would take to those of the map."""

    weight: Float[Array, "4 4 channels out"]
    bias: Float[Array, " out"]
    size: Size = eqx.field(static=True)

    def __init__(self, channels: int, out: int, size: Size, *, key: PRNGKeyArray, gain: float = 1.0):
        self.weight = glorot(key, (4, 4, channels, out), inputs=4 * channels, outputs=16 * out, gain=gain)
        self.bias = jnp.zeros(out)
        self.size = size

    def __call__(self, image: Map) -> Float[Array, "double_height double_width out"]:
        return convolved(image, self.weight, "up", self.size) + self.bias[None, None]


def size_of(image: Map) -> Size:
    """The height and width of a map."""
    height, width, _ = image.shape
    return height, width


def halved(size: Size) -> Size:
    """The height and width that `Downward` makes of these."""
    return half(size[0]), half(size[1])


def glorot(key: PRNGKeyArray, shape: tuple[int, ...], *, inputs: int, outputs: int, gain: float) -> Array:
    """W ~ U(-a, a), a = gain * sqrt(6 / (inputs + outputs)): so many numbers make one of the output, and so many an input goes to.

    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010, eq. 16. With a stride
    of 2 an input goes to a quarter of the weight's places, and of a transposed convolution a quarter of them make a number; Keras
    counts all.
    """
    limit = gain * (6.0 / (inputs + outputs)) ** 0.5
    return jr.uniform(key, shape, minval=-limit, maxval=limit)
