"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli import completion
from vaelab.errors import VaelabError

RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="A run folder, or pretrained:tutorial.", show_default=False, autocompletion=completion.runs
    ),
]
DataName = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATA]",
        help="mnist, digits, fashion-mnist, kmnist, or the path of a file or folder. Default: what the run was trained on.",
        show_default=False,
        autocompletion=completion.data_sets,
    ),
]
PriorName = Annotated[
    str,
    typer.Option(
        "--prior", metavar="NAME", help="trained, or a prior made by fit-prior.", autocompletion=completion.priors
    ),
]
TrainingDataPath = Annotated[
    str | None,
    typer.Option(
        "--training-data",
        metavar="PATH",
        help="Where the data that the run was trained on are now; they are known by their content.",
        show_default=False,
        autocompletion=completion.data_sets,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the random draws.")]


def output_path(path: Path, *, overwrite: bool) -> Path:
    """The path, checked before any work is done for it.

    Raises:
        VaelabError: where something is there and `overwrite` is not given, or its folder cannot be made.
    """
    if path.exists() and not overwrite:
        raise VaelabError(f"{path}: exists already; choose another name, or add --overwrite")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VaelabError(f"{path.parent}: could not be made ({error.strerror}); choose another folder") from None
    return path
