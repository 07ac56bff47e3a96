"""`vaelab reproduce`: the tables of docs/results.md, made again."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.errors import VaelabError
from vaelab.language import translated


def reproduce(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help=translated("A table; without one, the tables are listed."))
    ] = None,
    row: Annotated[
        str | None, typer.Option("--row", metavar="ROW", help=translated("Only this row."), show_default=False)
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help=translated("At most so many seeds of each row."), show_default=False)
    ] = None,
    results: Annotated[Path, typer.Option(help=translated("Where finished rows are written, as NAME.json."))] = Path(
        "docs/results"
    ),
    page: Annotated[Path, typer.Option(help=translated("The page that is made from them."))] = Path("docs/results.md"),
    work: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help=translated("Where the runs lie. Default: the user's cache folder."), show_default=False
        ),
    ] = None,
    page_only: Annotated[
        bool,
        typer.Option("--page-only", help=translated("Make the page again from the finished rows, and nothing else.")),
    ] = False,
) -> None:
    """Make a table of results: train, fit, measure. Stop it at any moment; the same command goes on where it was."""
    from vaelab.reproduction.tables import TABLES, table_named

    if page_only:
        from vaelab.reproduction.page import write_page

        write_page(results, page)
        typer.echo(translated("{page}: made from the finished rows in {results}", page=page, results=results))
        return
    if name is None:
        from vaelab.reproduction.records import read_records

        for table in TABLES:
            wanted = sum(row.seeds * ((0 if row.name == "autoencoder" else 1) + len(row.fitted)) for row in table.rows)
            typer.echo(
                translated(
                    "{name:16} {done:3} of {wanted:3} results   {title}",
                    name=table.name,
                    done=len(read_records(results, table.name)),
                    wanted=wanted,
                    title=table.title,
                )
            )
        return
    table = table_named(name)
    if not results.parent.is_dir():
        raise VaelabError(
            translated(
                "{results}: its parent folder is not there; run this in the repository, or give --results and --page",
                results=results,
            )
        )

    import os

    import pooch

    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.cli.train import EXIT_CODES, _signals
    from vaelab.reproduction.page import write_page
    from vaelab.reproduction.rows import reproduce as make
    from vaelab.training import Stopped

    use_compilation_cache()
    folder = work or Path(os.environ.get("VAELAB_CACHE") or pooch.os_cache("vaelab")) / "reproduce"
    stop = Stopped()

    def say(line: str) -> None:
        typer.echo(translated(line))
        if ", prior " in line:
            write_page(results, page)

    with _signals(stop) as received:
        done = make(table, results=results, work=folder, seeds=seeds, only=row, stop=stop, say=say)
    write_page(results, page)
    if not done:
        typer.echo(translated("stopped; the same command goes on where it was"), err=True)
        raise typer.Exit(EXIT_CODES[received[0]] if received else 1)
    typer.echo(translated("{name}: done; see {page}", name=table.name, page=page))
