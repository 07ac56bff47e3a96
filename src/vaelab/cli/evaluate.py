"""`vaelab evaluate`: every number of a run, on images that it has not seen."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli.options import DataName, PriorName, RunName, Seed, TrainingDataPath
from vaelab.errors import VaelabError

if TYPE_CHECKING:
    from vaelab.evaluation.evaluation import Evaluation
    from vaelab.runs import Run

Pictures = dict[str, bytes]


def evaluate(
    run: RunName,
    data: DataName = None,
    prior: PriorName = "trained",
    importance_samples: Annotated[
        int | None,
        typer.Option(
            "--importance-samples",
            metavar="K",
            help="Draws of z for each image. Default: 500; tables report 5000.",
            show_default=False,
        ),
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help="grey, dynamic, threshold or static. Default: what the run was trained on.",
            show_default=False,
        ),
    ] = None,
    static_file: Annotated[
        Path | None,
        typer.Option(
            "--static-file",
            metavar="FILE",
            help="The binarised images of --pixels static: .npz, .npy or .amat.",
            show_default=False,
        ),
    ] = None,
    training_data: TrainingDataPath = None,
    samples: Annotated[int, typer.Option("--samples", min=0, help="Generated images to judge; 0: none.")] = 10_000,
    seed: Seed = 0,
    figures: Annotated[bool, typer.Option(help="Draw figures into the report.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
) -> None:
    """Measure a run on held-out images: likelihood, rate, prior, samples, latents. Writes RUN/evaluation.json and RUN/report.html."""
    from vaelab.runs import PRETRAINED, Run

    opened = Run.open(run)
    if importance_samples is not None and importance_samples < 1:
        raise VaelabError(
            f"--importance-samples {importance_samples}: expected at least 1. 500 is quick, 5000 what papers report"
        )
    from vaelab.cli.compilation import use_compilation_cache

    use_compilation_cache()

    from vaelab.evaluation.of_run import evaluate_run, write_evaluation
    from vaelab.evaluation.report import caption, rows

    with progress(quiet=as_json) as on_progress:
        evaluation = evaluate_run(
            opened,
            data,
            prior=prior,
            importance_samples=importance_samples,
            pixels=pixels,
            static_file=None if static_file is None else str(static_file),
            samples=samples,
            training_data=training_data,
            seed=seed,
            on_progress=on_progress,
        )
    pictures = _pictures(opened, prior, data, training_data) if figures else {}
    written = None
    if opened.folder.is_relative_to(PRETRAINED):
        typer.echo(f"{run} lies in the package, which is not written to; keep the result with --json", err=True)
    else:
        written = write_evaluation(opened, evaluation, pictures)
    if as_json:
        typer.echo(json.dumps(evaluation.to_json(), indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table(
        "", "value", "what it is", title=f"{opened.name}: {caption(evaluation)}", title_justify="left", box=None
    )
    table.columns[1].justify, table.columns[1].no_wrap, table.columns[0].no_wrap = "right", True, True
    for row in rows(evaluation):
        table.add_row(*row)
    console = Console(highlight=False)
    console.print(table)
    for name, reason in evaluation.reasons.items():
        console.print(f"{name}: {reason}", soft_wrap=True)
    if written is not None:
        console.print(f"\n{_closing(opened, evaluation)}; report: {written[1]}", soft_wrap=True)


def _closing(run: "Run", evaluation: "Evaluation") -> str:
    from vaelab.evaluation.doctor import sentence

    return sentence(evaluation, run.fit_prior_command)


def _pictures(run: "Run", prior: str, data: str | None, training_data: str | None) -> Pictures:
    """The run's figures by their captions; one that cannot be drawn is left out."""
    import tempfile

    from vaelab.plotting import figure_names, write_figures

    captions = {
        "latent": "Posterior means of test images",
        "manifold": "The decoder over the latent plane",
        "traversals": "The decoder along single latent dimensions",
        "reconstructions": "Test images and their reconstructions",
        "samples": "Decoded draws of the prior",
        "prior": "The aggregate posterior against the prior",
        "posterior": "Exact posteriors against the encoder's",
    }
    other = data if data != run.config.data.name else None
    pictures: Pictures = {}
    for name in [name for name in captions if name in figure_names()]:
        with tempfile.TemporaryDirectory() as folder:
            try:
                written = write_figures(
                    run,
                    [name],
                    prior=prior,
                    folder=Path(folder),
                    data=other,
                    training_data=None if other is not None else training_data,
                )
                for path in written:
                    pictures[captions[name]] = path.read_bytes()
            except VaelabError:
                continue  # a figure that this run cannot have
    return pictures


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage, on standard error; nothing where that is no terminal or `quiet`."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda what, done, total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show
