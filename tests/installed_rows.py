"""Entry points that lie on the path for some tests alone."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path

# what commands import when they need it: not then, for their threads may be parsing another module (a fault of Python 3.11)
import vaelab.evaluation.evaluation
import vaelab.evaluation.report  # noqa: F401
from vaelab import kinds

TABLES = (kinds.NETWORKS, kinds.POSTERIORS, kinds.LIKELIHOODS, kinds.PRIORS, kinds.OBJECTIVES)


def forget_rows() -> None:
    """As a process that has not looked for installed packages yet."""
    kinds.installed.cache_clear()
    for table in TABLES:
        table.__dict__.pop("_foreign_rows", None)
        for kind in [kind for kind in table._classes if kind not in table.rows]:
            del table._classes[kind]


@contextmanager
def installed(*folders: Path) -> Iterator[None]:
    """With the packages that lie in these folders, and their rows; without the rows afterwards."""
    sys.path.extend(map(str, folders))
    invalidate_caches()
    forget_rows()
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(str(folder))
        forget_rows()
