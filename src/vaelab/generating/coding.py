"""Images to points of the latent space, and points to images."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Float32, Int, Shaped, UInt32

from vaelab.batching import features_of, in_batches
from vaelab.codes import codes_of
from vaelab.generating.checking import check_images, check_latents
from vaelab.labels import labels_given
from vaelab.model import Model


class Encoded(NamedTuple):
    """q(z|x) of each image, and one draw from it."""

    mean: Float32[np.ndarray, "n latent"]
    log_variance: (
        Float32[np.ndarray, "n latent"] | None
    )  # of each entry; None for an autoencoder, and on a sphere or of codes
    draw: Float32[np.ndarray, "n latent"]  # the mean itself for an autoencoder


Labels = Int[np.ndarray, " labels"] | int
"""Of a conditional model: each image's own, or one for all."""


def encode(
    model: Model, images: Shaped[np.ndarray, "n ..."], labels: Labels | None = None, *, seed: int = 0
) -> Encoded:
    """The posterior of each image: uint8, or floats as the model sees them. Grey values are taken as they are.

    A conditional model encodes each given its label; any other looks away from `labels`.

    The draw of image i depends on the seed, on i and on the image: the first images of a longer array get the same
    draws.

    Raises:
        VaelabError: where the images do not fit the model, and for a conditional model without labels, or with one that it does not know.
    """
    check_images(model, images)
    codes = codes_of(model, images, labels)
    mean, log_variance = codes.centres, codes.log_variances
    if log_variance is None:
        return Encoded(mean, None, mean)
    if not codes.is_diagonal:
        log_variance = log_variance if model.domain == "reals" else None  # else an entry by itself says nothing
        return Encoded(mean, log_variance, codes.draws(jr.key(seed)))
    # by NumPy: a compiled program with random numbers takes a second to build, and this one would be run once
    noise = np.random.default_rng(seed).standard_normal(mean.shape, np.float32)
    return Encoded(mean, log_variance, mean + np.exp(0.5 * log_variance) * noise)


def encode_means(
    model: Model, images: Shaped[np.ndarray, "n ..."], labels: Labels | None = None
) -> Float32[np.ndarray, "n latent"]:
    """The means of the posteriors alone."""
    return encode(model, images, labels).mean


def decode(
    model: Model, z: Float[np.ndarray, "n latent"], labels: Labels | None = None
) -> Float32[np.ndarray, "n ..."]:
    """The mean of p(x|z) at each point: the picture shown, pixels in [0, 1] (any number for a Gaussian likelihood).

    Of a conditional model p(x|z, y), for each point's label or one for all.

    Raises:
        VaelabError: where the points are not of the model's latent space, and as `encode` does for labels.
    """
    check_latents(model, z)
    rows = np.asarray(z, np.float32)
    given = labels_given(model, labels, len(rows))
    return in_batches(lambda *part: _means(model, *part), rows, *given, features=features_of(model.image_shape))


def draw_pixels(
    model: Model, z: Float[np.ndarray, "n latent"], labels: Labels | None = None, *, seed: int = 0
) -> Float32[np.ndarray, "n ..."]:
    """One draw x ~ p(x|z) at each point: pixel by pixel, so it shows the likelihood's noise that the mean leaves out.

    Raises:
        VaelabError: as `decode`.
    """
    check_latents(model, z)
    rows, key = np.asarray(z, np.float32), jr.key(seed)
    places = np.arange(len(rows), dtype=np.uint32)
    return in_batches(
        lambda part, which, *label: _draws(model, part, which, key, *label),
        rows,
        places,
        *labels_given(model, labels, len(rows)),
        features=features_of(model.image_shape),
    )


def log_likelihoods(
    model: Model, z: Float[np.ndarray, "n latent"], image: Float[np.ndarray, " *image"], label: int | None = None
) -> Float32[np.ndarray, " n"]:
    """log p(x|z) of one image, as the model sees it, at each point, in nats; of a conditional model given the image's label.

    Raises:
        VaelabError: where the points are not of the model's latent space.
    """
    check_latents(model, z)
    given = jnp.asarray(image, jnp.float32)
    if labels_given(model, label, 1):
        model = model.given(np.int32(label))  # pyright: ignore[reportArgumentType]
    return in_batches(
        lambda part: _log_likelihoods(model, part, given),
        np.asarray(z, np.float32),
        features=features_of(model.image_shape),
    )


def reconstruct(
    model: Model,
    images: Shaped[np.ndarray, "n ..."],
    labels: Labels | None = None,
    *,
    as_labels: Labels | None = None,
) -> Float32[np.ndarray, "n ..."]:
    """Each image encoded to its posterior mean and decoded: the same every time.

    A conditional model encodes each given its label, and decodes the same z given that label, or another one (`as_labels`): what stays
    is what the label does not say, such as slant and stroke of a digit.

    Raises:
        VaelabError: as `encode`.
    """
    return decode(model, encode_means(model, images, labels), labels if as_labels is None else as_labels)


@jax.jit
def _means(
    model: Model, z: Float[Array | np.ndarray, "n latent"], labels: Int[Array | np.ndarray, " n"] | None = None
) -> Float[Array, "n ..."]:
    return jax.vmap(lambda point, label: model.likelihood(point, label).centre)(z, labels)


@jax.jit
def _draws(
    model: Model,
    z: Float[Array | np.ndarray, "n latent"],
    places: UInt32[Array | np.ndarray, " n"],
    key: Array,
    labels: Int[Array | np.ndarray, " n"] | None = None,
) -> Float[Array, "n ..."]:
    def one(point: Array, place: Array, label: Array | None) -> Array:
        return model.likelihood(point, label).sample(jr.fold_in(key, place))

    return jax.vmap(one)(jnp.asarray(z), jnp.asarray(places), None if labels is None else jnp.asarray(labels))


@jax.jit
def _log_likelihoods(model: Model, z: Float[Array, "n latent"], image: Float[Array, " *image"]) -> Float[Array, " n"]:
    return jax.vmap(lambda point: model.likelihood(point).log_prob(image))(z)
