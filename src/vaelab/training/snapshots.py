"""Small pictures of a training as it goes, for the explorer's replay: the latents of some images and the decoder, in half precision."""

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Integer

from vaelab.migration import migrated_arrays
from vaelab.model import Model
from vaelab.naming import named_arrays
from vaelab.pixels import scaled
from vaelab.runs import Run
from vaelab.tensors import read_tensors, write_tensors

FORMAT = "vaelab-snapshot-2"


@dataclass(frozen=True)
class Snapshot:
    """The latents of the watched images, and the decoder, as they were after `epoch` epochs.

    - `means`, `log_variances`: of q(z|x), the second only of a Gaussian posterior; half precision in a file
    - `decoder`: its tensors by their names in the model file, half precision
    - `rows`: which of the images shown they are, ascending; None for the first ones
    """

    epoch: int
    means: Float[np.ndarray, "watched latent"]
    log_variances: Float[np.ndarray, "watched latent"] | None
    decoder: Mapping[str, np.ndarray]
    rows: Integer[np.ndarray, " watched"] | None = None


def snapshot_epochs(epochs: int, count: int) -> list[int]:
    """At most `count` + 1 epochs from 0 (before training) to the last, closer together at the beginning, where more happens."""
    if count == 0:
        return []
    return sorted({0, *np.unique(np.round(np.geomspace(1, epochs, count)).astype(int)).tolist()})


@jax.jit
def posterior_parameters(
    model: Model, images: Array, labels: Int[Array | np.ndarray, " images"] | None = None
) -> dict[str, Float[Array, "images latent"]]:
    """`means` and, for a Gaussian posterior, `log_variances` of q(z|x) of uint8 or floating-point images, as grey values.

    `labels`: of a conditional model, each image's own.
    """

    def parameters(image: Float[Array, " *image"], label: Int[Array, ""] | None) -> dict[str, Float[Array, " latent"]]:
        posterior = model.posterior(image, condition=label)
        spread = {} if posterior.marginal_log_variance is None else {"log_variances": posterior.marginal_log_variance}
        return {"means": posterior.centre, **spread}

    return jax.vmap(parameters)(scaled(images), None if labels is None else jnp.asarray(labels))


def snapshot_of(
    epoch: int,
    model: Model,
    watched_images: Array,
    rows: Integer[np.ndarray, " watched"] | None = None,
    labels: Integer[np.ndarray, " watched"] | None = None,
) -> Snapshot:
    """The latents of the watched images, given their `labels` where the model is conditional, and the decoder's tensors at this epoch."""
    found = posterior_parameters(model, watched_images, labels)
    arrays = {name: np.asarray(array, np.float16) for name, array in found.items()}
    decoder = {f"decoder.{name}": array.astype(np.float16) for name, array in named_arrays(model.decoder).items()}
    return Snapshot(epoch, arrays["means"], arrays.get("log_variances"), decoder, rows)


def write_snapshot(run: Run, snapshot: Snapshot) -> None:
    arrays = {"means": snapshot.means, **snapshot.decoder}
    if snapshot.log_variances is not None:
        arrays["log_variances"] = snapshot.log_variances
    if snapshot.rows is not None:
        arrays["rows"] = snapshot.rows.astype(np.int32)
    write_tensors(run.snapshot_file(snapshot.epoch), arrays, {"format": FORMAT, "epoch": snapshot.epoch})


def read_snapshots(run: Run, latent_dim: int) -> list[Snapshot]:
    """Those of a run, in order; one of another latent space is passed over.

    Raises:
        VaelabError: where a file is damaged.
    """
    found = []
    for epoch, path in run.snapshots():
        arrays, header = read_tensors(path)
        arrays = migrated_arrays(arrays, header.get("format"))
        means = arrays.get("means")
        if means is None or means.shape[1:] != (latent_dim,):
            continue
        decoder = {name: array for name, array in arrays.items() if name.startswith("decoder.")}
        found.append(Snapshot(epoch, means, arrays.get("log_variances"), decoder, arrays.get("rows")))
    return found
