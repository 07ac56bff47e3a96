"""`vaelab train --dry-run`: what a training would take."""

import json
from dataclasses import asdict
from typing import Any

import typer

from vaelab.config import Config
from vaelab.language import translated


def print_rehearsal(asked: Config, resolved: Config, data: Any, *, as_json: bool) -> None:
    """Rehearse the training of a resolved configuration, and print its parameters, memory and time."""
    from vaelab.training.beginning import begin, said_of
    from vaelab.training.rehearsal import rehearse

    for words in said_of(asked, resolved):
        typer.echo(words, err=True)
    found = rehearse(resolved, data, begin(resolved, data))
    if as_json:
        derived = {"parameters": found.parameters, "bytes": found.bytes, "epoch_seconds": found.epoch_seconds}
        typer.echo(json.dumps({**asdict(found), **derived}))
        return
    typer.echo(
        translated(
            "parameters  {parameters:,} ({trainable:,} trained)", parameters=found.parameters, trainable=found.trainable
        )
    )
    typer.echo(
        translated(
            "memory      about {all}: weights and optimiser {state}, images {images}, a step of {batch:,} images {step}",
            all=_size(found.bytes),
            state=_size(found.state_bytes),
            images=_size(found.data_bytes),
            batch=resolved.training.batch_size,
            step="?" if found.step_bytes is None else _size(found.step_bytes),
        )
    )
    typer.echo(
        translated(
            "an epoch    about {epoch}: {steps:,} steps of {milliseconds:.1f} ms ({measured} measured) and {scoring} of scoring; "
            "{epochs} epochs about {whole}",
            epoch=_duration(found.epoch_seconds),
            steps=found.steps,
            milliseconds=1e3 * found.step_seconds,
            measured=found.measured_steps,
            scoring=_duration(found.score_seconds),
            epochs=found.epochs,
            whole=_duration(found.epochs * found.epoch_seconds),
        )
    )
    typer.echo(translated("nothing was trained, and nothing written"))


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MB" if count < 2**30 else f"{count / 2**30:.1f} GB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
