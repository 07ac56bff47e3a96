"""`vaelab recipes`: the named models."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.errors import VaelabError
from vaelab.language import translated

if TYPE_CHECKING:
    from rich.table import Table

LIBRARIES = ("pythae",)


def recipes(
    like: Annotated[
        str | None,
        typer.Option(
            metavar="LIBRARY",
            show_default=False,
            help=translated("pythae: for each of its models and samplers the command that replaces it."),
        ),
    ] = None,
) -> None:
    """List the named models: what each is, what it costs and the score that it reaches."""
    from rich.console import Console

    if like is not None and like not in LIBRARIES:
        raise VaelabError(
            translated(
                "--like {like}: the libraries that are known here are: {names}", like=like, names=", ".join(LIBRARIES)
            )
        )
    # a table that is piped is to be read, and not cut at 80 columns
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=140)
    for table in _by_name() if like is None else _like_pythae():
        console.print(table)
    if like is None:
        words = translated(
            "Train one with: vaelab train --recipe NAME. Any part may be another: --prior, --network, --objective, --set."
        )
    else:
        words = translated("What pythae's do otherwise: docs/from-pythae.md. RUN is the folder of a training.")
    console.print(words, soft_wrap=True)


def _by_name() -> "Iterator[Table]":
    from rich.table import Table

    from vaelab.config import recipe_names
    from vaelab.config.headers import header_of

    table = Table(
        translated("recipe"),
        translated("what it is"),
        translated("cost"),
        translated("score"),
        title=translated("Named models"),
        title_justify="left",
    )
    for name in recipe_names():
        header = header_of(name)
        table.add_row(f"[bold]{name}[/bold]", header.title, header.cost, header.score)
    yield table


def _like_pythae() -> "Iterator[Table]":
    from rich.table import Table

    from vaelab.counterparts import MODELS, SAMPLERS

    for title, rows in ((translated("pythae's models"), MODELS), (translated("pythae's samplers"), SAMPLERS)):
        table = Table("pythae", "vaelab", translated("score"), title=title, title_justify="left")
        table.columns[1].overflow = "fold"
        for row in rows:
            command = row.command or translated("none: {reason}", reason=translated(row.why_none))
            table.add_row(f"[bold]{row.theirs}[/bold]", command, row.score)
        yield table
