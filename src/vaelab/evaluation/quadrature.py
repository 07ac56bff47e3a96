"""Exact log p(x) = log int p(x|z) p(z) dz in one and two latent dimensions, for any prior with a density.

The sum over a lattice of points converges exponentially fast for integrands that die out smoothly, as these nearly do: at a spacing of
one standard deviation of p(z|x) the error is below 1e-7 (Trefethen and Weideman, "The exponentially convergent trapezoidal rule", SIAM
Review 2014). Every image is integrated on a lattice and on every second of its points; where the two disagree, or where the image's
encoder is narrower than the lattice, the spacing is halved for that image alone, and only in the tiles that hold its mass. All images
share the decoded points of a tile: one matrix product scores them.
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

from vaelab.densities import AbstractDensity
from vaelab.errors import VaelabError
from vaelab.evaluation.aggregate_posterior import encode
from vaelab.evaluation.inputs import check_has_density, checked_images
from vaelab.evaluation.latent_box import latent_box
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.evaluation.pixel_forms import AbstractPixelForm, pixel_form
from vaelab.model import Model
from vaelab.pixels import scaled

TILE = {1: (1, 256), 2: (16, 16)}
"""Points of a tile along the first and the second axis (one dimension has a single row)."""
IMAGES = (2000, 250, 32)
"""Images scored at once on a tile: large chunks first, then small ones, so that three programs are compiled and little is filled up."""
TOLERANCE = 0.01
"""Nats that an image's lattice may differ from every second of its points; the lattice itself is then better by far."""
NARROWEST = 0.75
"""The spacing in standard deviations of q(z|x), at most: on coarser lattices two wrong sums can agree by chance."""
NEGLIGIBLE = 20.0
"""Nats below the peak of p(x, z): a tile that stays below is not refined."""
POSTERIOR_SIGMAS = 5.0
FIRST_POINTS = 256
"""Points along an axis of the first lattice, at most."""
LAST_LEVEL = 8


@dataclasses.dataclass(frozen=True)
class ExactLikelihood:
    """For each image, in nats, each on the finest lattice that it needed.

    - `log_prob`: log p(x)
    - `error`: |log p(x) - log p(x) on every second point|: what halving the grid changed. The finer one's own error is far smaller.
    - `elbo`: the evidence lower bound, E_q[log p(x|z) + log p(z)] + H(q), also by quadrature
    - `expected_log_prior`: E_q[log p(z)]
    - `level`: how often the spacing was halved

    And of the grid:

    - `spacing`: of the first lattice, for each dimension; an image's own is `spacing` / 2^level
    - `low`, `high`: the corners of the box
    - `prior_mass`: the integral of the prior over the box on the first lattice, 1 where all is well
    """

    log_prob: Float[np.ndarray, " images"]
    error: Float[np.ndarray, " images"]
    elbo: Float[np.ndarray, " images"]
    expected_log_prior: Float[np.ndarray, " images"]
    level: Num[np.ndarray, " images"]
    spacing: Float[np.ndarray, " latent"]
    low: Float[np.ndarray, " latent"]
    high: Float[np.ndarray, " latent"]
    prior_mass: float

    @property
    def inference_gap(self) -> Float[np.ndarray, " images"]:
        """KL(q(z|x) || p(z|x)) = log p(x) - ELBO (Cremer et al., "Inference suboptimality in VAEs", ICML 2018, eq. 5), exact."""
        return self.log_prob - self.elbo


def check_dimensions(latent_dim: int) -> None:
    """**Raises:** `VaelabError` where the latent space has more than two dimensions, saying why not."""
    if latent_dim > 2:
        raise VaelabError(
            f"quadrature needs a latent space of one or two dimensions; this one has {latent_dim}, and a grid of 200 points a "
            f"dimension would have {200.0**latent_dim:.0e}. Use importance sampling: --importance-samples 5000"
        )


def exact_log_probs(
    model: Model,
    prior: AbstractDensity,
    images: Num[np.ndarray, "images ..."],
    *,
    tolerance: float = TOLERANCE,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ExactLikelihood:
    """log p(x) of each image by quadrature over the latent space.

    **Arguments:**

    - `prior`: the density p(z)
    - `images`: as the model sees them, floats of shape (n, *image_shape), or uint8 to be scaled to [0, 1]
    - `tolerance`: nats that an image's lattice may differ from every second of its points
    - `on_progress`: called with (images done, images in all)

    **Raises:** `VaelabError` for three dimensions and more, an autoencoder, and images that the model cannot score.
    """
    check_has_density(model, "log p(x) by quadrature")
    check_dimensions(model.latent_dim)
    images = checked_images(model, images)
    mean, log_variance = (np.asarray(values) for values in encode(model, images))
    sigma = np.exp(0.5 * log_variance.astype(np.float64))
    low, high = latent_box(prior, mean, log_variance)
    # twice the median: most images then need one halving, in a few tiles
    spacing = np.maximum(2.0 * np.median(sigma, axis=0), (high - low) / FIRST_POINTS)
    tiles = _tile_counts(low, high, spacing)
    count = len(images)
    log_prob, error, elbo, expected_log_prior = (np.full(count, np.nan) for _ in range(4))
    level_of = np.zeros(count, int)
    active = np.arange(count)
    heavy = _Pairs.all(tiles, 0)  # the tiles of the level before that hold the mass of each image
    prior_mass = 0.0
    for level in range(LAST_LEVEL + 1):
        here = spacing / 2**level
        cell = float(np.prod(here))
        sums = _Sums.nothing(len(active))
        pairs = _refined(heavy, low, here, mean[active], sigma[active]) if level else _Pairs.all(tiles, len(active))
        peaks = np.full(len(pairs.tile), -np.inf, np.float32)  # of log p(x, z) in the tile of each pair
        for number, begin, end in pairs.by_tile():
            tile = _tile(low, here, *divmod(number, pairs.counts[1]))
            z = _points(tile, model.latent_dim)
            form = _decode(model, jnp.asarray(z))
            log_prior = np.maximum(log_probs(prior, z), -1e4)
            if level == 0:
                prior_mass += float(np.exp(log_prior.astype(np.float64)).sum()) * cell
            start = begin
            for part, padded in _in_parts(pairs.image[begin:end]):
                places = active[padded]
                chunk = (images[places], mean[places], log_variance[places])
                found = _add_tile(sums.of(padded), chunk, form, tile, log_prior)
                sums.put(part, found)
                peaks[start : start + len(part)] = np.asarray(found.peak)[: len(part)]
                start += len(part)
        fine = np.log(sums.fine) + sums.largest + math.log(cell)
        coarse = np.log(np.maximum(sums.coarse, 1e-300)) + sums.largest + math.log(cell * 2**model.latent_dim)
        log_prob[active], error[active], level_of[active] = fine, np.abs(fine - coarse), level
        entropy = np.sum(0.5 * log_variance[active].astype(np.float64) + 0.5 * math.log(2.0 * math.pi * math.e), axis=1)
        weight = np.where(
            sums.posterior > 0.0, sums.posterior, np.nan
        )  # none: narrower than the lattice, which is then halved
        elbo[active], expected_log_prior[active] = sums.joint / weight + entropy, sums.prior / weight
        unsure = np.any(here > NARROWEST * sigma[active], axis=1) | ~(error[active] < tolerance)
        heavy = pairs.heavy(peaks, unsure)
        active = active[unsure]
        on_progress(count - len(active), count)
        if len(active) == 0:
            break
    return ExactLikelihood(log_prob, error, elbo, expected_log_prior, level_of, spacing, low, high, prior_mass)


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

    def heavy(self, peaks: Float[np.ndarray, " pairs"], kept: Bool[np.ndarray, " images"]) -> "_Pairs":
        """The pairs near the image's highest peak, of the kept images alone, which are counted anew."""
        highest = np.full(len(kept), -np.inf, np.float32)
        np.maximum.at(highest, self.image, peaks)
        chosen = kept[self.image] & (peaks > highest[self.image] - NEGLIGIBLE)
        renumbered = np.cumsum(kept) - 1
        return _Pairs(self.tile[chosen], renumbered[self.image[chosen]], self.counts)


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
    first, last = np.zeros((len(mean), 2), int), np.zeros((len(mean), 2), int)
    for d in range(latent):
        axis = d + 2 - latent
        reach = POSTERIOR_SIGMAS * sigma[:, d] + spacing[d]
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


def _in_parts(chosen: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The images in chunks of the sizes IMAGES: the chunk itself, and filled up with its first image."""
    start = 0
    while start < len(chosen):
        left = len(chosen) - start
        size = next(
            (size for size, next_smaller in itertools.pairwise(IMAGES) if left > size - next_smaller), IMAGES[-1]
        )
        part = chosen[start : start + size]
        yield part, np.concatenate([part, np.full(size - len(part), part[0])])
        start += size


# --- the sums -----------------------------------------------------------------------------------------------------------------------


class _Sums(NamedTuple):
    """Running sums over the points visited, one for each image."""

    largest: Num[Array | np.ndarray, " images"]  # of log p(x, z)
    fine: Num[Array | np.ndarray, " images"]  # of p(x, z) / exp(largest)
    coarse: Num[Array | np.ndarray, " images"]  # the same over every second point
    posterior: Num[Array | np.ndarray, " images"]  # of q(z|x), up to its normaliser
    joint: Num[Array | np.ndarray, " images"]  # of q(z|x) log p(x, z)
    prior: Num[Array | np.ndarray, " images"]  # of q(z|x) log p(z)
    peak: Num[Array | np.ndarray, " images"]  # of log p(x, z) in the last tile alone

    @classmethod
    def nothing(cls, count: int) -> "_Sums":
        def none() -> np.ndarray:  # an array of its own for each: they are written to
            return np.zeros(count, np.float32)

        lowest = np.full(count, -1e30, np.float32)
        return cls(lowest, none(), none(), none(), none(), none(), np.full(count, -np.inf, np.float32))

    def of(self, places: np.ndarray) -> "_Sums":
        return _Sums(*(values[places] for values in self))

    def put(self, places: np.ndarray, found: "_Sums") -> None:
        for mine, new in zip(self, found, strict=True):
            mine[places] = np.asarray(new)[: len(places)]


@eqx.filter_jit
def _decode(model: Model, z: Float[Array, "points latent"]) -> AbstractPixelForm:
    return pixel_form(model, z)


@jax.jit
def _add_tile(
    sums: _Sums,
    chunk: tuple[Array, Array, Array],
    form: AbstractPixelForm,
    tile: _Tile,
    log_prior: Float[Array, " points"],
) -> _Sums:
    images, mean, log_variance = chunk
    height, width = tile.rows.shape[0], tile.columns.shape[0]
    joint = form.log_probs(scaled(images)) + log_prior[None]  # (images, points)
    peak = joint.max(axis=1)
    largest = jnp.maximum(sums.largest, peak)
    kept = jnp.exp(sums.largest - largest)
    mass = jnp.exp(joint - largest[:, None]).reshape(-1, height, width)
    fine = jnp.sum(mass, axis=(1, 2))
    coarse = jnp.sum(mass[:, ::2, ::2], axis=(1, 2))
    # q(z|x) on a tile is the product of its two axes
    latent = mean.shape[1]
    across = _weights(tile.columns, mean[:, latent - 1], log_variance[:, latent - 1])
    down = _weights(tile.rows, mean[:, 0], log_variance[:, 0]) if latent == 2 else jnp.ones((mean.shape[0], 1))
    joint_rows = jnp.sum(joint.reshape(-1, height, width) * across[:, None], axis=2)
    prior_rows = across @ log_prior.reshape(height, width).T
    return _Sums(
        largest,
        sums.fine * kept + fine,
        sums.coarse * kept + coarse,
        sums.posterior + down.sum(axis=1) * across.sum(axis=1),
        sums.joint + jnp.sum(joint_rows * down, axis=1),
        sums.prior + jnp.sum(prior_rows * down, axis=1),
        peak,
    )


def _weights(points: Array | np.ndarray, mean: Array, log_variance: Array) -> Float[Array, "images points"]:
    """Q along one axis, up to its normaliser."""
    square = (points[None] - mean[:, None]) ** 2 * jnp.exp(-log_variance)[:, None]
    return jnp.exp(-0.5 * square)
