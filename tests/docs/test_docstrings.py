"""The examples in the package's docstrings run, and print what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import vaelab

PACKAGE = Path(vaelab.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    for path in PACKAGE.rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module(name: str):
    done = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert done.attempted > 0
    assert done.failed == 0


def test_there_are_examples():
    assert {"vaelab.nearest", "vaelab.estimator.vae", "vaelab.data.loading"} <= set(MODULES)
