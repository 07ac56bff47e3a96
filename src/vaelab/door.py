"""The door through which a user came, Python or the command line: what they are told is told in its words.

An error deep inside names an option as its reader would write it: `likelihood='gaussian'` in Python, `--likelihood gaussian` on the
command line. The `vaelab` command says once that it is the door; whoever did not come through it came from Python.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Of the process and not of a context: data are also read by threads.
_at_the_command_line = False
_said: set[str] = set()


@contextmanager
def command_line() -> Iterator[None]:
    """While it is open, the user is at the command line."""
    global _at_the_command_line
    before, _at_the_command_line = _at_the_command_line, True
    _said.clear()
    try:
        yield
    finally:
        _at_the_command_line = before


def in_words(*, command: str, python: str) -> str:
    """Whichever of the two belongs to the door.

    >>> in_words(command="vaelab fit-prior RUN mixture", python="vae.fit_prior('mixture')")
    "vae.fit_prior('mixture')"
    """
    return command if _at_the_command_line else python


def flag(name: str) -> str:
    """The name of an option, which is given as Python has it.

    >>> flag("batch_size")
    'batch_size'
    """
    return in_words(command=f"--{name.replace('_', '-')}", python=name)


def option(name: str, value: object = True) -> str:
    """An option and its value; `name` is its name in Python.

    >>> option("likelihood", "gaussian"), option("skip_bad")
    ("likelihood='gaussian'", 'skip_bad=True')
    """
    given = f"--{name.replace('_', '-')}"
    return in_words(command=given if value is True else f"{given} {value}", python=f"{name}={value!r}")


def say(sentence: str) -> None:
    """What was done with an input that its user may not expect: a line on standard error, once a command.

    From Python it goes to the logger `vaelab`, which prints it there too unless it was told otherwise.
    """
    if not _at_the_command_line:
        logging.getLogger("vaelab").warning(sentence)
    elif sentence not in _said:
        _said.add(sentence)
        sys.stderr.write(f"vaelab: {sentence}\n")
