"""A small convolutional classifier of images, whose convolutions serve as features for judging samples."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key


class Convolution(eqx.Module):
    """A 3 x 3 convolution with zero padding, as nine shifted slices and one matrix product.

    `jax.lax.conv` inside `jax.lax.scan` is many times slower on a CPU (jax issue 12868); this is as fast there as
    anywhere.
    """

    weight: Float[Array, "patch out"]
    bias: Float[Array, " out"]

    def __init__(self, channels: int, out: int, *, key: Key[Array, ""]):
        self.weight = math.sqrt(2 / (9 * channels)) * jr.normal(key, (9 * channels, out), jnp.float32)
        self.bias = jnp.zeros(out, jnp.float32)

    def __call__(self, image: Float[Array, "height width channels"]) -> Float[Array, "height width out"]:
        height, width, _ = image.shape
        padded = jnp.pad(image, ((1, 1), (1, 1), (0, 0)))
        shifted = [padded[row : row + height, column : column + width] for row in range(3) for column in range(3)]
        return jnp.concatenate(shifted, axis=-1) @ self.weight + self.bias[None, None]


class Dense(eqx.Module):
    """An affine map, `values @ weight + bias`."""

    weight: Float[Array, "in out"]
    bias: Float[Array, " out"]

    def __init__(self, size: int, out: int, *, key: Key[Array, ""]):
        self.weight = math.sqrt(2 / size) * jr.normal(key, (size, out), jnp.float32)
        self.bias = jnp.zeros(out, jnp.float32)

    def __call__(self, values: Float[Array, " in"]) -> Float[Array, " out"]:
        return values @ self.weight + self.bias


class Classifier(eqx.Module):
    """Logits over classes for one image with pixels in [0, 1], and features to compare images by.

    Pixels are folded 2 x 2 into channels; two convolutions, a maximum over 2 x 2, two convolutions, a hidden layer,
    logits; ReLU throughout. Height and width are padded with zeros to multiples of four.
    """

    convolutions: tuple[Convolution, Convolution, Convolution, Convolution]
    hidden: Dense
    output: Dense

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        classes: int,
        *,
        channels: tuple[int, int, int, int] = (24, 32, 48, 64),
        hidden: int = 64,
        key: Key[Array, ""],
    ):
        height, width, image_channels = image_shape
        keys = jr.split(key, 6)
        inputs = (4 * image_channels, *channels[:-1])
        first, second, third, fourth = map(lambda i, o, k: Convolution(i, o, key=k), inputs, channels, keys[:4])
        self.convolutions = (first, second, third, fourth)
        self.hidden = Dense(math.ceil(height / 4) * math.ceil(width / 4) * channels[-1], hidden, key=keys[4])
        self.output = Dense(hidden, classes, key=keys[5])

    def features(self, image: Float[Array, "height width channels"]) -> Float[Array, " feature"]:
        """What images are compared by: the last two convolutions, each channel averaged over all positions.

        The hidden layer is no good for that: it was trained to ignore how a digit is drawn, and finds blurred digits
        more typical than sharp ones, so that precision and density rise with blur.
        """
        third, fourth = self._convolved(image)
        return jnp.concatenate([third.mean(axis=(0, 1)), fourth.mean(axis=(0, 1))])

    def hidden_layer(self, image: Float[Array, "height width channels"]) -> Float[Array, " hidden"]:
        """The hidden layer after its ReLU, the input of the logits."""
        return jax.nn.relu(self.hidden(self._convolved(image)[1].ravel()))

    def __call__(self, image: Float[Array, "height width channels"]) -> Float[Array, " classes"]:
        return self.output(self.hidden_layer(image))

    def _convolved(
        self, image: Float[Array, "height width channels"]
    ) -> tuple[Float[Array, "quarter_height quarter_width third"], Float[Array, "quarter_height quarter_width fourth"]]:
        first, second, third, fourth = self.convolutions
        image = jnp.pad(image, ((0, -image.shape[0] % 4), (0, -image.shape[1] % 4), (0, 0)))
        x = jax.nn.relu(first(jnp.concatenate(_quarters(image), axis=-1)))  # (height / 2, width / 2, ·)
        x = jax.nn.relu(second(x))
        x = jax.nn.relu(third(jnp.stack(_quarters(x)).max(axis=0)))  # (height / 4, width / 4, ·)
        return x, jax.nn.relu(fourth(x))


def _quarters(image: Float[Array, "height width channels"]) -> list[Float[Array, "half_height half_width channels"]]:
    """The four corners of every 2 x 2 square, by reshape (strided slices are slow to differentiate)."""
    height, width, channels = image.shape
    squares = image.reshape(height // 2, 2, width // 2, 2, channels)
    return [squares[:, row, :, column] for row in range(2) for column in range(2)]
