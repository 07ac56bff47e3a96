"""An evaluation as JSON, as a table, and as one page that needs no other file."""

import base64
import dataclasses
import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from vaelab.evaluation.figure import Figure, counted, share
from vaelab.evaluation.scores import score_name

if TYPE_CHECKING:
    from vaelab.evaluation.evaluation import Evaluation
    from vaelab.evaluation.sample_quality import SampleQuality


def as_json(evaluation: "Evaluation") -> dict[str, Any]:
    """`Evaluation.to_json`."""
    from vaelab.evaluation.evaluation import FORMAT

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
    result["inference_gap"] = _figure(e.inference_gap)
    fit = e.prior_fit
    for name in ("mutual_information", "marginal_kl", "achievable_gain", "hole_fraction", "uncovered_fraction"):
        result[name] = _figure(None if fit is None else getattr(fit, name))
    if fit is not None:
        assert result["mutual_information"] is not None
        result["mutual_information"] |= {"bound": fit.log_images, "saturated": fit.saturated}
    result["grey_floor"] = _figure(e.grey_floor)
    result["reconstruction_squared_error"] = _figure(e.reconstruction_squared_error)
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


# --- rows: name, value, what it means ------------------------------------------------------------------------------------------------


def rows(evaluation: "Evaluation") -> Iterable[tuple[str, str, str]]:
    """(name, value ± error, what it is) of every number that there is, in the order in which one asks."""
    e, s = evaluation, evaluation.setting
    score = score_name(s.levels, grey=e.grey_floor is not None)
    what = {
        "NLL": "negative log-likelihood, nats an image",
        "grey cross-entropy": "a loss on grey pixels, nats an image, and no likelihood",
        "negative log-density": "of a density over pixels, nats an image: it may be negative",
    }[score]
    if e.nll_quadrature is not None:
        halving = f"halving the grid changes {e.quadrature_error_mean:.4f} on average, {e.quadrature_error_maximum:.4f} at most"
        yield f"{score}, exact", _nats(e.nll_quadrature), f"{what}, by quadrature; {halving}"
    if e.nll_importance is not None:
        drawn = f"K = {s.importance_samples:,}"
        error = "" if e.monte_carlo_error is None else f"; Monte Carlo error {e.monte_carlo_error:.3f}"
        if e.importance_excess is not None and e.nll_importance.n != s.images:
            # of other images than the exact one: beside it only the difference says something
            yield (
                f"  above it, {drawn}",
                f"{_nats(e.importance_excess)} ({e.nll_importance.n:,} images)",
                f"what importance sampling gives (an upper bound), less the exact one, image by image{error}",
            )
        else:
            of = "" if e.nll_importance.n == s.images else f" ({e.nll_importance.n:,} images)"
            if e.importance_excess is not None:
                error += f"; above the exact one by {e.importance_excess.value:.3f} on average, image by image"
            yield (
                f"{score}, {drawn}",
                _nats(e.nll_importance) + of,
                f"{what}, by importance sampling (an upper bound){error}",
            )
    if e.elbo is not None and e.kl is not None:
        yield "ELBO", _nats(e.elbo), f"-(reconstruction + KL), by {e.elbo_by}"
        yield "  reconstruction", _nats(e.reconstruction), "distortion, -E log p(x|z)"
        yield "  KL", _nats(e.kl), "rate, KL(q(z|x) || p(z))"
    else:
        yield "reconstruction", _nats(e.reconstruction), "-log p(x|code): a loss; an autoencoder has no likelihood"
    if e.grey_floor is not None:
        yield "grey floor", _nats(e.grey_floor), "no model's cross-entropy on these grey pixels falls below it"
    if e.inference_gap is not None:
        yield "inference gap", _nats(e.inference_gap), "KL(q(z|x) || p(z|x)), exact"
    fit = e.prior_fit
    if fit is not None:
        saturated = "; at its bound, it says only that every image has its own code" if fit.saturated else ""
        yield (
            "mutual information",
            _nats(fit.mutual_information) + (" (saturated)" if fit.saturated else ""),
            f"I(x; z), at most log N = {fit.log_images:.2f}{saturated}",
        )
        yield (
            "marginal KL",
            _nats(fit.marginal_kl),
            "KL(q(z) || p(z)): the part of the rate that a better prior removes",
        )
        if fit.achievable_gain is not None:
            yield (
                "achievable gain",
                _nats(fit.achievable_gain),
                "on held-out images, were the prior the training images' aggregate",
            )
        if fit.hole_fraction is not None:
            yield (
                "hole fraction",
                share(fit.hole_fraction),
                "of the prior lies where no code is (1 % for a perfect prior)",
            )
        yield (
            "uncovered fraction",
            share(fit.uncovered_fraction),
            "of the codes lie where the prior hardly is (1 % for a perfect prior)",
        )
    yield (
        "active units",
        f"{e.active_units.value:.0f} of {s.latent_dim}",
        "latent dimensions whose mean varies over images by more than 0.01 (variance)",
    )
    if e.latents is not None:
        largest = ", ".join(f"{value:.2f}" for value in np.sort(e.latents.kl_per_dimension)[::-1][:8])
        dots = ", …" if s.latent_dim > 8 else ""
        yield "KL per dimension", largest + dots, f"nats, largest first, against {e.latents.kl_against}"
    if e.probes is not None:
        trained = f"trained on those of {counted(e.probes.trained_on, 'training image')}"
        yield (
            "linear probe",
            share(e.probes.linear),
            f"accuracy on held-out images from the posterior means alone, {trained}",
        )
        yield (
            f"{counted(e.probes.neighbours, 'nearest neighbour')}",
            share(e.probes.nearest_neighbours),
            f"accuracy from the posterior means, {trained}",
        )
    if e.samples is not None:
        yield from _sample_rows(e.samples, e.samples_floor)
    if e.memorisation is not None:
        m = e.memorisation
        yield (
            "nearest training image",
            f"{m.distance.value:.2f} (held-out images: {m.held_out_distance.value:.2f})",
            f"median distance of {counted(m.distance.n or 0, 'sample')} to the nearest training image, pixels in [0, 1]",
        )
        yield (
            "copied",
            f"{share(m.copied)} (held-out images: {share(m.held_out_copied)})",
            "samples whose nearest training image is less than a third as far as the next",
        )
    yield "squared error", _nats(e.reconstruction_squared_error), "of reconstructions, summed over pixels"
    b = e.baselines
    if b is None:
        return
    yield (
        "  PCA",
        _nats(b.pca),
        f"of {counted(b.components, 'principal component')} of {counted(b.components_of, 'training image')}",
    )
    yield "  mean image", _nats(b.mean_image), "of the mean training image in place of a reconstruction"
    if b.pixelwise_bernoulli is not None and s.levels == 2:
        yield "pixelwise Bernoulli", _nats(b.pixelwise_bernoulli), "nats, the score of a model without latents"


def _sample_rows(quality: "SampleQuality", floor: "SampleQuality | None") -> Iterable[tuple[str, str, str]]:
    """How good the samples are, each number with the floor that real training images reach."""
    q = quality

    def reached(*names: str) -> str:
        if floor is None:
            return ""
        return f" (real: {', '.join(f'{getattr(floor, name).value:.3g}' for name in names)})"

    real = "" if floor is None else "; real: of as many training images in their place"
    yield (
        q.figure_name.replace("_", " ").replace("frechet", "Fréchet"),
        f"{q.frechet_distance}{reached('frechet_distance')}",
        f"{q.samples:,} decoder means against {q.reference:,} images; features: {q.network}, {q.layer}{real}",
    )
    yield "kernel distance", f"{q.kernel_distance}{reached('kernel_distance')}", "same features, unbiased"
    for first, second in (("precision", "recall"), ("density", "coverage")):
        shown = f"{getattr(q, first).value:.3f}, {getattr(q, second).value:.3f}{reached(first, second)}"
        yield f"{first}, {second}", shown, "same features"
    if q.class_entropy is not None and q.reference_class_entropy is not None:
        yield (
            "class entropy",
            f"{q.class_entropy.value:.3f} (held-out images: {q.reference_class_entropy.value:.3f})",
            "nats, of the classes that the feature network sees",
        )


def caption(evaluation: "Evaluation") -> str:
    """What all the numbers stand under."""
    s = evaluation.setting
    drawn = f" (drawn once, seed {s.pixel_seed})" if s.pixels == "dynamic" else ""
    return (
        f"{counted(s.images, 'image')}, {s.data} {s.split}; {s.pixels} pixels{drawn}; {s.likelihood} likelihood; "
        f"{counted(s.latent_dim, 'latent dimension')}; prior {s.prior}; seed {s.seed}. ± is the standard error, of scores over images."
    )


def _nats(figure: Figure) -> str:
    return figure.rounded(2)


# --- pages ---------------------------------------------------------------------------------------------------------------------------

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
h1 { font-size: 1.4rem; margin-bottom: .2rem } p.caption { color: #57606a; margin-top: 0 }
table.vaelab { border-collapse: collapse; width: 100% }
table.vaelab td { padding: .25rem .6rem; border-bottom: 1px solid #d8dee4; vertical-align: top }
table.vaelab td.value { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600 }
table.vaelab td.name { white-space: pre } table.vaelab td.meaning { color: #57606a }
figure { margin: 2rem 0 } figure img { max-width: 100% } figcaption { color: #57606a }
"""


def as_table(evaluation: "Evaluation") -> str:
    """An HTML table with its caption."""
    lines = "".join(
        f'<tr><td class="name">{html.escape(name)}</td><td class="value">{html.escape(value)}</td>'
        f'<td class="meaning">{html.escape(meaning)}</td></tr>'
        for name, value, meaning in rows(evaluation)
    )
    return f'<table class="vaelab"><caption style="text-align:left">{html.escape(caption(evaluation))}</caption>{lines}</table>'


def as_page(evaluation: "Evaluation", title: str, pictures: Mapping[str, bytes]) -> str:
    """One self-contained page: the table, the reasons for what is missing, and PNG pictures by their captions."""
    figures = "".join(
        f'<figure><img alt="{html.escape(name)}" src="data:image/png;base64,{base64.b64encode(content).decode()}">'
        f"<figcaption>{html.escape(name)}</figcaption></figure>"
        for name, content in pictures.items()
    )
    reasons = "".join(
        f"<li>{html.escape(name)}: {html.escape(reason)}</li>" for name, reason in evaluation.reasons.items()
    )
    missing = f"<h2>Notes</h2><ul>{reasons}</ul>" if reasons else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><h1>{html.escape(title)}</h1>{as_table(evaluation)}{missing}{figures}</body></html>\n"
    )
