"""`vaelab compare`: several runs, or several priors of one run, in one table and one figure."""

import json
from pathlib import Path
from typing import Annotated

import typer

from vaelab.cli import completion
from vaelab.cli.options import Overwrite, Seed, TrainingDataPath, output_path
from vaelab.errors import VaelabError


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [RUN …]",
            help="Run folders, or pretrained:tutorial.",
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    prior: Annotated[
        str,
        typer.Option(
            "--prior",
            metavar="A,B",
            help="Priors to compare: trained, and names made by fit-prior.",
            autocompletion=completion.priors,
        ),
    ] = "trained",
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help="Images to judge all by. Default: what the runs were trained on.",
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    training_data: TrainingDataPath = None,
    pixels: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="One treatment for all: grey, dynamic or threshold.", show_default=False),
    ] = None,
    importance_samples: Annotated[
        int | None, typer.Option("--importance-samples", metavar="K", help="Default: 500.", show_default=False)
    ] = None,
    samples: Annotated[int, typer.Option("--samples", min=0, help="Generated images to judge, for each; 0: none.")] = 0,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help="The figure: .png, .svg or .pdf.")] = Path("comparison.png"),
    overwrite: Overwrite = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as one JSON object.")] = False,
) -> None:
    """Compare runs, or priors of one run, on the same test images, with the standard error of their paired difference."""
    from vaelab.runs import Run

    opened = [Run.open(name) for name in runs]
    priors = [name.strip() for name in prior.split(",") if name.strip()]
    if not priors:
        raise VaelabError("--prior: expected names between commas, such as trained,mixture")
    ending = out.suffix.removeprefix(".")
    if ending not in ("png", "svg", "pdf"):
        raise VaelabError(f"--out {out}: expected a name that ends in .png, .svg or .pdf")
    output_path(out, overwrite=overwrite)

    from vaelab.cli.compilation import use_compilation_cache

    use_compilation_cache()

    from vaelab.cli.evaluate import progress
    from vaelab.evaluation.comparison import compare_runs
    from vaelab.plotting.comparison import comparison_figure
    from vaelab.plotting.writing import figure_bytes
    from vaelab.tensors import write_bytes_safely

    with progress(quiet=as_json) as on_progress:
        comparison = compare_runs(
            opened,
            priors,
            data,
            pixels=pixels,
            importance_samples=importance_samples,
            samples=samples,
            training_data=training_data,
            seed=seed,
            on_progress=on_progress,
        )
    from vaelab.evaluation.report import caption

    names = [entry.name for entry in comparison.entries]
    first = comparison.entries[0].evaluation
    words = {
        "nll_quadrature": "exact negative log-likelihood",
        "nll_importance": f"negative log-likelihood (K = {first.setting.importance_samples})",
        "elbo": "negative ELBO",
        "reconstruction": "reconstruction loss",
    }
    if first.grey_floor is not None:
        words["nll_quadrature"], words["nll_importance"] = (
            "exact grey cross-entropy",
            f"grey cross-entropy (K = {first.setting.importance_samples})",
        )
    setting = first.setting
    facts = f"{setting.images:,} images of {setting.data}  ·  {setting.pixels} pixels  ·  seed {seed}"
    scores = [entry.scores for entry in comparison.entries]
    figure = comparison_figure(names, scores, score_name=words[comparison.score], facts=facts)
    write_bytes_safely(out, figure_bytes(figure, ending))
    if as_json:
        typer.echo(json.dumps(comparison.to_json(), indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    table = Table(
        "",
        words[comparison.score],
        f"less {names[0]}",
        "ELBO",
        "KL",
        "hole",
        "Fréchet",
        title=caption(first),
        title_justify="left",
        box=None,
    )
    for column in table.columns[1:]:
        column.justify = "right"
    for entry in comparison.entries:
        table.add_row(*_cells(entry))
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"± is the standard error over images, of the differences paired on the same images; figure: {out}",
        soft_wrap=True,
    )


def _cells(entry: "object") -> list[str]:
    from vaelab.evaluation.comparison import Compared

    assert isinstance(entry, Compared)
    e = entry.evaluation

    def shown(figure: object, scale: float = 1.0, unit: str = "") -> str:
        from vaelab.evaluation.figure import Figure

        if not isinstance(figure, Figure):
            return "–"
        error = "" if figure.standard_error is None else f" ± {scale * figure.standard_error:.2f}"
        return f"{scale * figure.value:.2f}{error}{unit}"

    from vaelab.evaluation.figure import mean_figure

    return [
        entry.name,
        shown(mean_figure(entry.scores, "")),
        shown(entry.difference),
        shown(e.elbo),
        shown(e.kl),
        shown(None if e.prior_fit is None else e.prior_fit.hole_fraction, 100.0, " %"),
        shown(None if e.samples is None else e.samples.frechet_distance),
    ]
