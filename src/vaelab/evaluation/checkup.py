"""The figures that a diagnosis rests on, taken from a run in a second or two: its log, its configuration, some held-out images."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax.random as jr
import numpy as np
from jaxtyping import Float

from vaelab.data import Dataset
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.figure import Figure, mean_figure
from vaelab.evaluation.latents import latent_use
from vaelab.evaluation.of_run import judged_images
from vaelab.evaluation.prior_fit import prior_fit
from vaelab.evaluation.quadrature import exact_log_probs
from vaelab.model import load_model
from vaelab.pixels import seen_once
from vaelab.run_data import TrainingDataError
from vaelab.runs import Run

IMAGES = 2000
TRAINING_IMAGES = 10_000
PRIOR_DRAWS = 4000


@dataclasses.dataclass(frozen=True)
class Checkup:
    """Of a run, on at most 2,000 held-out images; None where the model has no such figure (an autoencoder, more than two dimensions).

    - `metrics`: one record an epoch, as in `metrics.jsonl`
    - `pixels`: of one image; `pixel_range`: of the training images as the model sees them
    - `kl_per_dimension`: nats; `median_log_variance`: of the posterior, for each dimension, over images
    - `note`: what rests on a sample of the data, or is left out for want of them
    - `nll`: exact, nats; `binary`: whether the pixels are 0 and 1, so that it is a likelihood
    """

    metrics: Sequence[dict[str, Any]]
    folder: str
    latent_dim: int
    pixels: int
    beta: float
    keeps_best: bool
    pixel_range: tuple[float, float] | None
    kl_per_dimension: Float[np.ndarray, " latent"] | None = None
    median_log_variance: Float[np.ndarray, " latent"] | None = None
    hole_fraction: Figure | None = None
    uncovered_fraction: Figure | None = None
    nll: Figure | None = None
    binary: bool = True
    fit_prior_command: str = "vaelab fit-prior RUN mixture"
    note: str = ""


def checkup(
    run: Run,
    *,
    prior: str = "trained",
    dataset: Dataset | None = None,
    likelihood: bool = True,
    training_data: str | None = None,
) -> Checkup:
    """The figures of a run. `dataset` spares reading its data again; `likelihood=False` leaves the integral out.

    Of a run whose data are not to be had, what its log and its configuration say.

    **Raises:** `VaelabError` where the run has no such prior, and where `training_data` are others than it was trained on.
    """
    model = load_model(run, prior)
    found = Checkup(
        metrics=run.metrics(),
        folder=run.called,
        latent_dim=model.latent_dim,
        pixels=int(np.prod(model.image_shape)),
        beta=run.config.objective.beta,
        keeps_best=run.config.training.keep == "best",
        pixel_range=None,
        fit_prior_command=run.fit_prior_command,
    )
    try:
        judged = judged_images(run, dataset=dataset, training_data=training_data)
    except TrainingDataError as error:
        if training_data is not None:
            raise
        return dataclasses.replace(found, note=f"{error}. Looked over without them: its log and its configuration")
    assert judged.training_images is not None
    images = seen_once(judged.images[:IMAGES], judged.pixels, judged.pixel_seed)
    training = seen_once(judged.training_images[:TRAINING_IMAGES], judged.pixels, judged.pixel_seed + 1)
    top = 255.0 if training.dtype == np.uint8 else 1.0
    found = dataclasses.replace(
        found,
        pixel_range=(float(training.min()) / top, float(training.max()) / top),
        binary=bool(np.isin(images, (0, top)).all()),
        note=judged.note,
    )
    if not model.has_density:
        return found
    density = model.prior.density(model).given(None)
    held_out = AggregatePosterior.of(model, images)
    fit = prior_fit(density, held_out, AggregatePosterior.of(model, training), key=jr.key(0), prior_draws=PRIOR_DRAWS)
    nll = None
    if likelihood and model.latent_dim <= 2:
        nll = mean_figure(
            -exact_log_probs(model, density, images, tolerance=0.1).log_prob, f"{len(images):,} {judged.split} images"
        )
    return dataclasses.replace(
        found,
        kl_per_dimension=latent_use(held_out, density).kl_per_dimension,
        median_log_variance=np.median(np.asarray(held_out.log_variance, np.float64), axis=0),
        hole_fraction=fit.hole_fraction,
        uncovered_fraction=fit.uncovered_fraction,
        nll=nll,
    )
