"""The `vaelab` application: every command, in the order a newcomer meets them."""

from collections.abc import Callable
from inspect import getdoc
from typing import Any

import typer

from vaelab.cli.compare import compare
from vaelab.cli.data import data
from vaelab.cli.decode import decode
from vaelab.cli.demo_autoencoder import autoencoder
from vaelab.cli.demo_bimodal import bimodal
from vaelab.cli.denoise import denoise
from vaelab.cli.doctor import doctor
from vaelab.cli.encode import encode
from vaelab.cli.evaluate import evaluate
from vaelab.cli.explore import explore
from vaelab.cli.fit_prior import fit_prior
from vaelab.cli.inpaint import inpaint
from vaelab.cli.interpolate import interpolate
from vaelab.cli.plot import plot
from vaelab.cli.recipes import recipes
from vaelab.cli.reconstruct import reconstruct
from vaelab.cli.reproduce import reproduce
from vaelab.cli.sample import sample
from vaelab.cli.speaking import OPTION, speak
from vaelab.cli.summary import summary
from vaelab.cli.train import train
from vaelab.language import known_language, translated
from vaelab.version import __version__

app = typer.Typer(
    name="vaelab",
    help=translated(
        "A workbench for variational autoencoders: train one in seconds, look inside it, measure it "
        "honestly, repair it."
    ),
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
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help=translated("Print the version.")
    ),
    language: str | None = typer.Option(
        None,
        "--language",
        metavar="en|zh-CN",
        show_default=False,
        help=translated("What to speak. Default: VAELAB_LANGUAGE, else the language of your locale."),
    ),
) -> None:
    del version
    if language is not None:  # `main` has taken it out of the arguments: this is another caller of the app
        speak(known_language(language, OPTION))


TRAIN, LOOK = translated("Train"), translated("Look")
USE, MEASURE = translated("Generate and encode"), translated("Measure and repair")


def _add(to: typer.Typer, command: Callable[..., Any], panel: str | None = None, name: str | None = None) -> None:
    """Its help is its docstring, in the user's language."""
    to.command(name, help=translated(getdoc(command) or ""), rich_help_panel=panel)(command)


_add(app, train, TRAIN)
_add(app, summary, TRAIN)
_add(app, data, TRAIN)
_add(app, recipes, TRAIN)

_add(app, plot, LOOK)
demo = typer.Typer(no_args_is_help=True, help=translated("The tutorial's arguments, each as one picture."))
_add(demo, autoencoder)
_add(demo, bimodal)
app.add_typer(demo, name="demo", rich_help_panel=LOOK)
_add(app, explore, LOOK)

_add(app, sample, USE)
_add(app, encode, USE)
_add(app, decode, USE)
_add(app, reconstruct, USE)
_add(app, interpolate, USE)
_add(app, inpaint, USE)
_add(app, denoise, USE)

_add(app, evaluate, MEASURE)
_add(app, doctor, MEASURE)
_add(app, fit_prior, MEASURE, "fit-prior")
_add(app, compare, MEASURE)
_add(app, reproduce, MEASURE)
