"""Several runs, or several priors of one run, on the same test images: each by its own figures, and their paired differences."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from vaelab.errors import VaelabError
from vaelab.evaluation.evaluation import Evaluation
from vaelab.evaluation.figure import Figure, counted, mean_figure
from vaelab.evaluation.material import Material
from vaelab.evaluation.of_run import evaluate_material
from vaelab.language import to_translate, translated
from vaelab.runs import Run

SCORES = ("nll_quadrature", "nll_importance", "elbo", "reconstruction")


@dataclasses.dataclass(frozen=True)
class Compared:
    """One run under one prior: its name in the table, its evaluation, and its score on each test image (nats; smaller is better)."""

    name: str
    evaluation: Evaluation
    scores: Float[np.ndarray, " images"]
    difference: Figure | None  # to the first of the table: negative where this one is better; paired over the images


@dataclasses.dataclass(frozen=True)
class Comparison:
    """`score`: the name of the number that all have, by which they are compared."""

    score: str
    entries: tuple[Compared, ...]

    def to_json(self) -> dict[str, Any]:
        entries = [
            {
                "name": entry.name,
                "difference": None if entry.difference is None else dataclasses.asdict(entry.difference),
                "evaluation": entry.evaluation.to_json(),
            }
            for entry in self.entries
        ]
        return {"score": self.score, "entries": entries}


def compare_runs(
    runs: Sequence[Run],
    priors: Sequence[str] = ("trained",),
    data: str | None = None,
    *,
    pixels: str | None = None,
    importance_samples: int | None = None,
    samples: int = 0,
    training_data: str | None = None,
    seed: int = 0,
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Comparison:
    """Evaluate each run under each prior on the same images, and take the differences image by image.

    A prior that one of several runs does not have is left out for that run, if another has it. The score is the best that all of them
    have: exact where it is, else importance-sampled, else the reconstruction alone (autoencoders).

    **Raises:** `VaelabError` for fewer than two to compare, a prior that no run has, and runs whose pixels, data or likelihoods differ:
    their scores are in different units.
    """
    chosen = [
        (run, prior)
        for run in runs
        for prior in priors
        if len(runs) == 1 or prior == "trained" or prior in run.prior_names()
    ]
    for prior in priors:
        if prior != "trained" and not any(prior in run.prior_names() for run in runs):
            raise VaelabError(
                translated(
                    "--prior {prior}: none of the runs has a prior of that name; make one with: {command}",
                    prior=prior,
                    command=runs[0].fit_prior_command,
                )
            )
    if len(chosen) < 2:
        raise VaelabError(
            translated(
                "nothing to compare: expected two runs or more, or two priors of one run (--prior trained,mixture)"
            )
        )
    evaluations = []
    materials: dict[Path, Material] = {}  # priors of one run share its codes
    for run, prior in chosen:
        name = _name(run, prior, len(runs), len(priors))
        first = materials.get(run.folder)
        material = (
            Material(run, data=data, prior=prior, pixels=pixels, training_data=training_data)
            if first is None
            else first.with_prior(prior)
        )
        materials.setdefault(run.folder, material)
        evaluations.append(
            (
                name,
                evaluate_material(
                    material,
                    importance_samples=importance_samples,
                    samples=samples,
                    seed=seed,
                    on_progress=lambda what, done, total, name=name: on_progress(
                        to_translate("{name}: {what}", name=name, what=what), done, total
                    ),
                ),
            )
        )
    return comparison_of(evaluations)


COMPARED = {
    "data": to_translate("data"),
    "images": to_translate("images"),
    "pixels": to_translate("pixels"),
    "pixel_seed": to_translate("pixel seed"),
    "likelihood": to_translate("likelihood"),
}
"""What has to be the same of all that stand in one table."""


def comparison_of(evaluations: Sequence[tuple[str, Evaluation]]) -> Comparison:
    """The comparison of named evaluations on the same images.

    **Raises:** `VaelabError` where they are not of the same images, pixels and kind of likelihood.
    """
    first_name, first = evaluations[0]
    for name, evaluation in evaluations[1:]:
        for what, called in COMPARED.items():
            mine, theirs = getattr(first.setting, what), getattr(evaluation.setting, what)
            if mine != theirs:
                raise VaelabError(
                    translated(
                        "{first_name} and {name} cannot stand in one table: their {what} differ, {mine} and {theirs}. "
                        "Scores of different images, pixels or likelihoods are in different units; --pixels and DATA "
                        "give all the same",
                        first_name=first_name,
                        name=name,
                        what=called,
                        mine=mine,
                        theirs=theirs,
                    )
                )
        if first.setting.digest != evaluation.setting.digest:
            raise VaelabError(
                translated(
                    "{first_name} and {name} cannot stand in one table: their images differ, though they have one "
                    "name and are as many. Give both the same: --data DATA",
                    first_name=first_name,
                    name=name,
                )
            )
    conditions = {evaluation.setting.condition for _, evaluation in evaluations}
    scores_known = [name for name in SCORES if len(conditions) == 1 or name.startswith("nll")]
    if len(conditions) > 1 and (
        "given" in conditions or not any(_all_have(name, evaluations) for name in scores_known)
    ):
        raise VaelabError(
            translated(
                "these cannot stand in one table: scores given labels and scores without are of different quantities; compare log p(x), "
                "which a model that sees labels gives as the marginal over them"
            )
        )
    score = next(name for name in scores_known if _all_have(name, evaluations))
    sign = -1.0 if score == "elbo" else 1.0
    scores = [sign * np.asarray(evaluation.per_image[score], np.float64) for _, evaluation in evaluations]
    over = to_translate("{images}, paired", images=counted(len(scores[0]), "test image"))
    entries = [
        Compared(name, evaluation, values, None if index == 0 else mean_figure(values - scores[0], over))
        for index, ((name, evaluation), values) in enumerate(zip(evaluations, scores, strict=True))
    ]
    return Comparison(score, tuple(entries))


def _all_have(name: str, evaluations: Sequence[tuple[str, Evaluation]]) -> bool:
    return all(name in evaluation.per_image for _, evaluation in evaluations)


def _name(run: Run, prior: str, runs: int, priors: int) -> str:
    if runs == 1:
        return prior
    return run.name if priors == 1 else f"{run.name} · {prior}"
