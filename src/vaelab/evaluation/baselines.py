"""What needs no VAE: the numbers that a model has to beat."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Num

from vaelab.batching import features_of, in_batches
from vaelab.evaluation.figure import Figure, counted, mean_figure
from vaelab.evaluation.principal_components import principal_components

CHUNK_VALUES = 2**23


@dataclasses.dataclass(frozen=True)
class Baselines:
    """Per held-out image.

    - `pixelwise_bernoulli`: negative log-likelihood, nats, of independent Bernoulli pixels with the training images' means (about 205.8
      on binarised MNIST); None where pixels lie outside [0, 1]
    - `mean_image`: squared error, summed over pixels, of the mean training image
    - `pca`: squared error of the best linear reconstruction from as many dimensions as the model has, or as there are (`components`), of
      the first `components_of` training images; `pca_errors`: of each image
    """

    pixelwise_bernoulli: Figure | None
    mean_image: Figure
    pca: Figure
    pca_errors: Float[np.ndarray, " images"]
    components: int
    components_of: int


def baselines(
    training: Num[np.ndarray, "training ..."], images: Num[np.ndarray, "images ..."], latent_dim: int
) -> Baselines:
    """The baselines of images as the model sees them (uint8 is scaled to [0, 1])."""
    over = counted(len(images), "held-out image")
    components = principal_components(training, latent_dim)

    def squares(some: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        centred = flat(some) - components.mean
        return np.sum(centred**2, axis=1), np.sum((centred @ components.directions.T) ** 2, axis=1)

    squared, explained = _over(squares, images)
    errors = np.maximum(squared - explained, 0.0)
    return Baselines(
        pixelwise_bernoulli=pixelwise_bernoulli(components.mean, len(training), images),
        mean_image=mean_figure(squared, over),
        pca=mean_figure(errors, over),
        pca_errors=errors,
        components=len(components.directions),
        components_of=components.images,
    )


def pixelwise_bernoulli(
    mean: Float[np.ndarray, " pixels"], count: int, images: Num[np.ndarray, "images ..."]
) -> Figure | None:
    """-sum_i [x_i log m_i + (1 - x_i) log(1 - m_i)] with m the mean of `count` training images, each pixel with one 0 and one 1 added."""
    low, high = pixel_range(images)
    if low < 0.0 or high > 1.0 or mean.min() < 0.0 or mean.max() > 1.0:
        return None
    smoothed = (mean * count + 1.0) / (count + 2.0)
    weights, constant = np.log(smoothed) - np.log1p(-smoothed), np.log1p(-smoothed).sum()
    scores = _over(lambda some: flat(some) @ weights + constant, images)
    return mean_figure(-scores, counted(len(images), "held-out image"))


def pixel_range(images: Num[np.ndarray, "images ..."]) -> tuple[float, float]:
    """The least and the largest pixel as the model sees them (uint8 is scaled to [0, 1])."""
    top = 255.0 if images.dtype == np.uint8 else 1.0
    return float(images.min()) / top, float(images.max()) / top


def grey_floor(images: Num[np.ndarray, "images ..."]) -> Figure:
    """The least that a binary cross-entropy on these pixels can be, nats per image: the entropy of the pixels, sum_i H(x_i).

    45.53 on the MNIST test images, 0 on binary ones: so a cross-entropy on grey pixels is no likelihood.
    """

    def entropies(some: np.ndarray) -> np.ndarray:
        if some.dtype == np.uint8:  # 256 values: looked up
            return _entropy(np.arange(256) / 255.0)[some.reshape(len(some), -1)].sum(axis=1)
        return _entropy(flat(some)).sum(axis=1)

    return mean_figure(_over(entropies, images), counted(len(images), "held-out image"))


def _entropy(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """H(x) of a Bernoulli variable, nats."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.where(x > 0.0, x * np.log(x), 0.0) - np.where(x < 1.0, (1.0 - x) * np.log1p(-x), 0.0)


def flat(images: Num[np.ndarray, "images ..."]) -> Float[np.ndarray, "images pixels"]:
    """Images as rows in float64, uint8 scaled to [0, 1]."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    return rows / 255.0 if images.dtype == np.uint8 else rows


def _over(function: Callable[[np.ndarray], Any], images: Num[np.ndarray, "images ..."]) -> Any:
    """In batches of so many images that their pixels in float64 take 64 MB."""
    return in_batches(function, images, rows=max(1, CHUNK_VALUES // features_of(images.shape[1:])), fill=False)
