"""How a training shows itself while it runs: live on a terminal, lines elsewhere, JSON on request."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from vaelab.language import plural, translated
from vaelab.runs import Run

Report = dict[str, Any]
OnEpoch = Callable[[Report], None]


@contextmanager
def reporter(run: Run, *, quiet: bool, as_json: bool, tensorboard: bool) -> Iterator[OnEpoch]:
    """What to call after each epoch."""
    with ExitStack() as stack:
        listeners: list[OnEpoch] = []
        if as_json:
            listeners.append(lambda report: print(json.dumps(report), flush=True))
        elif not quiet:
            live = sys.stdout.isatty()
            listeners.append(stack.enter_context(_live(run)) if live else _plain(run))
        if tensorboard:
            from vaelab.training.tensorboard import tensorboard_events

            listeners.append(stack.enter_context(tensorboard_events(run.tensorboard)))

        def on_epoch(report: Report) -> None:
            for listener in listeners:
                listener(report)

        yield on_epoch


def _losses(report: Report) -> str:
    text = f"loss {report['loss']:.2f}  reconstruction {report['reconstruction']:.2f}  kl {report['kl']:.2f}"
    if report["beta"] != 1.0:
        text += f"  beta {report['beta']:.2f}"
    return f"{text}  val_loss {report['val_loss']:.2f}" if "val_loss" in report else text


def _speed(report: Report) -> str:
    return translated("{count:,.0f} images/s", count=report["images_per_second"])


def _plain(run: Run) -> OnEpoch:
    epochs = run.config.training.epochs
    print(
        translated(plural("{folder}: {count} epoch", "{folder}: {count} epochs", epochs, folder=run.folder)), flush=True
    )

    def on_epoch(report: Report) -> None:
        words = translated(
            "epoch {epoch}/{epochs}  {losses}  {seconds:.1f} s  {speed}",
            epoch=report["epoch"],
            epochs=epochs,
            losses=_losses(report),
            seconds=report["seconds"],
            speed=_speed(report),
        )
        print(words, flush=True)

    return on_epoch


@contextmanager
def _live(run: Run) -> Iterator[OnEpoch]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TextColumn("{task.fields[speed]}", style="dim"),
        TimeRemainingColumn(),
    )
    done = len(run.metrics())
    with Progress(*columns) as progress:
        task = progress.add_task(
            str(run.folder), total=run.config.training.epochs, completed=done, losses=translated("compiling"), speed=""
        )

        def on_epoch(report: Report) -> None:
            progress.update(
                task,
                completed=report["epoch"],
                losses=_losses(report),
                speed=_speed(report),
            )

        yield on_epoch
