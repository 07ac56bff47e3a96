"""The house keeps its walls: no kind of part is known by name outside of its room, and reading a configuration imports no JAX."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

import vaelab
from vaelab.kinds import LIKELIHOODS, NETWORKS, OBJECTIVES, POSTERIORS, PRIORS, Kinds

SOURCE = Path(vaelab.__file__).parent
TABLES = (NETWORKS, POSTERIORS, LIKELIHOODS, PRIORS, OBJECTIVES)
ROOMS = ("networks/", "families/", "priors/", "objectives/")
KNOWN_TO = {
    "kinds.py",  # the tables
    "fitting/",  # each file fits one kind of prior, as its settings say
}
"""Where a part may be known by its class: its room, and those that are of one kind by what they are for."""


def own_names(table: Kinds) -> list[str]:
    return list(table.rows)


NAMES = {name for table in TABLES for name in own_names(table)}
CLASSES = {table.settings_of(name).part.partition(":")[2] for table in TABLES for name in own_names(table)}


def files() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if not name.startswith((*ROOMS, *KNOWN_TO)):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def test_no_part_is_recognised_by_its_class() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in files()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("isinstance", "issubclass")
        and any(isinstance(part, ast.Name | ast.Attribute) and _last(part) in CLASSES for part in ast.walk(node))
    ]
    assert found == []


def test_no_kind_is_compared_by_its_name() -> None:
    """`x.kind == "gaussian"`, `kind in ("normal", "vamp")`, a match on one: what a kind is its settings and its class say."""
    found = []
    for name, tree in files():
        for node in ast.walk(tree):
            if isinstance(node, ast.Compare) and any("kind" in _last(part) for part in (node.left, *node.comparators)):
                words = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
                if words & NAMES:
                    found.append(f"{name}:{node.lineno}")
    assert found == []


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize(
    "code",
    [
        "from vaelab.config import Config; Config().with_values({'model.prior.kind': 'vamp'})",
        "from vaelab.runs import Run; Run.open('pretrained:tutorial').config.model.encoder",
        "from vaelab.fitting.names import kinds; kinds()",
        "from vaelab.config import Config, known_keys; list(known_keys())",
    ],
)
def test_reading_a_configuration_imports_no_jax(code: str) -> None:
    check = "import sys; print([name for name in sys.modules if name.split('.')[0] in ('jax', 'equinox', 'flowjax')])"
    found = subprocess.run([sys.executable, "-c", f"{code}\n{check}"], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_row_names_its_class_and_its_settings() -> None:
    for table in TABLES:
        for name in own_names(table):
            settings = table.settings_of(name)
            assert settings.model_fields["kind"].default == name
            assert hasattr(table.part_of(settings), "build")


def test_the_elbo_is_found_in_under_a_minute() -> None:
    """It is one function of the model's file, and the file is short."""
    tree = ast.parse((SOURCE / "model.py").read_text(encoding="utf-8"))
    terms = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "elbo_terms")
    assert terms.end_lineno is not None
    assert terms.end_lineno - terms.lineno < 45


def test_priors_are_short() -> None:
    """The median file of a prior has under 80 lines."""
    modules = {PRIORS.settings_of(name).part.partition(":")[0].rpartition(".")[2] for name in own_names(PRIORS)}
    lengths = [len((SOURCE / "priors" / f"{name}.py").read_text(encoding="utf-8").splitlines()) for name in modules]
    assert median(lengths) < 80
