"""Small pictures of a training as it goes, for the explorer's replay: the latents of some images and the decoder, in half precision."""

import jax
import numpy as np
from jaxtyping import Array, Float

from vaelab.densities import DiagonalNormal
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
def posterior_parameters(model: Model, images: Array) -> dict[str, Float[Array, "images latent"]]:
    """`means` and, for a Gaussian posterior, `log_variances` of q(z|x) of uint8 or floating-point images, as grey values."""

    def parameters(image: Float[Array, " *image"]) -> dict[str, Float[Array, " latent"]]:
        posterior = model.posterior(image)
        spread = {"log_variances": posterior.log_variance} if isinstance(posterior, DiagonalNormal) else {}
        return {"means": posterior.mean, **spread}

    return jax.vmap(parameters)(scaled(images))


def save_snapshot(run: Run, epoch: int, model: Model, watched_images: Array) -> None:
    """Write the latents of the watched images and the decoder's tensors at this epoch."""
    arrays = {
        name: np.asarray(array, np.float16) for name, array in posterior_parameters(model, watched_images).items()
    }
    arrays |= {f"decoder.{name}": array.astype(np.float16) for name, array in named_arrays(model.decoder).items()}
    write_tensors(run.snapshot_file(epoch), arrays, {"format": "vaelab-snapshot-1", "epoch": epoch})
