"""Words in figures: letters that a font has, and how wide they come out. Fonts are looked for only where the usual one lacks a letter.

Matplotlib reads the list of fonts once and keeps it in a file, so one that was installed later is looked for by ourselves.
"""

import functools
import logging
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties, fontManager
from matplotlib.ft2font import FT2Font

from vaelab.language import in_english, language, to_translate, translated

DPI = 150
BOX = "\N{WHITE SQUARE}"
"""Stands for a letter that no font has; every usual font has it."""

PREFERRED = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC",
    "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Noto Sans CJK JP", "Noto Sans",
)  # fmt: skip
"""Families that are tried first: upright, without serifs, with the letters of China, Japan and Korea."""

PLACEHOLDERS = ("Last Resort", ".LastResort", "Adobe Blank", "Noto Sans Blank")
"""Fonts that have every letter and show none."""

CHINESE = "潜"
"""A letter that a font has which has Chinese."""

_log = logging.getLogger(__name__)
_lock = threading.Lock()


class Lettering(NamedTuple):
    """Words as they can be drawn, and the families of fonts that have their letters, the first that has one first."""

    words: str
    family: tuple[str, ...]

    @property
    def style(self) -> dict[str, Any]:
        """Keywords of a `Text`: a dollar in a name begins no formula."""
        return {"family": list(self.family), "parse_math": False}


def lettering(words: str) -> Lettering:
    """The words in letters that can be drawn: in the usual font, and where it lacks one in an installed font that has it.

    A letter that none has is drawn as a box; this is said once, with what to install. A font that cannot be read is passed over, and
    said too.
    """
    usual = tuple(mpl.rcParams["font.family"])
    words = "".join(" " if letter.isspace() else letter for letter in words)
    if words.isascii():
        return Lettering(words, usual)
    words = unicodedata.normalize("NFC", words)
    families: dict[str, None] = {}
    missing: dict[str, None] = {}
    for letter in dict.fromkeys(words):
        if letter.isascii() or _usual_has(letter, usual):
            continue
        # one font for all the words, if it can be: letters of two would not match
        family = next((known for known in families if letter in _letters_asked(known)), None) or _family_with(letter)
        (missing if family is None else families)[letter if family is None else family] = None
    if missing:
        _say_missing("".join(missing))
        words = "".join(BOX if letter in missing else letter for letter in words)
    return Lettering(words, (*usual, *families))


@contextmanager
def drawable_language() -> Iterator[None]:
    """While a figure is made: the user's language, if there are letters for it, else English; this is said once."""
    if language() == "en" or _has_letters_for(CHINESE):
        yield
        return
    _say_that_figures_are_english()
    with in_english():
        yield


def text_width(words: str, size: float, weight: str = "normal") -> float:
    """Inches that the words take in this size (points)."""
    drawn = lettering(words)
    font = FontProperties(family=list(drawn.family), size=size, weight=weight)
    return RendererAgg(8, 8, DPI).get_text_width_height_descent(drawn.words, font, False)[0] / DPI


def elided(words: str, width: float, size: float, weight: str = "normal") -> str:
    """The words, with an ellipsis in their middle where they are wider than so many inches: names often differ at their ends."""
    if text_width(words, size, weight) <= width:
        return words

    def cut(kept: int) -> str:
        head = (2 * kept + 2) // 3
        return f"{words[:head].rstrip()}…{words[len(words) - (kept - head) :].lstrip()}"

    return cut(_most(lambda kept: text_width(cut(kept), size, weight) <= width, len(words) - 1))


def wrapped(words: str, width: float, size: float, weight: str = "normal", *, separator: str = " ") -> list[str]:
    """The words in lines of at most so many inches, broken at the separator; what is wider by itself, at a space or anywhere."""
    lines: list[str] = []
    for part in words.split(separator):
        longer = f"{lines[-1]}{separator}{part}" if lines else part
        if text_width(longer, size, weight) <= width:
            lines[-1:] = [longer]
            continue
        rest = part
        while text_width(rest, size, weight) > width:
            most = _most(lambda count, rest=rest: text_width(rest[:count], size, weight) <= width, len(rest))
            at = rest.rfind(" ", 0, most + 1)
            cut = at if at > 0 else max(most, 1)
            lines.append(rest[:cut])
            rest = rest[cut:].lstrip()
        lines.append(rest)
    return lines or [""]


def _has_letters_for(letter: str) -> bool:
    return _usual_has(letter, tuple(mpl.rcParams["font.family"])) or _family_with(letter) is not None


def _most(fits: Callable[[int], bool], high: int) -> int:
    """The largest count up to `high` that fits, by halving; 0 where none does."""
    low = 0
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


# --- looking for fonts -----------------------------------------------------------------------------------------------


@functools.cache
def _usual_has(letter: str, usual: tuple[str, ...]) -> bool:
    path = font_manager.findfont(FontProperties(family=list(usual)))
    with _lock:
        return _has(str(path), letter)


@functools.cache
def _letters_asked(family: str) -> set[str]:
    """The letters that this family was found to have; filled by `_family_with`."""
    del family
    return set()


@functools.cache
def _family_with(letter: str) -> str | None:
    """The family of an installed font that has the letter."""
    with _lock:
        for name, path in _listed():
            if _has(path, letter):
                _letters_asked(name).add(letter)
                return name
        for path in _unlisted():
            if _has(path, letter):
                name = FT2Font(path).family_name
                if not name.startswith(PLACEHOLDERS):
                    # its other weights too
                    for other in _unlisted():
                        if (font := _opened(other)) is not None and font.family_name == name:
                            fontManager.addfont(other)
                    _letters_asked(name).add(letter)
                    _listed.cache_clear()
                    return name
    return None


@functools.cache
def _listed() -> list[tuple[str, str]]:
    """(family, path) of the upright fonts that matplotlib knows, the preferred first."""

    def rank(entry: font_manager.FontEntry) -> tuple[int, bool, int, str]:
        preferred = PREFERRED.index(entry.name) if entry.name in PREFERRED else len(PREFERRED)
        weight = entry.weight if isinstance(entry.weight, int) else 400
        return preferred, "Serif" in entry.name, abs(weight - 400), entry.name

    upright = [entry for entry in fontManager.ttflist if entry.style == "normal"]
    ordered = sorted(upright, key=rank)
    return [(entry.name, entry.fname) for entry in ordered if not entry.name.startswith(PLACEHOLDERS)]


@functools.cache
def _unlisted() -> list[str]:
    """Font files that were installed after matplotlib wrote its list; those that look like the preferred first."""
    known = {str(Path(entry.fname).resolve()) for entry in fontManager.ttflist}
    found = {str(Path(path).resolve()) for path in font_manager.findSystemFonts()} - known

    def rank(path: str) -> tuple[bool, bool, bool, str]:
        name = Path(path).name.lower()
        return "cjk" not in name, "sans" not in name and "hei" not in name, "regular" not in name, name

    return sorted(found, key=rank)


@functools.cache
def _opened(path: str) -> FT2Font | None:
    """The font; None of a file that cannot be read as one, which is said."""
    try:
        return FT2Font(path)
    except (OSError, RuntimeError, ValueError) as error:
        _log.warning(
            translated(
                "{path}: cannot be read as a font ({error}); figures do without it",
                path=path,
                error=" ".join(str(error).split()),
            )
        )
        return None


def _has(path: str, letter: str) -> bool:
    font = _opened(path)
    return font is not None and font.get_char_index(ord(letter)) != 0


_said: list[str] = []


def _say_missing(letters: str) -> None:
    """Once in a process: which letters are boxes, and what to install."""
    if _said:
        return
    _said.append(letters)
    first = unicodedata.name(letters[0], "").split(" ")[0]
    if first in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO"):
        remedy = EAST_ASIAN
    else:
        remedy = to_translate("the Noto Sans of their script, from fonts.google.com/noto")
    _log.warning(
        translated(
            "figures show boxes for letters that no installed font has, such as {letter}; install {font}",
            letter=letters[0],
            font=remedy,
        )
    )


EAST_ASIAN = (
    "Noto Sans CJK (Debian, Ubuntu: apt install fonts-noto-cjk; Fedora: dnf install google-noto-sans-cjk-fonts)"
)


@functools.cache
def _say_that_figures_are_english() -> None:
    """Once in a process."""
    _log.warning(
        translated("figures are in English, for no installed font has Chinese; install {font}", font=EAST_ASIAN)
    )
