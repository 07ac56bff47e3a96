"""What a user is told when an input cannot be used."""


class VaelabError(ValueError):
    """An input that cannot be used, in one line: what it is, what was expected, what came, what to do.

    The command line prints the message without a traceback and exits with code 2. It is a `ValueError`,
    as scikit-learn's callers expect of an estimator.
    """
