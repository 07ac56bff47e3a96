"""Whether images and latents fit a model: said in one line, before anything is computed."""

import numpy as np

from vaelab.errors import VaelabError
from vaelab.likelihoods import GaussianLikelihood
from vaelab.model import Model


def check_images(model: Model, images: np.ndarray, source: str = "images") -> None:
    """Refuse images that the model cannot take.

    Raises:
        VaelabError: for another image shape than the model's, NaN or infinity, and values outside [0, 1] (floats) where
        the
            likelihood is not Gaussian.
    """
    if images.shape[1:] != model.image_shape:
        raise VaelabError(
            f"{source}: images have shape {images.shape[1:]}; this model takes {model.image_shape}. "
            "Give images of that shape"
        )
    if images.dtype == np.uint8:
        return
    if not np.isfinite(images).all():
        bad = int((~np.isfinite(images.reshape(len(images), -1))).any(axis=1).sum())
        raise VaelabError(
            f"{source}: must be finite; found NaN or infinity in {bad} of {len(images)} images. Remove or fill them"
        )
    low, high = float(images.min(initial=0.0)), float(images.max(initial=0.0))
    if not isinstance(model.decoder, GaussianLikelihood) and (low < 0.0 or high > 1.0):
        raise VaelabError(
            f"{source}: pixels must lie in [0, 1] for this model's likelihood; found values from {low:g} to {high:g}. "
            "Rescale them"
        )


def check_latents(model: Model, z: np.ndarray, source: str = "z") -> None:
    """Refuse points that do not lie in the model's latent space.

    Raises:
        VaelabError: for another shape than (n, latent), and for NaN or infinity.
    """
    if z.ndim != 2 or z.shape[1] != model.latent_dim:
        raise VaelabError(
            f"{source}: expected an array of shape (n, {model.latent_dim}) for this model; found {z.shape}"
        )
    if not np.isfinite(z).all():
        bad = int((~np.isfinite(z)).any(axis=1).sum())
        raise VaelabError(f"{source}: must be finite; found NaN or infinity in {bad} of {len(z)} points")
