"""The figures that a diagnosis rests on, taken from a run in a second or two: its log, its configuration, some held-out images."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from vaelab.evaluation.bounds import CHECKED_DRAWS
from vaelab.evaluation.figure import Figure, counted, mean_figure
from vaelab.evaluation.inputs import why_no_aggregate, why_no_quadrature
from vaelab.language import to_translate
from vaelab.run_data import TrainingDataError
from vaelab.runs import Run

if TYPE_CHECKING:
    from vaelab.data import Dataset
    from vaelab.evaluation.coded import CodedImages
    from vaelab.evaluation.evaluation import Evaluation
    from vaelab.evaluation.material import Material

CLOSING_TOLERANCE = 0.1
"""Nats, of the exact likelihood in a closing sentence, which shows one decimal."""


@dataclasses.dataclass(frozen=True)
class Checkup:
    """Of a run, on at most 2,000 held-out and 10,000 training images; None where the model has no such figure (an autoencoder, more than
    two dimensions).

    - `metrics`: one record an epoch, as in `metrics.jsonl`
    - `folder`: as a command is given the run: the path of its folder, or `pretrained:NAME`
    - `pixels`: of one image; `pixel_range`: of the training images as the model sees them
    - `kl_per_dimension`: nats; `median_log_variance`: of the posterior, for each dimension, over images
    - `nll`: exact, or by importance sampling (`nll_by`), nats; `score`: what it is (`score_name`)
    - `squared_error`, `pca_error`: of reconstructions, summed over pixels; `pca_gain`: by how much PCA's of as many components is smaller,
      image by image; None where its components span all images
    - `note`: what rests on a sample of the data, or is left out for want of them
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
    nll_by: str = "exact"
    score: str = "NLL"
    squared_error: Figure | None = None
    pca_error: Figure | None = None
    pca_gain: Figure | None = None
    fit_prior_command: str = "vaelab fit-prior RUN mixture"
    note: str = ""


def checkup(
    run: Run,
    *,
    prior: str = "trained",
    dataset: "Dataset | None" = None,
    likelihood: bool = True,
    training_data: str | None = None,
) -> Checkup:
    """The figures of a run. `dataset` spares reading its data again; `likelihood=False` leaves the integral out.

    Of a run whose data are not to be had, what its log and its configuration say.

    **Raises:** `VaelabError` where the run has no such prior, and where `training_data` are others than it was trained on.
    """
    from vaelab.evaluation.material import Material

    material = Material(run, prior=prior, dataset=dataset, training_data=training_data)
    return checkup_of(material, likelihood=likelihood)


def checkup_of(material: "Material", *, likelihood: bool = True) -> Checkup:
    """The same for what is already known of a run."""
    import jax.random as jr

    from vaelab.evaluation.latents import latent_use
    from vaelab.evaluation.prior_fit import prior_coverage

    found = _of_log(material)
    try:
        judged = material.judged
    except TrainingDataError as error:
        if material.training_data is not None:
            raise
        return dataclasses.replace(
            found, note=to_translate("{error}. Looked over without them: its log and its configuration", error=error)
        )
    coded = material.checked
    found = dataclasses.replace(_of_images(found, coded), note=judged.note)
    if not material.model.has_density:
        return found
    training = coded.training_posteriors if why_no_aggregate(coded.codes, material.model.domain) is None else None
    on_reals = material.model.domain == "reals"
    fit = prior_coverage(material.density, coded.posteriors, training, key=jr.key(0), prior_draws=CHECKED_DRAWS)
    nll = None
    if likelihood and why_no_quadrature(material.model) is None:
        from vaelab.evaluation.quadrature import exact_log_probs

        if coded.model.is_conditional:
            from vaelab.evaluation.by_label import exact_given

            assert coded.labels is not None
            exact = exact_given(material.model, coded.seen, coded.labels, tolerance=CLOSING_TOLERANCE)
        else:
            exact = exact_log_probs(material.model, material.density, coded.seen, tolerance=CLOSING_TOLERANCE)
        nll = mean_figure(-exact.log_prob, counted(len(coded.seen), f"{judged.split} image"))
    return dataclasses.replace(
        found,
        kl_per_dimension=latent_use(coded.posteriors, material.density).kl_per_dimension if on_reals else None,
        median_log_variance=_median_log_variance(coded) if on_reals else None,
        hole_fraction=fit.hole_fraction,
        uncovered_fraction=fit.uncovered_fraction,
        nll=nll,
    )


def checkup_from(material: "Material", evaluation: "Evaluation") -> Checkup:
    """The same from a whole evaluation of it, with nothing computed again: on all images."""
    from vaelab.evaluation.scores import conditioned, score_name

    coded = material.coded
    found = _of_images(_of_log(material), coded)
    if evaluation.latents is None or evaluation.prior_fit is None:
        return found
    exact, sampled = evaluation.nll_quadrature, evaluation.nll_importance
    kind = score_name(coded.model.decoder.support.levels, grey=coded.is_grey)
    return dataclasses.replace(
        found,
        score=conditioned(kind, evaluation.setting.condition),
        kl_per_dimension=evaluation.latents.kl_per_dimension,
        median_log_variance=_median_log_variance(coded),
        hole_fraction=evaluation.prior_fit.hole_fraction,
        uncovered_fraction=evaluation.prior_fit.uncovered_fraction,
        nll=exact or sampled,
        nll_by="exact" if exact or sampled is None else f"K = {evaluation.setting.importance_samples:,}",
    )


def _of_log(material: "Material") -> Checkup:
    """What needs no images."""
    run, model = material.run, material.model
    return Checkup(
        metrics=material.records,
        folder=run.called,
        latent_dim=model.latent_dim,
        pixels=int(np.prod(model.image_shape)),
        beta=run.config.objective.beta,
        keeps_best=run.config.training.keep == "best",
        pixel_range=None,
        fit_prior_command=run.fit_prior_command,
    )


def _of_images(found: Checkup, coded: "CodedImages") -> Checkup:
    """What needs no density."""
    from vaelab.evaluation.baselines import pixel_range
    from vaelab.evaluation.scores import conditioned, score_name

    errors = coded.at_means.squared_error
    over = counted(len(errors), "held-out image")
    found = dataclasses.replace(
        found,
        score=conditioned(
            score_name(coded.model.decoder.support.levels, grey=coded.is_grey),
            "given" if coded.model.is_conditional else "none",
        ),
        squared_error=mean_figure(errors, over),
    )
    beside, training = coded.baselines, coded.seen_training
    if beside is None or training is None:
        return found
    # components that span all that was seen reconstruct it whatever it is: no yardstick
    comparable = beside.components < min(found.pixels, beside.components_of - 1)
    return dataclasses.replace(
        found,
        pixel_range=pixel_range(training),
        pca_error=beside.pca if comparable else None,
        pca_gain=mean_figure(errors - beside.pca_errors, over) if comparable else None,
    )


def _median_log_variance(coded: "CodedImages") -> Float[np.ndarray, " latent"]:
    return np.median(np.asarray(coded.codes.log_variances, np.float64), axis=0)
