"""How the steps of a command show themselves on standard error: bars on a terminal, plain lines elsewhere, nothing of what is quick."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from vaelab.language import translated

OnProgress = Callable[[str, int, int], None]

SILENT = 2.0
"""Seconds: a step that takes longer is named."""
BETWEEN = 10.0
"""Seconds between two lines of one step."""


@contextmanager
def steps(*, quiet: bool) -> Iterator[OnProgress]:
    """What a step calls with (what, done, total), at its beginning with 0 and at its end with its total; nothing is said where `quiet`."""
    if quiet:
        yield lambda what, done, total: None
    elif sys.stderr.isatty():
        with _bars() as show:
            yield show
    else:
        lines = _Lines(lambda line: print(line, file=sys.stderr, flush=True))
        try:
            yield lines.show
        finally:
            lines.end()


class _Lines:
    """`quadrature ...` once a step takes more than two seconds, then how far it is, every ten, then that it is done."""

    def __init__(self, say: Callable[[str], None], *, silent: float = SILENT, between: float = BETWEEN):
        self._say, self._silent, self._between = say, silent, between
        self._lock = threading.Lock()
        self._what, self._begun, self._said = "", 0.0, 0.0
        self._timer: threading.Timer | None = None

    def show(self, what: str, done: int, total: int) -> None:
        with self._lock:
            now = time.monotonic()
            if what != self._what:
                self._cancel()
                self._what, self._begun, self._said = what, now, 0.0
                if done < total:  # a step that tells nothing on its way is named all the same
                    self._timer = threading.Timer(self._silent, self._name, (what,))
                    self._timer.daemon = True
                    self._timer.start()
            if done >= total:
                self._cancel()
                if self._said:
                    self._say(translated("{what}: done in {seconds:.0f} s", what=what, seconds=now - self._begun))
                self._what = ""
            elif self._said and now - self._said > self._between:
                self._say(translated("{what}: {done:,} of {total:,}", what=what, done=done, total=total))
                self._said = now

    def end(self) -> None:
        with self._lock:
            self._cancel()
            self._what = ""

    def _name(self, what: str) -> None:
        with self._lock:
            if self._what == what and not self._said:
                self._say(f"{translated(what)} …")
                self._said = time.monotonic()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@contextmanager
def _bars() -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(pulse_style="dim"),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(translated(what), total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show
