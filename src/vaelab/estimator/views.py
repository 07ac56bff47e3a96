"""What a fitted estimator shows: its figures and its explorer, of images given or of those that it was fitted on, all from memory."""

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Int64

from vaelab.data import Dataset, Split
from vaelab.data.labels import named_labels
from vaelab.errors import VaelabError
from vaelab.estimator.fitted import FittedVAE
from vaelab.estimator.saved import snapshots_of, trained_model
from vaelab.language import translated
from vaelab.plotting.fitted_material import FittedMaterial
from vaelab.run_data import RunData, TrainingDataError, arrays_data, is_of_arrays, run_data
from vaelab.training import TrainingData
from vaelab.training.snapshots import Snapshot
from vaelab.training.sources import WATCHED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vaelab.runs import Run


def records_of(history: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """`history_` as one record an epoch, as `metrics.jsonl` has them."""
    records = [dict(zip(history, values, strict=True)) for values in zip(*history.values(), strict=True)]
    return [{"epoch": number + 1, **record} for number, record in enumerate(records)]


def fitted_data(vae: FittedVAE) -> RunData:
    """What it was fitted on; where no test images belong to it, the validation or the training images stand for them.

    Raises:
        TrainingDataError: where a loaded estimator keeps none of it, and what it was trained on is not to be had.
    """
    shown: RunData | None = vae.__dict__.get("_shown")
    if shown is not None:
        return shown
    training: TrainingData | None = vae.__dict__.get("_training")
    origin: Run | None = vae.__dict__.get("_origin")
    if training is not None and (origin is None or is_of_arrays(origin)):
        train = Split(training.images, training.labels)
        held_out = training.validation_images
        validation = Split(training.images[:0] if held_out is None else held_out, training.validation_labels)
        return arrays_data(train, validation, vae._names())
    assert origin is not None
    vae._shown = run_data(origin)
    return vae._shown


def given_data(vae: FittedVAE, X: Any, y: Any) -> RunData:
    """Images X, checked against what was fitted, with labels y: of the same names and colours as those fitted, where they are such.

    Raises:
        VaelabError: for images that the model does not take, and labels that are not theirs.
    """
    images, _ = vae._seen(X)
    if y is None:
        part, names = Split(images), None
    else:
        numbers, names = _numbered(vae, y, len(images))
        part = Split(images, numbers)
    return RunData(Dataset("arrays", part, Split(images[:0]), part, names, origin="given"), "given")


def _numbered(vae: FittedVAE, y: Any, count: int) -> tuple[Int64[np.ndarray, " n"], tuple[str, ...]]:
    found, numbers = named_labels(np.asarray(y), "y")
    if len(numbers) != count:
        raise VaelabError(
            translated(
                "y: expected {count:,} labels, one for each image of X; found {numbers:,}",
                count=count,
                numbers=len(numbers),
            )
        )
    names, fitted = tuple(map(str, found.tolist())), vae._names() or ()
    if set(names) <= set(fitted):
        return np.array([fitted.index(name) for name in names], np.int64)[numbers], fitted
    return numbers, names


def _check_labels_alone(X: Any, y: Any) -> None:
    if X is None and y is not None:
        raise VaelabError(
            translated("y: labels of images X, and none are given; those of the images fitted are given to fit(X, y)")
        )


# --- figures ------------------------------------------------------------------------------------------------------------------------


def plot(vae: FittedVAE, name: str, X: Any, y: Any, style: str) -> "Figure":
    """`vae.plot(...)`."""
    from vaelab.plotting.writing import figure_of

    _check_labels_alone(X, y)
    given = None if X is None else given_data(vae, X, y)
    origin = vae.__dict__.get("_origin")
    known = given or vae.__dict__.get("_shown")
    material = FittedMaterial(
        type(vae).__name__ if origin is None else origin.name,
        vae.config_,
        vae.model_,
        trained_model(vae),
        vae.prior_name_,
        records_of(vae.history_),
        vae.config_.data.name if known is None else known.dataset.name,
        lambda: fitted_data(vae) if given is None else given,
    )
    return figure_of(material, name, style=style)


# --- the explorer -------------------------------------------------------------------------------------------------------------------


def explore(vae: FittedVAE, X: Any, y: Any, options: dict[str, Any]) -> Any:
    """`vae.explore(...)`."""
    from vaelab.explorer.explored import explored_model
    from vaelab.explorer.widget import widget_of

    _check_labels_alone(X, y)
    own = _fitted_data_if_any(vae)
    found = own if X is None else given_data(vae, X, y)
    part = None if found is None else found.dataset.test
    label = options.pop("label", None)
    labels = None
    if found is not None and part is not None and part.labels is not None:
        names = found.dataset.label_names
        labels = part.labels if names is None else np.asarray(names)[part.labels]
    explored = explored_model(
        vae.model_,
        None if part is None else part.images,
        labels,
        name=type(vae).__name__,
        data="images" if found is None else found.dataset.name,
        split="drawn" if found is None else found.split,
        beta=vae.config_.objective.beta,
        metrics=records_of(vae.history_),
        snapshots=_snapshots_on(vae, own, part),
        shown=WATCHED if X is None else None,
        label=None if label is None else vae._label_number(label),
        label_names=vae._names(),
    )
    return widget_of(explored, **options)


def _fitted_data_if_any(vae: FittedVAE) -> RunData | None:
    try:
        return fitted_data(vae)
    except TrainingDataError:
        return None


def _snapshots_on(vae: FittedVAE, own: RunData | None, part: Split | None) -> list[Snapshot]:
    """The snapshots of the training, where the images on the map are those that they follow."""
    if own is None or part is None or not (found := snapshots_of(vae)):
        return []
    followed = own.dataset.test.images
    same = part.images is followed or np.array_equal(part.images, followed)
    return found if same else []
