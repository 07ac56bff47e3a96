"""The images that a command's DATA argument means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli import completion
from vaelab.language import translated

if TYPE_CHECKING:
    from vaelab.data import Split
    from vaelab.data.image_spec import ImageSpec
    from vaelab.model import Model
    from vaelab.runs import Run

PartName = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="PART",
        help=translated("train, validation, test or all. Default: test; all of a file or folder that has no parts."),
        show_default=False,
        autocompletion=completion.one_of("train", "validation", "test", "all"),
    ),
]


def input_images(
    run: "Run",
    model: "Model",
    data: str | None,
    part: str | None,
    training_data: str | None = None,
    *,
    spec: "ImageSpec | None" = None,
) -> tuple["Split", str]:
    """The images, checked against the model (or `spec`), and what to call them.

    Without DATA they are of the run's own data set, wherever `training_data` says that it is. One image file is one image, brought to
    the model's shape.

    Raises:
        VaelabError: where they cannot be read or do not fit the model.
    """
    import numpy as np

    from vaelab.data import Split, load_image, load_images
    from vaelab.data.pictures import IMAGE_SUFFIXES

    wanted = model.image_spec if spec is None else spec
    if data is not None and Path(data).suffix.lower() in IMAGE_SUFFIXES and not Path(data).is_dir():
        image = load_image(data, model.image_shape)
        return Split(np.asarray(image)[None]), data
    if data is None:
        split, name = _own_images(run, part or "test", training_data)
    else:
        own = run.config.data
        size = own.size if Path(data).is_dir() else None
        split, _ = load_images(data, part=part, size=size, skip_bad=own.skip_bad, fitted=wanted.values)
        name = data
    return Split(wanted.taken(split.images, name), split.labels), name


def _own_images(run: "Run", part: str, training_data: str | None) -> tuple["Split", str]:
    from vaelab.data.whole import joined, load_images, named_part
    from vaelab.run_data import run_data

    own = run_data(run, training_data)
    if own.note:
        typer.echo(translated(own.note), err=True)
    if part == "all" and own.source is not None:  # in the order that they have where they lie
        where = {name: own.source[name] for name in ("name_or_path", "size", "binarised", "skip_bad")}
        return load_images(**where, part="all")[0], own.dataset.name
    if part == "all" and own.split != "test":  # what stands in for test images is there already
        return joined([own.dataset.train, own.dataset.validation]), own.dataset.name
    return named_part(own.dataset, part), own.dataset.name
