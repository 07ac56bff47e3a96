"""A page and its Chinese twin say the same: neither has a heading, a block of code, a table, a number or a link that the other lacks."""

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENDING = ".zh-CN.md"
TWINS = sorted(
    str(path.relative_to(ROOT)).removesuffix(ENDING)
    for folder in (ROOT, ROOT / "docs")
    for path in folder.glob(f"*{ENDING}")
)

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
INDENTED = re.compile(r"(?<=\n\n)(?: {4}.*\n)(?:(?: {4}.*)?\n)*")
COMMENT = re.compile(r" *(?:#|(?<!:)//).*")
SPAN = re.compile(r"`[^`\n]+`")
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)]*)\)")

UNITS = "nats|%|ms|s|kB|MB|GB|σ"
SCALES = {"": 1, "megapixels": 10**6, "million": 10**6, "billion": 10**9, "万": 10**4, "亿": 10**8}
NUMBER = re.compile(
    rf"(?<![\w.])(\d+(?:,\d{{3}})*(?:\.\d+)?(?:e-?\d+)?)(?:\s?({'|'.join(filter(None, SCALES))}))?(?:\s?({UNITS})(?![a-zA-Z]))?",
    re.ASCII,
)


def pages(name: str) -> tuple[str, str]:
    english, chinese = ((ROOT / f"{name}{ending}").read_text(encoding="utf-8") for ending in (".md", ENDING))
    return english, chinese


def code(text: str) -> list[tuple[str, str]]:
    """The language and the text of each block of code, fenced or indented, without the comments, which are in the page's own language."""
    found = [(match.start(), match[1], match[2]) for match in FENCE.finditer(text)]
    fenced = [(match.start(), match.end()) for match in FENCE.finditer(text)]
    found += [
        (match.start(), "indented", match[0].rstrip() + "\n")
        for match in INDENTED.finditer(text)
        if not any(start < match.start() < end for start, end in fenced)
    ]
    return [(language, COMMENT.sub("", block)) for _, language, block in sorted(found)]


def prose(text: str) -> str:
    """The page without its blocks of code."""
    return INDENTED.sub("\n", FENCE.sub("", text))


def spans(text: str) -> Counter[str]:
    """What stands in `backquotes`."""
    return Counter(SPAN.findall(prose(text)))


def numbers(text: str) -> Counter[tuple[float, str]]:
    """Each number of the prose, with its unit where it has one: 4 billion and 40 亿 are the same, and so are 5,000 and 5000."""
    words = LINK.sub(lambda match: match[0][: -len(match[2]) - 2], SPAN.sub("", prose(text)))
    words = re.sub(r"[₀-₉]", "", words)
    return Counter(
        (float(f"{float(match[1].replace(',', '')) * SCALES[match[2] or '']:.9g}"), match[3] or "")
        for match in NUMBER.finditer(words)
    )


def headings(text: str) -> list[int]:
    """The level of each heading, in order."""
    return [len(match[1]) for match in re.finditer(r"^(#+) ", prose(text), re.MULTILINE)]


def paragraphs(text: str) -> list[str]:
    """The kind of each paragraph, in order: a heading, a point of a list, a table, a picture, or words."""
    kinds = {"#": "heading", "- ": "point", "|": "table", "!": "picture", "<": "columns"}
    blocks = [block for block in re.split(r"\n(?=- )|\n\s*\n", prose(text)) if block.strip()]
    return [
        next((kind for mark, kind in kinds.items() if block.lstrip().startswith(mark)), "words") for block in blocks
    ]


def tables(text: str) -> list[int]:
    """The cells of each row of each table, in order."""
    return [len(re.findall(r"(?<!\\)\|", line)) - 1 for line in prose(text).splitlines() if line.startswith("|")]


def links(text: str) -> Counter[str]:
    """Where the page leads, pictures and the places within a page apart; a Chinese page by its English twin's name."""
    targets = [target for picture, target in LINK.findall(prose(text)) if not picture and not target.startswith("#")]
    return Counter(target.replace(ENDING, ".md") for target in targets)


def test_the_pages_that_have_a_twin():
    assert {"README", "CONTRIBUTING"} <= set(TWINS)
    assert {f"docs/{name}" for name in ("data", "evaluation", "explorer", "from-keras")} <= set(TWINS)


@pytest.mark.parametrize("name", TWINS)
def test_each_names_the_other_at_its_head(name: str):
    english, chinese = (text[:400] for text in pages(name))
    assert f"]({Path(name).name}{ENDING})" in english
    assert f"[English]({Path(name).name}.md)" in chinese


@pytest.mark.parametrize(
    "what", [headings, paragraphs, code, tables, spans, numbers, links], ids=lambda what: what.__name__
)
@pytest.mark.parametrize("name", TWINS)
def test_both_have_the_same(name: str, what: Callable[[str], list | Counter]):
    english, chinese = (what(text) for text in pages(name))
    if isinstance(english, Counter) and isinstance(chinese, Counter):
        assert (english - chinese, chinese - english) == (Counter(), Counter())
    assert english == chinese


@pytest.mark.parametrize("name", TWINS)
def test_a_chinese_page_leads_to_chinese_pages(name: str):
    page = ROOT / f"{name}{ENDING}"
    for _, target in LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if target.endswith(".md") and not target.startswith("http") and target != f"{Path(name).name}.md":
            aimed = page.parent / target
            assert aimed.is_file()
            assert target.endswith(ENDING) or not aimed.with_name(aimed.name.replace(".md", ENDING)).exists(), target


def anchor(heading: str) -> str:
    """A heading's name in the address, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [f"{name}{ending}" for name in TWINS for ending in (".md", ENDING)])
def test_a_place_within_the_page_is_one_of_its_headings(page: str):
    text = prose((ROOT / page).read_text(encoding="utf-8"))
    headed = {anchor(heading) for heading in re.findall(r"^#+ (.*)", text, re.MULTILINE)}
    assert {target[1:] for _, target in LINK.findall(text) if target.startswith("#")} <= headed


@pytest.mark.parametrize(
    ("english", "chinese", "same"),
    [
        ("at 45.53 nats", "是 45.53 nats", True),
        ("4 billion pixels", "40 亿个像素", True),
        ("10,000 of 28 x 28", "28 x 28 的 10,000 张", True),
        ("1.4 %", "1.4 nats", False),
        ("0.31 of the time", "0.30 的时间", False),
        ("154.2 (153.2 to 155.3)", "154.2（153.2 至 155.3）", True),
        ("82.43 ± 0.06", "82.43", False),
        ("miss 0.9\nnats", "少算 0.9 nats", True),
        ("134 million", "1.34 亿", True),
        ("40 megapixels", "4000 万像素", True),
        ("16.7 ms", "16.7 s", False),
    ],
)
def test_numbers_are_compared_with_their_units(english: str, chinese: str, same: bool):
    assert (numbers(english) == numbers(chinese)) == same
