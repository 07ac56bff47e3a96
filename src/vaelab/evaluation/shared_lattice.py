"""log p(x) of many images on one lattice over the latent space, whose decoded points all of them share.

The sum over a lattice converges exponentially fast for integrands that die out smoothly, as p(x|z) p(z) nearly does: at a spacing of one
standard deviation of p(z|x) its error is below 1e-7 (Trefethen and Weideman, "The exponentially convergent trapezoidal rule", SIAM
Review 2014). One matrix product scores all images at the points of a tile. The lattice of twice the spacing is a part of it in four
ways (two in one dimension), beginning at either of two points along each axis. An image is settled where all of these agree with the
whole and the lattice resolves the image's peak (for sums can agree by chance: about a peak midway between two points they are mirror
images). Elsewhere the spacing is halved for that image alone, and only in the tiles that hold its mass. Where q(z|x) is wide enough for a
lattice, the expectations under it come with the same scores.
"""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Num
from scipy.ndimage import maximum_filter

from vaelab.batching import filled, pieces
from vaelab.densities import AbstractDensity
from vaelab.evaluation.expectations import HALF_SQUARES
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.evaluation.pixel_forms import AbstractPixelForm, pixel_form
from vaelab.model import Model
from vaelab.pixels import scaled

TILE = {1: (1, 256), 2: (16, 16)}
"""Points of a tile along the first and the second axis (one dimension has a single row)."""
IMAGES = (2000, 250, 32)
"""Images scored at once on a tile: large chunks first, then small ones, so that three programs are compiled and little is filled up."""
SCORED_VALUES = 2**24
"""At most so many pixels of images in one chunk."""
SHARPEST = 1.6
"""The second difference of log p(x, z) at its highest point along each axis, at most: (spacing / sigma)^2 of a Gaussian, whose sum is then
off by 1e-5."""
NEGLIGIBLE = 20.0
"""Nats below the peak of p(x, z): a tile that stays below is not refined."""
POSTERIOR_SIGMAS = 6.0
"""Of q(z|x) on either side of its mean: how far its expectations reach."""
WIDEST_REACH, NEAR_REACH = 64, 16
"""Points on either side of q(z|x)'s mean, at most, that it brings to a lattice that resolves it, and to a coarser one."""
RESOLVED = 0.75
"""The spacing in standard deviations of q(z|x), at most, for its expectations to be taken on the lattice."""
FIRST_POINTS = (64, 128)
"""Points along an axis of the first lattice, at least and at most (in one dimension the squares of these)."""
FIRST_VALUES = 2**25
"""Pixels decoded for the first lattice, about, within these limits."""
MOST_VALUES = 2**30
"""Pixels decoded for all finer lattices together; what is not settled by then is integrated image by image."""
OWN_POINTS, OWN_NODES = 2500, 300
"""What an image costs by itself, about, in decoded points: for log p(x), and for the expectations under q(z|x)."""
LAST_LEVEL = 8
STARTS = 3
"""Of the tiles of the first lattice, the highest point is handed on for so many of each image, with the neighbours of the very highest: the
places from which its modes are sought."""


@dataclasses.dataclass(frozen=True)
class SharedLattice:
    """For each image, in nats, on the finest of the lattices that it took part in.

    - `log_prob`: log p(x); `error`: the most that a lattice of twice the spacing differs from it
    - `peak`: the highest log p(x, z) at any of its points
    - `level`: how often the spacing was halved; `settled`: whether the lattices agree
    - `reconstruction`, `log_prior`: E_q[log p(x|z)] and E_q[log p(z)]; `expectation_error`: half of how far both together lie from
      what they are on the white squares of the lattice alone, and on the black ones. NaN where no lattice resolves q(z|x).
    - `starts`: the highest points of the first lattice in the tiles where it is highest, and the places one spacing beside the very highest

    And of the first lattice: its corners `low` and `high`, its `spacing`, and `prior_mass`, the integral of the prior over it.
    """

    log_prob: Float[np.ndarray, " images"]
    error: Float[np.ndarray, " images"]
    peak: Float[np.ndarray, " images"]
    level: Int[np.ndarray, " images"]
    settled: Bool[np.ndarray, " images"]
    reconstruction: Float[np.ndarray, " images"]
    log_prior: Float[np.ndarray, " images"]
    expectation_error: Float[np.ndarray, " images"]
    starts: Float[np.ndarray, "images starts latent"]
    low: Float[np.ndarray, " latent"]
    high: Float[np.ndarray, " latent"]
    spacing: Float[np.ndarray, " latent"]
    prior_mass: float


def first_spacing(
    low: np.ndarray, high: np.ndarray, sigma: Float[np.ndarray, "images latent"], pixels: int
) -> Float[np.ndarray, " latent"]:
    """Twice the median sigma of q(z|x), so that most images need one halving in a few tiles; not so small that it grows dear."""
    latent = len(low)
    points = float(np.clip(math.sqrt(FIRST_VALUES / pixels), *FIRST_POINTS))
    return np.maximum(2.0 * np.median(sigma, axis=0), (high - low) / points ** (2 / latent))


def shared_lattice(
    model: Model,
    prior: AbstractDensity,
    images: Num[np.ndarray, "images ..."],
    mean: Float[np.ndarray, "images latent"],
    sigma: Float[np.ndarray, "images latent"],
    box: tuple[Float[np.ndarray, " latent"], Float[np.ndarray, " latent"]],
    *,
    tolerance: Float[np.ndarray, " images"],
    seen: Float[np.ndarray, " images"],
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> SharedLattice:
    """log p(x) of each image, as far as a lattice that all share can settle it.

    **Arguments:**

    - `mean`, `sigma`: of q(z|x)
    - `box`: its lower and its upper corner
    - `tolerance`: nats that the lattices of an image may differ
    - `seen`: log p(x, z) at some point known for each image. A lattice that stays far below it has missed the place, whatever its sums say.
    """
    low, high = box
    latent, count = model.latent_dim, len(images)
    pixels = math.prod(model.image_shape)
    spacing = first_spacing(low, high, sigma, pixels)
    log_prob, error, peak, reconstruction, expected_prior, expectation_error = (
        np.full(count, np.nan) for _ in range(6)
    )
    held = np.all((mean - POSTERIOR_SIGMAS * sigma >= low) & (mean + POSTERIOR_SIGMAS * sigma <= high), axis=1)
    level_of, settled = np.zeros(count, int), np.zeros(count, bool)
    starts = np.zeros((count, 0, latent))
    active = np.arange(count)
    pairs = _Pairs.all(_tile_counts(low, high, spacing), count)
    prior_mass, decoded = 0.0, 0
    sizes = [size for size in IMAGES if size * pixels <= SCORED_VALUES] or [IMAGES[-1]]
    for level in range(LAST_LEVEL + 1):
        here = spacing / 2**level
        log_cell = float(np.log(here).sum())
        sums = _Sums.nothing(len(active), latent)
        peaks = np.full(len(pairs.tile), -np.inf, np.float32)  # of log p(x, z) in the tile of each pair
        places = np.zeros(len(pairs.tile), int)  # and where in the tile
        for number, begin, end in pairs.by_tile():
            tile = _tile(low, here, *divmod(number, pairs.counts[1]))
            z = _points(tile, latent)
            form = _decode(model, jnp.asarray(z))
            axes = tuple(jnp.asarray(axis) for axis in tile)
            log_prior = np.maximum(log_probs(prior, z), -1e4)
            if level == 0:
                prior_mass += float(np.exp(log_prior.astype(np.float64) + log_cell).sum())
            start = begin
            # by hand: the sums of an image run along from tile to tile
            for piece in pieces(end - begin, *sizes):
                part = pairs.image[begin:end][piece]
                padded = filled(part, piece.stop - piece.start)
                whose = active[padded]
                chunk = images[whose], mean[whose].astype(np.float32), sigma[whose].astype(np.float32)
                found, top, place = _add_tile(sums.of(padded), chunk, form, log_prior, axes)
                sums.put(part, found)
                peaks[start : start + len(part)] = np.asarray(top)[: len(part)]
                places[start : start + len(part)] = np.asarray(place)[: len(part)]
                start += len(part)
        # whose integral is done stays for the expectations alone
        some = np.flatnonzero(~settled[active])
        whose = active[some]
        fine, parts = (found[some] for found in sums.log_integrals(log_cell))
        log_prob[whose], level_of[whose], peak[whose] = fine, level, sums.largest[some]
        error[whose] = np.abs(parts - fine[:, None]).max(axis=1)
        agree = (error[whose] < tolerance[whose]) & (sums.sharpness[some] < SHARPEST)
        settled[whose] = agree & (peak[whose] > seen[whose] - 2.0)

        # q(z|x) is resolved, and lies in the tiles that were visited
        reach = POSTERIOR_SIGMAS * sigma[active] <= (np.inf if level == 0 else 1.0) * here * WIDEST_REACH
        some = np.flatnonzero(held[active] & np.all((here <= RESOLVED * sigma[active]) & reach, axis=1))
        whose = active[some]
        both, apart = sums.expectations()
        reconstruction[whose], expected_prior[whose] = both[some, 0] - both[some, 1], both[some, 1]
        expectation_error[whose] = apart[some]

        if level == 0:
            starts = _highest(pairs, peaks, places, low, here, count)
        unsettled = ~settled[active]
        unresolved = held[active] & np.isnan(expectation_error[active])
        pairs = pairs.heavy(peaks, kept=unsettled | unresolved, followed=unsettled)
        active = active[unsettled | unresolved]
        on_progress(int(settled.sum()), count)
        if len(active) == 0:
            break
        pairs = _refined(pairs, low, here / 2, mean[active], sigma[active])
        points = len(np.unique(pairs.tile)) * math.prod(TILE[latent])
        decoded += points * pixels
        # where few share it, a lattice or nodes of their own cost less
        if decoded > MOST_VALUES or points > OWN_POINTS * unsettled.sum() + OWN_NODES * unresolved.sum():
            break
    return SharedLattice(
        log_prob, error, peak, level_of, settled, reconstruction, expected_prior, expectation_error,
        starts, low, high, spacing, prior_mass,
    )  # fmt: skip


def lattice_points(
    low: np.ndarray, high: np.ndarray, spacing: np.ndarray
) -> Iterator[Float[np.ndarray, "points latent"]]:
    """The points of the first lattice, tile by tile."""
    rows, columns = _tile_counts(low, high, spacing)
    for row, column in itertools.product(range(rows), range(columns)):
        yield _points(_tile(low, spacing, row, column), len(low))


# --- the points ---------------------------------------------------------------------------------------------------------------------


class _Tile(NamedTuple):
    """A rectangle of lattice points."""

    rows: Float[np.ndarray, " rows"]
    columns: Float[np.ndarray, " columns"]


def _tile_counts(low: np.ndarray, high: np.ndarray, spacing: np.ndarray) -> tuple[int, int]:
    """How many tiles of the first lattice cover the box along each axis."""
    shape = TILE[len(low)]
    points = np.floor((high - low) / spacing) + 1.0
    if len(low) == 1:
        return 1, math.ceil(points[0] / shape[1])
    return math.ceil(points[0] / shape[0]), math.ceil(points[1] / shape[1])


def _tile(low: np.ndarray, spacing: np.ndarray, row: int, column: int) -> _Tile:
    height, width = TILE[len(low)]
    columns = low[-1] + spacing[-1] * (column * width + np.arange(width))
    rows = low[0] + spacing[0] * (row * height + np.arange(height)) if len(low) == 2 else np.zeros(1)
    return _Tile(rows.astype(np.float32), columns.astype(np.float32))


def _points(tile: _Tile, latent: int) -> Float[np.ndarray, "points latent"]:
    if latent == 1:
        return tile.columns[:, None]
    return np.stack(np.meshgrid(tile.rows, tile.columns, indexing="ij"), axis=-1).reshape(-1, 2)


class _Pairs(NamedTuple):
    """Which images are scored on which tiles, ordered by tile: few of all that there are, once the lattice is fine."""

    tile: Int[np.ndarray, " pairs"]  # row * columns of tiles + column
    image: Int[np.ndarray, " pairs"]
    counts: tuple[int, int]  # tiles along each axis

    @classmethod
    def all(cls, counts: tuple[int, int], images: int) -> "_Pairs":
        tiles = counts[0] * counts[1]
        return cls(np.repeat(np.arange(tiles), images), np.tile(np.arange(images), tiles), counts)

    def by_tile(self) -> Iterator[tuple[int, int, int]]:
        """Each tile, with the first of its pairs and one past the last."""
        begins = np.flatnonzero(np.diff(self.tile, prepend=-1))
        for begin, end in zip(begins, [*begins[1:], len(self.tile)], strict=True):
            yield int(self.tile[begin]), int(begin), int(end)

    def heavy(
        self,
        peaks: Float[np.ndarray, " pairs"],
        *,
        kept: Bool[np.ndarray, " images"],
        followed: Bool[np.ndarray, " images"],
    ) -> "_Pairs":
        """The pairs near the highest peak of each image that is followed; the kept ones alone are counted anew."""
        highest = np.full(len(kept), -np.inf, np.float32)
        np.maximum.at(highest, self.image, peaks)
        chosen = followed[self.image] & (peaks > highest[self.image] - NEGLIGIBLE)
        renumbered = np.cumsum(kept) - 1
        return _Pairs(self.tile[chosen], renumbered[self.image[chosen]], self.counts)


def _highest(
    pairs: _Pairs, peaks: np.ndarray, places: np.ndarray, low: np.ndarray, spacing: np.ndarray, count: int
) -> Float[np.ndarray, "images starts latent"]:
    """The highest point of each of the highest tiles of every image, those first that are higher than all beside them.

    Where there are fewer tiles, the last of them again. Then the neighbours of the first: for two modes may lie between two points.
    """
    tiles = len(peaks) // count
    by_image = peaks.reshape(tiles, count).T  # the first lattice pairs every tile with all images in order
    around = maximum_filter(by_image.reshape(count, *pairs.counts), size=(1, 3, 3), mode="nearest").reshape(
        count, tiles
    )
    order = np.lexsort((-by_image, by_image < around), axis=1)[:, np.minimum(np.arange(STARTS), tiles - 1)]
    within = np.take_along_axis(places.reshape(tiles, count).T, order, axis=1)
    height, width = TILE[len(low)]
    row, column = np.divmod(order, pairs.counts[1])
    down, across = np.divmod(within, width)
    columns = low[-1] + spacing[-1] * (column * width + across)
    found = np.stack([low[0] + spacing[0] * (row * height + down), columns] if len(low) == 2 else [columns], axis=-1)
    beside = np.concatenate([np.diag(spacing), -np.diag(spacing)])
    return np.concatenate([found, found[:, :1] + beside[None]], axis=1)


def _refined(heavy: _Pairs, low: np.ndarray, spacing: np.ndarray, mean: np.ndarray, sigma: np.ndarray) -> _Pairs:
    """The pairs on the lattice of half the spacing: the parts of heavy tiles, and the tiles that the encoder's q(z|x) reaches."""
    latent = mean.shape[1]
    down = 2 if latent == 2 else 1
    counts = (heavy.counts[0] * down, heavy.counts[1] * 2)
    row, column = np.divmod(heavy.tile, heavy.counts[1])
    keys = [
        _key(row * down + below, column * 2 + right, heavy.image, counts, len(mean))
        for below in range(down)
        for right in range(2)
    ]
    widest = np.where(np.all(spacing <= RESOLVED * sigma, axis=1), WIDEST_REACH, NEAR_REACH)
    first, last = np.zeros((len(mean), 2), int), np.zeros((len(mean), 2), int)
    for d in range(latent):
        axis = d + 2 - latent
        reach = np.minimum(POSTERIOR_SIGMAS * sigma[:, d], spacing[d] * widest) + spacing[d]
        width = spacing[d] * TILE[latent][axis]
        for tiles, end in ((first, -reach), (last, reach)):
            tiles[:, axis] = np.clip(np.floor((mean[:, d] + end - low[d]) / width), 0, counts[axis] - 1)
    across = last - first + 1
    each = across.prod(axis=1)
    image = np.repeat(np.arange(len(mean)), each)
    step_down, step_right = np.divmod(np.arange(len(image)) - np.repeat(np.cumsum(each) - each, each), across[image, 1])
    keys.append(_key(first[image, 0] + step_down, first[image, 1] + step_right, image, counts, len(mean)))
    tile, image = np.divmod(np.unique(np.concatenate(keys)), len(mean))
    return _Pairs(tile, image, counts)


def _key(row: np.ndarray, column: np.ndarray, image: np.ndarray, counts: tuple[int, int], images: int) -> np.ndarray:
    return (row * counts[1] + column) * images + image


# --- the sums -----------------------------------------------------------------------------------------------------------------------


class _Sums(NamedTuple):
    """Running sums over the points visited, one for each image."""

    largest: Num[Array | np.ndarray, " images"]  # of log p(x, z)
    parts: Num[Array | np.ndarray, "images parts"]  # of p(x, z) / exp(largest), over each lattice of twice the spacing
    sharpness: Num[Array | np.ndarray, " images"]  # the largest second difference of log p(x, z) at its peak
    under_q: Num[
        Array | np.ndarray, "images three two"
    ]  # of q(z|x) (1, log p(x, z), log p(z)), on white and on black squares

    @classmethod
    def nothing(cls, count: int, latent: int) -> "_Sums":
        zeros = np.zeros((count, 2**latent), np.float32), np.zeros((count, 3, 2), np.float32)
        return cls(np.full(count, -1e30, np.float32), zeros[0], np.full(count, np.inf, np.float32), zeros[1])

    def of(self, places: np.ndarray) -> "_Sums":
        return _Sums(*(values[places] for values in self))

    def put(self, places: np.ndarray, found: "_Sums") -> None:
        for mine, new in zip(self, found, strict=True):
            mine[places] = np.asarray(new)[: len(places)]

    def log_integrals(self, log_cell: float) -> tuple[Float[np.ndarray, " images"], Float[np.ndarray, "images parts"]]:
        """By the whole lattice, and by each of those that it is made of."""
        parts, largest = np.asarray(self.parts, np.float64), np.asarray(self.largest, np.float64)
        each = np.log(np.maximum(parts, 1e-300)) + largest[:, None] + log_cell + math.log(parts.shape[1])
        return np.log(parts.sum(axis=1)) + largest + log_cell, each

    def expectations(self) -> tuple[Float[np.ndarray, "images two"], Float[np.ndarray, " images"]]:
        """E_q[log p(x, z)] and E_q[log p(z)], and half of how far the first lies from the white squares' and the black ones'."""
        sums = np.asarray(self.under_q, np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):  # where q(z|x) is narrower than the lattice
            by_colour = sums[:, 1:] / sums[:, :1]
            whole = sums[:, 1:].sum(axis=2) / sums[:, :1].sum(axis=2)
        return whole, HALF_SQUARES * np.abs(by_colour[:, 0] - whole[:, :1]).max(axis=1)


@eqx.filter_jit
def _decode(model: Model, z: Float[Array, "points latent"]) -> AbstractPixelForm:
    return pixel_form(model, z)


@jax.jit
def _add_tile(
    sums: _Sums,
    chunk: tuple[Array, Array, Array],
    form: AbstractPixelForm,
    log_prior: Float[Array, " points"],
    axes: tuple[Float[Array, " rows"], Float[Array, " columns"]],
) -> tuple[_Sums, Array, Array]:
    """The sums with a tile added, and the highest point of each image in this tile: its log p(x, z), and its number."""
    images, mean, sigma = chunk
    (height,), (width,), latent = axes[0].shape, axes[1].shape, mean.shape[1]
    joint = form.log_probs(scaled(images)) + log_prior[None]  # (images, points)
    peak = joint.max(axis=1)
    largest = jnp.maximum(sums.largest, peak)
    kept = jnp.exp(sums.largest - largest)
    mass = jnp.exp(joint - largest[:, None])
    if latent == 2:
        parts = mass.reshape(-1, height // 2, 2, width // 2, 2).sum(axis=(1, 3)).reshape(-1, 4)
    else:
        parts = mass.reshape(-1, width // 2, 2).sum(axis=1)
    under_q = _under_q(joint.reshape(-1, height, width), log_prior.reshape(height, width), mean, sigma, axes)
    place = jnp.argmax(joint, axis=1)
    sharpness = jnp.where(peak > sums.largest, _sharpness(joint.reshape(-1, height, width), place), sums.sharpness)
    parts = sums.parts * kept[:, None] + parts
    return _Sums(largest, parts, sharpness, sums.under_q + under_q), peak, place


def _under_q(
    joint: Float[Array, "images height width"],
    log_prior: Float[Array, "height width"],
    mean: Float[Array, "images latent"],
    sigma: Float[Array, "images latent"],
    axes: tuple[Float[Array, " height"], Float[Array, " width"]],
) -> Float[Array, "images three two"]:
    """Sums over a tile of q(z|x) (1, log p(x, z), log p(z)), up to its normaliser: on its white squares, and on its black ones.

    q(z|x) is the product of its two axes, so every sum is done along the columns, even and odd ones apart, and then along the rows.
    """
    images, height, width = joint.shape
    latent = mean.shape[1]
    across = _weights(axes[1], mean[:, latent - 1], sigma[:, latent - 1]).reshape(images, 1, width // 2, 2)
    down = _weights(axes[0], mean[:, 0], sigma[:, 0]) if latent == 2 else jnp.ones((images, 1))
    rows = [
        jnp.broadcast_to(across.sum(axis=2), (images, height, 2)),
        jnp.sum(joint.reshape(images, height, width // 2, 2) * across, axis=2),
        jnp.einsum("nowp,hwp->nhp", across, log_prior.reshape(height, width // 2, 2)),
    ]
    summed = jnp.stack(rows, axis=1) * down[:, None, :, None]  # (images, three, height, columns even or odd)
    even, odd = summed[:, :, ::2].sum(axis=2), summed[:, :, 1::2].sum(axis=2)
    return even + odd[:, :, ::-1]


def _sharpness(joint: Float[Array, "images height width"], place: Int[Array, " images"]) -> Float[Array, " images"]:
    """The largest second difference along an axis at a place of each image, or beside it where it lies on the tile's border."""
    image, (height, width) = jnp.arange(joint.shape[0]), joint.shape[1:]
    row, column = jnp.divmod(place, width)
    column = jnp.clip(column, 1, width - 2)
    here = joint[image, row, column]
    across = 2.0 * here - joint[image, row, column - 1] - joint[image, row, column + 1]
    if height == 1:
        return across
    inside = jnp.clip(row, 1, height - 2)
    here = joint[image, inside, column]
    down = 2.0 * here - joint[image, inside - 1, column] - joint[image, inside + 1, column]
    return jnp.maximum(across, down)


def _weights(points: Float[Array, " points"], mean: Array, sigma: Array) -> Float[Array, "images points"]:
    """exp(-u^2 / 2) of each point in standard units of each image."""
    return jnp.exp(-0.5 * ((points[None] - mean[:, None]) / sigma[:, None]) ** 2)
