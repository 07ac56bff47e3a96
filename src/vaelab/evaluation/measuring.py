"""What measures: a table of measures, each of which gives some of the `Numbers`, and says why others cannot be had."""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax.random as jr
import numpy as np
from jaxtyping import Float, Int, Num, PRNGKeyArray

from vaelab.codes import Codes
from vaelab.data.fingerprint import array_digest
from vaelab.densities import AbstractDensity, rows_of
from vaelab.errors import VaelabError
from vaelab.evaluation.aggregate_posterior import AggregatePosterior
from vaelab.evaluation.bounds import (
    CHECKED_PIXELS,
    COMPARED_PIXELS,
    IMPORTANCE_SAMPLES,
    MEMORISATION_SAMPLES,
    SAMPLED_PIXELS,
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
from vaelab.evaluation.code_use import code_use
from vaelab.evaluation.coded import CodedImages
from vaelab.evaluation.feature_networks import FeatureNetwork
from vaelab.evaluation.figure import Figure, counted, mean_figure
from vaelab.evaluation.inputs import check_has_density, why_no_aggregate, why_no_quadrature
from vaelab.evaluation.label_scores import label_scores
from vaelab.evaluation.latents import active_units, latent_use
from vaelab.evaluation.likelihood import ALONE, WIDENED, ImportanceEstimates, importance_weighted_bound
from vaelab.evaluation.mixture_log_probs import log_probs
from vaelab.evaluation.neighbours import memorisation
from vaelab.evaluation.numbers import Condition, Numbers, Setting
from vaelab.evaluation.own_features import feature_distance
from vaelab.evaluation.prior_fit import FEWEST_CODES, closed_form_rate, prior_fit
from vaelab.evaluation.quadrature import ExactLikelihood, exact_log_probs
from vaelab.evaluation.reconstruction import reconstruction_scores, sample_means
from vaelab.evaluation.sample_quality import JudgedSamples, drawn_images
from vaelab.generating import decode
from vaelab.generating.pictures import is_picture
from vaelab.language import to_translate, translated
from vaelab.model import Model

LEFT_OUT = to_translate(
    "left out are the achievable gain, the hole fraction, the probes, the baselines, and whether samples are copies"
)

Progress = Callable[[str, int, int], None]


@dataclasses.dataclass(frozen=True)
class Asked:
    """What is to be measured, as `evaluate` takes it."""

    model: Model
    coded: CodedImages
    reference: Num[np.ndarray, "reference ..."]
    importance_samples: int | None
    condition: Condition
    seed: int
    samples: int
    features: FeatureNetwork | None
    data: str
    split: str
    prior_name: str
    untrained_reason: str | None
    note: str
    on_progress: Progress

    @property
    def prior(self) -> AbstractDensity:
        """p(z); the mixture over labels of one that knows some: the test label is never used."""
        return self.model.prior_density().given(None)

    @property
    def labels(self) -> Int[np.ndarray, " images"]:
        """The held-out images' labels, of a model that sees some."""
        assert self.coded.labels is not None
        return self.coded.labels

    @property
    def over(self) -> str:
        return counted(len(self.coded.seen), "training image" if self.split == "training" else "held-out image")

    @property
    def drawn(self) -> int | None:
        """Importance samples an image; None where there are none."""
        if not self.model.has_density or self.model.prior.scoring == "quadrature" or self.model.domain == "codes":
            return None
        return self.importance_samples or IMPORTANCE_SAMPLES

    def key(self, number: int) -> PRNGKeyArray:
        return jr.fold_in(jr.key(self.seed), number)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A step that tells nothing between its beginning and its end."""
        self.on_progress(what, 0, 1)
        yield
        self.on_progress(what, 1, 1)

    def told(self, what: str) -> Callable[[int, int], None]:
        return lambda done, total: self.on_progress(what, done, total)


@dataclasses.dataclass(frozen=True)
class Found:
    """Some of the fields of `Numbers`, by their names; why others are None; and the scores of each image."""

    numbers: dict[str, Any] = dataclasses.field(default_factory=dict)
    reasons: dict[str, str] = dataclasses.field(default_factory=dict)
    per_image: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)


def measured(asked: Asked) -> Numbers:
    """All numbers.

    **Raises:** `VaelabError` where importance samples were asked for by name and cannot be drawn.
    """
    _check_importance_samples(asked.model, asked.importance_samples, asked.prior_name)
    found = Found({field.name: None for field in dataclasses.fields(Numbers)}, _reasons(asked), {})
    for measure in MEASURES:
        new = measure(asked)
        found.numbers.update(new.numbers)
        found.reasons.update(new.reasons)
        found.per_image.update(new.per_image)
    return Numbers(
        **found.numbers | {"setting": _setting(asked), "reasons": found.reasons, "per_image": found.per_image}
    )


def _reasons(asked: Asked) -> dict[str, str]:
    reasons = {"images": asked.note} if asked.note else {}
    if asked.coded.raw_training is None:
        why = asked.untrained_reason or to_translate("none given")
        reasons["training images"] = to_translate("{reason}: {left_out}", reason=why, left_out=LEFT_OUT)
    return reasons


def _setting(asked: Asked) -> Setting:
    model, coded = asked.model, asked.coded
    return Setting(
        data=asked.data,
        split=asked.split,
        images=len(coded.seen),
        pixels=coded.pixels,
        pixel_seed=coded.pixel_seed,
        likelihood=model.likelihood_kind,
        levels=model.decoder.support.levels,
        values=math.prod(model.image_shape),
        latent_dim=model.latent_dim,
        prior=asked.prior_name,
        scoring=model.prior.scoring,
        importance_samples=asked.drawn,
        proposal_widths=None if asked.drawn is None else _widths(model),
        seed=asked.seed,
        digest=array_digest(np.asarray(coded.seen)),
        condition=asked.condition,
    )


def _check_importance_samples(model: Model, importance_samples: int | None, prior_name: str) -> None:
    if importance_samples is None:
        return
    check_has_density(model, translated("importance sampling"))
    if model.domain == "codes":
        raise VaelabError(
            translated(
                "an image has one code, so there are no importance samples of it; the ELBO is the bound. Leave --importance-samples out"
            )
        )
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


# --- the measures -------------------------------------------------------------------------------------------------------------------


def _at_codes(asked: Asked) -> Found:
    """What the codes and the decoder alone say."""
    with asked.step(to_translate("reconstruction")):
        means, at_means = asked.coded.means, asked.coded.at_means
    return Found(
        {
            "active_units": Figure(float(active_units(means)), None, asked.over, len(means)),
            "code_use": code_use(asked.model, means) if asked.model.domain == "codes" else None,
            "reconstruction_squared_error": mean_figure(at_means.squared_error, asked.over),
        }
    )


def _scores(asked: Asked) -> Found:
    """ELBO and its parts, and log p(x) by whatever way is open: sampling, quadrature, or both. Of an autoencoder its loss alone."""
    if not asked.model.has_density:
        losses = -asked.coded.at_means.log_prob
        why = to_translate("an autoencoder's code is one point, not a density, so it has no KL and no likelihood")
        return Found(
            {
                "reconstruction": mean_figure(losses, asked.over),
                "elbo_by": to_translate("the code itself: an autoencoder has no KL"),
            },
            dict.fromkeys(("elbo", "kl", "nll_importance", "nll_quadrature", "prior_fit"), why),
            {"reconstruction": losses},
        )
    found = Found()
    if asked.model.domain == "codes":
        found.reasons["nll_importance"] = to_translate(
            "an image has one code, so there is nothing to sample: the ELBO is the bound on log p(x), log p(x|z) + log p(z)"
        )
    elif asked.drawn is None:
        found.reasons["nll_importance"] = to_translate(
            "this prior's density is too dear for importance sampling; by quadrature only"
        )
    exact = _exact(asked, found)
    _elbo(asked, exact, _importance(asked, exact, found), found)
    if asked.condition == "marginal":
        marginal_over_labels(asked, found)
    return found


def _exact(asked: Asked, found: Found) -> ExactLikelihood | None:
    no_quadrature = why_no_quadrature(asked.model)
    if no_quadrature is not None:
        found.reasons["nll_quadrature"] = no_quadrature
        return None
    told = asked.told(to_translate("quadrature"))
    if asked.model.is_conditional:
        exact = exact_given(asked.model, asked.coded.seen, asked.labels, on_progress=told)
    else:
        exact = exact_log_probs(asked.model, asked.prior, asked.coded.seen, on_progress=told)
    found.per_image.update(nll_quadrature=-exact.log_prob, inference_gap=exact.inference_gap)
    found.numbers.update(
        nll_quadrature=mean_figure(-exact.log_prob, asked.over),
        quadrature_error_mean=float(exact.error.mean()),
        quadrature_error_maximum=float(exact.error.max()),
        inference_gap=mean_figure(exact.inference_gap, asked.over),
    )
    return exact


def _importance(asked: Asked, exact: ExactLikelihood | None, found: Found) -> ImportanceEstimates | None:
    samples, seen, over = asked.drawn, asked.coded.seen, asked.over
    if samples is None:
        return None
    asked_for = asked.importance_samples is not None
    first = seen if asked_for else seen[: _images_sampled(seen, samples, checks=exact is not None)]
    how: dict[str, Any] = {
        "samples": samples,
        "key": asked.key(0),
        "widths": _widths(asked.model),
        "on_progress": asked.told(to_translate("importance sampling")),
    }
    if asked.model.is_conditional:
        estimates = importance_given(asked.model, first, asked.labels[: len(first)], **how)
    else:
        estimates = importance_weighted_bound(asked.model, asked.prior, first, **how)
    count = len(first)
    of = over if count == len(seen) else to_translate("the first {count:,} of {over}", count=count, over=over)
    found.per_image["nll_importance"] = -estimates.log_prob
    found.numbers["nll_importance"] = mean_figure(-estimates.log_prob, of)
    if samples > 1:
        found.numbers["monte_carlo_error"] = math.sqrt(float((estimates.standard_error**2).sum())) / count
    if exact is not None:
        excess = exact.log_prob[:count] - estimates.log_prob
        found.numbers["importance_excess"] = mean_figure(excess, to_translate("{images}, paired", images=of))
    if asked.model.prior.scoring == "bound":
        found.reasons["nll_importance"] = to_translate(
            "this prior's own density is a lower bound, so the figure is an upper bound"
        )
    if count < len(seen):
        found.reasons["importance_samples"] = to_translate("of {images}; --importance-samples K takes all", images=of)
    return estimates


def marginal_over_labels(asked: Asked, found: Found) -> None:
    """log p(x) = log sum_y p(y) p(x|y) in the place of log p(x|y), by quadrature where it can be done and else by sampling; and p(y|x)."""
    model, seen = asked.model, asked.coded.seen
    by_quadrature = quadrature_serves(model)
    samples = None if by_quadrature else asked.drawn
    if samples is not None and asked.importance_samples is None:
        # a score for each label: so many times fewer images
        seen = seen[: max(1, _images_sampled(seen, samples, checks=False) // len(model.labels))]
    what = (
        to_translate("quadrature for every label")
        if by_quadrature
        else to_translate("importance sampling for every label")
    )
    by_label = log_probs_by_label(model, seen, samples=samples, key=asked.key(0), on_progress=asked.told(what))
    whole = len(seen) == len(asked.coded.seen)
    of = asked.over if whole else to_translate("the first {count:,} of {over}", count=len(seen), over=asked.over)
    name = "nll_quadrature" if by_quadrature else "nll_importance"
    found.per_image["nll_given"] = found.per_image[name]
    found.per_image[name] = -by_label.marginal
    found.numbers[name] = mean_figure(-by_label.marginal, of)
    found.numbers["by_label"] = label_scores(by_label, asked.labels[: len(seen)], of)
    if by_quadrature:
        assert by_label.error is not None
        # d log p(x) is at most the mean of d log p(x|y) under p(y|x)
        error = (by_label.posterior * by_label.error).sum(axis=1)
        found.numbers.update(quadrature_error_mean=float(error.mean()), quadrature_error_maximum=float(error.max()))
        # a check of the quadrature given the label, which is not what is scored here
        found.numbers.update(nll_importance=None, monte_carlo_error=None, importance_excess=None)
        found.per_image.pop("nll_importance", None)
        found.reasons.pop("importance_samples", None)
        found.reasons["nll_importance"] = to_translate(
            "log p(x) is summed over labels by quadrature; --condition given samples it as well"
        )
        return
    found.numbers["monte_carlo_error"] = None
    if not whole:
        found.reasons["importance_samples"] = to_translate("of {images}; --importance-samples K takes all", images=of)


def rate_given(model: Model, coded: CodedImages) -> Float[np.ndarray, " images"] | None:
    """KL(q(z|x, y) || p(z|y)) of each image given its label, where it has a closed form."""
    assert coded.labels is not None

    def of(one: Model, chosen: np.ndarray, told: Any) -> np.ndarray | None:
        del told
        codes = Codes(rows_of(coded.codes.densities, chosen))
        return closed_form_rate(AggregatePosterior.from_codes(codes), one.prior_density())

    found = of_each_label(model, coded.labels, of, lambda done, total: None)
    if any(part is None for part in found.values()):
        return None
    return joined(found, coded.labels, lambda part: np.asarray(part))


def _elbo(asked: Asked, exact: ExactLikelihood | None, estimates: ImportanceEstimates | None, found: Found) -> None:
    """By quadrature, else over the importance samples of all images, else by one draw of z for each."""
    model, seen, posteriors = asked.model, asked.coded.seen, asked.coded.posteriors
    rate = closed_form_rate(posteriors, asked.prior)
    if rate is None and model.is_conditional:
        rate = rate_given(model, asked.coded)
    if exact is not None and np.isfinite(exact.elbo).all():
        rate = _rate_by_quadrature(posteriors, exact) if rate is None else rate
        reconstruction = -(exact.elbo + rate)
        way = to_translate("quadrature")
    elif estimates is not None and len(estimates.elbo) == len(seen):
        reconstruction = -estimates.reconstruction
        rate = estimates.reconstruction - estimates.elbo if rate is None else rate
        draws = math.ceil(estimates.samples / len(_widths(model)))
        way = to_translate("{draws} of z per image", draws=counted(draws, "draw"))
    else:
        sampled_rate, reconstruction = _by_one_draw(asked)
        rate = sampled_rate if rate is None else rate
        of_codes = asked.model.domain == "codes"
        way = to_translate("the one code of each image") if of_codes else to_translate("one draw of z per image")
    parts = {"reconstruction": reconstruction, "kl": rate, "elbo": -(reconstruction + rate)}
    found.per_image.update(parts)
    found.numbers.update({name: mean_figure(values, asked.over) for name, values in parts.items()}, elbo_by=way)


def _prior_fit(asked: Asked) -> Found:
    if not asked.model.has_density:
        return Found()
    coded, prior = asked.coded, asked.prior
    latents = latent_use(coded.posteriors, prior) if asked.model.domain == "reals" else None
    no_aggregate = why_no_aggregate(coded.codes, asked.model.domain)
    if no_aggregate is not None:
        return Found({"latents": latents}, {"prior_fit": no_aggregate})
    with asked.step(to_translate("prior fit")):
        fit = prior_fit(prior, coded.posteriors, coded.training_posteriors, key=asked.key(1))
        found = Found({"prior_fit": fit, "latents": latents})
    if fit.hole_fraction is None and coded.raw_training is not None:
        found.reasons["hole_fraction"] = to_translate(
            "it rests on a 1 % quantile, for which fewer than {count} held-out images are too few",
            count=FEWEST_CODES,
        )
    return found


def _probes(asked: Asked) -> Found:
    coded = asked.coded
    with asked.step(to_translate("probes")):
        found = Found({"probes": coded.probes})
    if coded.probes is None and coded.raw_training is not None:
        labelled = coded.labels is not None and coded.training_labels is not None
        found.reasons["probes"] = (
            to_translate("all training images have one label") if labelled else to_translate("the data have no labels")
        )
    return found


def _samples(asked: Asked) -> Found:
    """The quality of decoded draws, its floor, and whether they are copies."""
    features, reference, training = asked.features, asked.reference, asked.coded.raw_training
    if features is None:
        return _no_samples(
            to_translate("no feature network for these images: give one of your own, or train one on labels")
        )
    if not asked.model.has_density and asked.prior_name == "trained":
        return _no_samples(to_translate("an autoencoder has no prior to sample from; fit one: vaelab fit-prior"))
    if asked.samples == 0:
        return _no_samples(to_translate("not asked for"))
    # as many of either: a Fréchet distance depends on how many
    count = min(asked.samples, len(reference))
    if count < SMALLEST_SAMPLE:
        return _no_samples(to_translate("fewer than {count} images", count=SMALLEST_SAMPLE))
    found = Found()
    with asked.step(to_translate("sample quality")):
        drawn = sample_means(asked.model, asked.key(2), count)
        judged = JudgedSamples(reference[:count], features)
        found.numbers["samples"] = judged.quality(drawn, seed=asked.seed)
    if training is None:
        return found
    if count <= len(training):
        with asked.step(to_translate("sample quality of training images")):
            real = drawn_images(training, count, asked.seed)
            found.numbers["samples_floor"] = judged.quality(real, resamples=0, seed=asked.seed)
    if len(training) < 2:
        found.reasons["memorisation"] = to_translate("fewer than two training images")
        return found
    few = min(MEMORISATION_SAMPLES, count, max(SMALLEST_SAMPLE, COMPARED_PIXELS // (2 * training.size)))
    with asked.step(to_translate("nearest training images")):
        found.numbers["memorisation"] = memorisation(drawn[:few], reference[:few], training)
    return found


def _no_samples(why: str) -> Found:
    return Found(reasons={"samples": why})


def _baselines(asked: Asked) -> Found:
    with asked.step(to_translate("baselines")):
        return Found({"grey_floor": asked.coded.grey_floor, "baselines": asked.coded.baselines})


def _features(asked: Asked) -> Found:
    """Reconstructions in the features that samples are judged in."""
    network, shape = asked.features, asked.model.image_shape
    if network is None or not is_picture(shape) or len(asked.coded.seen) < 2 or asked.coded.seen.size > COMPARED_PIXELS:
        return Found()
    with asked.step(to_translate("features of reconstructions")):
        rebuilt = np.clip(decode(asked.model, asked.coded.means), 0.0, 1.0)
        return Found({"reconstruction_feature_distance": feature_distance(network, asked.coded.seen, rebuilt)})


MEASURES: tuple[Callable[[Asked], Found], ...] = (
    _at_codes,
    _scores,
    _prior_fit,
    _probes,
    _samples,
    _features,
    _baselines,
)
"""In the order in which they are taken."""


# --- what they rest on --------------------------------------------------------------------------------------------------------------


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


def _by_one_draw(asked: Asked) -> tuple[np.ndarray, np.ndarray]:
    """KL and reconstruction of one draw of z for each image."""
    model, seen, posteriors = asked.model, asked.coded.seen, asked.coded.posteriors
    z = posteriors.draws(asked.key(0))
    reconstruction = -reconstruction_scores(model, seen, z, asked.coded.labels).log_prob
    if not model.is_conditional:
        return posteriors.codes.log_probs(z) - log_probs(asked.prior, z), reconstruction
    found = of_each_label(
        model,
        asked.labels,
        lambda one, chosen, told: log_probs(one.prior_density(), z[chosen]),
        lambda done, total: None,
    )
    return posteriors.codes.log_probs(z) - joined(found, asked.labels, lambda part: part), reconstruction
