"""The page's ES modules as one script, for a file that opens from the disk and for a notebook.

The modules keep to one style (named imports from relative paths, named exports of declarations), so that joining them needs no
bundler: each becomes a function that returns its exports, called once, after those that it imports.
"""

import json
import re
from functools import cache
from pathlib import Path

PAGE = Path(__file__).parent / "page"

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_SIDE_IMPORT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)
_COMMENT = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n|^ *//[^\n]*\n|/\*\* @[^*]*\*/ ?", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let) +(\w+))", re.MULTILINE)


@cache
def assemble(entry: str) -> str:
    """The module `entry` (a path under `page/`) and all that it imports, as one classic script: an expression of its exports.

    Raises:
        ValueError: where a module is written in another style than this joins, or modules import each other in a circle.
    """
    order: list[str] = []
    texts: dict[str, str] = {}
    _visit(PAGE / entry, texts, order, [])
    modules = "\n".join(texts[name] for name in order)
    return f'(() => {{\n"use strict";\nconst modules = {{}};\n{modules}\nreturn modules[{json.dumps(_name(PAGE / entry))}];\n}})()'


def worker_script() -> str:
    """The worker's whole program."""
    return f"{assemble('worker.js')};\n"


def page_script() -> str:
    """The whole program of a page, served or as a file."""
    return _closed(f"{assemble('main.js')}.begin({_embedded(worker_script())});\n")


def notebook_module() -> str:
    """The ES module that anywidget loads."""
    return f"export default {assemble('notebook.js')}.widget({_embedded(worker_script())});\n"


def style_sheet() -> str:
    return (PAGE / "style.css").read_text(encoding="utf-8")


def _embedded(script: str) -> str:
    """A script as a string of another, safe inside a `script` element."""
    return json.dumps(script).replace("<", "\\u003c")


def _closed(script: str) -> str:
    if re.search(r"</script|<!--", script, re.IGNORECASE):
        raise ValueError("the page's script holds text that would end a script element")
    return script


def _visit(path: Path, texts: dict[str, str], order: list[str], above: list[str]) -> None:
    name = _name(path)
    if name in texts:
        return
    if name in above:
        raise ValueError(f"modules import each other in a circle: {' -> '.join([*above, name])}")
    source = _COMMENT.sub("", path.read_text(encoding="utf-8"))
    for match in _IMPORT.finditer(source):
        _visit(path.parent / match[2], texts, order, [*above, name])
    texts[name] = _as_function(path, source)
    order.append(name)


def _as_function(path: Path, source: str) -> str:
    def to_constant(match: re.Match[str]) -> str:
        names = re.sub(r"(\w+) as (\w+)", r"\1: \2", match[1])
        return f"const {{{names}}} = modules[{json.dumps(_name(path.parent / match[2]))}];\n"

    exports = _EXPORT.findall(source)
    body = _EXPORT.sub("", _IMPORT.sub(to_constant, source))
    left = _SIDE_IMPORT.search(body)
    if left:
        raise ValueError(f"{path.name}: '{left[0]}' is no import or export that assemble.py knows")
    return f"modules[{json.dumps(_name(path))}] = (() => {{\n{body}return {{ {', '.join(exports)} }};\n}})();"


def _name(path: Path) -> str:
    return path.resolve().relative_to(PAGE.resolve()).as_posix()
