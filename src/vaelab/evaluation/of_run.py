"""A run's evaluation: the images that it is judged on, and the files that it leaves."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int, Num

from vaelab.data import Dataset, load_images
from vaelab.data.image_values import ImageValues
from vaelab.data.static_binarised import read_static_binarised
from vaelab.errors import VaelabError
from vaelab.evaluation.bounds import SAMPLES
from vaelab.evaluation.material import Material
from vaelab.language import translated
from vaelab.nearest import nearest_name
from vaelab.pixels import Pixels
from vaelab.run_data import RunData, TrainingDataError, grey_data, is_of_arrays, run_data
from vaelab.runs import Run
from vaelab.tensors import write_bytes_safely

if TYPE_CHECKING:
    from vaelab.evaluation.evaluation import Condition, Evaluation
    from vaelab.evaluation.feature_networks import FeatureNetwork

TREATMENTS: tuple[Pixels, ...] = ("grey", "dynamic", "threshold", "static")


@dataclasses.dataclass(frozen=True)
class JudgedImages:
    """The images that a run is judged on and those that it was trained on, before their pixel treatment; grey ones for its samples.

    Without training images `untrained_reason` says why; `note` is what a reader of the numbers has to know of the images.
    """

    name: str
    split: str
    images: Num[np.ndarray, "images ..."]
    labels: Int[np.ndarray, " images"] | None
    training_images: Num[np.ndarray, "training ..."] | None
    training_labels: Int[np.ndarray, " training"] | None
    pixels: Pixels
    pixel_seed: int
    reference_images: Num[np.ndarray, "reference ..."]
    untrained_reason: str | None = None
    note: str = ""


def judged_images(
    run: Run,
    data: str | None = None,
    *,
    dataset: Dataset | RunData | None = None,
    pixels: str | None = None,
    static_file: str | None = None,
    training_data: str | None = None,
    fitted: ImageValues | None = None,
) -> JudgedImages:
    """What a run is evaluated on: the test part of its own data unless DATA says otherwise, under its own pixel treatment.

    `pixels` takes the place of the run's treatment; `static`, the default with a `static_file`, reads that file, whose test part (or
    all of it) is judged; a run that was trained on a binarised set is judged on that set's test part unless another is given.
    `training_data` says where the run's own data are now; with DATA, what cannot be had of them is left out. `fitted` is what the model was
    fitted on, by which DATA are read.

    **Raises:** `VaelabError` where the data cannot be read, and for an unknown treatment.
    """
    config = run.config.data
    treatment = pixels or (config.pixels if static_file is None else "static")
    if treatment not in TREATMENTS:
        raise VaelabError(
            translated(
                "--pixels {treatment}: unknown treatment of pixels; {nearest}",
                treatment=treatment,
                nearest=nearest_name(treatment, TREATMENTS),
            )
        )
    if treatment == "static" and static_file is None and config.pixels != "static":
        raise VaelabError(
            translated(
                "--pixels static: expected the file of the binarised images too; add --static-file FILE (.npz, "
                ".npy or .amat)"
            )
        )
    means_own = data is None or (data == config.name and not is_of_arrays(run))
    own, reason = None, None
    try:
        own = _own_data(run, dataset, treatment, training_data)
    except TrainingDataError as error:
        if data is None or training_data is not None:
            raise
        means_own, reason = False, str(error)
    if own is not None and means_own:
        test, labels, name, split = own.dataset.test, own.dataset.test.labels, own.dataset.name, own.split
        reference = test.images
        if treatment == config.pixels == "static":
            reference = grey_data(run, training_data).test.images
    else:
        assert data is not None
        size = config.size if Path(data).is_dir() else None
        test, _ = load_images(data, size=size, skip_bad=config.skip_bad, fitted=fitted)
        labels, name, split, reference = test.labels, Path(data).name, "test or all", test.images
    training = None
    if own is not None:
        training = own.dataset.train if config.validation == "held-out" else own.dataset.train_and_validation
    images = test.images
    if static_file is not None and treatment == "static":
        parts = read_static_binarised(static_file, run.config.model.image_shape)
        judged = parts.test or parts.train
        if parts.test is not None:
            training, reason = parts.train, None
        # labels of another file's images in the same order: only where there are as many
        labels = judged.labels if judged.labels is not None else test.labels if len(judged) == len(test) else None
        images, name = judged.images, Path(static_file).name
    return JudgedImages(
        name=name,
        split=split,
        images=images,
        labels=labels,
        training_images=None if training is None else training.images,
        training_labels=None if training is None else training.labels,
        pixels=treatment,
        pixel_seed=config.test_seed,
        reference_images=reference,
        untrained_reason=reason,
        note="" if own is None else own.note,
    )


def _own_data(run: Run, dataset: Dataset | RunData | None, treatment: str, training_data: str | None) -> RunData:
    """A run's own data under a treatment: the grey ones of a run on binarised images, unless it is judged on these."""
    if run.config.data.pixels == "static" and treatment != "static":
        return RunData(grey_data(run, training_data))
    if isinstance(dataset, Dataset):
        return RunData(dataset)
    return run_data(run, training_data) if dataset is None else dataset


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
