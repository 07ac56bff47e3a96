"""`vaelab doctor`: what is wrong with a run, and what to do."""

import json
from typing import Annotated

import typer

from vaelab.cli.options import PriorName, RunName, TrainingDataPath
from vaelab.language import to_translate, translated


def doctor(
    run: RunName,
    prior: PriorName = "trained",
    training_data: TrainingDataPath = None,
    as_json: Annotated[bool, typer.Option("--json", help=translated("Print the findings as JSON."))] = False,
) -> None:
    """Look a run over: collapse, overfitting, holes in the prior and the like, each with the figure it rests on and what to do."""
    import dataclasses

    from vaelab.cli.compilation import use_compilation_cache
    from vaelab.runs import Run

    opened = Run.open(run)
    use_compilation_cache()

    from vaelab.cli.steps import steps
    from vaelab.evaluation.doctor import diagnose_run

    with steps(quiet=as_json) as on_progress:
        on_progress(to_translate("looking the run over"), 0, 1)
        findings = diagnose_run(
            opened, prior=prior, training_data=training_data, say=lambda words: typer.echo(words, err=True)
        )
        on_progress(to_translate("looking the run over"), 1, 1)
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
        return
    if not findings:
        typer.echo(
            translated("{name}: nothing found. For all its numbers: vaelab evaluate {run}", name=opened.name, run=run)
        )
    for finding in findings:
        typer.echo(translated("note: {finding}" if finding.harmless else "finding: {finding}", finding=str(finding)))
