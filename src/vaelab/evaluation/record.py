"""An evaluation as JSON: what `evaluation.json` holds."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vaelab.evaluation.figure import Figure

if TYPE_CHECKING:
    from vaelab.evaluation.numbers import Numbers


def as_json(evaluation: "Numbers") -> dict[str, Any]:
    """`Evaluation.to_json`."""
    from vaelab.evaluation.numbers import FORMAT

    e = evaluation
    result: dict[str, Any] = {"format": FORMAT, "setting": dataclasses.asdict(e.setting)}
    for name in ("elbo", "reconstruction", "kl"):
        result[name] = _figure(getattr(e, name))
    result["elbo_by"] = e.elbo_by
    latents = e.latents
    result["kl_per_dimension"] = (
        None
        if latents is None
        else {"value": latents.kl_per_dimension.tolist(), "standard_error": None, "against": latents.kl_against}
    )
    result["active_units"] = _figure(e.active_units)
    result["nll_importance"] = _figure(
        e.nll_importance, samples=e.setting.importance_samples, monte_carlo_error=e.monte_carlo_error
    )
    result["importance_excess"] = _figure(e.importance_excess)
    result["nll_quadrature"] = _figure(
        e.nll_quadrature, halving_error_mean=e.quadrature_error_mean, halving_error_maximum=e.quadrature_error_maximum
    )
    result["bits_per_dimension"] = _figure(e.bits_per_dimension)
    result["inference_gap"] = _figure(e.inference_gap)
    if e.setting.condition == "marginal":
        result["nll_given"] = _figure(e.nll_given)
    if e.by_label is not None:
        scores = e.by_label
        result["by_label"] = {
            "accuracy": _figure(scores.accuracy),
            "log_loss": _figure(scores.log_loss),
            "calibration_error": _figure(scores.calibration_error),
            "reliability": [
                {"confidence": confidence, "accuracy": accuracy, "images": images}
                for confidence, accuracy, images in scores.reliability
            ],
        }
    fit = e.prior_fit
    for name in ("mutual_information", "marginal_kl", "achievable_gain", "hole_fraction", "uncovered_fraction"):
        result[name] = _figure(None if fit is None else getattr(fit, name))
    if fit is not None:
        assert result["mutual_information"] is not None
        result["mutual_information"] |= {"bound": fit.log_images, "saturated": fit.saturated}
    result["grey_floor"] = _figure(e.grey_floor)
    result["reconstruction_squared_error"] = _figure(e.reconstruction_squared_error)
    result["reconstruction_feature_distance"] = _figure(e.reconstruction_feature_distance)
    if e.code_use is not None:
        result["code_use"] = dataclasses.asdict(e.code_use)
    result["linear_probe_accuracy"] = _figure(None if e.probes is None else e.probes.linear)
    result["neighbour_accuracy"] = _figure(None if e.probes is None else e.probes.nearest_neighbours)
    result["baselines"] = (
        None
        if e.baselines is None
        else {
            "pixelwise_bernoulli": _figure(e.baselines.pixelwise_bernoulli),
            "mean_image": _figure(e.baselines.mean_image),
            "pca": _figure(e.baselines.pca, components=e.baselines.components, components_of=e.baselines.components_of),
        }
    )
    if e.samples is None:
        result["frechet_digit_distance"] = None
    else:
        quality = e.samples.as_dict()
        result["sample_quality_setting"] = {
            name: quality.pop(name) for name in ("features", "samples", "reference", "seed")
        }
        result |= {name: value for name, value in quality.items() if name != "memorisation"}
        floor = {} if e.samples_floor is None else e.samples_floor.as_dict()
        result["sample_quality_floor"] = {
            name: value for name, value in floor.items() if isinstance(value, dict) and "value" in value
        }
    memorisation = e.memorisation
    if memorisation is not None:
        fields = [field.name for field in dataclasses.fields(memorisation) if field.name != "nearest"]
        result["memorisation"] = {name: _figure(getattr(memorisation, name)) for name in fields}
    result["reasons"] = dict(e.reasons)
    return _finite(result)


def _figure(figure: Figure | None, **more: Any) -> dict[str, Any] | None:
    return None if figure is None else dataclasses.asdict(figure) | more


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
