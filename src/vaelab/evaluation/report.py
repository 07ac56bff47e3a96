"""An evaluation as a table, and as one page that needs no other file."""

import base64
import html
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from vaelab.evaluation.figure import PARTS, Figure, counted, share
from vaelab.evaluation.scores import conditioned, score_name
from vaelab.language import Words, to_translate, translated

if TYPE_CHECKING:
    from vaelab.evaluation.label_scores import LabelScores
    from vaelab.evaluation.numbers import Numbers
    from vaelab.evaluation.sample_quality import SampleQuality


# --- rows: name, value, what it means ------------------------------------------------------------------------------------------------


def rows(evaluation: "Numbers") -> Iterable[tuple[str, str, str]]:
    """(name, value ± error, what it is) of every number that there is, in the order in which one asks."""
    e, s = evaluation, evaluation.setting
    kind = score_name(s.levels, grey=e.grey_floor is not None)
    what = {
        "NLL": to_translate("negative log-likelihood, nats per image"),
        "grey cross-entropy": to_translate("a loss on grey pixels, nats per image, and no likelihood"),
        "negative log-density": to_translate("of a density over pixels, nats per image: it may be negative"),
    }[kind]
    score = conditioned(kind, s.condition)
    if s.condition != "none":
        what = to_translate("{what}; {how}", what=what, how=CONDITIONS[s.condition])
    if e.nll_quadrature is not None:
        halving = to_translate(
            "halving the grid changes {mean:.4f} on average, {most:.4f} at most",
            mean=e.quadrature_error_mean,
            most=e.quadrature_error_maximum,
        )
        yield (
            to_translate("{score}, exact", score=score),
            _nats(e.nll_quadrature),
            to_translate("{what}, by quadrature; {halving}", what=what, halving=halving),
        )
    if e.nll_importance is not None:
        drawn = f"K = {s.importance_samples:,}"
        error = (
            ""
            if e.monte_carlo_error is None
            else to_translate("; Monte Carlo error {error:.3f}", error=e.monte_carlo_error)
        )
        if e.importance_excess is not None and e.nll_importance.n != s.images:
            # of other images than the exact one: beside it only the difference says something
            yield (
                to_translate("  above it, {drawn}", drawn=drawn),
                to_translate(
                    "{value} ({images})",
                    value=_nats(e.importance_excess),
                    images=counted(e.nll_importance.n or 0, "image"),
                ),
                to_translate(
                    "what importance sampling gives (an upper bound), minus the exact one, image by image{error}",
                    error=error,
                ),
            )
        else:
            value = _nats(e.nll_importance)
            if e.nll_importance.n != s.images:
                images = counted(e.nll_importance.n or 0, "image")
                value = to_translate("{value} ({images})", value=value, images=images)
            if e.importance_excess is not None:
                error = to_translate(
                    "{error}; above the exact one by {excess:.3f} on average, image by image",
                    error=error,
                    excess=e.importance_excess.value,
                )
            yield (
                to_translate("{score}, {drawn}", score=score, drawn=drawn),
                value,
                to_translate("{what}, by importance sampling (an upper bound){error}", what=what, error=error),
            )
    if e.bits_per_dimension is not None:
        yield (
            to_translate("bits per dimension"),
            e.bits_per_dimension.rounded(3),
            to_translate("-log2 p(x) for each of an image's {values:,} numbers of 256 levels", values=s.values),
        )
    if e.nll_given is not None:
        yield (
            conditioned(kind, "given"),
            _nats(e.nll_given),
            to_translate("of the same images, {how}", how=CONDITIONS["given"]),
        )
    if e.by_label is not None:
        yield from _label_rows(e.by_label)
    if e.elbo is not None and e.kl is not None:
        elbo = to_translate("-(reconstruction + KL), by {way}", way=e.elbo_by)
        if s.condition != "none":
            elbo = to_translate("{elbo}; given the label, a bound on log p(x|y)", elbo=elbo)
        yield "ELBO", _nats(e.elbo), elbo
        yield to_translate("  reconstruction"), _nats(e.reconstruction), to_translate("distortion, -E log p(x|z)")
        yield "  KL", _nats(e.kl), to_translate("rate, KL(q(z|x) || p(z))")
    else:
        yield (
            to_translate("reconstruction"),
            _nats(e.reconstruction),
            to_translate("-log p(x|code): a loss; an autoencoder has no likelihood"),
        )
    if e.grey_floor is not None:
        yield (
            to_translate("grey floor"),
            _nats(e.grey_floor),
            to_translate("no model's cross-entropy on these grey pixels falls below it"),
        )
    if e.inference_gap is not None:
        yield to_translate("inference gap"), _nats(e.inference_gap), to_translate("KL(q(z|x) || p(z|x)), exact")
    fit = e.prior_fit
    if fit is not None:
        bound = to_translate("I(x; z), at most log N = {bound:.2f}", bound=fit.log_images)
        if fit.saturated:
            bound = to_translate("{bound}; at its bound, it says only that every image has its own code", bound=bound)
        mutual = _nats(fit.mutual_information)
        yield (
            to_translate("mutual information"),
            to_translate("{value} (saturated)", value=mutual) if fit.saturated else mutual,
            bound,
        )
        yield (
            to_translate("marginal KL"),
            _nats(fit.marginal_kl),
            to_translate("KL(q(z) || p(z)): the part of the rate that a better prior removes"),
        )
        if fit.achievable_gain is not None:
            yield (
                to_translate("achievable gain"),
                _nats(fit.achievable_gain),
                to_translate("on held-out images, were the prior the training images' aggregate posterior"),
            )
        if fit.hole_fraction is not None:
            yield (
                to_translate("hole fraction"),
                share(fit.hole_fraction),
                to_translate("of the prior lies where no code is (1 % for a perfect prior)"),
            )
        yield (
            to_translate("uncovered fraction"),
            share(fit.uncovered_fraction),
            to_translate("of the codes lie where the prior has hardly any mass (1 % for a perfect prior)"),
        )
    yield (
        to_translate("active units"),
        to_translate("{count:.0f} of {all}", count=e.active_units.value, all=s.latent_dim),
        to_translate("latent dimensions whose mean varies over images by more than 0.01 (variance)"),
    )
    if e.latents is not None:
        largest = ", ".join(f"{value:.2f}" for value in np.sort(e.latents.kl_per_dimension)[::-1][:8])
        dots = ", …" if s.latent_dim > 8 else ""
        yield (
            to_translate("KL per dimension"),
            largest + dots,
            to_translate("nats, largest first, against {prior}", prior=e.latents.kl_against),
        )
    if e.code_use is not None:
        use = e.code_use
        yield (
            to_translate("codes used"),
            f"{100.0 * use.usage:.1f} %",
            to_translate(
                "of {codes:,} codes, over {positions} positions of every image",
                codes=use.codes,
                positions=use.positions,
            ),
        )
        yield (
            to_translate("perplexity of codes"),
            f"{use.perplexity:.1f}",
            to_translate(
                "so many codes, chosen equally often, would carry as much; {codes:,} at most", codes=use.codes
            ),
        )
    if e.probes is not None:
        trained = counted(e.probes.trained_on, "training image")
        yield (
            to_translate("linear probe"),
            share(e.probes.linear),
            to_translate(
                "accuracy on held-out images from the posterior means alone, trained on those of {images}",
                images=trained,
            ),
        )
        yield (
            counted(e.probes.neighbours, "nearest neighbour"),
            share(e.probes.nearest_neighbours),
            to_translate("accuracy from the posterior means, trained on those of {images}", images=trained),
        )
    if e.samples is not None:
        yield from _sample_rows(e.samples, e.samples_floor)
    if e.memorisation is not None:
        m = e.memorisation
        yield (
            to_translate("nearest training image"),
            to_translate(
                "{value} (held-out images: {held_out})",
                value=f"{m.distance.value:.2f}",
                held_out=f"{m.held_out_distance.value:.2f}",
            ),
            to_translate(
                "median distance of {samples} to the nearest training image, pixels in [0, 1]",
                samples=counted(m.distance.n or 0, "sample"),
            ),
        )
        yield (
            to_translate("copied"),
            to_translate(
                "{value} (held-out images: {held_out})", value=share(m.copied), held_out=share(m.held_out_copied)
            ),
            to_translate("samples whose nearest training image is less than a third as far as the next"),
        )
    yield (
        to_translate("squared error"),
        _nats(e.reconstruction_squared_error),
        to_translate("of reconstructions, summed over pixels"),
    )
    if e.reconstruction_feature_distance is not None and e.samples is not None:
        yield (
            to_translate("feature distance"),
            e.reconstruction_feature_distance.rounded(3),
            to_translate(
                "of reconstructions, 1 being as far as another image; features: {network}", network=e.samples.network
            ),
        )
    b = e.baselines
    if b is None:
        return
    yield (
        "  PCA",
        _nats(b.pca),
        to_translate(
            "of {components} of {images}",
            components=counted(b.components, "principal component"),
            images=counted(b.components_of, "training image"),
        ),
    )
    yield (
        to_translate("  mean image"),
        _nats(b.mean_image),
        to_translate("of the mean training image in place of a reconstruction"),
    )
    if b.pixelwise_bernoulli is not None and s.levels == 2:
        yield (
            to_translate("pixelwise Bernoulli"),
            _nats(b.pixelwise_bernoulli),
            to_translate("nats, the score of a model without latents"),
        )


CONDITIONS = {
    "given": to_translate("log p(x|y), given each image's label"),
    "marginal": to_translate("log p(x) = log sum_y p(y) p(x|y), p(y) the frequencies of the training labels"),
}
"""What a score of a model that sees labels is given."""


def _label_rows(scores: "LabelScores") -> Iterable[tuple[str, str, str]]:
    """How well p(y|x) tells labels, and whether its shares are meant."""
    yield (
        to_translate("labels told right"),
        share(scores.accuracy),
        to_translate("by the likeliest label of p(y|x), proportional to p(y) p(x|y)"),
    )
    yield to_translate("  log loss"), scores.log_loss.rounded(4), to_translate("nats, -log p(y|x) of the image's label")
    bins = ", ".join(
        f"{confidence:.2f}: {accuracy:.2f} ({images:,})" for confidence, accuracy, images in scores.reliability
    )
    yield (
        to_translate("  calibration error"),
        scores.calibration_error.rounded(4),
        to_translate(
            "expected calibration error over bins of the likeliest label's share (share: how often right, of how many): {bins}",
            bins=bins,
        ),
    )


def _sample_rows(quality: "SampleQuality", floor: "SampleQuality | None") -> Iterable[tuple[str, str, str]]:
    """How good the samples are, each number with the floor that real training images reach."""
    q = quality

    def beside(value: str, *names: str) -> str:
        if floor is None:
            return value
        real = ", ".join(f"{getattr(floor, name).value:.3g}" for name in names)
        return to_translate("{value} (real: {real})", value=value, real=real)

    compared = to_translate(
        "{samples:,} decoder means against {images:,} images; features: {network}, {layer}",
        samples=q.samples,
        images=q.reference,
        network=q.network,
        layer=q.layer,
    )
    if floor is not None:
        compared = to_translate("{compared}; real: of as many training images in their place", compared=compared)
    yield (
        to_translate("Fréchet digit distance")
        if q.figure_name == "frechet_digit_distance"
        else to_translate("Fréchet feature distance"),
        beside(str(q.frechet_distance), "frechet_distance"),
        compared,
    )
    yield (
        to_translate("kernel distance"),
        beside(str(q.kernel_distance), "kernel_distance"),
        to_translate("same features, unbiased"),
    )
    for (first, second), name in (
        (("precision", "recall"), to_translate("precision, recall")),
        (("density", "coverage"), to_translate("density, coverage")),
    ):
        shown = f"{getattr(q, first).value:.3f}, {getattr(q, second).value:.3f}"
        yield name, beside(shown, first, second), to_translate("same features")
    if q.class_entropy is not None and q.reference_class_entropy is not None:
        yield (
            to_translate("class entropy"),
            to_translate(
                "{value} (held-out images: {held_out})",
                value=f"{q.class_entropy.value:.3f}",
                held_out=f"{q.reference_class_entropy.value:.3f}",
            ),
            to_translate("nats, of the classes that the feature network sees"),
        )


def caption(evaluation: "Numbers") -> str:
    """What all the numbers stand under, in English."""
    return f"{'; '.join(_setting(evaluation))}. {ERRORS}"


def caption_here(evaluation: "Numbers", *, prior: bool = True) -> str:
    """The same in the user's language; without the prior, where several are compared."""
    return f"{translated('; ').join(map(translated, _setting(evaluation, prior=prior)))}{translated('. ')}{translated(ERRORS)}"


ERRORS = to_translate("± is the standard error, of scores over images.")


def _setting(evaluation: "Numbers", *, prior: bool = True) -> list[Words]:
    s = evaluation.setting
    pixels = to_translate("{pixels} pixels", pixels=s.pixels)
    if s.pixels == "dynamic":
        pixels = to_translate("{pixels} (drawn once, seed {seed})", pixels=pixels, seed=s.pixel_seed)
    return [
        to_translate(
            "{images}, {data} {split}",
            images=counted(s.images, "image"),
            data=s.data,
            split=PARTS.get(s.split, s.split),
        ),
        pixels,
        to_translate("{likelihood} likelihood", likelihood=s.likelihood),
        counted(s.latent_dim, "latent dimension"),
        *([to_translate("prior {prior}", prior=s.prior)] if prior else []),
        *([CONDITION_WORDS[s.condition]] if s.condition in CONDITION_WORDS else []),
        to_translate("seed {seed}", seed=s.seed),
    ]


CONDITION_WORDS = {
    "given": to_translate("given labels"),
    "marginal": to_translate("marginal over labels"),
}


REASONS = {
    "elbo": to_translate("elbo"),
    "kl": to_translate("kl"),
    "nll_importance": to_translate("nll importance"),
    "nll_quadrature": to_translate("nll quadrature"),
    "importance_samples": to_translate("importance samples"),
    "prior_fit": to_translate("prior fit"),
    "hole_fraction": to_translate("hole fraction"),
    "images": to_translate("images"),
    "training images": to_translate("training images"),
    "probes": to_translate("probes"),
    "samples": to_translate("samples"),
    "memorisation": to_translate("memorisation"),
}


def reason_name(name: str) -> str:
    """What a reason is the reason for, in the user's language."""
    return translated(REASONS.get(name, name.replace("_", " ")))


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


def as_table(evaluation: "Numbers") -> str:
    """An HTML table with its caption."""
    lines = "".join(
        f'<tr><td class="name">{html.escape(name)}</td><td class="value">{html.escape(value)}</td>'
        f'<td class="meaning">{html.escape(meaning)}</td></tr>'
        for name, value, meaning in rows(evaluation)
    )
    return f'<table class="vaelab"><caption style="text-align:left">{html.escape(caption(evaluation))}</caption>{lines}</table>'


def as_page(evaluation: "Numbers", title: str, pictures: Mapping[str, bytes]) -> str:
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
