"""`vaelab plot`: the figures of a run."""

from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli.options import PriorName, RunName, TrainingDataPath
from vaelab.language import to_translate, translated


def plot(
    run: RunName,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help=translated(
                "loss, latent, manifold, traversals, reconstructions, samples, prior, posterior. Default: the usual."
            ),
            show_default=False,
        ),
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="KIND", help=translated("png, svg or pdf."))] = "png",  # noqa: A002
    style: Annotated[
        str,
        typer.Option(
            metavar="STYLE",
            help=translated(
                "vaelab, or tutorial: scatter and grid as the Keras tutorial draws them, as NAME-tutorial beside "
                "the others."
            ),
        ),
    ] = "vaelab",
    prior: PriorName = "trained",
    data: Annotated[
        str | None,
        typer.Option(metavar="DATA", help=translated("Test images of other data than the run's: a name or a path.")),
    ] = None,
    training_data: TrainingDataPath = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help=translated("Default: RUN/figures; of pretrained:NAME, figures/NAME. What is there is replaced."),
        ),
    ] = None,
) -> None:
    """Draw the figures of a run: how it trained, its latent space, what it reconstructs and generates."""
    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.cli.steps import steps
    from vaelab.plotting import write_figures
    from vaelab.runs import Run

    use_compilation_cache()
    with steps(quiet=False) as on_progress:
        on_progress(to_translate("figures"), 0, 1)
        written = write_figures(
            Run.open(run),
            names or None,
            format=format,
            style=style,
            data=data,
            training_data=training_data,
            prior=prior,
            folder=out,
            say=lambda words: typer.echo(words, err=True),
        )
        on_progress(to_translate("figures"), 1, 1)
    for path in written:
        typer.echo(str(path))
