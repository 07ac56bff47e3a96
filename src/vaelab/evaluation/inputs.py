"""What an evaluation refuses before it begins."""

import numpy as np
from jaxtyping import Num

from vaelab.errors import VaelabError
from vaelab.likelihoods import BernoulliLikelihood, ContinuousBernoulliLikelihood
from vaelab.model import Model


def checked_images(
    model: Model, images: Num[np.ndarray, "images ..."], what: str = "images"
) -> Num[np.ndarray, "images ..."]:
    """The images, uint8 in [0, 255] or floats as the model sees them, if the model can score them.

    **Raises:** `VaelabError` for none, for another shape than the model's, for NaN or infinity, and for floats outside [0, 1] under a
    (continuous) Bernoulli likelihood.
    """
    images = np.asarray(images)
    if images.shape[1:] != model.image_shape:
        raise VaelabError(
            f"{what} have shape {images.shape[1:]}; the model was trained on {model.image_shape}. Give images of that shape "
            "(vaelab data lists the data sets; --size scales a folder of images)"
        )
    if len(images) == 0:
        raise VaelabError(f"{what}: expected at least one to evaluate; found none")
    if images.dtype == np.uint8:
        return images
    if not np.isfinite(images).all():
        bad = int((~np.isfinite(images.reshape(len(images), -1))).any(axis=1).sum())
        raise VaelabError(
            f"{what} must be finite; found NaN or infinity in {bad} of {len(images)}. Remove or fill them"
        )
    low, high = float(images.min()), float(images.max())
    if isinstance(model.decoder, BernoulliLikelihood | ContinuousBernoulliLikelihood) and (low < 0.0 or high > 1.0):
        raise VaelabError(
            f"{what} must lie in [0, 1], as the model's likelihood does; found values from {low:g} to {high:g}. "
            "Rescale them as the training images were"
        )
    return images.astype(np.float32)


def check_has_density(model: Model, question: str) -> None:
    """Refuse a question about likelihood asked of an autoencoder.

    **Raises:** `VaelabError` with the reason.
    """
    if not model.has_density:
        raise VaelabError(
            f"{question}: an autoencoder's code is one point, not a density, so it has no likelihood and no bound on one. "
            "Ask for reconstruction and sample quality, or train a VAE: vaelab train"
        )
