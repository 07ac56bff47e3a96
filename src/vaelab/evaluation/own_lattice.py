"""log p(x) of one image on a lattice of its own: for posteriors too narrow for a lattice that many images share.

The modes of p(z|x) are climbed to from the mean of q(z|x) and from the highest points of the shared lattice, where the density itself
may have vanished but its logarithm still shows the way up. The lattice lies along the axes of their precisions' sum, so that it resolves
each of them, and grows tile by tile from the tiles that hold them until p(x, z) is negligible at its border. What the shared lattice
finds outside of it is added. Again the lattices of twice the spacing must agree; else the spacing is halved, once. (What can be missed: one
of two narrow modes that lie nearer to each other than the points of the shared lattice, unless they lie about its highest point.)
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Num

from vaelab.batching import in_batches
from vaelab.densities import AbstractDensity
from vaelab.evaluation.image_log_probs import log_probs_of_image
from vaelab.evaluation.mixture_log_probs import log_probs, prior_log_probs
from vaelab.evaluation.modes import climb, distinct
from vaelab.evaluation.pixel_forms import pixel_form
from vaelab.evaluation.shared_lattice import TILE, SharedLattice, lattice_points
from vaelab.model import Model
from vaelab.pixels import scaled

SHAPE = {1: (1, 32), 2: (16, 16)}
"""Points of a tile along each axis (one dimension has a single row)."""
SPACING = 0.8
"""In standard deviations of p(z|x): a Gaussian's sum over every second point is then off by 1e-3."""
MOST_TILES = (16, 48)
"""Of one image, at the first spacing and at half of it: at most 16,384 decoded points in two dimensions."""
NEGLIGIBLE = 12.0
"""Nats below the peak: where p(x, z) has fallen so far at a tile's border, nothing is looked for behind it."""
TOGETHER = 500
"""Images whose lattices are kept at once."""
VALUES = 2**22
"""Pixels decoded side by side."""


class OwnLattices(NamedTuple):
    """For each image: log p(x) and the most that a lattice of twice the spacing, or what was cut off, would change it, in nats."""

    log_prob: Float[np.ndarray, " images"]
    error: Float[np.ndarray, " images"]


def own_lattices(
    model: Model,
    prior: AbstractDensity,
    images: Num[np.ndarray, "images ..."],
    starts: Float[np.ndarray, "images starts latent"],
    shared: SharedLattice,
    *,
    tolerance: Float[np.ndarray, " images"],
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> OwnLattices:
    """log p(x) of each image, its modes sought from its `starts`; `shared` is the lattice that could not settle it."""
    return in_batches(
        lambda *some: _of_some(model, prior, *some, shared=shared),
        images,
        starts,
        tolerance,
        rows=TOGETHER,
        fill=False,
        on_progress=on_progress,
    )


def _of_some(
    model: Model,
    prior: AbstractDensity,
    images: np.ndarray,
    starts: np.ndarray,
    tolerance: np.ndarray,
    shared: SharedLattice,
) -> OwnLattices:
    count, each, latent = starts.shape
    longest = 0.25 * float(np.linalg.norm(shared.high - shared.low))
    modes = climb(model, prior, np.repeat(images, each, axis=0), starts.reshape(-1, latent), longest=longest)
    log_joint = modes.log_joint.reshape(count, each)
    counted = distinct(modes, count) & (log_joint > log_joint.max(axis=1, keepdims=True) - NEGLIGIBLE)
    z = modes.z.reshape(count, each, latent)
    best = z[np.arange(count), log_joint.argmax(axis=1)]
    precision = (modes.precision.reshape(count, each, latent, latent) * counted[:, :, None, None]).sum(axis=1)
    log_prob, error = np.full(count, np.nan), np.full(count, np.nan)
    active = np.arange(count)
    for level, most in enumerate(MOST_TILES):
        lattice = _Lattice.along(precision[active], best[active], SPACING / 2**level)
        grown = _grown(model, prior, images[active], lattice, z[active], counted[active], most)
        outside = _outside(model, prior, images[active], lattice, grown, shared)
        log_prob[active], error[active] = _joined(grown, outside)
        active = active[~(error[active] < tolerance[active])]
        if len(active) == 0:
            break
    return OwnLattices(log_prob, error)


class _Lattice(NamedTuple):
    """For each image the points centre + basis k, with k whole numbers."""

    centre: Float[np.ndarray, "images latent"]
    basis: Float[np.ndarray, "images latent latent"]

    @classmethod
    def along(cls, precision: np.ndarray, centre: np.ndarray, spacing: float) -> "_Lattice":
        sizes, axes = np.linalg.eigh(precision)
        return cls(centre, spacing * axes / np.sqrt(sizes)[:, None, :])

    @property
    def log_cell(self) -> Float[np.ndarray, " images"]:
        return np.linalg.slogdet(self.basis)[1]

    def tile_of(self, image: Int[np.ndarray, " n"], z: Float[np.ndarray, "n latent"]) -> Int[np.ndarray, "n 2"]:
        """The tile, (row, column), in which each point lies on its image's lattice."""
        latent = z.shape[1]
        k = np.linalg.solve(self.basis[image], (z - self.centre[image])[:, :, None])[:, :, 0]
        size = np.array(SHAPE[latent][2 - latent :])
        tile = np.clip(np.floor(k / size + 0.5), -FARTHEST + 1, FARTHEST - 1).astype(np.int64)
        return tile if latent == 2 else np.concatenate([np.zeros_like(tile), tile], axis=1)


FARTHEST = 2**19
"""Tiles from the centre, at most, in each direction."""


def _keys(image: np.ndarray, tile: np.ndarray) -> Int[np.ndarray, " n"]:
    """One whole number for each image and tile."""
    return (image * (2 * FARTHEST) + tile[:, 0] + FARTHEST) * (2 * FARTHEST) + tile[:, 1] + FARTHEST


class _Grown(NamedTuple):
    """The integral over the tiles that were visited, by the lattices of twice the spacing, and what may lie behind the last of them."""

    parts: Float[np.ndarray, "images parts"]  # log of the integral, by each
    cut: Float[np.ndarray, " images"]  # log of what was cut off, about
    visited: Int[np.ndarray, " pairs"]  # keys, sorted


def _grown(
    model: Model,
    prior: AbstractDensity,
    images: np.ndarray,
    lattice: _Lattice,
    modes: np.ndarray,
    counted: np.ndarray,
    most: int,
) -> _Grown:
    count, latent = len(images), modes.shape[2]
    image, which = np.nonzero(counted)
    keys = np.unique(_keys(image, lattice.tile_of(image, modes[image, which])))
    parts, peak = np.full((count, 2**latent), -np.inf), np.full(count, -np.inf)
    cut = np.full(count, -np.inf)
    visited = np.zeros(0, np.int64)
    tiles_of, log_cell = np.zeros(count, int), lattice.log_cell
    beside = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]] if latent == 2 else [[0, -1], [0, 1]])
    while len(keys):
        image, tile = _from_keys(keys)
        found = _scored(model, prior, images, lattice, image, tile)
        np.logaddexp.at(parts, image, found.parts)
        np.maximum.at(peak, image, found.peak)
        np.add.at(tiles_of, image, 1)
        visited = np.union1d(visited, keys)
        # behind every border where the density is still felt
        at, side = np.nonzero(found.borders > (peak[image] - NEGLIGIBLE)[:, None])
        image, tile, border = image[at], tile[at] + beside[side], found.borders[at, side]
        keys = _keys(image, tile)
        keys, first = np.unique(keys, return_index=True)
        image, border = image[first], border[first]
        fresh = ~np.isin(keys, visited, assume_unique=True)
        room = tiles_of[image] < most
        beyond = fresh & ~room
        behind = border[beyond] + math.log(math.prod(SHAPE[latent])) + log_cell[image[beyond]]
        np.logaddexp.at(cut, image[beyond], behind)
        keys = keys[fresh & room]
    return _Grown(parts + (log_cell + math.log(2**latent))[:, None], cut, visited)


def _from_keys(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rest, column = np.divmod(keys, 2 * FARTHEST)
    image, row = np.divmod(rest, 2 * FARTHEST)
    return image, np.stack([row - FARTHEST, column - FARTHEST], axis=1)


def _joined(grown: _Grown, outside: Float[np.ndarray, "images parts"]) -> OwnLattices:
    """Both integrals together, and how far their parts lie apart."""
    parts = np.logaddexp(grown.parts, outside)
    whole = np.logaddexp.reduce(parts, axis=1) - math.log(parts.shape[1])
    apart = np.abs(parts - whole[:, None]).max(axis=1)
    return OwnLattices(whole, apart + np.logaddexp(0.0, grown.cut - whole))


# --- scoring ------------------------------------------------------------------------------------------------------------------------


class _Tiles(NamedTuple):
    """For each tile: the log of the sum of p(x, z) over each lattice of twice the spacing, at the peak, and the highest at each side."""

    parts: Float[np.ndarray, "pairs parts"]
    peak: Float[np.ndarray, " pairs"]
    borders: Float[np.ndarray, "pairs sides"]


def _scored(
    model: Model, prior: AbstractDensity, images: np.ndarray, lattice: _Lattice, image: np.ndarray, tile: np.ndarray
) -> _Tiles:
    latent = model.latent_dim
    values = math.prod(SHAPE[latent]) * math.prod(model.image_shape)
    together = max(1, min(64, VALUES // values))
    groups = 8 if len(image) > together else 1
    centre, basis = lattice.centre.astype(np.float32), lattice.basis.astype(np.float32)
    scores = in_batches(
        lambda which, tile: _tile_scores(
            model, prior, *(jnp.asarray(part[which]) for part in (images, centre, basis)), tile=tile
        ),
        image,
        tile.astype(np.float32),
        rows=together,
        groups=groups,
    )
    return _Tiles(*(part.astype(np.float64) for part in scores))


@eqx.filter_jit
def _tile_scores(
    model: Model,
    prior: AbstractDensity,
    images: Num[Array, "groups together ..."],
    centre: Float[Array, "groups together latent"],
    basis: Float[Array, "groups together latent latent"],
    tile: Float[Array, "groups together two"],
) -> tuple[Array, Array, Array]:
    height, width = SHAPE[model.latent_dim]
    rows, columns = jnp.meshgrid(jnp.arange(height), jnp.arange(width), indexing="ij")
    steps = jnp.stack([rows.ravel() - height // 2, columns.ravel() - width // 2], axis=1).astype(jnp.float32)

    def one(image: Array, centre: Array, basis: Array, tile: Array) -> tuple[Array, Array, Array]:
        k = (tile * jnp.array([height, width], jnp.float32))[None] + steps
        z = centre[None] + k[:, 2 - model.latent_dim :] @ basis.T
        joint = log_probs_of_image(model, image, z) + jnp.maximum(prior_log_probs(prior, z), -1e4)
        joint = jnp.where(jnp.isfinite(joint), joint, -jnp.inf).reshape(height, width)
        peak = joint.max()
        if model.latent_dim == 1:
            parts = jax.nn.logsumexp(joint.reshape(width // 2, 2), axis=0)
            return parts, peak, joint[0, jnp.array([0, -1])]
        parts = jax.nn.logsumexp(joint.reshape(height // 2, 2, width // 2, 2), axis=(0, 2)).reshape(-1)
        borders = [joint[0].max(), joint[-1].max(), joint[:, 0].max(), joint[:, -1].max()]
        return parts, peak, jnp.stack(borders)

    return jax.lax.map(lambda group: jax.vmap(one)(scaled(group[0]), *group[1:]), (images, centre, basis, tile))


# --- the rest of the latent space ---------------------------------------------------------------------------------------------------


def _outside(
    model: Model,
    prior: AbstractDensity,
    images: np.ndarray,
    lattice: _Lattice,
    grown: _Grown,
    shared: SharedLattice,
) -> Float[np.ndarray, "images parts"]:
    """log of the integral over the shared lattice's points that lie in no visited tile, by each of the lattices of twice its spacing."""
    latent, log_cell = model.latent_dim, float(np.log(shared.spacing).sum())
    found = np.logaddexp.reduce(grown.parts, axis=1) - math.log(2**latent)
    outside = np.full((len(images), 2**latent), -np.inf)
    part_of = _parts_of_a_tile(latent)
    for z in lattice_points(shared.low, shared.high, shared.spacing):
        log_prior = np.maximum(log_probs(prior, z), -1e4)
        joint = np.asarray(_point_scores(model, jnp.asarray(images), jnp.asarray(z)), np.float64) + log_prior[None]
        joint += log_cell
        image, point = np.nonzero(joint > found[:, None] - NEGLIGIBLE)
        if len(image) == 0:
            continue
        elsewhere = ~np.isin(_keys(image, lattice.tile_of(image, z[point].astype(np.float64))), grown.visited)
        image, point = image[elsewhere], point[elsewhere]
        np.logaddexp.at(outside, (image, part_of[point]), joint[image, point])
    return outside + math.log(2**latent)


def _parts_of_a_tile(latent: int) -> Int[np.ndarray, " points"]:
    """To which lattice of twice the spacing each point of a shared tile belongs."""
    rows, columns = np.meshgrid(*(np.arange(size) for size in TILE[latent]), indexing="ij")
    return ((rows % 2) * 2 + columns % 2).ravel() if latent == 2 else (columns % 2).ravel()


@eqx.filter_jit
def _point_scores(model: Model, images: Array, z: Float[Array, "points latent"]) -> Float[Array, "images points"]:
    return pixel_form(model, z).log_probs(scaled(images))
