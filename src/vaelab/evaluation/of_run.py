"""A run's evaluation: the images that it is judged on, and the files that it leaves."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, Num

from vaelab.data import Dataset, load_data, load_images
from vaelab.data.static_binarised import read_static_binarised
from vaelab.errors import VaelabError, nearest_name
from vaelab.evaluation.evaluation import SAMPLES, Evaluation, evaluate
from vaelab.evaluation.feature_networks import FeatureNetwork, digit_classifier
from vaelab.evaluation.report import as_page
from vaelab.model import load_model
from vaelab.pixels import Pixels
from vaelab.runs import Run
from vaelab.tensors import write_bytes_safely

TREATMENTS: tuple[Pixels, ...] = ("grey", "dynamic", "threshold", "static")


@dataclasses.dataclass(frozen=True)
class JudgedImages:
    """The images that a run is judged on and those that it was trained on, before their pixel treatment; grey ones for its samples."""

    name: str
    split: str
    images: Num[np.ndarray, "images ..."]
    labels: Int[np.ndarray, " images"] | None
    training_images: Num[np.ndarray, "training ..."]
    training_labels: Int[np.ndarray, " training"] | None
    pixels: Pixels
    pixel_seed: int
    reference_images: Num[np.ndarray, "reference ..."]


def judged_images(
    run: Run,
    data: str | None = None,
    *,
    dataset: Dataset | None = None,
    pixels: str | None = None,
    static_file: str | None = None,
) -> JudgedImages:
    """What a run is evaluated on: the test part of its own data unless DATA says otherwise, under its own pixel treatment.

    `pixels` takes the place of the run's treatment; `static`, the default with a `static_file`, reads that file, whose test part (or
    all of it) is judged; a run that was trained on a binarised set is judged on that set's test part unless another is given.

    **Raises:** `VaelabError` where the data cannot be read, and for an unknown treatment.
    """
    config = run.config.data
    treatment = pixels or (config.pixels if static_file is None else "static")
    if treatment not in TREATMENTS:
        raise VaelabError(f"--pixels {treatment}: unknown treatment of pixels; {nearest_name(treatment, TREATMENTS)}")
    grey_source: dict[str, Any] = config.source | {"binarised": None}
    own = dataset
    if own is None or (config.pixels == "static" and treatment != "static"):
        own = load_data(**(config.source if treatment == "static" else grey_source))
    training = own.train if config.validation == "held-out" else own.train_and_validation
    test, name, split = own.test, own.name, "test"
    if data is not None and data != config.name:
        test, _ = load_images(data, size=config.size if Path(data).is_dir() else None, skip_bad=config.skip_bad)
        name, split = Path(data).name, "test or all"
    reference = test.images
    if treatment == config.pixels == "static" and test is own.test:
        reference = load_data(**grey_source).test.images
    images, training_images, labels, training_labels = test.images, training.images, test.labels, training.labels
    if treatment == "static" and static_file is None and config.pixels != "static":
        raise VaelabError(
            "--pixels static: expected the file of the binarised images too; add --static-file FILE (.npz, .npy or .amat)"
        )
    if static_file is not None and treatment == "static":
        parts = read_static_binarised(static_file, own.image_shape)
        judged = parts.test or parts.train
        if parts.test is not None:
            training_images, training_labels = parts.train.images, parts.train.labels
        # labels of another file's images in the same order: only where there are as many
        labels = judged.labels if judged.labels is not None else test.labels if len(judged) == len(test) else None
        training_labels = (
            training_labels if training_labels is not None and len(training_labels) == len(training_images) else None
        )
        images, name = judged.images, Path(static_file).name
    return JudgedImages(
        name, split, images, labels, training_images, training_labels, treatment, config.test_seed, reference
    )  # fmt: skip


def evaluate_run(
    run: Run,
    data: str | None = None,
    *,
    prior: str = "trained",
    importance_samples: int | None = None,
    pixels: str | None = None,
    static_file: str | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    features: FeatureNetwork | None = None,
    on_progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Evaluation:
    """`evaluate` for a trained run. The packaged digit classifier judges the samples of a run on MNIST."""
    model = load_model(run, prior)
    judged = judged_images(run, data, pixels=pixels, static_file=static_file)
    if features is None and run.config.data.name == "mnist" and model.image_shape == (28, 28):
        features = digit_classifier()
    return evaluate(
        model,
        judged.images,
        judged.training_images,
        labels=judged.labels,
        training_labels=judged.training_labels,
        pixels=judged.pixels,
        pixel_seed=judged.pixel_seed,
        reference_images=judged.reference_images,
        importance_samples=importance_samples,
        seed=seed,
        samples=samples,
        features=features,
        data=judged.name,
        split=judged.split,
        prior_name=prior,
        on_progress=on_progress,
    )


def write_evaluation(
    run: Run, evaluation: Evaluation, pictures: Mapping[str, bytes] | None = None
) -> tuple[Path, Path]:
    """Write `evaluation.json` and the self-contained `report.html` into the run's folder.

    **Raises:** `VaelabError` where the folder cannot be written.
    """
    content = {
        "run": run.name,
        "seed_of_training": run.config.seed,
        "recipe": run.config.recipe,
        **evaluation.to_json(),
    }
    write_bytes_safely(run.evaluation_file, (json.dumps(content, indent=2) + "\n").encode())
    write_bytes_safely(run.report_file, as_page(evaluation, f"Evaluation of {run.name}", pictures or {}).encode())
    return run.evaluation_file, run.report_file
