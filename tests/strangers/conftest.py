"""The package `outsiders`, installed: its entry points lie on the path for these tests alone, and are read anew."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from installed_rows import installed

HERE = Path(__file__).parent
sys.path.append(str(HERE / "package"))  # its modules, which nothing but its entry points and these tests import


@pytest.fixture(scope="package", autouse=True)
def strangers() -> Iterator[None]:
    with installed(HERE / "installed"):
        yield
