"""What `inpaint` and `denoise` have in common: several pictures for each image, written and said."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.language import translated

if TYPE_CHECKING:
    import numpy as np

    from vaelab.generating.inpainting import Possible
    from vaelab.model import Model

Draws = Annotated[int, typer.Option("--draws", min=1, help=translated("Pictures for each image."))]
HowMany = Annotated[int, typer.Option("--count", "-n", min=1, help=translated("How many images, from the first on."))]


def write_possible(out: Path, given: "np.ndarray", found: "Possible", arrays: Mapping[str, "np.ndarray"]) -> None:
    """A sheet whose rows are what was given and its draws; else the draws as arrays (or pictures), with what goes beside them."""
    import numpy as np

    from vaelab.generating.files import output_kind, write_images
    from vaelab.generating.pictures import shown_range

    kind = output_kind(out, given.shape[1:])
    if kind == "sheet":
        rows = np.concatenate([given[:, None], found.pictures], axis=1)
        # noise does not decide what is black and white
        pictures = np.clip(rows, *shown_range(found.pictures))
        write_images(out, pictures.reshape(-1, *given.shape[1:]), columns=rows.shape[1])
    elif kind == "arrays":
        write_images(out, found.pictures, arrays={**arrays, "z": found.z, "distinct": found.distinct})
    else:
        write_images(out, found.pictures.reshape(-1, *given.shape[1:]))


def say_possible(out: Path, found: "Possible", name: str, model: "Model", label: str | None) -> None:
    """What was written, and how many of the draws of the image that has fewest are distinct in origin."""
    count, draws = found.pictures.shape[:2]
    given = ""
    if model.is_conditional:
        given = (
            translated(", given their labels")
            if label is None
            else translated(", given the label {label}", label=label)
        )
    typer.echo(
        translated(
            "{out}: {count:,} images of {name}{given}; of the {draws} draws of each at least {least} are distinct in origin",
            out=out,
            count=count,
            name=name,
            given=given,
            draws=draws,
            least=int(found.distinct.min()),
        )
    )
