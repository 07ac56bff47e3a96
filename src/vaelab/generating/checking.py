"""Whether images and latents fit a model: said in one line, before anything is computed."""

import numpy as np

from vaelab.errors import VaelabError
from vaelab.language import translated
from vaelab.model import Model


def check_images(model: Model, images: np.ndarray, source: str = "images") -> None:
    """Refuse images, uint8 or floats, that the model cannot take; `model.image_spec.taken` also reads other kinds of arrays.

    Raises:
        VaelabError: for another image shape than the model's, NaN or infinity, and values outside [0, 1] (floats) where the likelihood
            is not Gaussian.
    """
    model.image_spec.check(images, source)


def check_latents(model: Model, z: np.ndarray, source: str = "z") -> None:
    """Refuse points that do not lie in the model's latent space.

    Raises:
        VaelabError: for another shape than (n, latent), and for NaN or infinity.
    """
    if z.ndim != 2 or z.shape[1] != model.latent_dim:
        raise VaelabError(
            translated(
                "{source}: expected an array of shape (n, {latent_dim}) for this model; found {shape}",
                source=source,
                latent_dim=model.latent_dim,
                shape=z.shape,
            )
        )
    if z.dtype.kind not in "buif":
        raise VaelabError(translated("{source}: latents must be numbers; got {dtype}", source=source, dtype=z.dtype))
    if not np.isfinite(z).all():
        bad = int((~np.isfinite(z)).any(axis=1).sum())
        raise VaelabError(
            translated(
                "{source}: must be finite; found NaN or infinity in {bad} of {z} points",
                source=source,
                bad=bad,
                z=len(z),
            )
        )
