"""The `vaelab` application: every command, in the order a newcomer meets them."""

import typer

from vaelab import __version__
from vaelab.cli.data import data
from vaelab.cli.summary import summary
from vaelab.cli.train import train

app = typer.Typer(
    name="vaelab",
    help="A workbench for variational autoencoders: train one in seconds, look inside it, measure it honestly, repair it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vaelab {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    del version


TRAIN, LOOK, USE, MEASURE = "Train", "Look", "Generate and encode", "Measure and repair"

app.command(rich_help_panel=TRAIN)(train)
app.command(rich_help_panel=TRAIN)(summary)
app.command(rich_help_panel=TRAIN)(data)
