"""One word for one thing: what docs/glossary.md decides holds on every Chinese page, and in every Chinese word of the package."""

import re
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs/glossary.md"
HAN = re.compile(r"[\u4e00-\u9fff]")

PAGES = sorted(chain(ROOT.glob("*.zh-CN.md"), ROOT.glob("docs/*.zh-CN.md")))
SOURCES = sorted(path for ending in ("py", "js", "toml", "po") for path in ROOT.glob(f"src/**/*.{ending}"))


class Term(NamedTuple):
    """A row of the glossary."""

    english: str
    chinese: str
    meaning: str
    elsewhere: str
    decided_against: str


def terms() -> list[Term]:
    rows = [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows]
    return [Term(*row) for row in cells if row[0] not in ("English", "---")]


def chinese_lines() -> list[tuple[str, str]]:
    """Each line with Chinese in it, of the pages and of the package's own words, and where it stands."""
    return [
        (f"{path.relative_to(ROOT)}:{number}", line)
        for path in (*PAGES, *SOURCES)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if HAN.search(line)
    ]


FORBIDDEN = sorted({word for term in terms() for word in term.decided_against.split("、") if word})


def said_with(word: str, lines: list[tuple[str, str]]) -> list[str]:
    return [f"{place}: {line.strip()}" for place, line in lines if word in line]


def test_there_are_words_to_look_for_and_places_to_look_in():
    assert {"隐空间", "重建", "抽样", "奈特", "纳特"} <= set(FORBIDDEN)
    places = {place.split(":")[0] for place, _ in chinese_lines()}
    assert {"README.zh-CN.md", "docs/evaluation.zh-CN.md", "src/vaelab/explorer/page/texts.js"} <= places
    assert said_with("隐空间", [("page:1", "二维隐空间")])


@pytest.mark.parametrize("word", FORBIDDEN)
def test_a_word_decided_against_is_not_used(word: str):
    assert said_with(word, chinese_lines()) == []


def test_the_unit_is_written_one_way():
    """nats, as the commands print it: not nat, nor Nats."""
    wrong = re.compile(r"(?<![\w-])(?:nat|Nat|Nats|NATS)(?!\w)", re.ASCII)
    assert [place for place, line in chinese_lines() if wrong.search(line)] == []


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.english)
def test_an_entry_is_whole(term: Term):
    assert term.english
    assert term.chinese
    english, _, chinese = term.meaning.partition("<br>")
    assert english
    assert not HAN.search(english)
    assert HAN.search(chinese)


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.english)
def test_a_term_is_one_that_the_pages_use(term: Term):
    """In both languages; else the entry is of no use to a reader."""
    others = {*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")} - {*PAGES, GLOSSARY}
    english = " ".join(path.read_text(encoding="utf-8") for path in others)
    chinese = " ".join(line for _, line in chinese_lines())
    assert re.sub(r" \(.*", "", term.english).strip("`").lower() in " ".join(english.lower().split())
    assert re.sub(r"（.*", "", term.chinese) in chinese


def test_no_word_is_both_used_and_decided_against():
    used = " ".join(term.chinese for term in terms())
    assert [word for word in FORBIDDEN if word in used] == []


def test_both_readmes_lead_to_the_glossary():
    for page in ("README.md", "README.zh-CN.md"):
        assert "(docs/glossary.md)" in (ROOT / page).read_text(encoding="utf-8")
