"""The pages that show how to add a part: their package is written out as they say, installed, and used; and it keeps our laws.

A block whose first line is a comment with a path is that file; one of tests/ has rows for a table of laws. Every other block of Python,
and every command, runs in its order.
"""

import inspect
import tomllib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

import laws.table
import laws.test_families
import laws.test_networks
import laws.test_objectives
import priors.table
import priors.test_prior_laws
from docs.pages import ROOT, agrees, blocks, statements, unbroken, words_of
from installed_rows import installed
from vaelab.cli.app import app

PAGES = sorted(path.stem for path in (ROOT / "docs/extending").glob("*.md"))
LAWS: dict[str, ModuleType] = {
    "network": laws.test_networks,
    "family": laws.test_families,
    "prior": priors.test_prior_laws,
    "objective": laws.test_objectives,
}
FEW = 200


def laws_of(page: str) -> list[Callable[..., None]]:
    return [law for name, law in vars(LAWS[page]).items() if name.startswith("test_")]


def read(page: str) -> list[tuple[str, str]]:
    return [(language, text) for language, text, _ in blocks(f"docs/extending/{page}.md")]


def named(text: str) -> str | None:
    """The path that a block's first line gives it."""
    first = text.splitlines()[0]
    return first.removeprefix("# ") if first.startswith("# ") and "." in first else None


def write_package(page: str, folder: Path) -> None:
    """The files of the page's package, and what installing leaves of its pyproject.toml."""
    for _, text in read(page):
        path = named(text)
        if path == "pyproject.toml":
            project = tomllib.loads(text)["project"]
            about = folder / f"src/{project['name'].replace('-', '_')}-{project['version']}.dist-info"
            about.mkdir(parents=True)
            (about / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
            )
            groups = project["entry-points"].items()
            lines = [
                f"[{group}]\n" + "".join(f"{name} = {at}\n" for name, at in rows.items()) for group, rows in groups
            ]
            (about / "entry_points.txt").write_text("\n".join(lines))
        elif path is not None and path.startswith("src/"):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            (file.parent / "__init__.py").touch()


@pytest.fixture(scope="module", params=PAGES)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp(request.param)
    write_package(request.param, folder)
    with installed(folder / "src"):
        yield request.param


def test_there_is_a_page_for_each_table() -> None:
    assert set(PAGES) == set(LAWS) == {"network", "family", "prior", "objective"}


def test_its_blocks_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    done = []
    for language, text in read(page):
        if named(text) is not None:
            continue
        assert language in ("python", "sh")
        for line in statements(text) if language == "python" else unbroken(text):
            if language == "python":
                exec(line, namespace)
                agrees(line, namespace)
                if line.startswith("X = "):  # few images are enough from here on
                    namespace["X"] = namespace["X"][:FEW]
                continue
            few = ["--epochs", "1", "--no-figures"] if line.startswith("vaelab train digits") else []
            result = CliRunner().invoke(app, words_of(line) + few, catch_exceptions=False)
            assert result.exit_code == 0, result.output
            done.append(line)
    assert len(done) >= 2
    assert namespace["vae"].history_["loss"]


TABLES: dict[str, dict[str, Any]] = {
    name: getattr(table, name)
    for table in (laws.table, priors.table)
    for name in ("NETWORK_SETTINGS", "POSTERIOR_SETTINGS", "LIKELIHOOD_SETTINGS", "OBJECTIVE_SETTINGS", "TABLE")
    if hasattr(table, name)
}


@pytest.fixture
def rows(page: str) -> Iterator[dict[str, list[str]]]:
    """The names of the page's own rows, by table; they stand in the tables as long as the test runs."""
    (text,) = (text for _, text in read(page) if (named(text) or "").startswith("tests/"))
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    own = {name: namespace[name] for name in TABLES if name in namespace}
    assert own
    for name, table in own.items():
        assert not set(table) & set(TABLES[name])
        TABLES[name].update(table)
    yield {name: list(table) for name, table in own.items()}
    for name, table in own.items():
        for row in table:
            del TABLES[name][row]


def cases(law: Callable[..., None], rows: dict[str, list[str]], tmp_path: Path) -> list[dict[str, Any]]:
    """The arguments that a law is run with, for the page's rows."""
    asked = set(inspect.signature(law).parameters)
    posteriors, likelihoods = rows.get("POSTERIOR_SETTINGS", []), rows.get("LIKELIHOOD_SETTINGS", [])
    if asked == {"what", "name"}:
        each = [("posterior", name) for name in posteriors] + [("likelihood", name) for name in likelihoods]
        return [{"what": what, "name": name} for what, name in each]
    values: dict[str, Any] = {
        "name": [name for table, names in rows.items() if table != "POSTERIOR_SETTINGS" for name in names],
        "given": laws.test_networks.GIVEN,
        "prior": laws.test_objectives.PRIORS[:1],
        "posterior": posteriors,
        "likelihood": likelihoods,
        "tmp_path": [tmp_path],
    }
    found = [dict(zip(asked, row, strict=True)) for row in product(*(values[name] for name in asked))]
    assert found, f"{law.__name__} has nothing to run over"
    return found


@pytest.mark.parametrize(("page", "law"), [(page, law) for page in LAWS for law in laws_of(page)], indirect=["page"])
def test_it_keeps_the_laws(page: str, law: Callable[..., None], rows: dict[str, list[str]], tmp_path: Path) -> None:
    for case in cases(law, rows, tmp_path):
        law(**case)


def test_the_pages_lead_to_one_another() -> None:
    for page in PAGES:
        text = (ROOT / f"docs/extending/{page}.md").read_text(encoding="utf-8")
        assert all(f"({other}.md)" in text for other in PAGES if other != page)
        assert f"(docs/extending/{page}.md)" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
