"""What is said of a long step, and that nothing is said of a short one."""

import threading

import pytest

from vaelab.cli.steps import _Lines, steps


def test_a_step_that_tells_nothing_is_named_once_it_is_long() -> None:
    said: list[str] = []
    named = threading.Event()

    def say(line: str) -> None:
        said.append(line)
        named.set()

    lines = _Lines(say, silent=0.0, between=1e9)
    lines.show("baselines", 0, 1)
    assert named.wait(10.0)
    lines.show("baselines", 1, 1)
    assert said == ["baselines …", "baselines: done in 0 s"]


def test_a_long_step_tells_how_far_it_is() -> None:
    said: list[str] = []
    named = threading.Event()
    lines = _Lines(lambda line: (said.append(line), named.set())[0], silent=0.0, between=-1.0)
    lines.show("quadrature", 0, 2000)
    assert named.wait(10.0)
    lines.show("quadrature", 1000, 2000)
    lines.show("quadrature", 2000, 2000)
    assert said == ["quadrature …", "quadrature: 1,000 of 2,000", "quadrature: done in 0 s"]


def test_short_steps_are_not_mentioned(capsys: pytest.CaptureFixture[str]) -> None:
    for quiet in (True, False):
        with steps(quiet=quiet) as on_progress:
            on_progress("baselines", 0, 1)
            on_progress("baselines", 1, 1)
            on_progress("quadrature", 0, 9)  # never ends: an error on its way, perhaps
    assert capsys.readouterr().err == ""
