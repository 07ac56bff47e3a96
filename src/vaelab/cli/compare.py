"""`vaelab compare`: several runs, or several priors of one run, in one table and one figure."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli import completion
from vaelab.cli.options import Overwrite, Seed, TrainingDataPath, output_path
from vaelab.errors import VaelabError

if TYPE_CHECKING:
    from vaelab.evaluation.comparison import Compared
    from vaelab.evaluation.figure import Figure


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

    from vaelab.cli.steps import steps
    from vaelab.evaluation.comparison import compare_runs
    from vaelab.plotting.comparison import comparison_figure
    from vaelab.plotting.writing import figure_bytes
    from vaelab.tensors import write_bytes_safely

    with steps(quiet=as_json) as on_progress:
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
    from vaelab.evaluation.figure import counted
    from vaelab.evaluation.report import caption
    from vaelab.evaluation.scores import score_name

    names = [entry.name for entry in comparison.entries]
    first = comparison.entries[0].evaluation
    setting = first.setting
    name = score_name(setting.levels, grey=first.grey_floor is not None)
    words = {
        "nll_quadrature": f"exact {name}",
        "nll_importance": f"{name}, K = {setting.importance_samples}",
        "elbo": "negative ELBO",
        "reconstruction": "reconstruction loss",
    }
    images = counted(len(comparison.entries[0].scores), "image")
    facts = f"{images} of {setting.data}  ·  {setting.pixels} pixels  ·  seed {seed}"
    scores = [entry.scores for entry in comparison.entries]
    figure = comparison_figure(names, scores, score_name=words[comparison.score], facts=facts)
    write_bytes_safely(out, figure_bytes(figure, ending))
    if as_json:
        typer.echo(json.dumps(comparison.to_json(), indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    columns = ["", "score", f"less {names[0]}", "ELBO", "KL", "hole", "uncovered"]
    judged = any(entry.evaluation.samples is not None for entry in comparison.entries)
    table = Table(*columns, *(["Fréchet"] if judged else []), box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for entry in comparison.entries:
        table.add_row(*_cells(entry, judged))
    console = Console(highlight=False)
    console.print(f"{caption(first).replace(f'; prior {setting.prior}', '')}\n")
    console.print(table)
    console.print(
        f"\nscore: {words[comparison.score]}, nats an image; smaller is better. ± is the standard error over {images}, of the differences "
        "paired on the same images. hole: of the prior, where no code is; uncovered: of the codes, where the prior hardly is; "
        f"1 % for a perfect prior. Figure: {out}",
        soft_wrap=not console.is_terminal,
    )


def _cells(entry: "Compared", judged: bool) -> list[str]:
    from vaelab.evaluation.figure import mean_figure, share

    e = entry.evaluation

    def short(figure: "Figure | None", *, is_share: bool = False) -> str:
        """Without its error: the differences carry theirs."""
        if figure is None:
            return "–"
        bare = dataclasses.replace(figure, standard_error=None)
        return share(bare) if is_share else bare.rounded(2)

    fit = e.prior_fit
    return [
        entry.name,
        mean_figure(entry.scores, "").rounded(2),
        "–" if entry.difference is None else entry.difference.rounded(2),
        short(e.elbo),
        short(e.kl),
        short(None if fit is None else fit.hole_fraction, is_share=True),
        short(None if fit is None else fit.uncovered_fraction, is_share=True),
        *([short(None if e.samples is None else e.samples.frechet_distance)] if judged else []),
    ]
