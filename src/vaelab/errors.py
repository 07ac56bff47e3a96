"""What a user is told when an input cannot be used."""

import difflib
from collections.abc import Iterable


class VaelabError(ValueError):
    """An input that cannot be used, in one line: what it is, what was expected, what came, what to do.

    The command line prints the message without a traceback and exits with code 2. It is a `ValueError`,
    as scikit-learn's callers expect of an estimator.
    """


def nearest_name(name: str, choices: Iterable[str]) -> str:
    """The end of an error sentence: the nearest of the `choices` to `name`, then all of them.

    >>> nearest_name("mnits", ["digits", "mnist"])
    "did you mean 'mnist'? (known: digits, mnist)"
    """
    choices = sorted(choices)
    close = difflib.get_close_matches(name, choices, n=1, cutoff=0.5)
    from vaelab.language import translated

    known = translated("known: {choices}", choices=", ".join(choices))
    return translated("did you mean '{nearest}'? ({known})", nearest=close[0], known=known) if close else known
