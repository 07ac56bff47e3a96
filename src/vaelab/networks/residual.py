"""The residual network: blocks of 3 x 3 convolutions that add to a map, and squares of 2 x 2 folded into channels between them."""

from itertools import pairwise
from typing import Any, Literal, cast

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vaelab.networks.base import AbstractNetwork
from vaelab.networks.convolution import HE, Convolution, Downward
from vaelab.networks.linear import Linear
from vaelab.networks.maps import ACTIVATIONS, Fold, Unfold, as_map, dropped, keys_for, layout_of
from vaelab.networks.normalisation import GroupNorm
from vaelab.networks.settings import ResidualSettings
from vaelab.space import Shape, Space

Activation = Literal["relu", "silu"]


class Block(eqx.Module):
    """x + convolution(activation(norm(convolution(activation(norm(x)))))).

    He et al., "Identity mappings in deep residual networks", ECCV 2016, figure 4e. The second convolution begins small, so that a deep
    network begins near the identity.
    """

    norms: tuple[GroupNorm, ...]  # two, or none
    first: Convolution
    second: Convolution
    activation: Activation = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(self, channels: int, settings: ResidualSettings, *, key: PRNGKeyArray):
        first, second = jr.split(key)
        self.norms = (GroupNorm(channels), GroupNorm(channels)) if settings.norm == "group" else ()
        self.first = Convolution(channels, channels, key=first, gain=HE)
        self.second = Convolution(channels, channels, key=second, gain=0.2)
        self.activation = settings.activation
        self.dropout = settings.dropout

    def __call__(
        self, x: Float[Array, "height width channels"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "height width channels"]:
        added = self.first(_activated(x, self.norms[:1], self.activation))
        added = dropped(_activated(added, self.norms[1:], self.activation), self.dropout, key)
        return x + self.second(added)


class Residual(AbstractNetwork):
    """Maps halved, or doubled, with blocks at each.

    An encoder halves the image by a 4 x 4 convolution of stride 2, and each map after that by folding squares of 2 x 2 into channels
    (`Fold`); a decoder does the opposite, from a dense layer on z to a map of half the image's height and width: its last layer, which
    doubles that, is the head. An encoder's features are its smallest map.
    """

    first: Downward | Linear  # an encoder's, a decoder's
    moves: tuple[Fold | Unfold, ...]  # between the maps
    blocks: tuple[tuple[Block, ...], ...]  # at each map
    norms: tuple[GroupNorm, ...]  # before the last activation: one, or none
    activation: Activation = eqx.field(static=True)
    given: Space = eqx.field(static=True)
    decodes: bool = eqx.field(static=True)
    smallest: Shape = eqx.field(static=True)
    out_shape: Shape = eqx.field(static=True)

    @classmethod
    def build(
        cls, settings: ResidualSettings, given: Space, *, key: PRNGKeyArray, wanted: Space | None = None
    ) -> "Residual":
        """An encoder of what is given or, where it aims at the image `wanted`, a decoder.

        Raises:
            VaelabError: for images without height and width, or smaller than the kernel or the strides.
        """
        settings, decodes, depth, channels, sizes, smallest = layout_of(settings, given, wanted)
        first_key, moves_key, blocks_key = jr.split(key, 3)
        pairs = list(pairwise(channels))
        keys = jr.split(moves_key, max(len(pairs), 1))
        if decodes:
            first = Linear(given.size, Space.of_shape(smallest).size, key=first_key)
            moves = tuple(
                Unfold(*pair, size, key=key) for pair, size, key in zip(pairs, sizes[-2:0:-1], keys, strict=False)
            )
        else:
            first = Downward(depth, channels[0], key=first_key)
            moves = tuple(Fold(*pair, key=key) for pair, key in zip(pairs, keys, strict=False))
        blocks = tuple(
            tuple(Block(width, settings, key=key) for key in jr.split(here, count))
            for width, count, here in zip(
                channels, cast(Shape, settings.blocks), jr.split(blocks_key, len(channels)), strict=True
            )
        )
        norms = (GroupNorm(channels[-1]),) if settings.norm == "group" else ()
        out_shape = (*sizes[1], channels[-1]) if decodes else smallest
        return cls(
            first=first,
            moves=moves,
            blocks=blocks,
            norms=norms,
            activation=settings.activation,
            given=given,
            decodes=decodes,
            smallest=smallest,
            out_shape=out_shape,
        )

    def __call__(
        self, given: Any, condition: Array | None = None, *, key: PRNGKeyArray | None = None
    ) -> Float[Array, "height width channels"]:
        del condition
        keys = iter(keys_for(key, sum(map(len, self.blocks))))
        x = self.first(self.given.flat(given) if self.decodes else as_map(given))
        x = jnp.reshape(x, self.smallest) if self.decodes else x
        for number, here in enumerate(self.blocks):
            x = x if number == 0 else self.moves[number - 1](x)
            for block in here:
                x = block(x, key=next(keys))
        return _activated(x, self.norms, self.activation)

    def reads_input(self) -> PyTree[bool]:
        """The weight of an encoder's first convolution, which reads 4 x 4 pixels at a time; of a decoder none."""
        first = None if self.decodes else id(self.first.weight)
        return jax.tree.map(lambda leaf: id(leaf) == first, self)


def _activated(x: Array, norms: tuple[GroupNorm, ...], activation: Activation) -> Array:
    for norm in norms:
        x = norm(x)
    return ACTIVATIONS[activation](x)
