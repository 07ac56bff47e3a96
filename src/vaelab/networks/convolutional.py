"""The convolutional network: an image halved by 4 x 4 convolutions of stride 2, or z doubled to an image by transposed ones."""

from itertools import pairwise
from typing import Any, Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.networks.base import AbstractNetwork
from vaelab.networks.convolution import HE, Downward, Upward
from vaelab.networks.linear import Linear
from vaelab.networks.maps import ACTIVATIONS, as_map, dropped, keys_for, layout_of
from vaelab.networks.settings import ConvolutionalSettings
from vaelab.space import Shape, Space


class Convolutional(AbstractNetwork):
    """Maps halved (`down`), dense layers, maps doubled (`up`), all followed by the activation. Encoders have no `up`, decoders no `down`.

    The networks of Radford, Metz and Chintala, "Unsupervised representation learning with deep convolutional generative adversarial
    networks", ICLR 2016, but for batch normalisation, whose statistics tell an image of the others in its batch.

    - An encoder's features are its smallest map or, with dense layers, a vector.
    - A decoder's are a map of half the image's height and width: its last layer, which doubles that, is the head.
    """

    down: tuple[Downward, ...]
    dense: tuple[Linear, ...]
    up: tuple[Upward, ...]
    activation: Literal["relu", "silu"] = eqx.field(static=True)
    dropout: float = eqx.field(static=True)
    given: Space = eqx.field(static=True)
    smallest: Shape = eqx.field(static=True)  # the smallest map
    out_shape: Shape = eqx.field(static=True)

    @classmethod
    def build(
        cls, settings: ConvolutionalSettings, given: Space, *, key: PRNGKeyArray, wanted: Space | None = None
    ) -> "Convolutional":
        """An encoder of what is given or, where it aims at the image `wanted`, a decoder.

        Raises:
            VaelabError: for images without height and width, or smaller than the kernel or the strides.
        """
        settings, decodes, depth, channels, sizes, smallest = layout_of(settings, given, wanted)
        keys = iter(jr.split(key, len(channels) + len(settings.dense) + 1))
        size = Space.of_shape(smallest).size
        widths = (given.size, *settings.dense, size) if decodes else (size, *settings.dense)
        dense = tuple(Linear(*pair, key=next(keys)) for pair in pairwise(widths))
        if decodes:
            up = tuple(
                Upward(*pair, size, key=next(keys), gain=HE)
                for pair, size in zip(pairwise(channels), sizes[-2:0:-1], strict=True)
            )
            down, out_shape = (), (*sizes[1], channels[-1])
        else:
            up, down = (), tuple(Downward(*pair, key=next(keys), gain=HE) for pair in pairwise((depth, *channels)))
            out_shape = widths[-1:] if settings.dense else smallest
        return cls(
            down=down,
            dense=dense,
            up=up,
            activation=settings.activation,
            dropout=settings.dropout,
            given=given,
            smallest=smallest,
            out_shape=out_shape,
        )

    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "..."]:
        del condition
        keys = iter(keys_for(key, len(self.down) + len(self.dense) + len(self.up)))

        def after(x: Array) -> Array:
            return dropped(ACTIVATIONS[self.activation](x), self.dropout, next(keys))

        x = as_map(given) if self.down else self.given.flat(given)
        for layer in self.down:
            x = after(layer(x))
        for layer in self.dense:
            x = after(layer(jnp.ravel(x)))
        x = jnp.reshape(x, self.smallest) if not self.down else x
        for layer in self.up:
            x = after(layer(x))
        return x

    def reads_input(self) -> PyTree[bool]:
        """The weight of the first convolution, which reads 4 x 4 pixels at a time; of a decoder none."""
        first = {id(layer.weight) for layer in self.down[:1]}
        return jax.tree.map(lambda leaf: id(leaf) in first, self)
