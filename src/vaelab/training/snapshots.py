"""Small pictures of a training as it goes, for the explorer's replay: latent means and the decoder, in half precision."""

import jax
import numpy as np
from jaxtyping import Array, Float

from vaelab.model import Model, named_arrays
from vaelab.pixels import scaled
from vaelab.runs import Run
from vaelab.tensors import write_tensors


def snapshot_epochs(epochs: int, count: int) -> list[int]:
    """At most `count` + 1 epochs from 0 (before training) to the last, closer together at the beginning, where more happens."""
    if count == 0:
        return []
    return sorted({0, *np.unique(np.round(np.geomspace(1, epochs, count)).astype(int)).tolist()})


@jax.jit
def posterior_means(model: Model, images: Array) -> Float[Array, "images latent"]:
    """The means of q(z|x) of uint8 or floating-point images, as grey values."""
    return jax.vmap(lambda image: model.posterior(image).mean)(scaled(images))


def save_snapshot(run: Run, epoch: int, model: Model, watched_images: Array) -> None:
    """Write the latent means of the watched images and the decoder's tensors at this epoch."""
    arrays = {"means": np.asarray(posterior_means(model, watched_images), np.float16)}
    arrays |= {f"decoder.{name}": array.astype(np.float16) for name, array in named_arrays(model.decoder).items()}
    write_tensors(run.snapshot_file(epoch), arrays, {"format": "vaelab-snapshot-1", "epoch": epoch})
