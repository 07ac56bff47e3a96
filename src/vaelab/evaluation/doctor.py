"""What is wrong with a run, in words, and what to do. Quiet about a healthy one."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from vaelab.evaluation.checkup import Checkup, checkup, checkup_from, checkup_of
from vaelab.evaluation.figure import FEW, Figure, share
from vaelab.language import Words, plural, to_translate, translated

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

    All are English, as JSON has them; `str` says them in the user's language.
    """

    symptom: str
    figure: str
    reference: str
    advice: str
    harmless: bool = False
    mend: str = ""

    def __str__(self) -> str:
        return translated(
            "{symptom}: {figure} (usual: {reference}). {advice}",
            symptom=self.symptom,
            figure=self.figure,
            reference=self.reference,
            advice=self.advice,
        )


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
        say(translated(found.note))
    return diagnose(found)


def _out_of_range(found: Checkup) -> Iterator[Finding]:
    if found.pixel_range is None:
        return
    low, high = found.pixel_range
    if low == high:
        yield Finding(
            to_translate("images all alike"),
            to_translate("every pixel of the training images is {low:.4g}", low=low),
            to_translate("0 to 1, or a standard deviation near 1"),
            to_translate("There is nothing to learn. Look at how they were read"),
        )
    elif high - low < 0.1 or low < -10.0 or high > 10.0:
        small = low >= 0.0 and high < 0.1
        what = to_translate("divided by 255 twice, perhaps") if small else to_translate("not rescaled, perhaps")
        yield Finding(
            to_translate("data out of range"),
            to_translate("the training pixels lie between {low:.4g} and {high:.4g}", low=low, high=high),
            to_translate("0 to 1, or a standard deviation near 1"),
            to_translate("They were {what}: give uint8 images, or floats in [0, 1]", what=what),
        )


def _averaged_loss(found: Checkup) -> Iterator[Finding]:
    if found.kl_per_dimension is None:
        return
    kl = float(found.kl_per_dimension.sum())
    if found.beta >= AVERAGED_LOSS * found.pixels and kl < SMALLEST_KL:
        yield Finding(
            to_translate("loss averaged over pixels"),
            to_translate(
                "beta is {beta:g} with {pixels} pixels, and the KL is {kl:.3f} nats",
                beta=found.beta,
                pixels=found.pixels,
                kl=kl,
            ),
            to_translate("beta about 1 with a loss summed over pixels"),
            to_translate(
                "A beta of this size is a reconstruction loss averaged over pixels in disguise: the KL outweighs "
                "it and nothing is encoded. Train with --beta 1"
            ),
        )


def _collapse(found: Checkup) -> Iterator[Finding]:
    if found.kl_per_dimension is None or next(_averaged_loss(found), None) is not None:
        return
    kl = found.kl_per_dimension
    unused = np.flatnonzero(kl < UNUSED_KL)
    if kl.sum() < SMALLEST_KL or len(unused) == len(kl):
        each = to_translate("{unused}; ", unused=_carry(unused, len(kl))) if len(unused) else ""
        yield Finding(
            to_translate("posterior collapse"),
            to_translate("{each}the KL of all together is {total:.2f} nats per image", each=each, total=kl.sum()),
            to_translate("2 nats and more in a used dimension"),
            to_translate(
                "The decoder ignores its code. Lower --beta, warm it up (--set objective.warmup=0.2), or use a "
                "narrower decoder"
            ),
        )
    elif len(unused):
        few = len(unused) < len(kl) / 2
        yield Finding(
            to_translate("unused dimensions"),
            plural(
                "{unused}; {count} of {total} is used", "{unused}; {count} of {total} are used", len(kl) - len(unused),
                unused=_carry(unused, len(kl)), total=len(kl),
            ),
            to_translate("all used in small latent spaces; of 40 or 50, some 20 to 30"),
            to_translate("They cost nothing; a smaller --latent-dim would do") if few else to_translate(
                "More than half collapsed: lower --beta or warm it up (--set objective.warmup=0.2), or take a smaller --latent-dim"
            ),
            harmless=few or len(kl) - len(unused) >= 10,
        )  # fmt: skip


def _tiny_sigma(found: Checkup) -> Iterator[Finding]:
    if found.median_log_variance is None:
        return
    tiny = np.flatnonzero(found.median_log_variance < COLLAPSED_SIGMA)
    if len(tiny):
        sigma = float(np.exp(0.5 * found.median_log_variance[tiny].min()))
        yield Finding(
            to_translate("sigma collapsing to zero"),
            plural(
                "the encoder's sigma in {dimensions} is {sigma:.2g} at the median",
                "the encoder's sigma in {dimensions} is as little as {sigma:.2g} at the median",
                len(tiny),
                dimensions=_dimensions(tiny),
                sigma=sigma,
            ),
            to_translate("0.03 to 1"),
            to_translate(
                "It has become a plain autoencoder, whose prior means nothing. Raise --beta (1 is the ELBO's), "
                "or, with a Gaussian likelihood, its scale"
            ),
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
            to_translate("overfitting"),
            to_translate(
                "val_loss {val_loss:.1f} against loss {loss:.1f}, and {risen:.1f} above its best, of epoch {epoch}",
                val_loss=last["val_loss"],
                loss=last["loss"],
                risen=risen,
                epoch=best["epoch"],
            ),
            to_translate("less than 3 % apart, and val_loss falling"),
            to_translate(
                "Keep the best weights (--set training.keep=best --set data.validation=held-out), give more "
                "images, or train {epoch} epochs",
                epoch=best["epoch"],
            ),
        )


def _too_few_epochs(found: Checkup) -> Iterator[Finding]:
    losses = [record.get("val_loss", record["loss"]) for record in found.metrics]
    if len(losses) == 1:
        yield Finding(
            to_translate("too few epochs"),
            to_translate("one epoch was trained"),
            to_translate("20 and more"),
            to_translate("Train longer: --epochs 20"),
        )
        return
    if len(losses) < 2:
        return
    # over the last three epochs, so that one lucky epoch says nothing
    epochs = min(3, len(losses) - 1)
    falls = (losses[-1 - epochs] - losses[-1]) / epochs
    if falls > STILL_FALLING * abs(losses[-1]):
        yield Finding(
            to_translate("too few epochs"),
            to_translate(
                "the loss still falls by {falls:.2f} per epoch, at {loss:.1f} after {epochs}",
                falls=falls,
                loss=losses[-1],
                epochs=len(losses),
            ),
            to_translate("less than {limit:.2f} at the end", limit=STILL_FALLING * abs(losses[-1])),
            to_translate("Train longer: --epochs {epochs}", epochs=max(20, 2 * len(losses))),
        )


def _kl_rises(found: Checkup) -> Iterator[Finding]:
    kl = [record["kl"] for record in found.metrics]
    if len(kl) < 2 or kl[-1] <= 0.0:
        return
    middle = kl[(len(kl) - 1) // 2]
    if kl[-1] > KL_STILL_RISING * middle and all(after >= 0.98 * before for before, after in itertools.pairwise(kl)):
        yield Finding(
            to_translate("KL rising"),
            to_translate(
                "from {first:.2f} to {last:.2f} nats over {epochs} epochs", first=kl[0], last=kl[-1], epochs=len(kl)
            ),
            to_translate("near 0 at first, rising, then level"),
            to_translate("This is normal early in training: the codes come into use. Nothing to do but train on"),
            harmless=True,
        )


def _worse_than_pca(found: Checkup) -> Iterator[Finding]:
    gain, pca = found.pca_gain, found.pca_error
    if gain is None or pca is None or found.squared_error is None:
        return
    if _is_large(gain, WORSE_THAN_PCA * pca.value):
        yield Finding(
            to_translate("reconstructions worse than PCA"),
            to_translate(
                "squared error {own:.4g} per image, of as many principal components {pca:.4g}",
                own=found.squared_error.value,
                pca=pca.value,
            ),
            to_translate("below PCA's"),
            to_translate(
                "The network has not learnt what a linear map knows. Train longer, with a wider --hidden or a "
                "lower --beta; on few images a smaller --latent-dim would do"
            ),
        )


def _hole(found: Checkup) -> Iterator[Finding]:
    mend = found.fit_prior_command
    if _is_large(found.hole_fraction, LARGE_HOLE):
        assert found.hole_fraction is not None
        yield Finding(
            to_translate("prior hole"),
            to_translate("{share} of the prior is hole: no code lies there", share=_percent(found.hole_fraction)),
            to_translate("1 % for a perfect prior, up to 2 %"),
            to_translate("Draws from there decode into rubbish. Mend it: {mend}", mend=mend),
            mend=mend,
        )
    if _is_large(found.uncovered_fraction, LARGE_UNCOVERED):
        assert found.uncovered_fraction is not None
        yield Finding(
            to_translate("prior too narrow"),
            to_translate(
                "{share} of the codes lie where the prior has hardly any mass", share=_percent(found.uncovered_fraction)
            ),
            to_translate("1 % for a perfect prior, up to 4 %"),
            to_translate("Some kinds of images are never generated. Fit a wider one: {mend}", mend=mend),
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


def _dimensions(dimensions: np.ndarray) -> Words:
    """Counted from 1, as the axes of figures are."""
    shown = ", ".join(str(index + 1) for index in dimensions[:8])
    if len(dimensions) > 8:
        return to_translate("dimensions {shown} and {more} more", shown=shown, more=len(dimensions) - 8)
    return plural("dimension {shown}", "dimensions {shown}", len(dimensions), shown=shown)


def _carry(unused: np.ndarray, total: int) -> Words:
    if len(unused) == total:
        return (
            to_translate("no dimension carries {least} nats", least=UNUSED_KL)
            if total > 1
            else to_translate("the only dimension carries less than {least} nats", least=UNUSED_KL)
        )
    return plural(
        "{dimensions} carries less than {least} nats",
        "{dimensions} carry less than {least} nats",
        len(unused),
        dimensions=_dimensions(unused),
        least=UNUSED_KL,
    )


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
    if found.nll is not None:
        return words
    return translated("reconstruction {loss:.1f} nats; {words}", loss=evaluation.reconstruction.value, words=words)


def _sentence(found: Checkup) -> str:
    parts = []
    if found.nll is not None:
        # a reader of this line knows them as test images
        over = translated(found.nll.over).replace("held-out", "test")
        score, value = translated(found.score), found.nll.rounded()
        if found.nll_by == "exact":
            parts.append(translated("exact {score} {value} nats ({over})", score=score, value=value, over=over))
        else:
            parts.append(
                translated("{score} {value} nats ({by}; {over})", score=score, value=value, by=found.nll_by, over=over)
            )
    findings = diagnose(found)
    grave = [finding for finding in findings if not finding.harmless]
    if not grave:
        parts.append(translated("doctor finds nothing wrong"))
    else:
        worst = grave[0]
        parts.append(translated("{symptom}: {figure}", symptom=worst.symptom, figure=worst.figure))
        if worst.mend:
            parts.append(translated("mend it: {mend}", mend=worst.mend))
        if len(grave) > 1 or not worst.mend:
            command = f"vaelab doctor {found.folder}"
            more = (
                translated("{count} more and what to do: {command}", count=len(grave) - 1, command=command)
                if len(grave) > 1
                else translated("what to do: {command}", command=command)
            )
            parts.append(more)
    return translated("; ").join(parts)
