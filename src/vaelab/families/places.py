"""The places of an image and their channels: (height, width) of a picture in colour, every entry of anything else."""

import math

import jax.numpy as jnp
from jaxtyping import Array

from vaelab.space import Shape


def places_of(shape: Shape) -> Shape:
    """(height, width) of (height, width, channels); else the shape itself, whose entries have one channel each."""
    return shape[:-1] if len(shape) == 3 else shape


def channels_of(shape: Shape) -> int:
    return math.prod(shape) // math.prod(places_of(shape))


def spread_over(values: Array, count: int) -> Array:
    """A value for each entry of an image, `count` times over, as a head of shape (places, channels x count) has them."""
    places = places_of(values.shape)
    return jnp.broadcast_to(values[..., None], (*values.shape, count)).reshape(*places, -1)
