"""`vaelab evaluate`: every number of a run, on images that it has not seen."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vaelab.cli import completion
from vaelab.cli.options import DataName, PriorName, RunName, Seed, TrainingDataPath
from vaelab.errors import VaelabError
from vaelab.language import in_english, to_translate, translated

if TYPE_CHECKING:
    from vaelab.evaluation.evaluation import Evaluation
    from vaelab.evaluation.feature_networks import FeatureNetwork
    from vaelab.evaluation.material import Material

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
            help=translated("Draws of z for each image. Default: 500; tables report 5000."),
            show_default=False,
        ),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated(
                "What log p(x) is given, by a model that sees labels: given (each image's label) or marginal (summed over labels, the "
                "default). Of any other model: none."
            ),
            show_default=False,
            autocompletion=completion.one_of("none", "given", "marginal"),
        ),
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            metavar="KIND",
            help=translated("grey, dynamic, threshold or static. Default: what the run was trained on."),
            show_default=False,
        ),
    ] = None,
    static_file: Annotated[
        Path | None,
        typer.Option(
            "--static-file",
            metavar="FILE",
            help=translated("The binarised images of --pixels static: .npz, .npy or .amat."),
            show_default=False,
        ),
    ] = None,
    training_data: TrainingDataPath = None,
    samples: Annotated[
        int, typer.Option("--samples", min=0, help=translated("Generated images to judge; 0: none."))
    ] = 10_000,
    own_features: Annotated[
        bool,
        typer.Option(
            "--own-features",
            help=translated(
                "Judge samples and reconstructions in the features of a network trained on the data's own labels or, without any, on "
                "telling its patches apart; some minutes."
            ),
        ),
    ] = False,
    seed: Seed = 0,
    figures: Annotated[bool, typer.Option(help=translated("Draw figures into the report."))] = True,
    explain: Annotated[bool, typer.Option("--explain", help=translated("Say below what each number is."))] = False,
    as_json: Annotated[bool, typer.Option("--json", help=translated("Print the result as one JSON object."))] = False,
) -> None:
    """Measure a run on held-out images: likelihood, rate, prior, samples, latents. Writes RUN/evaluation.json and RUN/report.html."""
    from vaelab.runs import Run

    opened = Run.open(run)
    if importance_samples is not None and importance_samples < 1:
        raise VaelabError(
            translated(
                "--importance-samples {importance_samples}: expected at least 1. 500 is quick, 5000 what papers report",
                importance_samples=importance_samples,
            )
        )
    from vaelab.cli.compilation import use_compilation_cache

    use_compilation_cache()

    from vaelab.cli.steps import steps
    from vaelab.evaluation.evaluation import checked_condition
    from vaelab.evaluation.material import Material
    from vaelab.evaluation.of_run import evaluate_material, write_evaluation

    material = Material(
        opened,
        data=data,
        prior=prior,
        pixels=pixels,
        static_file=None if static_file is None else str(static_file),
        training_data=training_data,
    )
    chosen = checked_condition(material.model, condition)
    from concurrent.futures import ThreadPoolExecutor

    # into the report alone: none is drawn that is not kept
    drawn = figures and not opened.is_packaged
    with steps(quiet=as_json) as on_progress, ThreadPoolExecutor(1) as pool:
        _ = material.judged, material.coded  # what both ask for is read before either does
        # figures are drawn while the numbers are computed: neither keeps two cores busy
        drawing = pool.submit(_pictures, material) if drawn else None
        evaluation = evaluate_material(
            material,
            importance_samples=importance_samples,
            condition=chosen,
            samples=samples,
            seed=seed,
            features=_own_network(material, on_progress) if own_features else None,
            on_progress=on_progress,
        )
        on_progress(to_translate("figures"), 0, 1)
        pictures = {} if drawing is None else drawing.result()
        on_progress(to_translate("figures"), 1, 1)
    written = None
    if opened.is_packaged:
        typer.echo(
            translated("{run} lies in the package, which is not written to; keep the result with --json", run=run),
            err=True,
        )
    else:
        written = write_evaluation(opened, evaluation, pictures)
    if as_json:
        typer.echo(json.dumps(evaluation.to_json(), indent=2))
        return
    _print(evaluation, material, written, explain=explain)


def _print(evaluation: "Evaluation", material: "Material", written: tuple[Path, Path] | None, *, explain: bool) -> None:
    """Names and values, what they are where that is asked for, what is missing and why, and the closing sentence."""
    from rich.console import Console
    from rich.table import Table

    from vaelab.evaluation.doctor import sentence
    from vaelab.evaluation.report import caption_here, reason_name, rows

    console = Console(highlight=False)
    console.print(translated("{name}: {what}", name=material.run.name, what=caption_here(evaluation)))
    console.print()
    table = Table("", "", box=None, show_header=False, pad_edge=False)
    table.columns[0].no_wrap = True
    shown = list(rows(evaluation))
    for name, value, _ in shown:
        table.add_row(translated(name), translated(value))
    console.print(table)
    if explain:
        console.print()
        for name, _, meaning in shown:
            console.print(translated("{name}: {what}", name=translated(name).strip(), what=translated(meaning)))
    if evaluation.reasons:
        console.print()
    for name, reason in evaluation.reasons.items():
        console.print(translated("{name}: {what}", name=reason_name(name), what=translated(reason)), soft_wrap=True)
    parts = [sentence(evaluation, material)]
    if written is not None:
        parts.append(translated("report: {path}", path=written[1]))
    if not explain:
        parts.append(translated("what each number is: --explain"))
    console.print(f"\n{translated('; ').join(parts)}", soft_wrap=True)


CAPTIONS = {
    "latent": "Posterior means of test images",
    "manifold": "The decoder over the latent plane",
    "traversals": "The decoder along single latent dimensions",
    "reconstructions": "Test images and their reconstructions",
    "samples": "Decoded draws of the prior",
    "prior": "The aggregate posterior against the prior",
    "posterior": "Exact posteriors against the encoder's",
}


def _own_network(material: "Material", on_progress: Callable[[str, int, int], None]) -> "FeatureNetwork":
    """A network of the training images' own features.

    Raises:
        VaelabError: where there are no training images, or they are no pictures.
    """
    from vaelab.evaluation.own_features import own_network

    coded = material.coded
    if coded.raw_training is None:
        raise VaelabError(
            translated(
                "--own-features: the run's training images are not to be had; say where they are: --training-data"
            )
        )
    on_progress(to_translate("a network of the data's own features"), 0, 1)
    network = own_network(coded.raw_training, coded.training_labels, data=material.judged.name)
    on_progress(to_translate("a network of the data's own features"), 1, 1)
    return network


def _pictures(material: "Material") -> Pictures:
    """The run's figures by their captions, each once; one that cannot be drawn is left out."""
    from vaelab.plotting.writing import figures_of

    with in_english():  # as the page is that they go into
        drawn = figures_of(material, CAPTIONS, only_available=True)
        return {CAPTIONS[name]: content for name, content in drawn}
