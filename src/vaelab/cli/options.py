"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli import completion
from vaelab.errors import VaelabError
from vaelab.language import translated

RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help=translated("A run folder, or pretrained:tutorial."),
        show_default=False,
        autocompletion=completion.runs,
    ),
]
DataName = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATA]",
        help=translated(
            "mnist, digits, fashion-mnist, kmnist, or the path of a file or folder. Default: what the run "
            "was trained on."
        ),
        show_default=False,
        autocompletion=completion.data_sets,
    ),
]
PriorName = Annotated[
    str,
    typer.Option(
        "--prior",
        metavar="NAME",
        help=translated("trained, or a prior made by fit-prior."),
        autocompletion=completion.priors,
    ),
]
TrainingDataPath = Annotated[
    str | None,
    typer.Option(
        "--training-data",
        metavar="PATH",
        help=translated("Where the data that the run was trained on are now; they are known by their content."),
        show_default=False,
        autocompletion=completion.data_sets,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help=translated("Replace an output that exists."))]
Seed = Annotated[int, typer.Option("--seed", help=translated("The seed of the random draws."))]


def output_path(path: Path, *, overwrite: bool) -> Path:
    """The path, checked before any work is done for it.

    Raises:
        VaelabError: where something is there and `overwrite` is not given, or its folder cannot be made.
    """
    if path.exists() and not overwrite:
        raise VaelabError(translated("{path}: exists already; choose another name, or add --overwrite", path=path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VaelabError(
            translated(
                "{parent}: could not be made ({strerror}); choose another folder",
                parent=path.parent,
                strerror=error.strerror,
            )
        ) from None
    return path
