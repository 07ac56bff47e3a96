"""What is wrong with a run, in words, and what to do. Quiet about a healthy one."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from vaelab.evaluation.checkup import Checkup, checkup
from vaelab.evaluation.figure import Figure

if TYPE_CHECKING:
    from vaelab.data import Dataset
    from vaelab.evaluation.evaluation import Evaluation
    from vaelab.runs import Run

UNUSED_KL = 0.01
"""Nats a dimension: below, a dimension carries nothing."""
SMALLEST_KL = 1.0
COLLAPSED_SIGMA = -8.0
"""Log-variance: a sigma of 0.018 where codes spread over several units."""
LARGE_HOLE = 0.02
LARGE_UNCOVERED = 0.04
STILL_FALLING = 0.004
"""Of the loss, an epoch."""
KL_STILL_RISING = 1.1
OVERFITTED = 0.03
RISEN = 0.005
AVERAGED_LOSS = 0.1
"""Of the number of pixels: a beta above it outweighs a loss that is summed over pixels as an averaged loss would."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """- `symptom`: its short name
    - `harmless`: said so that nobody worries
    - `figure`: what it rests on; `reference`: what is usual
    - `advice`: what to do
    """

    symptom: str
    figure: str
    reference: str
    advice: str
    harmless: bool = False

    def __str__(self) -> str:
        return f"{self.symptom}: {self.figure} (usual: {self.reference}). {self.advice}"


def diagnose(found: Checkup) -> list[Finding]:
    """All findings, the gravest first; none for a healthy run."""
    return [finding for symptom in SYMPTOMS for finding in symptom(found)]


def diagnose_run(
    run: "Run",
    *,
    prior: str = "trained",
    training_data: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> list[Finding]:
    """`diagnose` for a trained run. `say` is told what rests on a sample of its data, or is left out for want of them."""
    found = checkup(run, prior=prior, likelihood=False, training_data=training_data)
    if found.note:
        say(found.note)
    return diagnose(found)


def _out_of_range(found: Checkup) -> Iterator[Finding]:
    if found.pixel_range is None:
        return
    low, high = found.pixel_range
    if high - low < 0.1 or low < -10.0 or high > 10.0:
        what = "divided by 255 twice, perhaps" if low >= 0.0 and high < 0.1 else "not rescaled, perhaps"
        yield Finding(
            "data out of range",
            f"the training pixels lie between {low:.4g} and {high:.4g}",
            "0 to 1, or a standard deviation near 1",
            f"They were {what}: give uint8 images, or floats in [0, 1]",
        )


def _averaged_loss(found: Checkup) -> Iterator[Finding]:
    if found.kl_per_dimension is None:
        return
    kl = float(found.kl_per_dimension.sum())
    if found.beta >= AVERAGED_LOSS * found.pixels and kl < SMALLEST_KL:
        yield Finding(
            "loss averaged over pixels",
            f"beta is {found.beta:g} with {found.pixels} pixels, and the KL is {kl:.3f} nats",
            "beta about 1 with a loss summed over pixels",
            "A beta of this size is a reconstruction loss averaged over pixels in disguise: the KL outweighs it and nothing is encoded. "
            "Train with --beta 1",
        )


def _collapse(found: Checkup) -> Iterator[Finding]:
    if found.kl_per_dimension is None or next(_averaged_loss(found), None) is not None:
        return
    kl = found.kl_per_dimension
    unused = np.flatnonzero(kl < UNUSED_KL)
    if kl.sum() < SMALLEST_KL or len(unused) == len(kl):
        yield Finding(
            "posterior collapse",
            f"dimensions {_listed(unused)} carry less than {UNUSED_KL} nats, and all together {kl.sum():.2f}",
            "2 nats and more in a used dimension",
            "The decoder ignores its code. Lower --beta, warm it up (--set objective.warmup=0.2), or use a narrower decoder",
        )
    elif len(unused):
        few = len(unused) < len(kl) / 2
        yield Finding(
            "unused dimensions",
            f"dimensions {_listed(unused)} carry less than {UNUSED_KL} nats; {len(kl) - len(unused)} of {len(kl)} are used",
            "all used in small latent spaces; of 40 or 50, some 20 to 30",
            "They cost nothing; a smaller --latent-dim would do" if few else
            "More than half collapsed: lower --beta or warm it up (--set objective.warmup=0.2), or take a smaller --latent-dim",
            harmless=few or len(kl) - len(unused) >= 10,
        )  # fmt: skip


def _tiny_sigma(found: Checkup) -> Iterator[Finding]:
    if found.median_log_variance is None:
        return
    tiny = np.flatnonzero(found.median_log_variance < COLLAPSED_SIGMA)
    if len(tiny):
        sigma = float(np.exp(0.5 * found.median_log_variance[tiny].min()))
        yield Finding(
            "sigma collapsing to zero",
            f"the encoder's sigma in dimensions {_listed(tiny)} is {sigma:.2g} at the median",
            "0.03 to 1",
            "It has become a plain autoencoder, whose prior means nothing. Raise --beta (1 is the ELBO's), or, with a Gaussian likelihood, "
            "its scale",
        )


def _overfitting(found: Checkup) -> Iterator[Finding]:
    records = [record for record in found.metrics if "val_loss" in record]
    if len(records) < 3 or found.keeps_best:
        return
    last, best = records[-1], min(records, key=lambda record: record["val_loss"])
    gap = last["val_loss"] - last["loss"]
    risen = last["val_loss"] - best["val_loss"]
    if gap > OVERFITTED * abs(last["val_loss"]) and risen > RISEN * abs(best["val_loss"]):
        yield Finding(
            "overfitting",
            f"val_loss {last['val_loss']:.1f} against loss {last['loss']:.1f}, and {risen:.1f} above its best, of epoch {best['epoch']}",
            "less than 3 % apart, and val_loss falling",
            "Keep the best weights (--set training.keep=best --set data.validation=held-out), give more images, or train "
            f"{best['epoch']} epochs",
        )


def _too_few_epochs(found: Checkup) -> Iterator[Finding]:
    losses = [record.get("val_loss", record["loss"]) for record in found.metrics]
    if len(losses) == 1:
        yield Finding("too few epochs", "one epoch was trained", "20 and more", "Train longer: --epochs 20")
        return
    if len(losses) < 2:
        return
    # over the last three epochs, so that one lucky epoch says nothing
    epochs = min(3, len(losses) - 1)
    falls = (losses[-1 - epochs] - losses[-1]) / epochs
    if falls > STILL_FALLING * abs(losses[-1]):
        yield Finding(
            "too few epochs",
            f"the loss still falls by {falls:.2f} an epoch, at {losses[-1]:.1f} after {len(losses)}",
            f"less than {STILL_FALLING * abs(losses[-1]):.2f} at the end",
            f"Train longer: --epochs {max(20, 2 * len(losses))}",
        )


def _kl_rises(found: Checkup) -> Iterator[Finding]:
    kl = [record["kl"] for record in found.metrics]
    if len(kl) < 2 or kl[-1] <= 0.0:
        return
    middle = kl[(len(kl) - 1) // 2]
    if kl[-1] > KL_STILL_RISING * middle and all(after >= 0.98 * before for before, after in itertools.pairwise(kl)):
        yield Finding(
            "KL rising",
            f"from {kl[0]:.2f} to {kl[-1]:.2f} nats over {len(kl)} epochs",
            "near 0 at first, rising, then level",
            "This is normal early in training: the codes come into use. Nothing to do but train on",
            harmless=True,
        )


def _hole(found: Checkup) -> Iterator[Finding]:
    if _is_large(found.hole_fraction, LARGE_HOLE):
        assert found.hole_fraction is not None
        yield Finding(
            "prior hole",
            f"{_percent(found.hole_fraction)} of the prior lies where no code is",
            "1 % for a perfect prior, up to 2 %",
            f"Draws from there decode into rubbish. Mend it: {found.fit_prior_command}",
        )
    if _is_large(found.uncovered_fraction, LARGE_UNCOVERED):
        assert found.uncovered_fraction is not None
        yield Finding(
            "prior too narrow",
            f"{_percent(found.uncovered_fraction)} of the codes lie where the prior hardly is",
            "1 % for a perfect prior, up to 4 %",
            f"Some kinds of images are never generated. Fit a wider one: {found.fit_prior_command}",
        )


SYMPTOMS: tuple[Callable[[Checkup], Iterator[Finding]], ...] = (
    _out_of_range,
    _averaged_loss,
    _collapse,
    _tiny_sigma,
    _overfitting,
    _too_few_epochs,
    _hole,
    _kl_rises,
)


def _is_large(figure: Figure | None, limit: float) -> bool:
    """Above the limit by more than chance."""
    return figure is not None and figure.value - 2.0 * (figure.standard_error or 0.0) > limit


def _percent(figure: Figure) -> str:
    return f"{100.0 * figure.value:.1f} %"


def _listed(dimensions: np.ndarray) -> str:
    shown = ", ".join(str(index) for index in dimensions[:8])
    return shown + (f" and {len(dimensions) - 8} more" if len(dimensions) > 8 else "")


# --- one sentence ----------------------------------------------------------------------------------------------------


def closing_sentence(run: "Run", *, dataset: "Dataset | None" = None) -> str:
    """What the end of a training says of its prior, in a second or two: "exact NLL 150.9 ± 0.8 (2,000 test images); 3.7 % of the prior is
    hole; `vaelab fit-prior runs/… mixture` mends it".

    Empty for an autoencoder. `dataset` spares reading the run's data again.
    """
    found = checkup(run, dataset=dataset)
    return _sentence(found.nll, found.binary, found.hole_fraction, found.fit_prior_command)


def sentence(evaluation: "Evaluation", fit_prior_command: str) -> str:
    """The same from a whole evaluation."""
    fit = evaluation.prior_fit
    hole = None if fit is None else fit.hole_fraction
    exact = _sentence(evaluation.nll_quadrature, evaluation.grey_floor is None, hole, fit_prior_command)
    if evaluation.nll_quadrature is None and evaluation.nll_importance is not None:
        likelihood, samples = evaluation.nll_importance, evaluation.setting.importance_samples
        return f"NLL {likelihood.value:.1f} ± {likelihood.standard_error or 0.0:.1f} (K = {samples:,}); {exact}"
    return exact or f"reconstruction {evaluation.reconstruction.value:.1f} nats"


def _sentence(nll: Figure | None, binary: bool, hole: Figure | None, fit_prior_command: str) -> str:
    parts = []
    if nll is not None:
        name = "exact NLL" if binary else "exact grey cross-entropy"
        parts.append(
            f"{name} {nll.value:.1f} ± {nll.standard_error or 0.0:.1f} ({nll.over.replace('held-out', 'test')})"
        )
    if hole is not None:
        mend = f"; `{fit_prior_command}` mends it" if _is_large(hole, LARGE_HOLE) else ""
        parts.append(f"{_percent(hole)} of the prior is hole{mend}")
    return "; ".join(parts)
