"""The images that a command's DATA argument means."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli import completion

if TYPE_CHECKING:
    from vaelab.data import Split
    from vaelab.model import Model
    from vaelab.runs import Run

PartName = Annotated[
    str | None,
    typer.Option(
        "--part",
        metavar="PART",
        help="train, validation, test or all. Default: test; all of a file or folder that has no parts.",
        show_default=False,
        autocompletion=completion.one_of("train", "validation", "test", "all"),
    ),
]


def input_images(run: "Run", model: "Model", data: str | None, part: str | None) -> tuple["Split", str]:
    """The images, checked against the model, and what to call them.

    Without DATA they are of the run's own data set. One image file is one image, brought to the model's shape.

    Raises:
        VaelabError: where they cannot be read or do not fit the model.
    """
    import numpy as np

    from vaelab.data import Split, load_image, load_images
    from vaelab.data.pictures import IMAGE_SUFFIXES

    if data is not None and Path(data).suffix.lower() in IMAGE_SUFFIXES and not Path(data).is_dir():
        image = load_image(data, model.image_shape)
        return Split(np.asarray(image)[None]), data
    name = data or run.config.data.name
    own = run.config.data
    split, _ = load_images(
        name,
        part=part or ("test" if data is None else None),
        size=own.size if data is None or Path(data).is_dir() else None,
        skip_bad=own.skip_bad,
        fitted=model.values,
        **(
            {name: own.source[name] for name in ("binarised", "validation_size", "validation_seed")}
            if data is None
            else {}
        ),
    )
    return Split(model.image_spec.taken(split.images, name), split.labels), name
