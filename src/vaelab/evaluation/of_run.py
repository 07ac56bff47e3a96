"""A run's evaluation, and the files that it leaves."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vaelab.evaluation.bounds import SAMPLES
from vaelab.evaluation.material import Material
from vaelab.runs import Run
from vaelab.tensors import write_bytes_safely

if TYPE_CHECKING:
    from vaelab.evaluation.evaluation import Evaluation
    from vaelab.evaluation.feature_networks import FeatureNetwork
    from vaelab.evaluation.numbers import Condition


def evaluate_run(
    run: Run,
    data: str | None = None,
    *,
    prior: str = "trained",
    importance_samples: int | None = None,
    condition: "Condition | None" = None,
    pixels: str | None = None,
    static_file: str | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    features: "FeatureNetwork | None" = None,
    training_data: str | None = None,
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> "Evaluation":
    """`evaluate` for a trained run. The packaged digit classifier judges the samples of a run on MNIST."""
    return evaluate_material(
        Material(run, data=data, prior=prior, pixels=pixels, static_file=static_file, training_data=training_data),
        importance_samples=importance_samples,
        condition=condition,
        samples=samples,
        seed=seed,
        features=features,
        on_progress=on_progress,
    )


def evaluate_material(
    material: Material,
    *,
    importance_samples: int | None = None,
    condition: "Condition | None" = None,
    samples: int = SAMPLES,
    seed: int = 0,
    features: "FeatureNetwork | None" = None,
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> "Evaluation":
    """`evaluate_run` for what is already known of a run."""
    from vaelab.evaluation.evaluation import evaluate_coded
    from vaelab.evaluation.feature_networks import digit_classifier

    model, run = material.model, material.run
    if features is None and run.config.data.name == "mnist" and model.image_shape == (28, 28):
        features = digit_classifier()
    judged = material.judged
    return evaluate_coded(
        model,
        material.coded,
        reference_images=judged.reference_images,
        importance_samples=importance_samples,
        condition=condition,
        seed=seed,
        samples=samples,
        features=features,
        data=judged.name,
        split=judged.split,
        prior_name=material.prior,
        untrained_reason=judged.untrained_reason,
        note=judged.note,
        on_progress=on_progress,
    )


def write_evaluation(
    run: Run, evaluation: "Evaluation", pictures: Mapping[str, bytes] | None = None
) -> tuple[Path, Path]:
    """Write `evaluation.json` and the self-contained `report.html` into the run's folder.

    **Raises:** `VaelabError` where the folder cannot be written.
    """
    from vaelab.evaluation.report import as_page

    content = {
        "run": run.name,
        "seed_of_training": run.config.seed,
        "recipe": run.config.recipe,
        **evaluation.to_json(),
    }
    write_bytes_safely(run.evaluation_file, (json.dumps(content, indent=2) + "\n").encode())
    write_bytes_safely(run.report_file, as_page(evaluation, f"Evaluation of {run.name}", pictures or {}).encode())
    return run.evaluation_file, run.report_file
