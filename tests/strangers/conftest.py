"""The package `outsiders`, installed: its entry points lie on the path for these tests alone, and are read anew."""

import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

# what commands import when they need it: not then, for their threads may be parsing another module (a fault of Python 3.11)
import vaelab.evaluation.evaluation
import vaelab.evaluation.report  # noqa: F401
from vaelab import kinds

HERE = Path(__file__).parent
sys.path.append(str(HERE / "package"))  # its modules, which nothing but its entry points and these tests import
TABLES = (kinds.NETWORKS, kinds.POSTERIORS, kinds.LIKELIHOODS, kinds.PRIORS, kinds.OBJECTIVES)


def forget_rows() -> None:
    """As a process that has not looked for installed packages yet."""
    for table in TABLES:
        table.__dict__.pop("_foreign_rows", None)
        for kind in [kind for kind in table._classes if kind not in table.rows]:
            del table._classes[kind]


@pytest.fixture(scope="package", autouse=True)
def strangers() -> Iterator[None]:
    sys.path.append(str(HERE / "installed"))
    invalidate_caches()
    forget_rows()
    yield
    sys.path.remove(str(HERE / "installed"))
    forget_rows()
