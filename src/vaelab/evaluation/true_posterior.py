"""The exact posterior p(z|x) of an image on a grid, beside the encoder's q(z|x)."""

import dataclasses
import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Num

from vaelab.codes import codes_of
from vaelab.densities import AbstractDensity
from vaelab.evaluation.inputs import checked_images
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.evaluation.pixel_forms import pixel_form
from vaelab.evaluation.quadrature import ExactLikelihood, exact_log_probs
from vaelab.model import Model
from vaelab.pixels import scaled

RESOLUTION = 128
SEARCH = 128
MOST_SEARCHES = 6
GRID_VALUES = 2**24
"""Pixels decoded for one grid, at most: for large images grids are coarser, down to COARSEST points along an axis."""
COARSEST = 40
NEGLIGIBLE = 12.0
"""Nats below the peak: outside of the window that is shown."""


@dataclasses.dataclass(frozen=True)
class TruePosterior:
    """- `axes`: the grid's values along each latent dimension, over a window that holds nearly all of p(z|x) and q(z|x) to 4 sigma
    - `log_density`: log p(z|x) on the grid, nats; shape (points,) or (points of the first axis, points of the second)
    - `mean`, `log_variance`: of q(z|x)
    - `log_prob`: log p(x), exact
    - `inference_gap`: KL(q(z|x) || p(z|x)), exact
    """

    axes: tuple[Float[np.ndarray, " points"], ...]
    log_density: Float[np.ndarray, "..."]
    mean: Float[np.ndarray, " latent"]
    log_variance: Float[np.ndarray, " latent"]
    log_prob: float
    inference_gap: float

    @property
    def log_encoder(self) -> Float[np.ndarray, "..."]:
        """log q(z|x) on the same grid."""
        terms = [
            -0.5 * ((axis - m) ** 2 / math.exp(v) + v + math.log(2.0 * math.pi))
            for axis, m, v in zip(self.axes, self.mean, self.log_variance, strict=True)
        ]
        return terms[0] if len(terms) == 1 else terms[0][:, None] + terms[1][None]

    @property
    def mass(self) -> float:
        """The integral of p(z|x) over the window, by the grid: 1 where the window holds it all and the grid resolves it."""
        cell = math.prod(float(axis[1] - axis[0]) for axis in self.axes)
        return float(np.exp(self.log_density).sum() * cell)


def true_posteriors(
    model: Model, prior: AbstractDensity, images: Num[np.ndarray, "images ..."], *, resolution: int = RESOLUTION
) -> list[TruePosterior]:
    """p(z|x) = p(x|z) p(z) / p(x) for each image (as the model sees it; uint8 is scaled), in one or two dimensions.

    On at most seven grids for each, of at most 128 points along an axis, fewer where images are large.

    **Raises:** as `exact_log_probs` does.
    """
    images = checked_images(model, images)
    exact = exact_log_probs(model, prior, images)
    codes = codes_of(model, images)
    assert codes.log_variances is not None  # `exact_log_probs` asks for a density
    return [
        _one(model, prior, image, np.asarray(m, np.float64), np.asarray(v, np.float64), exact, index, resolution)
        for index, (image, m, v) in enumerate(zip(images, codes.centres, codes.log_variances, strict=True))
    ]


def _one(
    model: Model,
    prior: AbstractDensity,
    image: np.ndarray,
    mean: np.ndarray,
    log_variance: np.ndarray,
    exact: ExactLikelihood,
    index: int,
    resolution: int,
) -> TruePosterior:
    log_prob = float(exact.log_prob[index])
    reach = 4.0 * np.exp(0.5 * log_variance)
    low, high = mean - reach, mean + reach
    side = _points_along(SEARCH, model)
    # where p(z|x) has mass at all: on the whole box first, then on what that found, until it is no longer much smaller
    window = exact.low, exact.high
    for _ in range(MOST_SEARCHES):
        axes = tuple(np.linspace(a, b, side) for a, b in zip(*window, strict=True))
        log_density = _log_joint(model, prior, image, axes) - log_prob
        held = log_density > log_density.max() - NEGLIGIBLE
        places = [
            np.flatnonzero(held.any(axis=tuple(other for other in range(held.ndim) if other != d)))
            for d in range(held.ndim)
        ]
        found = [(axis[max(p[0] - 1, 0)], axis[min(p[-1] + 1, side - 1)]) for axis, p in zip(axes, places, strict=True)]
        width_before, window = window[1] - window[0], (np.array([a for a, _ in found]), np.array([b for _, b in found]))
        if np.all(window[1] - window[0] > 0.25 * width_before):
            break
    window = np.minimum(low, window[0]), np.maximum(high, window[1])
    side = _points_along(resolution, model)
    axes = tuple(np.linspace(a, b, side) for a, b in zip(*window, strict=True))
    return TruePosterior(
        axes,
        _log_joint(model, prior, image, axes) - log_prob,
        mean,
        log_variance,
        log_prob,
        float(exact.inference_gap[index]),
    )


def _points_along(wanted: int, model: Model) -> int:
    """Points along an axis, so that a grid's decoded images keep within GRID_VALUES."""
    points = GRID_VALUES / math.prod(model.image_shape)
    return max(COARSEST, min(wanted, int(points ** (1.0 / model.latent_dim))))


def _log_joint(
    model: Model, prior: AbstractDensity, image: np.ndarray, axes: tuple[np.ndarray, ...]
) -> Float[np.ndarray, "..."]:
    z = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes)).astype(np.float32)
    scores = np.asarray(_scores(model, jnp.asarray(image)[None], jnp.asarray(z)), np.float64)
    return (scores + log_probs(prior, z)).reshape([len(axis) for axis in axes])


@eqx.filter_jit
def _scores(model: Model, images: Array, z: Float[Array, "points latent"]) -> Float[Array, " points"]:
    return pixel_form(model, z).log_probs(scaled(images))[0]
