"""The modes of p(z|x), climbed to from several places, and how wide p(z|x) is there."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Num

from vaelab.batching import in_batches
from vaelab.densities import AbstractDensity
from vaelab.model import Model
from vaelab.pixels import scaled

STEPS = 24
"""Of the climb, at most."""
LENGTHS = (1.0, 0.5, 0.2, 0.05, 0.01, 1e-3)
"""Shares of Newton's step that are tried, the best of them taken."""
ENOUGH = 1e-2
"""Nats: a step that gains less ends the climb."""
REACHES = tuple(float(4.0**power) for power in range(-5, 6))
"""Distances from the mode, in standard deviations by curvature, at which the fall of log p(z|x) is looked at."""
NARROWEST = 1e-6
"""Of a standard deviation beside the mode's own size: float32 has no points that lie closer."""


class Modes(NamedTuple):
    """For each start: the mode, log p(x, z) there, and the inverse of the covariance that p(z|x) has there."""

    z: Float[np.ndarray, "starts latent"]
    log_joint: Float[np.ndarray, " starts"]
    precision: Float[np.ndarray, "starts latent latent"]


def climb(
    model: Model,
    prior: AbstractDensity,
    images: Num[np.ndarray, "starts ..."],
    start: Float[np.ndarray, "starts latent"],
    *,
    longest: float,
) -> Modes:
    """From each start uphill on log p(x|z) + log p(z) of its image, by Newton's steps with the curvatures taken as positive.

    The width is read off the fall of the density along the curvature's axes and not off the curvature alone: with ReLUs the one at the
    mode says little of how far it reaches. At most 24 steps, each of about 20 decoded points, and then 44.

    **Arguments:** `longest`: a step is cut to this length.
    """
    pixels = int(np.prod(model.image_shape))
    found = in_batches(
        lambda rows, places: _climb(model, prior, rows, places, jnp.float32(longest)),
        images,
        np.asarray(start, np.float32),
        features=pixels * 24,
    )
    return Modes(*(np.asarray(part, np.float64) for part in found))


def distinct(modes: Modes, images: int) -> Bool[np.ndarray, "images starts"]:
    """Which modes of each image are new, not within four standard deviations of a higher one; `modes` has `images` rows of starts."""
    z = modes.z.reshape(images, -1, modes.z.shape[1])
    log_joint = modes.log_joint.reshape(images, -1)
    precision = modes.precision.reshape(*z.shape, z.shape[2])
    starts = z.shape[1]
    order = np.argsort(-log_joint, axis=1, kind="stable")
    rows = np.arange(images)
    new = np.ones((images, starts), bool)
    for later in range(1, starts):
        for earlier in range(later):
            here, there = order[:, later], order[:, earlier]
            apart = z[rows, here] - z[rows, there]
            square = np.einsum("ni,nij,nj->n", apart, precision[rows, there], apart)
            new[rows, here] &= ~((square < 16.0) & new[rows, there])
    return new


@eqx.filter_jit
def _climb(
    model: Model, prior: AbstractDensity, images: Array, start: Float[Array, "starts latent"], longest: Array
) -> tuple[Array, Array, Array]:
    def log_joint(z: Float[Array, " latent"], image: Array) -> Float[Array, ""]:
        return model.likelihood(z).log_prob(image) + jnp.maximum(prior.log_prob(z), -1e4)

    def curvature(z: Array, image: Array) -> tuple[Array, Array, Array]:
        """The gradient, and the axes and sizes of the curvature."""
        gradient = jax.grad(log_joint)(z, image)
        hessian = jax.jacfwd(jax.grad(log_joint))(z, image)
        sizes, axes = jnp.linalg.eigh(-0.5 * (hessian + hessian.T))
        sizes = jnp.where(jnp.isfinite(sizes), jnp.abs(sizes), 1.0)
        floor = jnp.maximum(1e-6 * sizes.max(), 1e-4)
        return gradient, jnp.maximum(sizes, floor), jnp.where(jnp.isfinite(axes), axes, jnp.eye(z.shape[0]))

    def step(z: Array, image: Array, here: Array) -> tuple[Array, Array]:
        gradient, sizes, axes = curvature(z, image)
        move = axes @ ((axes.T @ gradient) / sizes)
        move = jnp.where(jnp.isfinite(move), move, 0.0)
        move = move * jnp.minimum(1.0, longest / jnp.maximum(jnp.linalg.norm(move), 1e-30))
        tried = z[None] + jnp.array(LENGTHS)[:, None] * move[None]
        values = jax.vmap(lambda point: log_joint(point, image))(tried)
        values = jnp.where(jnp.isfinite(values), values, -jnp.inf)
        best = jnp.argmax(values)
        better = values[best] > here
        return jnp.where(better, tried[best], z), jnp.where(better, values[best], here)

    def unfinished(carry: tuple[Array, Array, Array, Array]) -> Array:
        _, _, gain, count = carry
        return (count < STEPS) & jnp.any(gain > ENOUGH)

    def onward(carry: tuple[Array, Array, Array, Array]) -> tuple[Array, Array, Array, Array]:
        z, values, _, count = carry
        moved, higher = jax.vmap(step)(z, pictures, values)
        return moved, higher, higher - values, count + 1

    def precision(z: Array, image: Array, here: Array) -> Array:
        _, sizes, axes = curvature(z, image)
        reaches = jnp.array(REACHES)

        def along(axis: Array, size: Array) -> Array:
            """1 / sigma^2, where log p falls by 1/2 (distance / sigma)^2: at the first distance that takes half a nat."""
            distance = reaches / jnp.sqrt(size)
            points = z[None, None] + jnp.array([1.0, -1.0])[:, None, None] * distance[None, :, None] * axis[None, None]
            fall = here - jax.vmap(jax.vmap(lambda point: log_joint(point, image)))(points)
            fall = jnp.where(jnp.isfinite(fall), fall, 1e30)
            first = jnp.argmax(fall >= 0.5, axis=1)
            first = jnp.where(jnp.any(fall >= 0.5, axis=1), first, len(REACHES) - 1)
            taken = jnp.take_along_axis(fall, first[:, None], axis=1)[:, 0]
            return jnp.max(2.0 * jnp.maximum(taken, 1e-3) / distance[first] ** 2)

        sizes = jax.vmap(along)(axes.T, sizes)
        most = 1.0 / (NARROWEST * jnp.maximum(1.0, jnp.abs(z).max())) ** 2
        sizes = jnp.clip(sizes, 1e-6, most)
        return (axes * sizes[None]) @ axes.T

    pictures = scaled(images)
    begun = jax.vmap(log_joint)(start, pictures)
    begun = jnp.where(jnp.isfinite(begun), begun, -jnp.inf)
    z, values, _, _ = jax.lax.while_loop(
        unfinished, onward, (start, begun, jnp.full(start.shape[0], jnp.inf), jnp.int32(0))
    )
    return z, values, jax.vmap(precision)(z, pictures, values)
