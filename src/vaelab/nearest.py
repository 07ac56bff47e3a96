"""The nearest of some names to one that is none: the end of an error sentence."""

import difflib
from collections.abc import Iterable

from vaelab.language import translated


def nearest_name(name: str, choices: Iterable[str]) -> str:
    """The end of an error sentence: the nearest of the `choices` to `name`, then all of them.

    >>> nearest_name("mnits", ["digits", "mnist"])
    "did you mean 'mnist'? (known: digits, mnist)"
    """
    choices = sorted(choices)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)

    known = translated("known: {choices}", choices=", ".join(choices))
    return translated("did you mean '{nearest}'? ({known})", nearest=close[0], known=known) if close else known
