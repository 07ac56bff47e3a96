"""A page's blocks of code, its command lines, and what it writes beside a statement."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str, bool]]:
    """The language and the text of each block, and whether it is in Keras: the left column of a table that compares."""
    found = []
    for match in re.finditer(r"^```(\w+)\n(.*?)^```", text_of(page), re.DOTALL | re.MULTILINE):
        before = text_of(page)[: match.start()]
        cells = before.count('<td valign="top">') if before.rfind("<table>") > before.rfind("</table>") else 0
        found.append((match[1], match[2], cells % 2 == 1))
    return found


def commands(page: str) -> list[str]:
    """Every command line of a page that begins with `vaelab`, as one types it."""
    lines = [line for language, text, _ in blocks(page) if language == "sh" for line in unbroken(text)]
    lines += [line[4:] for line in text_of(page).splitlines() if line.startswith("    vaelab ")]
    lines += [part.strip() for line in lines for part in line.split("&&")[1:]]
    lines = [line.split("#")[0].split("&&")[0].strip() for line in lines]
    return [line for line in dict.fromkeys(lines) if line.startswith("vaelab ")]


def unbroken(text: str) -> list[str]:
    return text.replace("\\\n", " ").splitlines()


def words_of(line: str) -> list[str]:
    """The arguments of a line; of a synopsis such as `explore RUN [RUN2] [--port 8008]` with all that is optional."""
    return shlex.split(
        line.replace("[", "")
        .replace("]", "")
        .replace("RUN2", "pretrained:tutorial")
        .replace("RUN", "pretrained:tutorial")
    )[1:]


def statements(text: str) -> list[str]:
    """A block's statements, each with the comments of its lines."""
    lines = text.splitlines()
    return ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in ast.parse(text).body]


def agrees(statement: str, namespace: dict[str, Any]) -> bool:
    """Whether a number, or a shape, is written beside an assignment; it must be the one that came out."""
    match = re.search(r"^(\w+) = .*#\s*(\d+\.\d+|\([\d, ]+\))", statement, re.DOTALL)
    if match is None:
        return False
    value, written = namespace[match[1]], match[2]
    if written.startswith("("):
        assert str(value.shape) == written, statement
    else:
        assert f"{value:.{len(written.partition('.')[2])}f}" == written, statement
    return True
