"""Structural similarity over several scales."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Key, PRNGKeyArray, PyTree

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.model import Model
from vaelab.objectives.base import MODEL, AbstractObjective, Batch, Loss
from vaelab.objectives.draws import drawn, with_terms
from vaelab.objectives.settings import MsSsimSettings

EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales from the finest on; fewer of them are brought to the sum of 1."""
SIGMA = 1.5
LUMINANCE, CONTRAST = 0.01, 0.03
"""K1 and K2, in units of the data range."""
FLOOR = 1e-3
"""An image's similarity at a scale is kept above it: it may be negative, and a root of it has no slope at 0."""


class MsSsim(AbstractObjective):
    """loss = weight E_q[1 - MS-SSIM(x, picture)] + pixels E_q[-log p(x|z)] + beta KL, the picture being the centre of p(x|z).

    Wang, Simoncelli and Bovik, "Multi-scale structural similarity for image quality assessment", Asilomar 2003, eq. 7; as a loss of
    autoencoders Snell et al., "Learning to generate images with perceptual similarity metrics", ICIP 2017. It looks at one picture and
    says nothing of a scale of p(x|z), which the share of log p(x|z) is for.
    """

    weight: float = eqx.field(static=True)
    pixels: float = eqx.field(static=True)
    window: int = eqx.field(static=True)
    scales: int | None = eqx.field(static=True)
    data_range: float = eqx.field(static=True)

    @classmethod
    def build(cls, settings: MsSsimSettings) -> "MsSsim":
        scales = None if settings.scales == "auto" else settings.scales
        return cls(settings.weight, settings.pixels, settings.window, scales, settings.data_range)

    def players(self, model: Model, *, key: PRNGKeyArray) -> dict[str, eqx.Module]:
        del key
        scales_of(model.image_shape, self.window, self.scales)  # refused here, before the first step
        return {}

    def __call__(
        self,
        players: Mapping[str, Any],
        state: PyTree,
        batch: Batch,
        beta: Float[Array, ""],
        keys: Key[Array, " batch"],
    ) -> Loss:
        model = players[MODEL]
        found = drawn(model, batch, keys)
        pictures = jax.vmap(lambda z, label: model.likelihood(z, label).centre)(found.z, batch.labels)
        scales = scales_of(model.image_shape, self.window, self.scales)

        def similarity(a: Array, b: Array) -> Array:
            return ms_ssim(a, b, scales=scales, window=self.window, data_range=self.data_range)

        differing = 1.0 - jax.vmap(similarity)(batch.images, pictures).mean()
        return with_terms(found, beta, {"dissimilarity": (self.weight, differing)}, state, pixels=self.pixels)


def scales_of(shape: tuple[int, ...], window: int, asked: int | None) -> int:
    """How many scales are compared.

    Raises:
        VaelabError: for what is no image, and where the window is larger than the coarsest image.
    """
    if len(shape) not in (2, 3):
        raise VaelabError(
            translated(
                "the objective ms-ssim is for images (height, width) or (height, width, channels); found examples of shape {shape}. Use "
                "the objective elbo for them",
                shape=tuple(shape),
            )
        )
    fitting = [number for number in range(1, len(EXPONENTS) + 1) if min(shape[:2]) // 2 ** (number - 1) >= window]
    if not fitting or (asked is not None and asked > fitting[-1]):
        raise VaelabError(
            translated(
                "objective.window = {window} is wider than images of {height} x {width} pixels after {halvings} halvings; choose a smaller "
                "window, or objective.scales = {most}",
                window=window,
                height=shape[0],
                width=shape[1],
                halvings=(asked or 1) - 1,
                most=max(fitting, default=1),
            )
        )
    return fitting[-1] if asked is None else asked


def ms_ssim(
    a: Float[Array, " *image"], b: Float[Array, " *image"], *, scales: int, window: int, data_range: float = 1.0
) -> Float[Array, ""]:
    """MS-SSIM of two images (height, width) or (height, width, channels), 1 for equal ones.

    prod_j s_j^(exponent_j), s_j the mean over places of contrast and structure at scale j (2 sigma_ab + c2) / (sigma_a^2 + sigma_b^2 +
    c2), at the coarsest with the luminance (2 mu_a mu_b + c1) / (mu_a^2 + mu_b^2 + c1) in the mean, and of channels their mean. Moments
    are under a Gaussian window, at those places alone where it lies within the image; from scale to scale squares of 2 x 2 are averaged.
    """
    a, b = (image if image.ndim == 3 else image[..., None] for image in (a, b))
    exponents = np.asarray(EXPONENTS[:scales]) / sum(EXPONENTS[:scales])
    found = jnp.ones(())
    for number, exponent in enumerate(exponents.tolist()):
        structure, whole = _similarities(a, b, window, data_range)
        similarity = (whole if number == scales - 1 else structure).mean()
        found = found * jnp.maximum(similarity, FLOOR) ** exponent
        a, b = _halved(a), _halved(b)
    return found


def _similarities(
    a: Float[Array, "height width channels"], b: Float[Array, "height width channels"], window: int, data_range: float
) -> tuple[Array, Array]:
    """Contrast and structure at each place, and the same times the luminance."""
    rows, columns = (jnp.asarray(_blur(side, window), a.dtype) for side in a.shape[:2])

    def mean(image: Array) -> Array:
        return jnp.einsum("ih,hwc,jw->ijc", rows, image, columns)

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a**2) - mean_a**2, mean(b**2) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = (LUMINANCE * data_range) ** 2, (CONTRAST * data_range) ** 2
    structure = (2.0 * covariance + c2) / (variance_a + variance_b + c2)
    return structure, structure * (2.0 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)


def _blur(side: int, window: int) -> np.ndarray:
    """The matrix (side - window + 1, side) of a Gaussian window along an axis: as a product, a convolution is quick in a scan on a CPU."""
    weights = np.exp(-0.5 * ((np.arange(window) - (window - 1) / 2) / SIGMA) ** 2)
    matrix = np.zeros((side - window + 1, side))
    for place in range(len(matrix)):
        matrix[place, place : place + window] = weights / weights.sum()
    return matrix


def _halved(image: Float[Array, "height width channels"]) -> Float[Array, "half_height half_width channels"]:
    """The means of squares of 2 x 2; an odd last row or column is left out."""
    height, width = (side // 2 for side in image.shape[:2])
    return image[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).mean(axis=(1, 3))
