"""What an estimator holds possible of images of which it knows a part."""

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from vaelab.estimator.arguments import whole_number
from vaelab.estimator.fitted import FittedVAE
from vaelab.generating.inpainting import Possible, denoise, inpaint


def inpainted(vae: FittedVAE, X: ArrayLike, hidden: ArrayLike, y: Any, draws: SupportsIndex, seed: int) -> Possible:
    """`VAE.inpaint`."""
    images, _ = vae._seen(X)
    how = {"labels": _labels(vae, y, len(images)), "draws": whole_number(draws, "draws"), "seed": seed}
    return _as_fitted(vae, inpaint(vae.model_, images, np.asarray(hidden), **how))


def denoised(vae: FittedVAE, X: ArrayLike, sigma: float, y: Any, draws: SupportsIndex, seed: int) -> Possible:
    """`VAE.denoise`: the noise may have carried values out of the range that was fitted."""
    images = vae.model_.image_spec.noisy().taken(np.asarray(X), "X")
    how = {"labels": _labels(vae, y, len(images)), "draws": whole_number(draws, "draws"), "seed": seed}
    return _as_fitted(vae, denoise(vae.model_, images, float(sigma), **how))


def _labels(vae: FittedVAE, y: Any, count: int) -> np.ndarray | None:
    given = vae._given(y, count)
    return None if given is None else np.broadcast_to(np.asarray(given), (count,))


def _as_fitted(vae: FittedVAE, found: Possible) -> Possible:
    flat = found.pictures.reshape(-1, *found.pictures.shape[2:])
    return found._replace(pictures=vae._as_fitted(flat).reshape(found.pictures.shape))
