"""What needs no VAE: the numbers that a model has to beat."""

import dataclasses
import math

import numpy as np
from jaxtyping import Float, Num

from vaelab.evaluation.figure import Figure, mean_figure

CHUNK = 5000


@dataclasses.dataclass(frozen=True)
class Baselines:
    """Per held-out image.

    - `pixelwise_bernoulli`: negative log-likelihood, nats, of independent Bernoulli pixels with the training images' means (about 205.8
      on binarised MNIST); None where pixels lie outside [0, 1]
    - `mean_image`: squared error, summed over pixels, of the mean training image
    - `pca`: squared error of the best linear reconstruction from as many dimensions as the model has
    """

    pixelwise_bernoulli: Figure | None
    mean_image: Figure
    pca: Figure


def baselines(
    training: Num[np.ndarray, "training ..."], images: Num[np.ndarray, "images ..."], latent_dim: int
) -> Baselines:
    """The baselines of images as the model sees them (uint8 is scaled to [0, 1])."""
    over = f"{len(images):,} held-out images"
    pixels = math.prod(training.shape[1:])
    mean, covariance = _moments(training)
    # the first few eigenvectors of the covariance, the largest last
    _, vectors = np.linalg.eigh(covariance)
    components = vectors[:, pixels - min(latent_dim, pixels) :]
    centred = flat(images) - mean
    squares = np.sum(centred**2, axis=1)
    explained = np.sum((centred @ components) ** 2, axis=1)
    return Baselines(
        pixelwise_bernoulli=pixelwise_bernoulli(mean, len(training), images),
        mean_image=mean_figure(squares, over),
        pca=mean_figure(np.maximum(squares - explained, 0.0), over),
    )


def pixelwise_bernoulli(
    mean: Float[np.ndarray, " pixels"], count: int, images: Num[np.ndarray, "images ..."]
) -> Figure | None:
    """-sum_i [x_i log m_i + (1 - x_i) log(1 - m_i)] with m the mean of `count` training images, each pixel with one 0 and one 1 added."""
    values = flat(images)
    if values.min() < 0.0 or values.max() > 1.0 or mean.min() < 0.0 or mean.max() > 1.0:
        return None
    smoothed = (mean * count + 1.0) / (count + 2.0)
    scores = values @ (np.log(smoothed) - np.log1p(-smoothed)) + np.log1p(-smoothed).sum()
    return mean_figure(-scores, f"{len(images):,} held-out images")


def grey_floor(images: Num[np.ndarray, "images ..."]) -> Figure:
    """The least that a binary cross-entropy on these pixels can be, nats an image: the entropy of the pixels, sum_i H(x_i).

    45.53 on the MNIST test images, 0 on binary ones: so a cross-entropy on grey pixels is no likelihood.
    """
    x = flat(images)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(x > 0.0, x * np.log(x), 0.0) - np.where(x < 1.0, (1.0 - x) * np.log1p(-x), 0.0)
    return mean_figure(entropy.sum(axis=1), f"{len(images):,} held-out images")


def flat(images: Num[np.ndarray, "images ..."]) -> Float[np.ndarray, "images pixels"]:
    """Images as rows in float64, uint8 scaled to [0, 1]."""
    rows = images.reshape(len(images), -1).astype(np.float64)
    return rows / 255.0 if images.dtype == np.uint8 else rows


def _moments(
    images: Num[np.ndarray, "images ..."],
) -> tuple[Float[np.ndarray, " pixels"], Float[np.ndarray, "pixels pixels"]]:
    """Mean and covariance, chunk by chunk."""
    pixels = math.prod(images.shape[1:])
    total, products = np.zeros(pixels), np.zeros((pixels, pixels))
    for start in range(0, len(images), CHUNK):
        chunk = flat(images[start : start + CHUNK])
        total += chunk.sum(axis=0)
        products += chunk.T @ chunk
    mean = total / len(images)
    return mean, products / len(images) - np.outer(mean, mean)
