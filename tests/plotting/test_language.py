"""Figures in the user's language, where there are letters for it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

from vaelab.evaluation.figure import THINGS, counted
from vaelab.evaluation.material import Material
from vaelab.language import VARIABLE, in_english, language, translated
from vaelab.plotting import lettering as room
from vaelab.plotting.writing import figure_of
from vaelab.runs import Run

HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def in_chinese_with_fonts_afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VARIABLE, "zh-CN")
    caches = (
        room._usual_has, room._letters_asked, room._family_with, room._listed, room._unlisted, room._opened,
        room._say_that_figures_are_english,
    )  # fmt: skip
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text) and text.get_text()]


def without_other_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    own = str(Path(font_manager.__file__).parent)
    monkeypatch.setattr(fontManager, "ttflist", [entry for entry in fontManager.ttflist if entry.fname.startswith(own)])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [])


@pytest.mark.parametrize("name", ["loss", "latent", "reconstructions"])
def test_a_figure_speaks_chinese(tiny_run: Run, name: str) -> None:
    if not room._has_letters_for(room.CHINESE):
        pytest.skip("no CJK font is installed here")
    words = words_of(figure_of(Material(tiny_run), name))
    assert {"loss": "2 轮后的损失", "latent": "潜空间：", "reconstructions": "张测试图像及其重构"}[name] in words[
        0
    ] + "".join(words)
    assert any("随机种子 0" in line for line in words)
    assert room.BOX not in "".join(words)
    assert not any(re.search(r"\b(?:latent|images?|epochs?|seed|training|validation)\b", line) for line in words)


def test_without_a_font_a_figure_is_english_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tiny_run: Run
) -> None:
    without_other_fonts(monkeypatch)
    for _ in range(2):
        words = words_of(figure_of(Material(tiny_run), "loss"))
        assert not HAN.search("".join(words))
        assert room.BOX not in "".join(words)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said == translated(
        "figures are in English, for no installed font has Chinese; install {font}", font=room.EAST_ASIAN
    )
    assert HAN.search(said)  # which a terminal can show


def test_in_english_is_of_its_own_block() -> None:
    with in_english():
        assert language() == "en"
        assert translated(counted(3, "test image")) == "3 test images"
    assert translated(counted(3, "test image")) == "3 张测试图像"


@pytest.mark.parametrize("thing", THINGS)
def test_what_is_counted_is_english_until_it_is_translated(thing: str) -> None:
    assert counted(1, thing) == f"1 {thing}"
    assert counted(2000, thing) == f"2,000 {thing}s"
    assert translated(counted(2, thing)).startswith("2 ")
    assert HAN.search(translated(counted(2, thing)))
