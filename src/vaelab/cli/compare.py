"""`vaelab compare`: several runs, or several priors of one run, in one table and one figure."""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli import completion
from vaelab.cli.options import Overwrite, Seed, TrainingDataPath, output_path
from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

if TYPE_CHECKING:
    from vaelab.evaluation.comparison import Compared
    from vaelab.evaluation.figure import Figure


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN [RUN …]",
            help=translated("Run folders, or pretrained:tutorial."),
            show_default=False,
            autocompletion=completion.runs,
        ),
    ],
    prior: Annotated[
        str,
        typer.Option(
            "--prior",
            metavar="A,B",
            help=translated("Priors to compare: trained, and names made by fit-prior."),
            autocompletion=completion.priors,
        ),
    ] = "trained",
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DATA",
            help=translated("Images to judge all by. Default: what the runs were trained on."),
            show_default=False,
            autocompletion=completion.data_sets,
        ),
    ] = None,
    training_data: TrainingDataPath = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help=translated("One treatment for all: grey, dynamic or threshold."), show_default=False
        ),
    ] = None,
    importance_samples: Annotated[
        int | None,
        typer.Option("--importance-samples", metavar="K", help=translated("Default: 500."), show_default=False),
    ] = None,
    samples: Annotated[
        int, typer.Option("--samples", min=0, help=translated("Generated images to judge, for each; 0: none."))
    ] = 0,
    seed: Seed = 0,
    out: Annotated[Path, typer.Option(help=translated("The figure: .png, .svg or .pdf."))] = Path("comparison.png"),
    overwrite: Overwrite = False,
    as_json: Annotated[
        bool, typer.Option("--json", help=translated("Print the comparison as one JSON object."))
    ] = False,
) -> None:
    """Compare runs, or priors of one run, on the same test images, with the standard error of their paired difference."""
    from vaelab.runs import Run

    opened = [Run.open(name) for name in runs]
    priors = [name.strip() for name in prior.split(",") if name.strip()]
    if not priors:
        raise VaelabError(translated("--prior: expected names between commas, such as trained,mixture"))
    ending = out.suffix.removeprefix(".")
    if ending not in ("png", "svg", "pdf"):
        raise VaelabError(translated("--out {out}: expected a name that ends in .png, .svg or .pdf", out=out))
    output_path(out, overwrite=overwrite)

    from vaelab.cli.compilation import use_compilation_cache

    use_compilation_cache()

    from vaelab.cli.steps import steps
    from vaelab.evaluation.comparison import compare_runs
    from vaelab.plotting.comparison import comparison_figure
    from vaelab.plotting.lettering import drawable_language
    from vaelab.plotting.page import SEPARATOR
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
    from vaelab.evaluation.report import caption_here
    from vaelab.evaluation.scores import score_name

    names = [entry.name for entry in comparison.entries]
    first = comparison.entries[0].evaluation
    setting = first.setting
    name = score_name(setting.levels, grey=first.grey_floor is not None)
    words = {
        "nll_quadrature": to_translate("exact {score}", score=name),
        "nll_importance": to_translate("{score}, K = {samples}", score=name, samples=setting.importance_samples),
        "elbo": to_translate("negative ELBO"),
        "reconstruction": to_translate("reconstruction loss"),
    }
    images = counted(len(comparison.entries[0].scores), "image")
    scores = [entry.scores for entry in comparison.entries]
    with drawable_language():
        facts = SEPARATOR.join(
            (
                translated("{images} of {data}", images=images, data=setting.data),
                translated("{pixels} pixels", pixels=setting.pixels),
                translated("seed {seed}", seed=seed),
            )
        )
        figure = comparison_figure(names, scores, score_name=translated(words[comparison.score]), facts=facts)
    write_bytes_safely(out, figure_bytes(figure, ending))
    if as_json:
        typer.echo(json.dumps(comparison.to_json(), indent=2))
        return

    from rich.console import Console
    from rich.table import Table

    columns = [
        "",
        translated("score"),
        translated("minus {first}", first=names[0]),
        "ELBO",
        "KL",
        translated("hole"),
        translated("uncovered"),
    ]
    judged = any(entry.evaluation.samples is not None for entry in comparison.entries)
    if judged:
        columns.append(translated("Fréchet"))
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in table.columns[1:]:
        column.justify, column.no_wrap = "right", True
    for entry in comparison.entries:
        table.add_row(*_cells(entry, judged))
    console = Console(highlight=False)
    console.print(f"{caption_here(first, prior=False)}\n")
    console.print(table)
    console.print(
        "\n"
        + translated(
            "score: {score}, nats per image; smaller is better. ± is the standard error over {images}, of the differences "
            "paired on the same images. hole: share of the prior where no code lies; uncovered: share of the codes where "
            "the prior has hardly any mass; 1 % for a perfect prior. Figure: {out}",
            score=words[comparison.score],
            images=images,
            out=out,
        ),
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
