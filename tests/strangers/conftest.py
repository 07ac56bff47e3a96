"""The package of strangers, installed: its folder on the path, as `pip install` would put it, and its entry points read anew."""

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

# what commands import when they need it: not then, for their threads may be parsing another module (a fault of Python 3.11)
import vaelab.evaluation.evaluation
import vaelab.evaluation.report  # noqa: F401
from vaelab import kinds

PACKAGE = Path(__file__).parent / "package"
TABLES = (kinds.NETWORKS, kinds.POSTERIORS, kinds.LIKELIHOODS, kinds.PRIORS, kinds.OBJECTIVES)


def forget_rows() -> None:
    """As a process that has not looked for installed packages yet."""
    for table in TABLES:
        table.__dict__.pop("_foreign_rows", None)
        for kind in [kind for kind in table._classes if kind not in table.rows]:
            del table._classes[kind]


@pytest.fixture(scope="package", autouse=True)
def strangers() -> Iterator[None]:
    sys.path.insert(0, str(PACKAGE))
    invalidate_caches()
    forget_rows()
    yield
    sys.path.remove(str(PACKAGE))
    forget_rows()
