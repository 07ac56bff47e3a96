"""What a recipe says of itself, in the comment that its file begins with."""

from dataclasses import dataclass

from vaelab.config.recipes import RECIPES


@dataclass(frozen=True)
class Header:
    """A recipe's first comment: what it is, the command, what that costs, and the score that it reaches."""

    title: str
    command: str
    cost: str
    score: str
    note: str


def header_of(name: str) -> Header:
    """Of a recipe of the package."""
    lines = (RECIPES / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    comment = [line[1:] for line in lines[: next(n for n, line in enumerate(lines) if not line.startswith("#"))]]
    found = {"command": [], "cost": [], "score": []}
    title, note, current = comment[0].strip(), [], None
    for line in comment[1:]:
        word = line.split(maxsplit=1)[0] if line.split() else ""
        if word in found and line.startswith("   "):
            current = found[word]
            current.append(line.split(maxsplit=1)[1])
        elif current is not None and line.startswith("     "):
            current.append(line.strip())
        else:
            current = None
            note.append(line.strip())
    said = {word: " ".join(parts).strip() for word, parts in found.items()}
    return Header(title, note=" ".join(filter(None, note)), **said)
