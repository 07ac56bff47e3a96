"""What an evaluation refuses before it begins."""

import numpy as np
from jaxtyping import Num

from vaelab.codes import Codes, has_diagonal_posterior
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated
from vaelab.model import Model
from vaelab.support import Domain


def checked_images(
    model: Model, images: Num[np.ndarray, "images ..."], what: str = "images"
) -> Num[np.ndarray, "images ..."]:
    """The images, uint8 in [0, 255] or float32 as the model sees them, if the model can score them.

    **Raises:** `VaelabError` for none, for another shape than the model's, for NaN or infinity, for floats outside [0, 1] under a
    (continuous) Bernoulli likelihood, and for values of another scale than those that it was fitted on.
    """
    return model.image_spec.taken(np.asarray(images), what)


def why_no_quadrature(model: Model) -> str | None:
    """Why the integrals over z cannot be done on lattices; None where they can."""
    if model.latent_dim > 2:
        return to_translate(
            "quadrature needs one or two latent dimensions; this model has {count}", count=model.latent_dim
        )
    if not has_diagonal_posterior(model):
        return to_translate(
            "quadrature is done around posteriors that are diagonal Gaussians; this model's are of the kind '{kind}'",
            kind=model.posterior_kind,
        )
    return None


def check_diagonal(codes: Codes) -> None:
    """Refuse a question about q(z|x) that only a Gaussian of independent entries can be asked.

    **Raises:** `VaelabError` with the reason.
    """
    if not codes.is_diagonal:
        raise VaelabError(
            translated(
                "quadrature over q(z|x) is done for diagonal Gaussians; this model's posterior is a {found_type}. Ask for "
                "importance sampling",
                found_type=type(codes.densities).__name__,
            )
        )


def why_no_aggregate(codes: Codes, domain: Domain) -> str | None:
    """Why log q(z), the mean of q(z|x) over all images, cannot be had; None where it can."""
    if codes.densities.quick_elsewhere:
        return None
    if domain == "codes":
        return to_translate(
            "codes of held-out images are hardly ever those of a training image, so log q(z) says nothing"
        )
    return to_translate(
        "it asks log q(z|x) of every training image at every code, and of this posterior that is an inversion for each pair"
    )


def check_has_density(model: Model, question: str) -> None:
    """Refuse a question about likelihood asked of an autoencoder.

    **Raises:** `VaelabError` with the reason.
    """
    if not model.has_density:
        raise VaelabError(
            translated(
                "{question}: an autoencoder's code is one point, not a density, so it has no likelihood and no "
                "bound on one. Ask for reconstruction and sample quality, or train a VAE: vaelab train",
                question=question,
            )
        )
