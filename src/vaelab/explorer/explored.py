"""What the explorer looks at: a trained model, its priors, the images on the map, and how it was trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Integer, Shaped

from vaelab.conditional import ConditionalDensity
from vaelab.data import Dataset
from vaelab.generating import check_images, decode
from vaelab.generating.pictures import is_picture, shown_range
from vaelab.generating.sampling import can_sample, sample_latents
from vaelab.kept_sample import chosen_rows
from vaelab.model import Model
from vaelab.model_file import load_model
from vaelab.naming import with_named_arrays
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


def explored_run(run: Run, dataset: Dataset, *, prior: str = TRAINED, split: str = "test") -> Explored:
    """A run of a folder as the explorer shows it: its own prior and each one fitted to it, its metrics and its snapshots.

    `split`: what the data set's test part holds.

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
    return Explored(
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
) -> Explored:
    """A model without a run folder, as the explorer shows it. Without images, the map shows draws from the model itself.

    `snapshots` are of these images. Of more than `shown` images the map has a choice, the same that a saved estimator keeps.

    Raises:
        VaelabError: where the images do not fit the model, or there are none and nothing can be drawn.
    """
    if images is None:
        images, labels = decode(model, sample_latents(model, DRAWN_IMAGES)), None
        data, split = "draws from the model", "drawn"
    check_images(model, images)
    count = images_shown(images) if shown is None else min(shown, images_shown(images))
    order = order_of(len(images), count, snapshots)
    if order is None and shown is not None and not snapshots and count < len(images):
        order = chosen_rows(len(images), count)
    chosen = slice(count) if order is None else order
    known = None if labels is None else np.unique(labels)
    return Explored(
        name=name,
        model=model,
        priors={TRAINED: model} if can_sample(model) else {},
        images=images[chosen],
        total=len(images),
        labels=None if labels is None or known is None else np.searchsorted(known, labels[chosen]),
        label_names=None if known is None else tuple(map(str, known.tolist())),
        data=data,
        split=split,
        beta=beta,
        metrics=metrics or [],
        snapshots=list(snapshots),
        numbers=order,
    )
