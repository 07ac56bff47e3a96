"""Every number of a model on held-out images, with what its error is over, in one object."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

import jax
import jax.random as jr
import numpy as np
from jaxtyping import Float, Int, Num

from vaelab.codes import Codes
from vaelab.data.fingerprint import array_digest
from vaelab.densities import AbstractDensity
from vaelab.errors import VaelabError
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.baselines import Baselines
from vaelab.evaluation.bounds import (
    CHECKED_PIXELS,
    COMPARED_PIXELS,
    IMPORTANCE_SAMPLES,
    MEMORISATION_SAMPLES,
    SAMPLED_PIXELS,
    SAMPLES,
    SMALLEST_SAMPLE,
)
from vaelab.evaluation.by_label import (
    exact_given,
    importance_given,
    joined,
    log_probs_by_label,
    of_each_label,
    quadrature_serves,
)
from vaelab.evaluation.coded import CodedImages
from vaelab.evaluation.feature_networks import FeatureNetwork
from vaelab.evaluation.figure import Figure, counted, mean_figure
from vaelab.evaluation.inputs import check_has_density, why_no_quadrature
from vaelab.evaluation.label_scores import LabelScores, label_scores
from vaelab.evaluation.latents import LatentUse, Probes, active_units, latent_use
from vaelab.evaluation.likelihood import ALONE, WIDENED, importance_weighted_bound
from vaelab.evaluation.neighbours import Memorisation, memorisation
from vaelab.evaluation.prior_fit import FEWEST_CODES, PriorFit, closed_form_rate, prior_fit
from vaelab.evaluation.quadrature import ExactLikelihood, exact_log_probs
from vaelab.evaluation.reconstruction import reconstruction_scores, sample_means
from vaelab.evaluation.sample_quality import JudgedSamples, SampleQuality, drawn_images
from vaelab.labels import check_conditional
from vaelab.language import to_translate, translated
from vaelab.model import Model
from vaelab.nearest import nearest_name
from vaelab.pixels import Pixels

FORMAT = "vaelab-evaluation-1"

Condition = Literal["none", "given", "marginal"]

LEFT_OUT = to_translate(
    "left out are the achievable gain, the hole fraction, the probes, the baselines, and whether samples are copies"
)

Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True)
class Setting:
    """What every number of an evaluation depends on beside the model. Results that differ in it never share a column.

    - `data`, `split`, `images`: which images, and how many; `digest`: of all of them, as the model sees them
    - `pixels`: `grey`, `dynamic`, `threshold` or `static`; `pixel_seed`: of the one draw that `dynamic` makes of them
    - `likelihood`: the model's p(x|z): scores of different likelihoods are in different units
    - `prior`: `trained`, or the name of a fitted one; `scoring`: how its likelihood may be had (`any`, `quadrature`, `bound`)
    - `importance_samples`: K; None where importance sampling was not done
    - `proposal_widths`: what they were drawn from, in sigmas of q(z|x); (1,): q(z|x) alone, as in the papers
    - `seed`: of latent draws
    - `condition`: what log p(x) is given: `none`, of a model that sees no labels; each image's label, log p(x|y) (`given`); or none, the
      sum over labels, log sum_y p(y) p(x|y) (`marginal`). The ELBO and its parts, and all that is said of codes, are given the label in
      either
    """

    data: str
    split: str
    images: int
    pixels: str
    pixel_seed: int
    likelihood: str
    levels: int | None  # on which it is a probability; None: a density
    latent_dim: int
    prior: str
    scoring: str
    importance_samples: int | None
    proposal_widths: tuple[float, ...] | None
    seed: int
    digest: str = ""
    condition: Condition = "none"


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """All figures in nats per image unless said otherwise; None where a number cannot be had, with the reason in `reasons`.

    - `elbo` = -(`reconstruction` + `kl`), the two being positive nats; `elbo_by`: how
    - `nll_importance`: -log p(x) by importance sampling, an upper bound on average, of the first `n` images where not all were sampled;
      `monte_carlo_error`: the error of its mean that comes from the samples, beside the one over images; `importance_excess`: what it is
      above the exact one, image by image
    - `nll_quadrature`: exact -log p(x), one or two latent dimensions; `quadrature_error_mean`, `quadrature_error_maximum`: what halving
      the grid changed; `inference_gap`: KL(q(z|x) || p(z|x)), exact
    - `grey_floor`: what a cross-entropy on these pixels cannot fall below; None for binary pixels
    - `samples`: the quality of decoded draws; `samples_floor`: the same figures of real training images, which no model is expected to beat
    - `by_label`: how well p(y|x) tells labels, and its calibration; where log p(x) is marginal over labels
    - `reconstruction_squared_error`: of the decoder's mean at the posterior mean, summed over pixels
    """

    setting: Setting
    elbo: Figure | None
    elbo_by: str
    reconstruction: Figure
    kl: Figure | None
    nll_importance: Figure | None
    monte_carlo_error: float | None
    importance_excess: Figure | None
    nll_quadrature: Figure | None
    quadrature_error_mean: float | None
    quadrature_error_maximum: float | None
    inference_gap: Figure | None
    grey_floor: Figure | None
    prior_fit: PriorFit | None
    latents: LatentUse | None
    active_units: Figure
    probes: Probes | None
    reconstruction_squared_error: Figure
    baselines: Baselines | None
    samples: SampleQuality | None
    samples_floor: SampleQuality | None
    memorisation: Memorisation | None
    reasons: dict[str, str]
    per_image: dict[str, Float[np.ndarray, " images"]]
    by_label: LabelScores | None = None

    @property
    def nll_given(self) -> Figure | None:
        """-log p(x|y) of the same images, where the score itself is marginal over labels."""
        found = self.per_image.get("nll_given")
        return None if found is None else mean_figure(found, self.reconstruction.over)

    def to_json(self) -> dict[str, Any]:
        """One flat object of JSON values: every number is {"value", "standard_error", "over", "n"}."""
        from vaelab.evaluation.report import as_json

        return as_json(self)

    def _repr_html_(self) -> str:
        from vaelab.evaluation.report import as_table

        return as_table(self)


def evaluate(
    model: Model,
    images: Num[np.ndarray, "images ..."],
    training_images: Num[np.ndarray, "training ..."] | None = None,
    *,
    labels: Int[np.ndarray, " images"] | None = None,
    training_labels: Int[np.ndarray, " training"] | None = None,
    pixels: Pixels = "grey",
    pixel_seed: int = 0,
    reference_images: Num[np.ndarray, "reference ..."] | None = None,
    importance_samples: int | None = None,
    condition: Condition | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
    features: FeatureNetwork | None = None,
    data: str = "images",
    split: str = "test",
    prior_name: str = "trained",
    untrained_reason: str | None = None,
    note: str = "",
    on_progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """Every number of a model on held-out images.

    **Arguments:**

    - `images`, `training_images`: of the model's shape, uint8 or floats as the model was trained on, before the pixel treatment
      Without `training_images` what rests on them is left out: for `untrained_reason`, if that is given
    - `labels`, `training_labels`: for the probes
    - `note`: what a reader has to know of the images; it stands among the reasons
    - `pixels`, `pixel_seed`: the treatment; `dynamic` draws both sets once
    - `reference_images`: grey images that samples are compared with; `images` unless given
    - `importance_samples`: K; 500 unless given. Asked for by name, it is an error where it cannot be done
    - `condition`: of a model that sees labels `marginal`, which other models' scores stand beside, or `given`; of any other `none`
    - `samples`: decoded draws of the prior for sample quality; 0: none
    - `features`: the feature network that judges them; none: no sample quality
    - `on_progress`: called with (what, done, in all)

    **Raises:** `VaelabError` for images that the model cannot score, K < 1, and K asked for where no importance sampling can be done (an
    autoencoder, a prior scored by quadrature only).
    """
    coded = CodedImages(
        model,
        images,
        training_images,
        labels=labels,
        training_labels=training_labels,
        pixels=pixels,
        pixel_seed=pixel_seed,
    )
    return evaluate_coded(
        model,
        coded,
        reference_images=reference_images,
        importance_samples=importance_samples,
        condition=condition,
        seed=seed,
        samples=samples,
        features=features,
        data=data,
        split=split,
        prior_name=prior_name,
        untrained_reason=untrained_reason,
        note=note,
        on_progress=on_progress,
    )


def evaluate_coded(
    model: Model,
    coded: CodedImages,
    *,
    reference_images: Num[np.ndarray, "reference ..."] | None = None,
    importance_samples: int | None = None,
    condition: Condition | None = None,
    seed: int = 0,
    samples: int = SAMPLES,
    features: FeatureNetwork | None = None,
    data: str = "images",
    split: str = "test",
    prior_name: str = "trained",
    untrained_reason: str | None = None,
    note: str = "",
    on_progress: Progress = lambda what, done, total: None,
) -> Evaluation:
    """`evaluate` of images that may be coded already: `model` is `coded`'s, with this or another prior."""
    scoring = model.prior.scoring
    _check_importance_samples(model, importance_samples, prior_name)
    condition = checked_condition(model, condition)
    seen = coded.seen
    over = counted(len(seen), "training image" if split == "training" else "held-out image")
    reasons: dict[str, str] = {"images": note} if note else {}
    if coded.raw_training is None:
        reasons["training images"] = to_translate(
            "{reason}: {left_out}", reason=untrained_reason or to_translate("none given"), left_out=LEFT_OUT
        )
    per_image: dict[str, np.ndarray] = {}
    key = jr.key(seed)
    numbers: dict[str, Any] = dict.fromkeys(
        (
            "by_label", "elbo", "kl", "nll_importance", "monte_carlo_error", "importance_excess", "nll_quadrature", "quadrature_error_mean",
            "quadrature_error_maximum", "inference_gap", "prior_fit", "latents", "probes", "samples", "samples_floor", "memorisation",
        )
    )  # fmt: skip
    numbers["elbo_by"] = ""
    with _step(on_progress, to_translate("reconstruction")):
        means, at_means = coded.means, coded.at_means
    used_samples = None

    if model.has_density:
        prior = model.prior_density().given(None)  # the test label is never used
        used_samples = importance_samples or IMPORTANCE_SAMPLES
        if scoring == "quadrature":
            used_samples = None
            reasons["nll_importance"] = to_translate(
                "this prior's density is too dear for importance sampling; by quadrature only"
            )
        numbers |= _likelihoods(
            model, prior, coded, used_samples, importance_samples is not None, jr.fold_in(key, 0), over, reasons, per_image,
            on_progress,
        )  # fmt: skip
        if condition == "marginal":
            numbers |= _marginal(
                model,
                coded,
                used_samples,
                importance_samples is not None,
                jr.fold_in(key, 0),
                over,
                reasons,
                per_image,
                on_progress,
            )
        with _step(on_progress, to_translate("prior fit")):
            numbers["prior_fit"] = prior_fit(prior, coded.posteriors, coded.training_posteriors, key=jr.fold_in(key, 1))
            numbers["latents"] = latent_use(coded.posteriors, prior)
        if numbers["prior_fit"].hole_fraction is None and coded.raw_training is not None:
            reasons["hole_fraction"] = to_translate(
                "it rests on a 1 % quantile, for which fewer than {count} held-out images are too few",
                count=FEWEST_CODES,
            )
    else:
        per_image["reconstruction"] = -at_means.log_prob
        numbers["elbo_by"] = to_translate("the code itself: an autoencoder has no KL")
        for name in ("elbo", "kl", "nll_importance", "nll_quadrature", "prior_fit"):
            reasons[name] = to_translate(
                "an autoencoder's code is one point, not a density, so it has no KL and no likelihood"
            )
    numbers["reconstruction"] = mean_figure(per_image["reconstruction"], over)

    with _step(on_progress, to_translate("probes")):
        numbers["probes"] = coded.probes
    if numbers["probes"] is None and coded.raw_training is not None:
        labelled = coded.labels is not None and coded.training_labels is not None
        reasons["probes"] = (
            to_translate("all training images have one label") if labelled else to_translate("the data have no labels")
        )
    can_sample = model.has_density or prior_name != "trained"
    reference = coded.raw if reference_images is None else reference_images
    if features is None:
        reasons["samples"] = to_translate(
            "no feature network for these images: give one of your own, or train one on labels"
        )
    elif samples == 0 or not can_sample:
        reasons["samples"] = (
            to_translate("not asked for")
            if can_sample
            else to_translate("an autoencoder has no prior to sample from; fit one: vaelab fit-prior")
        )
    elif min(samples, len(reference)) < SMALLEST_SAMPLE:
        reasons["samples"] = to_translate("fewer than {count} images", count=SMALLEST_SAMPLE)
    else:
        drawing_key = jr.fold_in(key, 2)
        numbers |= _samples(model, coded, reference, samples, features, drawing_key, seed, reasons, on_progress)

    with _step(on_progress, to_translate("baselines")):
        floor, beside = coded.grey_floor, coded.baselines
    return Evaluation(
        setting=Setting(
            data=data,
            split=split,
            images=len(seen),
            pixels=coded.pixels,
            pixel_seed=coded.pixel_seed,
            likelihood=model.likelihood_kind,
            levels=model.decoder.support.levels,
            latent_dim=model.latent_dim,
            prior=prior_name,
            scoring=scoring,
            importance_samples=used_samples,
            proposal_widths=None if used_samples is None else _widths(model),
            seed=seed,
            digest=array_digest(np.asarray(seen)),
            condition=condition,
        ),
        grey_floor=floor,
        active_units=Figure(float(active_units(means)), None, over, len(seen)),
        reconstruction_squared_error=mean_figure(at_means.squared_error, over),
        baselines=beside,
        reasons=reasons,
        per_image=per_image,
        **numbers,
    )


@contextmanager
def _step(on_progress: Progress, what: str) -> Iterator[None]:
    """A step that tells nothing between its beginning and its end."""
    on_progress(what, 0, 1)
    yield
    on_progress(what, 1, 1)


def _check_importance_samples(model: Model, importance_samples: int | None, prior_name: str) -> None:
    if importance_samples is None:
        return
    check_has_density(model, translated("importance sampling"))
    if importance_samples < 1:
        raise VaelabError(
            translated(
                "importance samples must be at least 1; found {importance_samples}. 500 is quick, 5000 what "
                "papers report",
                importance_samples=importance_samples,
            )
        )
    if model.prior.scoring == "quadrature":
        raise VaelabError(
            translated(
                "importance sampling through the prior '{prior_name}' would take days: its density is a sum over "
                "thousands of kernels for every sample. In one or two dimensions it is integrated exactly; leave "
                "--importance-samples out",
                prior_name=prior_name,
            )
        )


def _samples(
    model: Model,
    coded: CodedImages,
    reference: np.ndarray,
    samples: int,
    features: FeatureNetwork,
    key: Any,
    seed: int,
    reasons: dict[str, str],
    on_progress: Progress,
) -> dict[str, Any]:
    """The quality of decoded draws, its floor, and whether they are copies."""
    numbers: dict[str, Any] = {}
    # as many of either: a Fréchet distance depends on how many
    count = min(samples, len(reference))
    training = coded.raw_training
    with _step(on_progress, to_translate("sample quality")):
        drawn = sample_means(model, key, count)
        judged = JudgedSamples(reference[:count], features)
        numbers["samples"] = judged.quality(drawn, seed=seed)
    if training is None:
        return numbers
    if count <= len(training):
        with _step(on_progress, to_translate("sample quality of training images")):
            numbers["samples_floor"] = judged.quality(drawn_images(training, count, seed), resamples=0, seed=seed)
    if len(training) < 2:
        reasons["memorisation"] = to_translate("fewer than two training images")
        return numbers
    few = min(MEMORISATION_SAMPLES, count, max(SMALLEST_SAMPLE, COMPARED_PIXELS // (2 * training.size)))
    with _step(on_progress, to_translate("nearest training images")):
        numbers["memorisation"] = memorisation(drawn[:few], reference[:few], training)
    return numbers


def _likelihoods(
    model: Model,
    prior: AbstractDensity,
    coded: CodedImages,
    importance_samples: int | None,
    asked_for: bool,
    key: Any,
    over: str,
    reasons: dict[str, str],
    per_image: dict[str, np.ndarray],
    on_progress: Progress,
) -> dict[str, Any]:
    """ELBO and its parts, and log p(x) by whatever way is open: sampling, quadrature, or both."""
    numbers: dict[str, Any] = {}
    seen, posteriors = coded.seen, coded.posteriors
    exact = estimates = None
    no_quadrature = why_no_quadrature(model)
    if no_quadrature is None:

        def told(done: int, total: int) -> None:
            on_progress(to_translate("quadrature"), done, total)

        if model.is_conditional:
            assert coded.labels is not None
            exact = exact_given(model, seen, coded.labels, on_progress=told)
        else:
            exact = exact_log_probs(model, prior, seen, on_progress=told)
        per_image["nll_quadrature"] = -exact.log_prob
        numbers["nll_quadrature"] = mean_figure(-exact.log_prob, over)
        numbers["quadrature_error_mean"] = float(exact.error.mean())
        numbers["quadrature_error_maximum"] = float(exact.error.max())
        per_image["inference_gap"] = exact.inference_gap
        numbers["inference_gap"] = mean_figure(exact.inference_gap, over)
    else:
        reasons["nll_quadrature"] = no_quadrature
    if importance_samples is not None:
        first = seen if asked_for else seen[: _images_sampled(seen, importance_samples, checks=exact is not None)]
        asked: dict[str, Any] = {
            "samples": importance_samples,
            "key": key,
            "widths": _widths(model),
            "on_progress": lambda done, total: on_progress(to_translate("importance sampling"), done, total),
        }
        if model.is_conditional:
            assert coded.labels is not None
            estimates = importance_given(model, first, coded.labels[: len(first)], **asked)
        else:
            estimates = importance_weighted_bound(model, prior, first, **asked)
        of = (
            over
            if len(first) == len(seen)
            else to_translate("the first {count:,} of {over}", count=len(first), over=over)
        )
        per_image["nll_importance"] = -estimates.log_prob
        numbers["nll_importance"] = mean_figure(-estimates.log_prob, of)
        if importance_samples > 1:
            numbers["monte_carlo_error"] = math.sqrt(float((estimates.standard_error**2).sum())) / len(first)
        if exact is not None:
            excess = exact.log_prob[: len(first)] - estimates.log_prob
            numbers["importance_excess"] = mean_figure(excess, to_translate("{images}, paired", images=of))
        if model.prior.scoring == "bound":
            reasons["nll_importance"] = to_translate(
                "this prior's own density is a lower bound, so the figure is an upper bound"
            )
        if len(first) < len(seen):
            reasons["importance_samples"] = to_translate("of {images}; --importance-samples K takes all", images=of)
    rate = closed_form_rate(posteriors, prior)
    if rate is None and model.is_conditional:
        rate = _rate_given(model, prior, coded)
    if exact is not None and np.isfinite(exact.elbo).all():
        rate = _rate_by_quadrature(posteriors, exact) if rate is None else rate
        reconstruction = -(exact.elbo + rate)
        numbers["elbo_by"] = to_translate("quadrature")
    elif estimates is not None and len(estimates.elbo) == len(seen):
        reconstruction = -estimates.reconstruction
        rate = estimates.reconstruction - estimates.elbo if rate is None else rate
        draws = math.ceil((importance_samples or 1) / len(_widths(model)))
        numbers["elbo_by"] = to_translate("{draws} of z per image", draws=counted(draws, "draw"))
    else:
        sampled_rate, reconstruction = _by_one_draw(model, prior, seen, posteriors, key, coded.labels)
        rate = sampled_rate if rate is None else rate
        numbers["elbo_by"] = to_translate("one draw of z per image")
    per_image |= {"reconstruction": reconstruction, "kl": rate, "elbo": -(reconstruction + rate)}
    numbers["elbo"], numbers["kl"] = mean_figure(per_image["elbo"], over), mean_figure(rate, over)
    return numbers


def _marginal(
    model: Model,
    coded: CodedImages,
    importance_samples: int | None,
    asked_for: bool,
    key: Any,
    over: str,
    reasons: dict[str, str],
    per_image: dict[str, np.ndarray],
    on_progress: Progress,
) -> dict[str, Any]:
    """log p(x) = log sum_y p(y) p(x|y) in the place of log p(x|y), by quadrature where it can be done and else by sampling; and p(y|x)."""
    assert coded.labels is not None
    by_quadrature = quadrature_serves(model)
    samples = None if by_quadrature else importance_samples
    seen = coded.seen
    if samples is not None and not asked_for:
        # a score for each label: so many times fewer images
        seen = seen[: max(1, _images_sampled(seen, samples, checks=False) // len(model.labels))]
    what = (
        to_translate("quadrature for every label")
        if by_quadrature
        else to_translate("importance sampling for every label")
    )
    found = log_probs_by_label(
        model, seen, samples=samples, key=key, on_progress=lambda done, total: on_progress(what, done, total)
    )
    of = (
        over
        if len(seen) == len(coded.seen)
        else to_translate("the first {count:,} of {over}", count=len(seen), over=over)
    )
    name = "nll_quadrature" if by_quadrature else "nll_importance"
    per_image["nll_given"] = per_image[name]
    per_image[name] = -found.marginal
    numbers: dict[str, Any] = {
        name: mean_figure(-found.marginal, of),
        "by_label": label_scores(found, coded.labels[: len(seen)], of),
    }
    if by_quadrature:
        assert found.error is not None
        # d log p(x) is at most the mean of d log p(x|y) under p(y|x)
        error = (found.posterior * found.error).sum(axis=1)
        numbers |= {"quadrature_error_mean": float(error.mean()), "quadrature_error_maximum": float(error.max())}
        # a check of the quadrature given the label, which is not what is scored here
        numbers |= {"nll_importance": None, "monte_carlo_error": None, "importance_excess": None}
        per_image.pop("nll_importance", None)
        reasons.pop("importance_samples", None)
        reasons["nll_importance"] = to_translate(
            "log p(x) is summed over labels by quadrature; --condition given samples it as well"
        )
    else:
        numbers["monte_carlo_error"] = None
        if len(seen) < len(coded.seen):
            reasons["importance_samples"] = to_translate("of {images}; --importance-samples K takes all", images=of)
    return numbers


def checked_condition(model: Model, condition: str | None) -> Condition:
    """What log p(x) is given: what was asked for, where the model can give it; else as it is usual for the model.

    **Raises:** `VaelabError` for another word, labels of a model that sees none, and `none` of one that sees some.
    """
    if condition is None:
        return "none" if not model.is_conditional else "marginal"
    if condition not in get_args(Condition):
        raise VaelabError(
            translated(
                "--condition {condition}: expected none, given or marginal; {nearest}",
                condition=condition,
                nearest=nearest_name(condition, get_args(Condition)),
            )
        )
    if condition == "none" and model.is_conditional:
        raise VaelabError(
            translated(
                "--condition none: this model sees labels; its scores are given each image's (given), or summed over all (marginal)"
            )
        )
    if condition != "none":
        check_conditional(model)
    return condition  # pyright: ignore[reportReturnType]


def _rate_given(model: Model, prior: AbstractDensity, coded: CodedImages) -> Float[np.ndarray, " images"] | None:
    """KL(q(z|x, y) || p(z|y)) of each image given its label, where it has a closed form."""
    assert coded.labels is not None
    del prior

    def of(one: Model, chosen: np.ndarray, told: Any) -> np.ndarray | None:
        del told
        codes = Codes(jax.tree.map(lambda leaf: leaf[chosen], coded.codes.densities))
        return closed_form_rate(AggregatePosterior.from_codes(codes), one.prior_density())

    found = of_each_label(model, coded.labels, of, lambda done, total: None)
    if any(part is None for part in found.values()):
        return None
    return joined(found, coded.labels, lambda part: np.asarray(part))


def _images_sampled(seen: Num[np.ndarray, "images ..."], importance_samples: int, *, checks: bool) -> int:
    """How many images the bound on decoded pixels allows; one that `checks` quadrature needs fewer."""
    pixels = seen.size // len(seen)
    return max(1, (CHECKED_PIXELS if checks else SAMPLED_PIXELS) // (importance_samples * pixels))


def _widths(model: Model) -> tuple[float, ...]:
    """Where quadrature can check them, from widened posteriors too; elsewhere from q(z|x) alone, as published figures are."""
    return WIDENED if why_no_quadrature(model) is None else ALONE


def _rate_by_quadrature(posteriors: AggregatePosterior, exact: ExactLikelihood) -> Float[np.ndarray, " images"]:
    log_variance = np.asarray(posteriors.log_variance, np.float64)
    entropy = np.sum(0.5 * log_variance + 0.5 * math.log(2.0 * math.pi * math.e), axis=1)
    return -entropy - exact.expected_log_prior


def _by_one_draw(
    model: Model,
    prior: AbstractDensity,
    seen: np.ndarray,
    posteriors: AggregatePosterior,
    key: Any,
    labels: Int[np.ndarray, " images"] | None,
) -> tuple[np.ndarray, np.ndarray]:
    from vaelab.evaluation.mixture_log_probs import log_probs

    z = posteriors.draws(key)
    reconstruction = -reconstruction_scores(model, seen, z, labels).log_prob
    if not model.is_conditional:
        return posteriors.codes.log_probs(z) - log_probs(prior, z), reconstruction
    assert labels is not None
    found = of_each_label(
        model, labels, lambda one, chosen, told: log_probs(one.prior_density(), z[chosen]), lambda done, total: None
    )
    return posteriors.codes.log_probs(z) - joined(found, labels, lambda part: part), reconstruction
