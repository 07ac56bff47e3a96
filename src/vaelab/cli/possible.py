"""What `inpaint` and `denoise` have in common: several pictures for each image, written and said."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.language import translated

if TYPE_CHECKING:
    import numpy as np

    from vaelab.generating.inpainting import Possible

Draws = Annotated[int, typer.Option("--draws", min=1, help=translated("Pictures for each image."))]
HowMany = Annotated[int, typer.Option("--count", "-n", min=1, help=translated("How many images, from the first on."))]


def write_possible(out: Path, given: "np.ndarray", found: "Possible", arrays: Mapping[str, "np.ndarray"]) -> None:
    """A sheet whose rows are what was given and its draws; else the draws as arrays (or pictures), with what goes beside them."""
    import numpy as np

    from vaelab.generating.files import output_kind, write_images

    kind = output_kind(out, given.shape[1:])
    if kind == "sheet":
        rows = np.concatenate([given[:, None], found.pictures], axis=1)
        pictures = np.clip(rows, 0.0, 1.0) if rows.min() >= -2.0 and rows.max() <= 3.0 else rows
        write_images(out, pictures.reshape(-1, *given.shape[1:]), columns=rows.shape[1])
    elif kind == "arrays":
        write_images(out, found.pictures, arrays={**arrays, "z": found.z, "distinct": found.distinct})
    else:
        write_images(out, found.pictures.reshape(-1, *given.shape[1:]))


def say_possible(out: Path, found: "Possible", name: str) -> None:
    count, draws = found.pictures.shape[:2]
    least, most = int(found.distinct.min()), int(found.distinct.max())
    typer.echo(
        translated(
            "{out}: {count:,} images of {name}, {draws} draws each, of which {least} to {most} are distinct in origin",
            out=out,
            count=count,
            name=name,
            draws=draws,
            least=least,
            most=most,
        )
    )
