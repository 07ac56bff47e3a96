"""Maps (height, width, channels) on their way down from an image and up to one, and squares of theirs folded into channels."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray

from vaelab.networks.convolution import halved
from vaelab.networks.convolving import Size
from vaelab.networks.linear import Linear
from vaelab.networks.settings import OfMapsSettings
from vaelab.space import Shape, Space


class Layout(NamedTuple):
    """How a network of maps goes from an image down or up to one, with no `auto` left in its settings.

    - `channels`: of each map, from the input on; `depth`: of the image
    - `sizes`: height and width of the image, and after each halving
    - `smallest`: the shape of the smallest map
    """

    settings: Any
    decodes: bool
    depth: int
    channels: Shape
    sizes: list[Size]
    smallest: Shape


def layout_of(settings: OfMapsSettings, given: Space, wanted: Space | None) -> Layout:
    """Of an encoder of what is given or, where it aims at the image `wanted`, a decoder.

    Raises:
        VaelabError: for images without height and width, or smaller than the kernel or the strides.
    """
    decodes, image = wanted is not None, given if wanted is None else wanted
    chosen = settings.of_image(image.shape, decodes=decodes)
    height, width, depth = (*image.shape, 1)[:3]
    sizes = sizes_down((height, width), len(chosen.channels))
    return Layout(
        settings=chosen,
        decodes=decodes,
        depth=depth,
        channels=chosen.channels,
        sizes=sizes,
        smallest=(*sizes[-1], chosen.channels[0 if decodes else -1]),
    )


ACTIVATIONS = {"relu": jax.nn.relu, "silu": jax.nn.silu}


def as_map(image: Float[Array, "height width *channels"]) -> Float[Array, "height width channels"]:
    """A grey image (height, width) as a map of one channel."""
    return image if image.ndim == 3 else image[..., None]


def sizes_down(size: Size, count: int) -> list[Size]:
    """Height and width, and those after each of so many halvings, rounded up."""
    found = [size]
    for _ in range(count):
        found.append(halved(found[-1]))
    return found


@jax.jit
def vaelab_space_to_depth(
    image: Float[Array, "height width channels"],
) -> Float[Array, "half_height half_width folded"]:
    """Squares of 2 x 2 as channels, ordered (channels, 2, 2); zeros below and on the right where height or width is odd.

    By its name a reader of jaxprs knows it (`graph/`).
    """
    height, width, channels = image.shape
    tall, wide = halved((height, width))
    padded = jnp.pad(image, ((0, height % 2), (0, width % 2), (0, 0)))
    squares = jnp.reshape(padded, (tall, 2, wide, 2, channels))
    return jnp.reshape(jnp.transpose(squares, (0, 2, 4, 1, 3)), (tall, wide, 4 * channels))


@jax.jit
def depth_to_space(image: Float[Array, "height width folded"]) -> Float[Array, "double_height double_width channels"]:
    """The opposite: channels (C, 2, 2) as squares of 2 x 2. Known by its name, too."""
    height, width, folded = image.shape
    squares = jnp.reshape(image, (height, width, folded // 4, 2, 2))
    return jnp.reshape(jnp.transpose(squares, (0, 3, 1, 4, 2)), (2 * height, 2 * width, folded // 4))


class Fold(eqx.Module):
    """Half the height and width: squares of 2 x 2 as channels, and a dense layer along them."""

    dense: Linear

    def __init__(self, channels: int, out: int, *, key: PRNGKeyArray):
        self.dense = Linear(4 * channels, out, key=key)

    def __call__(self, image: Float[Array, "height width channels"]) -> Float[Array, "half_height half_width out"]:
        return self.dense(vaelab_space_to_depth(image))


class Unfold(eqx.Module):
    """To the height and width `size`, which `Fold` would halve to those of the map."""

    dense: Linear
    size: Size = eqx.field(static=True)

    def __init__(self, channels: int, out: int, size: Size, *, key: PRNGKeyArray):
        self.dense = Linear(channels, 4 * out, key=key)
        self.size = size

    def __call__(self, image: Float[Array, "height width channels"]) -> Float[Array, "double_height double_width out"]:
        return depth_to_space(self.dense(image))[: self.size[0], : self.size[1]]


def dropped(
    values: Float[Array, "*map channels"], rate: float, key: PRNGKeyArray | None
) -> Float[Array, "*map channels"]:
    """Whole channels left out at this rate, and the others made larger by as much; without a key none.

    Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015, section 3.2: of a map's channel the places
    next to each other say nearly the same, so that leaving out some leaves out nothing.
    """
    if key is None or rate == 0.0:
        return values
    kept = jr.bernoulli(key, 1.0 - rate, values.shape[-1:])
    scale = jnp.where(kept, jnp.float32(1.0 / (1.0 - rate)), jnp.float32(0.0))
    return values * jnp.broadcast_to(scale, values.shape)


def keys_for(key: PRNGKeyArray | None, count: int) -> list[PRNGKeyArray | None]:
    """A key for each of so many layers; None for each where there is none."""
    return [None] * count if key is None else list(jr.split(key, count))
