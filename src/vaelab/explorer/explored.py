"""What the explorer looks at: a trained model, its priors, the images on the map, and how it was trained."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Integer, Shaped

from vaelab.conditional import ConditionalDensity
from vaelab.data import Dataset
from vaelab.errors import VaelabError
from vaelab.generating import Encoded, check_images, decode, encode
from vaelab.generating.pictures import is_picture, shown_range
from vaelab.generating.sampling import can_sample, sampled
from vaelab.kept_sample import chosen_rows
from vaelab.labels import called, check_conditional, check_known
from vaelab.language import translated
from vaelab.model import Model
from vaelab.model_file import load_model
from vaelab.naming import named_arrays, with_named_arrays
from vaelab.prior_file import TRAINED
from vaelab.runs import Run
from vaelab.training.snapshots import Snapshot, read_snapshots

PIXELS_ON_THE_MAP = 24_000_000
"""At most so many bytes of images go to the page; where the test images are more, the map shows the first of them."""

POINTS = 20_000
"""At most so many points."""

DRAWN_IMAGES = 2_000
"""Where a model comes without images, so many draws from it take their place."""


@dataclass(frozen=True)
class Explored:
    """One model as the explorer shows it. `priors[name]` is the model with that prior in the place of its own.

    Where there are snapshots, the images that they follow come first: `numbers` are all images' numbers among those to choose from (None
    where they are the first of them, in their order).
    """

    name: str
    model: Model
    priors: Mapping[str, Model]
    images: Shaped[np.ndarray, "images ..."]
    total: int  # how many images there were to choose from
    labels: Integer[np.ndarray, " images"] | None = None
    label_names: tuple[str, ...] | None = None
    data: str = "data"
    split: str = "test"
    beta: float = 1.0
    pixels: str = "grey"
    first_prior: str = TRAINED
    metrics: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    numbers: Integer[np.ndarray, " images"] | None = None
    conditional: Model | None = (
        None  # of a model that sees labels; `model` is then the model given one, by which the page decodes
    )
    label: int | None = None  # the one that it was given
    unlabelled: "Explored | None" = None  # what it was before, to be given another

    @cached_property
    def encoded(self) -> Encoded:
        """q(z|x) of the images on the map; of a model that sees labels given each image's own."""
        return encode(self.conditional or self.model, self.images, self.labels)

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image as it is shown; a vector of features is shown as a square, or one row."""
        shape = self.model.image_shape
        if is_picture(shape):
            return (shape[0], shape[1], shape[2] if len(shape) == 3 else 1)
        features = int(np.prod(shape))
        side = round(features**0.5)
        return (side, side, 1) if side * side == features else (1, features, 1)

    @cached_property
    def shown(self) -> tuple[float, float]:
        """The values that are shown as black and as white."""
        return shown_range(self.images)

    @property
    def likelihood(self) -> dict[str, Any]:
        """What the page needs for its own log p(x|z): `form`, and `scale` where it has one; a form of None is not known to the page."""
        decoder = self.model.decoder
        return {"form": None, **(decoder.family.on_page() if isinstance(decoder, ConditionalDensity) else {})}


def images_shown(images: Shaped[np.ndarray, "n ..."]) -> int:
    """How many of the images go on the map: all, unless that is more than a page should carry."""
    each = max(1, int(np.prod(images.shape[1:])))
    return max(1, min(len(images), POINTS, PIXELS_ON_THE_MAP // each))


def order_of(total: int, shown: int, snapshots: Sequence[Snapshot]) -> Integer[np.ndarray, " shown"] | None:
    """Which of `total` images go on the map, those that the snapshots follow in front; None for the first ones in their order."""
    rows = snapshots[0].rows if snapshots else None
    if rows is None or np.array_equal(rows, np.arange(len(rows))):
        return None
    return np.concatenate([rows, np.setdiff1d(np.arange(total), rows)])[:shown].astype(np.int64)


def explored_run(
    run: Run,
    dataset: Dataset,
    *,
    prior: str = TRAINED,
    split: str = "test",
    label: int | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Explored:
    """A run of a folder as the explorer shows it: its own prior and each one fitted to it, its metrics and its snapshots.

    `split`: what the data set's test part holds. `label`: by which the page decodes and draws, of a model that sees labels; where none is
    asked for `say` is told which.

    Raises:
        VaelabError: where the run has no model or a damaged one, no prior of that name, or the data do not fit it.
    """
    model = load_model(run)
    priors = {TRAINED: model} if can_sample(model) else {}
    for name in run.prior_names():
        priors[name] = load_model(run, prior=name)
    if prior not in priors and prior != TRAINED:
        priors[prior] = load_model(run, prior=prior)
    images = model.image_spec.taken(dataset.test.images, dataset.name)
    snapshots = read_snapshots(run, model.latent_dim)
    count = images_shown(images)
    order = order_of(len(images), count, snapshots)
    chosen = slice(count) if order is None else order
    labels = dataset.test.labels
    found = Explored(
        name=run.name,
        model=model,
        priors=priors,
        images=images[chosen],
        total=len(dataset.test),
        labels=None if labels is None else labels[chosen],
        label_names=dataset.label_names,
        data=dataset.name,
        split=split,
        beta=run.config.objective.beta,
        pixels=run.config.data.pixels,
        first_prior=prior,
        metrics=run.metrics(),
        snapshots=snapshots,
        numbers=order,
    )
    found = given_label(found, label)
    if found.conditional is not None and label is None:
        say(translated("{name}; --label chooses another", name=found.name))
    return found


def given_label(explored: Explored, label: int | None) -> Explored:
    """A model that sees labels as the page shows it: decoded and drawn as one label, its images encoded each given its own. Any other as it
    is.

    Raises:
        VaelabError: for a label that the model does not know, a label of a model that sees none, and images without labels.
    """
    model = explored.model
    if not model.is_conditional:
        if label is not None:
            check_conditional(model)
        return explored
    if explored.labels is None:
        raise VaelabError(
            translated(
                "{name}: sees labels, and its images are encoded given theirs; these have none", name=explored.name
            )
        )
    chosen = model.labels[0] if label is None else label
    check_known(model, chosen, explored.label_names)
    known = called(chosen, explored.label_names)
    return replace(
        explored,
        name=translated(
            "{name}, decoded as {label}, encoded given each image's label", name=explored.name, label=known
        ),
        model=model.given(chosen),
        conditional=model,
        label=chosen,
        unlabelled=explored,
        priors={name: one.given(chosen) for name, one in explored.priors.items()},
        snapshots=[_snapshot_given(model, one, chosen) for one in explored.snapshots],
    )


def as_label(explored: Explored, label: int) -> Explored:
    """A model that sees labels decoded and drawn as another one of them; any other as it is. The map stays: its images are encoded given
    their own.

    Raises:
        VaelabError: for a label that the model does not know.
    """
    if explored.unlabelled is None or label == explored.label:
        return explored
    found = given_label(explored.unlabelled, label)
    vars(found)["encoded"] = explored.encoded
    return found


def _snapshot_given(model: Model, snapshot: Snapshot, label: int) -> Snapshot:
    """A snapshot whose decoder is the one given a label, as the page has it."""
    decoder = with_decoder(model, snapshot).given(label).decoder
    arrays = {f"decoder.{name}": array.astype(np.float16) for name, array in named_arrays(decoder).items()}
    return replace(snapshot, decoder=arrays)


def with_decoder(model: Model, snapshot: Snapshot) -> Model:
    """The model with the decoder it had at a snapshot."""
    arrays = {name.removeprefix("decoder."): np.asarray(array, np.float32) for name, array in snapshot.decoder.items()}
    decoder = with_named_arrays(model.decoder, arrays, source=f"snapshot of epoch {snapshot.epoch}")
    return eqx.tree_at(lambda model: model.decoder, model, decoder)


def explored_model(
    model: Model,
    images: Shaped[np.ndarray, "n ..."] | None = None,
    labels: Shaped[np.ndarray, " n"] | None = None,
    *,
    name: str = "VAE",
    data: str = "images",
    split: str = "given",
    beta: float = 1.0,
    metrics: list[dict[str, Any]] | None = None,
    snapshots: Sequence[Snapshot] = (),
    shown: int | None = None,
    label: int | None = None,
    label_names: Sequence[str] | None = None,
) -> Explored:
    """A model without a run folder, as the explorer shows it. Without images, the map shows draws from the model itself.

    `snapshots` are of these images. Of more than `shown` images the map has a choice, the same that a saved estimator keeps.

    Raises:
        VaelabError: where the images do not fit the model, or there are none and nothing can be drawn.
    """
    if images is None:
        drawn = sampled(model, DRAWN_IMAGES)
        images = decode(model, drawn.z, drawn.labels)
        labels = drawn.labels if model.is_conditional else None
        data, split = "draws from the model", "drawn"
    check_images(model, images)
    count = images_shown(images) if shown is None else min(shown, images_shown(images))
    order = order_of(len(images), count, snapshots)
    if order is None and shown is not None and not snapshots and count < len(images):
        order = chosen_rows(len(images), count)
    chosen = slice(count) if order is None else order
    known = None if labels is None else np.unique(labels)
    numbers = None if labels is None or known is None else np.searchsorted(known, labels[chosen])
    names = None if known is None else tuple(map(str, known.tolist()))
    if model.is_conditional and label_names is not None and names is not None and numbers is not None:
        numbers, names = np.array([label_names.index(names[one]) for one in numbers], np.int64), tuple(label_names)
    found = Explored(
        name=name,
        model=model,
        priors={TRAINED: model} if can_sample(model) else {},
        images=images[chosen],
        total=len(images),
        labels=numbers,
        label_names=names,
        data=data,
        split=split,
        beta=beta,
        metrics=metrics or [],
        snapshots=list(snapshots),
        numbers=order,
    )
    return given_label(found, label)
