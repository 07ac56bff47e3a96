"""What needs no VAE: the numbers that a model has to beat."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Num

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
    squares, explained = [], []
    for chunk in _chunks(images):
        centred = flat(chunk) - components.mean
        squares.append(np.sum(centred**2, axis=1))
        explained.append(np.sum((centred @ components.directions.T) ** 2, axis=1))
    squared = np.concatenate(squares)
    return Baselines(
        pixelwise_bernoulli=pixelwise_bernoulli(components.mean, len(training), images),
        mean_image=mean_figure(squared, over),
        pca=mean_figure(np.maximum(squared - np.concatenate(explained), 0.0), over),
        pca_errors=np.maximum(squared - np.concatenate(explained), 0.0),
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
    scores = np.concatenate([flat(chunk) @ weights + constant for chunk in _chunks(images)])
    return mean_figure(-scores, counted(len(images), "held-out image"))


def pixel_range(images: Num[np.ndarray, "images ..."]) -> tuple[float, float]:
    """The least and the largest pixel as the model sees them (uint8 is scaled to [0, 1])."""
    top = 255.0 if images.dtype == np.uint8 else 1.0
    return float(images.min()) / top, float(images.max()) / top


def grey_floor(images: Num[np.ndarray, "images ..."]) -> Figure:
    """The least that a binary cross-entropy on these pixels can be, nats per image: the entropy of the pixels, sum_i H(x_i).

    45.53 on the MNIST test images, 0 on binary ones: so a cross-entropy on grey pixels is no likelihood.
    """
    entropies = []
    for chunk in _chunks(images):
        if chunk.dtype == np.uint8:  # 256 values: looked up
            entropies.append(_entropy(np.arange(256) / 255.0)[chunk.reshape(len(chunk), -1)].sum(axis=1))
        else:
            entropies.append(_entropy(flat(chunk)).sum(axis=1))
    return mean_figure(np.concatenate(entropies), counted(len(images), "held-out image"))


def _entropy(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """H(x) of a Bernoulli variable, nats."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.where(x > 0.0, x * np.log(x), 0.0) - np.where(x < 1.0, (1.0 - x) * np.log1p(-x), 0.0)


def flat(images: Num[np.ndarray, "images ..."]) -> Float[np.ndarray, "images pixels"]:
    """Images as rows in float64, uint8 scaled to [0, 1]."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    return rows / 255.0 if images.dtype == np.uint8 else rows


def _chunks(images: Num[np.ndarray, "images ..."]) -> Iterator[Num[np.ndarray, "chunk ..."]]:
    """So many images that their pixels in float64 take 64 MB."""
    size = max(1, CHUNK_VALUES // max(1, math.prod(images.shape[1:])))
    for start in range(0, len(images), size):
        yield images[start : start + size]
