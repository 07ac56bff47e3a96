"""The catalogues of messages, made anew from the source: `python -m scripts.write_catalogues`, after any English sentence was changed.

A new message comes into `src/vaelab/locale/*/LC_MESSAGES/vaelab.po` without a translation, and one that is gone goes; what is left to
translate is listed. Nothing is guessed from a message that is alike. Then the `.mo` is compiled, which is what the package reads.
"""

import ast
import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as CatalogMessage
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).parents[1] / "src/vaelab"
LOCALES = SOURCE / "locale"
MARKS = ("translated", "to_translate", "plural")


# Babel's own has the day and the version of Babel
HEADER = """\
# What vaelab says in another language. The words are those of docs/glossary.md; written by scripts/write_catalogues.py.
msgid ""
msgstr ""
"Project-Id-Version: vaelab\\n"
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


class Message(NamedTuple):
    """What is said, its plural where it has one, and where it stands."""

    one: str
    many: str | None
    file: str
    line: int


def messages() -> list[Message]:
    """Every marked message of the package, and the docstring of every command, which is its help."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE.parent).as_posix()
        found += [Message(*said, name, line) for *said, line in _marked(ast.parse(path.read_text(encoding="utf-8")))]
    return found + list(_helps())


def _marked(tree: ast.AST) -> Iterator[tuple[str, str | None, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            texts = [part.value for part in _literals(node) if isinstance(part.value, str)]
            if node.func.id == "plural" and len(texts) >= 2:
                yield texts[0], texts[1], node.lineno
            elif node.func.id != "plural":
                yield from ((text, None, node.lineno) for text in texts)


def _literals(call: ast.Call) -> list[ast.Constant]:
    """The messages of a mark: its first two arguments of `plural`, else the first, which may be one or the other."""
    first = call.args[: 2 if isinstance(call.func, ast.Name) and call.func.id == "plural" else 1]
    parts = [side for one in first for side in ((one.body, one.orelse) if isinstance(one, ast.IfExp) else (one,))]
    return [part for part in parts if isinstance(part, ast.Constant)]


def _helps() -> Iterator[Message]:
    from inspect import getdoc

    from vaelab.cli.app import app, demo

    for command in (*app.registered_commands, *demo.registered_commands):
        path = f"{command.callback.__module__.replace('.', '/')}.py"
        yield Message(getdoc(command.callback), None, path, 1)


def catalogue(before: Catalog, found: list[Message]) -> Catalog:
    """The catalogue of these messages, with the translations that were there before."""
    made = Catalog(before.locale, domain="vaelab", project="vaelab", fuzzy=False)
    for one, many, file, _ in found:
        # without line numbers, which change with every edit
        made.add((one, many) if many else one, locations=[(file, 0)])
    for message in made:
        known = before.get(message.id)
        if message.id and known is not None:
            message.string = known.string
    return made


def po_bytes(made: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, made, width=120, include_lineno=False, ignore_obsolete=True, omit_header=True)
    return HEADER.format(language=made.locale_identifier, plurals=made.plural_forms).encode() + buffer.getvalue()


def mo_bytes(made: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, made)
    return buffer.getvalue()


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], domain="vaelab")


def main() -> None:
    found = messages()
    for path in sorted(LOCALES.glob("*/LC_MESSAGES/vaelab.po")):
        made = catalogue(read(path), found)
        path.write_bytes(po_bytes(made))
        path.with_suffix(".mo").write_bytes(mo_bytes(made))
        missing = [message.id for message in made if message.id and not all(strings(message))]
        print(f"{path}: {len(made)} messages, {len(missing)} to translate")
        for one in missing:
            print(f"  {one!r}")


def strings(message: CatalogMessage) -> tuple[str, ...]:
    """Its translations: of a plural one for each of the language's forms."""
    found = message.string or ""
    return (found,) if isinstance(found, str) else tuple(found)


if __name__ == "__main__":
    main()
