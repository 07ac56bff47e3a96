"""The nearest training image of every sample: does a model make images, or copy them?"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float64, Int, Num

from vaelab.batching import filled, in_batches, in_blocks, pieces
from vaelab.errors import VaelabError
from vaelab.evaluation.figure import Figure, share_figure
from vaelab.evaluation.images import as_float_images, with_channels
from vaelab.language import translated
from vaelab.pixels import scaled

ROWS, COLUMNS = 1000, 10_000  # 40 MB of distances at once
BLOCK_VALUES = 2**25  # pixels of the training images compared at once
GROUP = 64


@dataclasses.dataclass(frozen=True)
class NearestImages:
    """The nearest training image of every image, in pixel space.

    - `index`: its number among the training images
    - `distance`: Euclidean, pixels in [0, 1], over all pixels and channels
    - `second_distance`: to the next nearest
    """

    index: Int[np.ndarray, " image"]
    distance: Float64[np.ndarray, " image"]
    second_distance: Float64[np.ndarray, " image"]

    def of(self, images: slice) -> "NearestImages":
        return NearestImages(self.index[images], self.distance[images], self.second_distance[images])


@dataclasses.dataclass(frozen=True)
class Memorisation:
    """Distances of samples to their nearest training image, beside those of held-out images.

    - `distance`, `held_out_distance`: medians (pixels in [0, 1])
    - `closer_than_held_out`: the probability that a sample lies nearer to the training images than a held-out image
      does (ties a half): 0.5 for images like the held-out ones, towards 1 for copies; the Mann-Whitney statistic of
      Meehan et al. (2020, https://arxiv.org/abs/2004.05675). Smooth images, such as decoder means, lie nearer to
      everything and raise it without copying.
    - `copied`, `held_out_copied`: shares whose nearest training image is less than a third as far as the next one (Yoon
      et al., 2023, https://openreview.net/forum?id=shciCbSk9h), which smoothness alone does not raise
    - `nearest`: of each sample, to look at the pairs
    """

    distance: Figure
    held_out_distance: Figure
    closer_than_held_out: Figure
    copied: Figure
    held_out_copied: Figure
    nearest: NearestImages


def memorisation(
    samples: Num[np.ndarray, "sample ..."],
    held_out: Num[np.ndarray, "image ..."],
    training_images: Num[np.ndarray, "training ..."],
) -> Memorisation:
    """Whether `samples` lie closer to `training_images` than `held_out` images do."""
    together = nearest_training_images(
        np.concatenate([as_float_images(samples), as_float_images(held_out)]), training_images
    )
    ours, theirs = together.of(slice(len(samples))), together.of(slice(len(samples), None))
    in_order = np.sort(theirs.distance)
    farther = len(in_order) - 0.5 * (
        np.searchsorted(in_order, ours.distance, "left") + np.searchsorted(in_order, ours.distance, "right")
    )
    n, m = len(ours.distance), len(in_order)
    # of the Mann-Whitney statistic where both come from one distribution
    standard_error = float(np.sqrt((n + m + 1) / (12 * n * m)))
    return Memorisation(
        distance=Figure(float(np.median(ours.distance)), None, "samples", n),
        held_out_distance=Figure(float(np.median(theirs.distance)), None, "held-out images", m),
        closer_than_held_out=Figure(float(farther.mean() / m), standard_error, "samples, were they alike", n),
        copied=_copied(ours, "samples"),
        held_out_copied=_copied(theirs, "held-out images"),
        nearest=ours,
    )


def _copied(nearest: NearestImages, over: str) -> Figure:
    return share_figure((nearest.distance < nearest.second_distance / 3) | (nearest.distance == 0), over)


def nearest_training_images(
    images: Num[np.ndarray, "image ..."], training_images: Num[np.ndarray, "training ..."]
) -> NearestImages:
    """The nearest of `training_images` to each of `images`, and the distance to the next.

    Both uint8, or floats in [0, 1], of shape (n, height, width) or (n, height, width, channels). The two are chosen by
    `|a|^2 + |b|^2 - 2 a . b` in float32, one matrix product a block, and their distances then taken exactly in float64.

    **Raises:** `VaelabError` for images of another shape or range, and fewer than two training images.
    """
    prepared, training = as_float_images(images), with_channels(training_images, "training_images")
    if prepared.shape[1:] != training.shape[1:]:
        raise VaelabError(
            translated(
                "images and training_images must have one shape; got {shape} and {shape_2}.",
                shape=prepared.shape[1:],
                shape_2=training.shape[1:],
            )
        )
    if len(training) < 2:
        raise VaelabError(
            translated("training_images must be two or more to compare the nearest with the next; got 1.")
        )
    flat, flat_training = prepared.reshape(len(prepared), -1), training.reshape(len(training), -1)
    columns = max(2, min(COLUMNS, len(training), BLOCK_VALUES // flat.shape[1]))
    found = []
    for block in pieces(len(training), columns):  # by hand: each has two nearest of its own, numbered from its first
        candidates = jnp.asarray(filled(flat_training[block], columns))
        present = jnp.int32(min(columns, len(training) - block.start))
        distances, indices = in_batches(
            lambda rows, candidates=candidates, present=present: _two_nearest(rows, candidates, present),
            flat,
            rows=min(ROWS, len(flat)),
        )
        found.append((distances, indices.astype(np.int64) + block.start))
    distances, indices = (np.concatenate(part, axis=1) for part in zip(*found, strict=True))
    best = np.argsort(distances, axis=1, kind="stable")[:, :2]
    chosen = np.take_along_axis(indices, best, axis=1)
    distances = np.stack([_exact(flat, flat_training, chosen[:, 0]), _exact(flat, flat_training, chosen[:, 1])])
    order = np.argsort(distances, axis=0, kind="stable")  # rounding may have exchanged the two
    distance, second_distance = np.take_along_axis(distances, order, axis=0)
    return NearestImages(np.take_along_axis(chosen.T, order, axis=0)[0], distance, second_distance)


def _exact(
    images: Float[np.ndarray, "image pixel"],
    training: Num[np.ndarray, "training pixel"],
    index: Int[np.ndarray, " image"],
) -> Float64[np.ndarray, " image"]:
    scale = np.float32(255 if training.dtype == np.uint8 else 1)

    def distances(rows: np.ndarray, which: np.ndarray) -> np.ndarray:
        near = (training[which].astype(np.float32) / scale).astype(np.float64)
        return np.linalg.norm(rows.astype(np.float64) - near, axis=1)

    return in_batches(distances, images, index, rows=ROWS, fill=False)


@jax.jit
def _two_nearest(
    images: Float[Array, "image pixel"], candidates: Num[Array, "candidate pixel"], present: Int[Array, ""]
) -> tuple[Float[Array, "image two"], Int[Array, "image two"]]:
    """Squared distance, less |image|^2, and number of the two nearest of the first `present`; infinite where there is but one.

    The least of each group of columns first, which is vectorised where the place of the least is not; then within two groups.
    """
    training = scaled(candidates)
    product = jnp.matmul(images, training.T, precision=jax.lax.Precision.HIGHEST)
    lengths = jnp.where(jnp.arange(len(training)) < present, (training * training).sum(axis=1), jnp.inf)
    squared = in_blocks(lengths[None, :] - 2 * product, GROUP, filler=jnp.inf, axis=1)
    least, groups = squared.min(axis=2), squared.shape[1]

    def within(group: Array) -> Array:
        return jnp.take_along_axis(squared, group[:, None, None], axis=1)[:, 0]

    group = jnp.argmin(least, axis=1)
    inside = within(group)
    first = jnp.argmin(inside, axis=1)
    others = jnp.where(jnp.arange(GROUP)[None, :] == first[:, None], jnp.inf, inside)
    least_of_others = jnp.where(jnp.arange(groups)[None, :] == group[:, None], others.min(axis=1)[:, None], least)
    next_group = jnp.argmin(least_of_others, axis=1)
    next_inside = jnp.where((next_group == group)[:, None], others, within(next_group))
    second = jnp.argmin(next_inside, axis=1)
    distances = jnp.stack([inside.min(axis=1), next_inside.min(axis=1)], axis=1)
    return distances, jnp.stack([group * GROUP + first, next_group * GROUP + second], axis=1)
