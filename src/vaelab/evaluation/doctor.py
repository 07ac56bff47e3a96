"""What is wrong with a run, in words, and what to do. Quiet about a healthy one."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from vaelab.evaluation.checkup import Checkup, checkup, checkup_from, checkup_of
from vaelab.evaluation.figure import FEW, Figure, share

if TYPE_CHECKING:
    from vaelab.data import Dataset
    from vaelab.evaluation.evaluation import Evaluation
    from vaelab.evaluation.material import Material
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
WORSE_THAN_PCA = 0.05
"""Of PCA's squared error."""
AVERAGED_LOSS = 0.1
"""Of the number of pixels: a beta above it outweighs a loss that is summed over pixels as an averaged loss would."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """- `symptom`: its short name
    - `harmless`: said so that nobody worries
    - `figure`: what it rests on; `reference`: what is usual
    - `advice`: what to do; `mend`: the command that does it, where there is one
    """

    symptom: str
    figure: str
    reference: str
    advice: str
    harmless: bool = False
    mend: str = ""

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
    if low == high:
        yield Finding(
            "images all alike",
            f"every pixel of the training images is {low:.4g}",
            "0 to 1, or a standard deviation near 1",
            "There is nothing to learn. Look at how they were read",
        )
    elif high - low < 0.1 or low < -10.0 or high > 10.0:
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
        each = f"{_carry(unused, len(kl))}; " if len(unused) else ""
        yield Finding(
            "posterior collapse",
            f"{each}the KL of all together is {kl.sum():.2f} nats an image",
            "2 nats and more in a used dimension",
            "The decoder ignores its code. Lower --beta, warm it up (--set objective.warmup=0.2), or use a narrower decoder",
        )
    elif len(unused):
        few = len(unused) < len(kl) / 2
        yield Finding(
            "unused dimensions",
            f"{_carry(unused, len(kl))}; {len(kl) - len(unused)} of {len(kl)} {'is' if len(kl) - len(unused) == 1 else 'are'} used",
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
            f"the encoder's sigma in {_dimensions(tiny)} is {'as little as ' if len(tiny) > 1 else ''}{sigma:.2g} at the median",
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


def _worse_than_pca(found: Checkup) -> Iterator[Finding]:
    gain, pca = found.pca_gain, found.pca_error
    if gain is None or pca is None or found.squared_error is None:
        return
    if _is_large(gain, WORSE_THAN_PCA * pca.value):
        yield Finding(
            "reconstructions worse than PCA",
            f"squared error {found.squared_error.value:.4g} an image, of as many principal components {pca.value:.4g}",
            "below PCA's",
            "The network has not learnt what a linear map knows. Train longer, with a wider --hidden or a lower --beta; "
            "on few images a smaller --latent-dim would do",
        )


def _hole(found: Checkup) -> Iterator[Finding]:
    mend = found.fit_prior_command
    if _is_large(found.hole_fraction, LARGE_HOLE):
        assert found.hole_fraction is not None
        yield Finding(
            "prior hole",
            f"{_percent(found.hole_fraction)} of the prior is hole: no code lies there",
            "1 % for a perfect prior, up to 2 %",
            f"Draws from there decode into rubbish. Mend it: {mend}",
            mend=mend,
        )
    if _is_large(found.uncovered_fraction, LARGE_UNCOVERED):
        assert found.uncovered_fraction is not None
        yield Finding(
            "prior too narrow",
            f"{_percent(found.uncovered_fraction)} of the codes lie where the prior hardly is",
            "1 % for a perfect prior, up to 4 %",
            f"Some kinds of images are never generated. Fit a wider one: {mend}",
            mend=mend,
        )


SYMPTOMS: tuple[Callable[[Checkup], Iterator[Finding]], ...] = (
    _out_of_range,
    _averaged_loss,
    _collapse,
    _tiny_sigma,
    _overfitting,
    _worse_than_pca,
    _hole,
    _too_few_epochs,
    _kl_rises,
)


def _is_large(figure: Figure | None, limit: float) -> bool:
    """Above the limit by more than chance."""
    return figure is not None and figure.value - 2.0 * (figure.standard_error or 0.0) > limit


def _percent(figure: Figure) -> str:
    """A share to one decimal; of few images as a count of them, which is all that is known."""
    if figure.n is not None and figure.n < FEW:
        return share(figure)
    return f"{100.0 * figure.value:.1f} %"


def _dimensions(dimensions: np.ndarray) -> str:
    """Counted from 1, as the axes of figures are."""
    shown = ", ".join(str(index + 1) for index in dimensions[:8])
    more = f" and {len(dimensions) - 8} more" if len(dimensions) > 8 else ""
    return f"dimension{'' if len(dimensions) == 1 else 's'} {shown}{more}"


def _carry(unused: np.ndarray, total: int) -> str:
    if len(unused) == total:
        return (
            f"no dimension carries {UNUSED_KL} nats"
            if total > 1
            else f"the only dimension carries less than {UNUSED_KL} nats"
        )
    return f"{_dimensions(unused)} carr{'ies' if len(unused) == 1 else 'y'} less than {UNUSED_KL} nats"


# --- one sentence ----------------------------------------------------------------------------------------------------


def closing_sentence(run: "Run | Material", *, dataset: "Dataset | None" = None) -> str:
    """What the end of a training says of its model, in a second or two: its score and the worst that `doctor` finds, or that it finds
    nothing: "exact NLL 150.9 ± 0.8 (2,000 test images); prior hole: 3.7 % of the prior is hole: no code lies there; mend it:
    vaelab fit-prior runs/… mixture".

    `dataset` spares reading the run's data again; a `Material` everything that it holds.
    """
    from vaelab.evaluation.material import Material

    return _sentence(checkup_of(run if isinstance(run, Material) else Material(run, dataset=dataset)))


def sentence(evaluation: "Evaluation", material: "Material") -> str:
    """The same from a whole evaluation."""
    found = checkup_from(material, evaluation)
    words = _sentence(found)
    return words if found.nll is not None else f"reconstruction {evaluation.reconstruction.value:.1f} nats; {words}"


def _sentence(found: Checkup) -> str:
    parts = []
    if found.nll is not None:
        name = f"exact {found.score}" if found.nll_by == "exact" else found.score
        by = "" if found.nll_by == "exact" else f"{found.nll_by}; "
        parts.append(f"{name} {found.nll.rounded()} nats ({by}{found.nll.over.replace('held-out', 'test')})")
    findings = diagnose(found)
    grave = [finding for finding in findings if not finding.harmless]
    if not grave:
        parts.append("doctor finds nothing wrong")
    else:
        worst = grave[0]
        parts.append(f"{worst.symptom}: {worst.figure}")
        if worst.mend:
            parts.append(f"mend it: {worst.mend}")
        if len(grave) > 1 or not worst.mend:
            more = f"{len(grave) - 1} more and what" if len(grave) > 1 else "what"
            parts.append(f"{more} to do: vaelab doctor {found.folder}")
    return "; ".join(filter(None, parts))
