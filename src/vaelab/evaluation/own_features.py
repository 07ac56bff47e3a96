"""Feature networks that nobody has to download: trained on the data themselves, by their labels or by telling their own patches apart.

What they are is said wherever a number of theirs stands: distances in the features of a small network of this data are comparable with
nothing but distances in the features of the same network.
"""

from functools import partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from jaxtyping import Array, Float, Int, Key, Num, UInt8

from vaelab.errors import VaelabError
from vaelab.evaluation.classifier_training import train_classifier
from vaelab.evaluation.feature_networks import BATCH, FeatureNetwork, classifier_network, labelled_network
from vaelab.evaluation.figure import Figure, mean_figure
from vaelab.evaluation.images import as_uint8_images, with_channels
from vaelab.language import translated

EXEMPLARS = 200
"""Images that are told apart."""
VIEWS = 60
"""Patches of each."""
SMALLEST_SHARE = 0.5
"""Of an image's sides, in a patch."""


def own_network(
    images: Num[np.ndarray, "image ..."], labels: Int[np.ndarray, " image"] | None, *, data: str, seed: int = 0
) -> FeatureNetwork:
    """A feature network of this data: by its labels where it has at least two, else by its patches. Give it training images, so that it
    says nothing of those that are judged.
    """
    if labels is not None and len(np.unique(labels)) > 1:
        return labelled_network(images, labels, name=f"classifier of {data}, trained on its labels", seed=seed)
    return patch_network(images, name=f"network that tells patches of {data} apart", seed=seed)


def patch_network(images: Num[np.ndarray, "image ..."], *, name: str, epochs: int = 4, seed: int = 0) -> FeatureNetwork:
    """The features of a classifier that tells of which of some images a patch was cut: it needs no labels.

    Each of up to 200 images is a class, and its members are patches of half to all of its sides, enlarged, mirrored, brighter or darker
    (Dosovitskiy et al., "Discriminative unsupervised feature learning with convolutional neural networks", NeurIPS 2014).

    Raises:
        VaelabError: for fewer than two images.
    """
    levels = with_channels(as_uint8_images(images))
    if len(levels) < 2:
        raise VaelabError(
            translated("telling patches apart needs at least two images; found {count}", count=len(levels))
        )
    generator = np.random.default_rng(seed)
    chosen = levels[generator.permutation(len(levels))[:EXEMPLARS]]
    keys = jr.split(jr.key(seed), len(chosen))
    views = np.concatenate([np.asarray(_views(jnp.asarray(one), key)) for one, key in zip(chosen, keys, strict=True)])
    classes = np.repeat(np.arange(len(chosen)), VIEWS)
    classifier = train_classifier(views, classes, epochs=epochs, batch_size=min(BATCH, len(views)), seed=seed)
    _, height, width, channels = levels.shape
    return classifier_network(classifier, name=name, image_shape=(height, width, channels))


@jax.jit
def _views(
    image: UInt8[Array, "height width channels"], key: Key[Array, ""]
) -> UInt8[Array, "view height width channels"]:
    """Patches of one image, each enlarged to its size."""
    return jax.vmap(partial(_view, image.astype(jnp.float32)))(jr.split(key, VIEWS))


def _view(image: Float[Array, "height width channels"], key: Key[Array, ""]) -> UInt8[Array, "height width channels"]:
    share_key, place_key, mirror_key, light_key = jr.split(key, 4)
    sides = jnp.array(image.shape[:2], jnp.float32)
    share = jr.uniform(share_key, minval=SMALLEST_SHARE, maxval=1.0)
    corner = jr.uniform(place_key, (2,)) * (1.0 - share) * sides
    scale = jnp.broadcast_to(1.0 / share, (2,))
    patch = jax.image.scale_and_translate(image, image.shape, (0, 1), scale, -corner * scale, method="linear")
    patch = jnp.where(jr.bernoulli(mirror_key), patch[:, ::-1], patch)
    light = jr.uniform(light_key, (1, 1, image.shape[2]), minval=0.8, maxval=1.25)
    return jnp.clip(jnp.round(patch * light), 0.0, 255.0).astype(jnp.uint8)


def feature_distance(
    network: FeatureNetwork,
    images: Num[np.ndarray, "image ..."],
    others: Num[np.ndarray, "image ..."],
) -> Figure:
    """How far `others` (reconstructions) lie from their images in the features of a network: 0 for the images themselves, 1 for as far as
    the images lie from each other.

    mean_i norm(f(x_i) - f(x'_i)) / mean_{i != j} norm(f(x_i) - f(x_j)), the second mean over each image and one other. Features are
    divided by their standard deviation over the images.

    Raises:
        VaelabError: for fewer than two images, or such as the network does not read.
    """
    if len(images) < 2:
        raise VaelabError(
            translated("distances between images need at least two of them; found {count}", count=len(images))
        )
    own, other = network(images), network(others)
    spread = own.std(axis=0)
    own, other = (features / np.where(spread > 0.0, spread, 1.0) for features in (own, other))
    apart = np.linalg.norm(own - np.roll(own, 1, axis=0), axis=1).mean()
    distances = np.linalg.norm(own - other, axis=1) / max(float(apart), 1e-12)
    return mean_figure(distances, "image")
