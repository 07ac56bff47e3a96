"""Images of which a part is hidden, or that are noisy, with what the model holds possible in its place: there is more than one answer."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int, Shaped

from vaelab.errors import VaelabError
from vaelab.generating.coding import decode
from vaelab.generating.conditioning import AbstractKnown, NoisyImage, VisiblePixels, draws_given
from vaelab.generating.pictures import as_seen
from vaelab.generating.sampling import can_sample
from vaelab.labels import labels_given
from vaelab.language import translated
from vaelab.model import Model
from vaelab.pixels import scaled

FARTHEST = 8.0
"""Sigmas that noise carries a value, at most: one in 10^15 goes farther."""


class Possible(NamedTuple):
    """For each image, several pictures that it may have been.

    - `pictures`: the decoder's pictures at draws of z, pixels as the model sees them
    - `z`: those draws
    - `distinct`: how many of them are different in origin; few of many: the draws say little
    - `log_evidence`: log p(what is known of the image), nats; of grey pixels under a Bernoulli likelihood a cross-entropy's, as every score
    """

    pictures: Float32[np.ndarray, "n draws ..."]
    z: Float32[np.ndarray, "n draws latent"]
    distinct: Int[np.ndarray, " n"]
    log_evidence: Float64[np.ndarray, " n"]


def inpaint(
    model: Model,
    images: Shaped[np.ndarray, "n ..."],
    hidden: Bool[np.ndarray, "..."],
    *,
    labels: Int[np.ndarray, " n"] | None = None,
    draws: int = 5,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Possible:
    """What the hidden pixels of each image may have been: z given the visible ones; those stand in the pictures as they were.

    - `images`: uint8 or floats, n of the model's shape, that the model takes; what they hold where they are hidden is not looked at
    - `hidden`: True where an image is hidden, of an image's shape, or (height, width) for all its channels
    - `labels`: of each image, for a model that sees labels

    Raises:
        VaelabError: for a mask of another shape, one that hides everything or nothing, and an autoencoder without a fitted prior.
    """
    mask = as_mask(hidden, model.image_shape)
    seen = as_seen(images)
    visible = jnp.asarray(~mask, jnp.float32)
    # a hidden NaN or an outlier would go through a multiplication with nought
    known = (VisiblePixels(jnp.asarray(np.where(mask, 0.0, image), jnp.float32), visible) for image in seen)
    found = _possible(model, known, labels, len(seen), draws, seed, on_progress)
    return found._replace(pictures=np.where(mask, found.pictures, seen[:, None]))


def denoise(
    model: Model,
    images: Shaped[np.ndarray, "n ..."],
    sigma: float,
    *,
    labels: Int[np.ndarray, " n"] | None = None,
    draws: int = 5,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Possible:
    """What each image may have been before Gaussian noise was added to its pixels, of standard deviation `sigma` in their units ([0, 1] for
    uint8). Noise may have carried floats out of [0, 1]. `labels` as in `inpaint`.

    Raises:
        VaelabError: for a sigma that is not positive, and an autoencoder without a fitted prior.
    """
    if not 0.0 < sigma < np.inf:
        raise VaelabError(
            translated(
                "sigma: expected the standard deviation of the noise, above 0 and finite, in units of the pixels as the model sees them; "
                "found {sigma:g}",
                sigma=sigma,
            )
        )
    noisy = np.asarray(scaled(jnp.asarray(images)))
    _check_reach(model, noisy, sigma)
    known = (NoisyImage(jnp.asarray(image), jnp.float32(sigma)) for image in noisy)
    return _possible(model, known, labels, len(noisy), draws, seed, on_progress)


def _check_reach(model: Model, noisy: Float32[np.ndarray, "n ..."], sigma: float) -> None:
    """Refuse values farther out than such noise carries any."""
    if model.values is None:
        return
    low, high = model.values.low - FARTHEST * sigma, model.values.high + FARTHEST * sigma
    found = float(noisy.min()), float(noisy.max())
    if found[0] < low or found[1] > high:
        raise VaelabError(
            translated(
                "images to denoise: found values from {least:g} to {most:g}; of noise with sigma = {sigma:g} on what this model was fitted "
                "on they lie from {low:g} to {high:g}. Bring them to that scale, or give the sigma that they have",
                least=found[0],
                most=found[1],
                sigma=sigma,
                low=low,
                high=high,
            )
        )


def as_mask(hidden: np.ndarray, image_shape: tuple[int, ...]) -> Bool[np.ndarray, "..."]:
    """A mask of an image's shape, True where it is hidden.

    Raises:
        VaelabError: for another shape, and where it hides everything or nothing.
    """
    mask = np.asarray(hidden, bool)
    if mask.shape == image_shape[:2] and len(image_shape) == 3:
        mask = np.broadcast_to(mask[..., None], image_shape)
    if mask.shape != image_shape:
        raise VaelabError(
            translated(
                "the mask has shape {found}; the model's images have {shape}. Give one of that height and width",
                found=mask.shape,
                shape=image_shape,
            )
        )
    if mask.all() or not mask.any():
        raise VaelabError(
            translated(
                "the mask hides everything: nothing is known of the image. To draw images of nothing: vaelab sample"
            )
            if mask.all()
            else translated("the mask hides nothing; what is hidden is white in it (or True)")
        )
    return mask


def _possible(
    model: Model,
    known: Iterator[AbstractKnown],
    labels: Int[np.ndarray, " n"] | None,
    count: int,
    draws: int,
    seed: int,
    on_progress: Callable[[int, int], None],
) -> Possible:
    if not can_sample(model):
        raise VaelabError(
            translated(
                "an autoencoder has no prior, so nothing is likelier than anything else; fit one to its codes first"
            )
        )
    found, given = [], labels_given(model, labels, count)
    for number, one in enumerate(known):
        of_label = model.given(jnp.asarray(given[0][number])) if given else model
        found.append(draws_given(of_label, one, draws, seed=seed + number))
        on_progress(number + 1, count)
    z = np.stack([one.z for one in found])
    of_each = [np.repeat(part, draws) for part in given]
    pictures = decode(model, z.reshape(-1, model.latent_dim), *of_each).reshape(count, draws, *model.image_shape)
    return Possible(
        pictures, z, np.array([one.distinct for one in found]), np.array([one.log_evidence for one in found])
    )
