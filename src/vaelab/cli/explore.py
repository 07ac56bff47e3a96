"""`vaelab explore`: a trained latent space in the browser, or as one file to give away."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli import completion
from vaelab.cli.options import Overwrite, PriorName, TrainingDataPath, output_path
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

if TYPE_CHECKING:
    import socket

    from vaelab.explorer.bundle import Bundle
    from vaelab.explorer.source import Source

DEFAULT_RUN = "pretrained:tutorial"
MOST_RUNS = 2


def explore(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN [RUN2]]",
            help=translated("One run, or two to compare. Default: {default_run}.", default_run=DEFAULT_RUN),
            show_default=False,
            autocompletion=completion.runs,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help=translated("Images for the map: a name or a path. Default: the run's own test images."),
            autocompletion=completion.data_sets,
        ),
    ] = None,
    training_data: TrainingDataPath = None,
    prior: PriorName = "trained",
    label: Annotated[
        str | None,
        typer.Option(
            metavar="LABEL",
            help=translated("Decode and draw as this label, by a model that sees labels. Default: the first of them."),
            show_default=False,
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html", help=translated("Write one file that opens from the disk, instead of serving.")
        ),
    ] = None,
    whole: Annotated[
        bool,
        typer.Option(
            "--whole",
            help=translated("With --export: leave nothing out, however large the file; else it stays under 12 MB."),
        ),
    ] = False,
    port: Annotated[int, typer.Option(help=translated("Where to serve; the next free one if it is taken."))] = 8008,
    open_browser: Annotated[
        bool, typer.Option("--open/--no-open", help=translated("Open the page in the browser."))
    ] = True,
    overwrite: Overwrite = False,
) -> None:
    """Move through a latent space: decode, draw, interpolate, select, sample, compare, replay the training."""
    names = runs or [DEFAULT_RUN]
    if len(names) > MOST_RUNS:
        raise VaelabError(
            translated(
                "explore: one run, or two to compare; found {count}. Give at most {most}",
                count=len(names),
                most=MOST_RUNS,
            )
        )
    if whole and export is None:
        raise VaelabError(translated("--whole belongs to --export FILE.html; a page that is served leaves nothing out"))
    if export is not None:
        export = output_path(export, overwrite=overwrite)

    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.cli.steps import steps
    from vaelab.explorer import bundle_of
    from vaelab.explorer.server import free_port
    from vaelab.explorer.source import Source, stamp_of

    def say(words: str) -> None:
        typer.echo(words, err=True)

    use_compilation_cache()
    if export is not None:
        from vaelab.explorer.export import MOST_BYTES, write_export

        with steps(quiet=False) as on_progress:
            on_progress(to_translate("gathering the map"), 0, 1)
            bundle = bundle_of(names, data=data, prior=prior, training_data=training_data, label=label, say=say)
            on_progress(to_translate("gathering the map"), 1, 1)
            on_progress(to_translate("writing {export}", export=export), 0, 1)
            made = write_export(bundle, export, None if whole else MOST_BYTES)
            on_progress(to_translate("writing {export}", export=export), 1, 1)
        if made.left_out:
            more = "" if whole else translated("; --whole writes everything")
            say(
                translated(
                    "{export}: left out, for a small file: {left_out}{more}",
                    export=export,
                    left_out="; ".join(map(translated, made.left_out)),
                    more=more,
                )
            )
        for words in made.not_decoded:
            say(f"{export}: {words}")
        typer.echo(
            translated(
                "{export}: {size:.1f} MB; open it in any browser, with or without a network",
                export=export,
                size=made.size / 1e6,
            )
        )
        return

    listener = free_port(port)
    found = listener.getsockname()[1]
    if port not in (0, found):
        typer.echo(translated("port {port} is in use; serving on {found}", port=port, found=found))

    def gathered() -> "Bundle":
        return bundle_of(names, data=data, prior=prior, training_data=training_data, label=label, say=say)

    try:
        source = Source(gathered, stamp_of(names))
    except BaseException:
        listener.close()
        raise
    _serve(source, listener, open_browser=open_browser)


def _serve(source: "Source", listener: "socket.socket", *, open_browser: bool) -> None:
    import webbrowser

    from vaelab.explorer.server import serve

    def ready(address: str) -> None:
        typer.echo(f"{address}\n{translated('(Ctrl-C ends it)')}")
        if open_browser:
            webbrowser.open(address)

    serve(source, listener, ready=ready)
