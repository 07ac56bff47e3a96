"""Words in any script: a font that has their letters, boxes where there is none, and one line that says so."""

import logging
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.font_manager import fontManager
from matplotlib.text import Text

from vaelab.plotting import lettering as room
from vaelab.plotting.latent import latent_figure
from vaelab.plotting.lettering import BOX, elided, lettering, text_width, wrapped
from vaelab.plotting.writing import figure_bytes

CAT, DOG, BIRD = "\u732b", "\u72d7", "\u9e1f"
CACHED = (room._usual_has, room._letters_asked, room._family_with, room._listed, room._unlisted, room._opened)


def forget() -> None:
    for function in CACHED:
        function.cache_clear()
    room._said.clear()


@pytest.fixture(autouse=True)
def fonts_afresh() -> Iterator[None]:
    """Each test finds its fonts itself, and leaves matplotlib's list as it was."""
    listed = list(fontManager.ttflist)
    forget()
    yield
    fontManager.ttflist[:] = listed
    forget()


def only_matplotlibs_own(monkeypatch: pytest.MonkeyPatch, *others: Path) -> None:
    """A machine whose only other fonts are these files."""
    own = str(Path(mpl.get_data_path()))
    monkeypatch.setattr(fontManager, "ttflist", [entry for entry in fontManager.ttflist if entry.fname.startswith(own)])
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: [str(path) for path in others])


def a_cjk_font() -> Path:
    for path in font_manager.findSystemFonts():
        if "cjk" in path.lower() and "bold" not in path.lower():
            return Path(path)
    pytest.skip("no CJK font is installed here")


def test_latin_words_ask_for_no_font(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(room, "_family_with", refuse)
    monkeypatch.setattr(font_manager, "findSystemFonts", refuse)
    for words in ("latent space", "z₁ and z₂", "β 1  ·  5 % ± 1", "−3σ", "café"):
        assert lettering(words).words == words


def test_chinese_names_are_drawn_without_a_warning(
    monkeypatch: pytest.MonkeyPatch, generator: np.random.Generator
) -> None:
    """By a font that was installed after matplotlib wrote its list of fonts, too: it is not in the list."""
    only_matplotlibs_own(monkeypatch, a_cjk_font())
    figure = latent_figure(
        generator.normal(size=(60, 2)), np.arange(60) % 3, label_names=(CAT, DOG, BIRD), title=CAT + " names"
    )
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error"
        )  # `Glyph 29483 (\N{CJK UNIFIED IDEOGRAPH-732B}) missing from font(s) DejaVu Sans`
        for kind in ("png", "svg", "pdf"):
            assert len(figure_bytes(figure, kind)) > 1000
    shown = [text for text in figure.findobj(Text) if isinstance(text, Text) and CAT in text.get_text()]
    assert len(shown) == 3  # title, cloud, legend
    assert all(len(text.get_fontfamily()) == 2 for text in shown)


def test_boxes_and_one_line_where_no_font_has_the_letters(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, generator: np.random.Generator
) -> None:
    only_matplotlibs_own(monkeypatch)
    points, labels = generator.normal(size=(60, 2)), np.arange(60) % 3
    figure, again = (latent_figure(points, labels, label_names=(CAT, DOG, BIRD)) for _ in range(2))
    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure_bytes(figure, "png")
        figure_bytes(again, "png")
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [BOX] * 3
    (said,) = caplog.messages
    assert said.startswith(
        f"figures show boxes for letters that no installed font has, such as {CAT}; install Noto Sans CJK"
    )
    assert "apt install fonts-noto-cjk" in said
    assert "\n" not in said


def test_a_font_that_cannot_be_read_is_passed_over_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    broken = tmp_path / "NotoSansCJK-Regular.ttc"
    broken.write_bytes(b"no font at all" * 100)
    good = tmp_path / "zzz.ttc"
    shutil.copy(a_cjk_font(), good)
    only_matplotlibs_own(monkeypatch, broken, good)
    with caplog.at_level(logging.WARNING):
        assert lettering(CAT).words == CAT
        lettering(DOG)
    (said,) = caplog.messages
    assert str(broken) in said
    assert "cannot be read as a font" in said
    assert "\n" not in said


def test_importing_and_drawing_latin_looks_for_no_fonts() -> None:
    code = (
        "import numpy as np\n"
        "from matplotlib import font_manager\n"
        "def refuse(*a, **k): raise AssertionError\n"
        "font_manager.findSystemFonts = refuse\n"
        "from vaelab.plotting.latent import latent_figure\n"
        "from vaelab.plotting.writing import figure_bytes\n"
        "figure = latent_figure(np.random.default_rng(0).normal(size=(9, 2)), np.arange(9) % 3, title='z₁ · σ')\n"
        "figure_bytes(figure, 'png')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- widths ----------------------------------------------------------------------------------------------------------


def test_words_are_cut_and_broken_by_their_width() -> None:
    words = "the quick brown fox jumps over the lazy dog"
    cut = elided(words, 1.0, 9.0)
    head, tail = cut.split("…")
    assert words.startswith(head)
    assert words.endswith(tail)
    assert len(head) > len(tail) > 0
    assert 0.85 < text_width(cut, 9.0) <= 1.0
    lines = wrapped(words, 1.0, 9.0)
    assert " ".join(lines) == words
    assert all(text_width(line, 9.0) <= 1.0 for line in lines)
    long = wrapped("x" * 60, 1.0, 9.0)
    assert "".join(long) == "x" * 60
    assert all(text_width(line, 9.0) <= 1.0 for line in long)
    assert wrapped("one  ·  two", 9.0, 9.0, separator="  ·  ") == ["one  ·  two"]
    assert elided("short", 3.0, 9.0) == "short"
