"""`vaelab data`: the data sets that have a name."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.language import translated


def data(
    cache: Annotated[
        Path | None,
        typer.Option(help=translated("Folder for downloads [default: $VAELAB_CACHE, else the user's cache folder].")),
    ] = None,
) -> None:
    """List the data sets that have a name: where they lie, and their licences."""
    from rich.console import Console
    from rich.table import Table

    from vaelab.data import catalogue

    table = Table(
        "DATA",
        translated("images"),
        translated("where"),
        translated("licence"),
        title=translated("Data sets by name"),
        title_justify="left",
    )
    for column in table.columns[2:]:
        column.overflow = "fold"  # a path is to be copied: nothing of it may be cut off
    for entry in catalogue(cache):
        height, width = entry.image_shape
        place = (
            translated(entry.place)
            if entry.at_hand
            else translated("not here yet; first use downloads it to {place}", place=entry.place)
        )
        table.add_row(
            f"[bold]{entry.name}[/bold]\n{translated(entry.contents)}",
            f"{entry.images:,}\n{height}x{width}",
            place,
            entry.licence,
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(
        translated(
            "DATA may also be a folder of images (sub-folders are labels), a folder of IDX files, .npz or .npy."
        ),
        soft_wrap=True,
    )
