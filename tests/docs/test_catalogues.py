"""The catalogues are whole: every sentence that a user is told is marked and translated, and what is read is what was written."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message
from babel.messages.mofile import read_mo
from scripts.write_catalogues import LOCALES, MARKS, SOURCE, catalogue, messages, po_bytes, read, strings

CATALOGUES = sorted(LOCALES.glob("*/LC_MESSAGES/vaelab.po"))

ENGLISH_BY_NATURE = {"language.py"}
"""It says that there is no such language, in the one that there always is."""

ERRORS = {"VaelabError", "TrainingDataError", "UnavailableError", "UnreadablePicture"}
SAYING = {"echo", "say", "print"}
DRAWING = {
    "Page",
    "text",
    "_write",
    "label_axes",
    "label_across",
    "label_up",
    "set_title",
    "set_xlabel",
    "set_ylabel",
    "annotate",
}

LETTERS = re.compile(r"[a-z]{2}")
NAMES = re.compile(r"\b(?:nats|log|vaelab|points|loss|val_loss|reconstruction|kl|beta|epoch)\b")
"""What is the same in every language: units, formulas, the program, the names of numbers in a log."""

# a whole line of `loss 1.00  kl 0.00`, which are names of numbers
NUMBERS_OF_A_LOG = {("estimator.py", "print")}


@pytest.fixture(scope="module", params=CATALOGUES, ids=lambda path: path.parts[-3])
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def told(path: Path) -> list[Message]:
    return [message for message in read(path) if message.id]


def key(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def test_there_is_a_catalogue_and_much_in_it():
    assert [path.parts[-3] for path in CATALOGUES] == ["zh_CN"]
    assert len(messages()) > 800


def test_it_has_every_message_and_no_other(path: Path):
    """As `python -m scripts.write_catalogues` would write it: else run that, and translate what it lists."""
    assert {key(m) for m in told(path)} == {key(m) for m in catalogue(read(path), messages()) if m.id}
    assert path.read_bytes() == po_bytes(catalogue(read(path), messages()))
    assert not read(path).obsolete


def test_none_is_left_to_translate(path: Path):
    assert [m.id for m in told(path) if m.fuzzy or not strings(m) or not all(strings(m))] == []


def test_placeholders_are_the_same(path: Path):
    def names(text: str) -> set[tuple[str, str]]:
        return {(name, mark or "") for _, name, _, mark in Formatter().parse(text) if name is not None}

    for message in told(path):
        one, *many = message.id if isinstance(message.id, tuple | list) else (message.id,)
        # `a single Gaussian` says its number without a placeholder
        wanted = names(one).union(*map(names, many))
        assert [names(string) for string in strings(message)] == [wanted] * len(strings(message)), message.id


def test_the_ends_are_alike(path: Path):
    """A message that begins or ends in a space, or with a line's end, is a piece of a longer one."""
    for message in told(path):
        if isinstance(message.id, str) and message.id.startswith("  "):
            assert strings(message)[0].startswith("  "), message.id
        if isinstance(message.id, str):
            assert strings(message)[0].count("\n") == message.id.count("\n"), message.id


def test_what_is_read_is_what_was_written(path: Path):
    with path.with_suffix(".mo").open("rb") as file:
        compiled = {key(m): strings(m) for m in read_mo(file) if m.id}
    assert compiled == {key(m): strings(m) for m in told(path)}


# --- everything that a user is told is marked ------------------------------------------------------------------------


def sources() -> list[Path]:
    found = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
    return [path for name, path in found.items() if name not in ENGLISH_BY_NATURE]


def called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def bare(node: ast.AST) -> Iterator[str]:
    """Words in literals of an expression that stand in no mark."""
    if isinstance(node, ast.Call) and called(node) in MARKS:
        for keyword in node.keywords:
            yield from bare(keyword.value)
    elif isinstance(node, ast.Call | ast.Compare | ast.Subscript):
        return  # what a function gives is its own affair
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and LETTERS.search(NAMES.sub("", node.value)):
            yield node.value
    elif isinstance(node, ast.FormattedValue):
        yield from bare(node.value)
    elif isinstance(node, ast.IfExp):
        yield from (*bare(node.body), *bare(node.orelse))
    else:
        for part in ast.iter_child_nodes(node):
            yield from bare(part)


def unmarked(tree: ast.AST, name: str) -> list[str]:
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        kind = called(call)
        given: list[ast.expr] = []
        if kind in ERRORS or (kind in SAYING and (name.split("/")[-1], kind) not in NUMBERS_OF_A_LOG):
            given = call.args[:1]
        elif kind in ("Option", "Argument", "Typer"):
            given = [keyword.value for keyword in call.keywords if keyword.arg == "help"]
        elif kind in DRAWING and name.startswith("plotting/"):
            given = list(call.args)
        found += [f"{name}:{call.lineno}: {words}" for one in given for words in bare(one)]
    return found


@pytest.mark.parametrize("source", sources(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_everything_that_is_told_is_marked(source: Path):
    tree = ast.parse(source.read_text(encoding="utf-8"))
    assert unmarked(tree, source.relative_to(SOURCE).as_posix()) == []


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise VaelabError('no such run')", 1),
        ("raise VaelabError(f'{name}: no such run')", 1),
        ("raise VaelabError(translated('no such run'))", 0),
        ("raise VaelabError(translated('{what}', what='no run' if x else y))", 1),
        ("x = typer.Option('--seed', help='The seed.')", 1),
        ("typer.echo(f'{out}: written')", 1),
        ("raise VaelabError(error)", 0),
        ("raise VaelabError(f'{name}: {error}')", 0),
    ],
)
def test_what_is_not_marked_is_found(code: str, words: int):
    assert len(unmarked(ast.parse(code), "cli/some.py")) == words


def test_a_mark_is_of_words_that_are_there():
    """A mark of an f-string, or of words put together, would find nothing in a catalogue."""
    for source in sources():
        tree = ast.parse(source.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node) in MARKS):
            said = call.args[: 2 if called(call) == "plural" else 1]
            assert not any(isinstance(arg, ast.JoinedStr | ast.BinOp) for arg in said), (source, call.lineno)
