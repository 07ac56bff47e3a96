"""The `vaelab` application: every command, in the order a newcomer meets them."""

import typer

from vaelab import __version__
from vaelab.cli.compare import compare
from vaelab.cli.data import data
from vaelab.cli.decode import decode
from vaelab.cli.demo_autoencoder import autoencoder
from vaelab.cli.demo_bimodal import bimodal
from vaelab.cli.doctor import doctor
from vaelab.cli.encode import encode
from vaelab.cli.evaluate import evaluate
from vaelab.cli.explore import explore
from vaelab.cli.fit_prior import fit_prior
from vaelab.cli.interpolate import interpolate
from vaelab.cli.plot import plot
from vaelab.cli.reconstruct import reconstruct
from vaelab.cli.reproduce import reproduce
from vaelab.cli.sample import sample
from vaelab.cli.summary import summary
from vaelab.cli.train import train

app = typer.Typer(
    name="vaelab",
    help="A workbench for variational autoencoders: train one in seconds, look inside it, measure it honestly, repair it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(f"vaelab {__version__}")
        raise typer.Exit
    return wanted  # Typer takes what its callback returns for the value


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    del version


TRAIN, LOOK, USE, MEASURE = "Train", "Look", "Generate and encode", "Measure and repair"

app.command(rich_help_panel=TRAIN)(train)
app.command(rich_help_panel=TRAIN)(summary)
app.command(rich_help_panel=TRAIN)(data)

app.command(rich_help_panel=LOOK)(plot)
demo = typer.Typer(no_args_is_help=True, help="The tutorial's arguments, each as one picture.")
demo.command()(autoencoder)
demo.command()(bimodal)
app.add_typer(demo, name="demo", rich_help_panel=LOOK)
app.command(rich_help_panel=LOOK)(explore)

app.command(rich_help_panel=USE)(sample)
app.command(rich_help_panel=USE)(encode)
app.command(rich_help_panel=USE)(decode)
app.command(rich_help_panel=USE)(reconstruct)
app.command(rich_help_panel=USE)(interpolate)

app.command(rich_help_panel=MEASURE)(evaluate)
app.command(rich_help_panel=MEASURE)(doctor)
app.command("fit-prior", rich_help_panel=MEASURE)(fit_prior)
app.command(rich_help_panel=MEASURE)(compare)
app.command(rich_help_panel=MEASURE)(reproduce)
