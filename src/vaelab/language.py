"""The language that users are told things in: English, or simplified Chinese by the catalogue in `locale/`.

It is `--language`'s, else that of the variable VAELAB_LANGUAGE, else of the user's locale; where that is neither, English. It is chosen
when a sentence is said, not when a module is imported. What goes into files, and what programs read (`--json`, keys, names), is
English in every language: a sentence that may go either way is `Words`, English until `translated`.
"""

import gettext
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from vaelab.errors import VaelabError

LANGUAGES = ("en", "zh-CN")
VARIABLE = "VAELAB_LANGUAGE"
LOCALES = Path(__file__).parent / "locale"
DOMAIN = "vaelab"

# Of the process and not of a context: data are read, and figures drawn, by threads.
_asked: str | None = None
_english_here: ContextVar[bool] = ContextVar("english_here", default=False)


class Words(str):
    """A sentence in English that remembers what it was made of, so that `translated` can say it in the user's language.

    Made by `to_translate` and by `plural`.
    """

    message: str
    many: str | None
    number: int
    values: Mapping[str, object]


def to_translate(message: str, /, **values: object) -> Words:
    """The sentence, with each `{name}` filled in where values are given: in English for now.

    >>> to_translate("no such run: {name}", name="mnist")
    'no such run: mnist'
    """
    return _words(message, None, 0, values)


def plural(one: str, many: str, count: int, /, **values: object) -> Words:
    """One of two sentences, by a number that they may call `{count}`.

    >>> plural("{count:,} image", "{count:,} images", 2000)
    '2,000 images'
    """
    return _words(one, many, count, {"count": count, **values})


def translated(message: str, /, **values: object) -> str:
    """The sentence in the user's language, with its `{name}`s filled in where values are given; `Words` among them are translated too.

    Raises:
        VaelabError: where VAELAB_LANGUAGE is set to a language that is not there.
    """
    if not message:
        return ""  # for which a catalogue has its header
    catalogue = _catalogue(language())
    if not isinstance(message, Words):
        return _filled(catalogue.gettext(message), values, translated)
    one, many = message.message, message.many
    found = catalogue.gettext(one) if many is None else catalogue.ngettext(one, many, message.number)
    return _filled(found, message.values, translated)


def in_a_sentence(name: str) -> str:
    """A name that somebody gave as a sentence has it, which is of one line: line ends and what cannot be seen are escaped."""
    return name if name.isprintable() else ascii(name)[1:-1]


def language() -> str:
    """One of `LANGUAGES`.

    Raises:
        VaelabError: as `translated`.
    """
    if _english_here.get():
        return "en"
    if _asked is not None:
        return _asked
    given = os.environ.get(VARIABLE)
    return known_language(given, VARIABLE) if given else _of_locale()


def ask_for(name: str | None) -> None:
    """From now on this language of `LANGUAGES`; None: the user's own."""
    global _asked
    _asked = name


@contextmanager
def in_english() -> Iterator[None]:
    """What is said here, in this thread, is English: it goes into a file, or there are no letters for anything else."""
    token = _english_here.set(True)
    try:
        yield
    finally:
        _english_here.reset(token)


def known_language(given: str, where: str) -> str:
    """The language of a name such as `zh-CN`, `zh_CN.UTF-8` or `EN`; `where` is the option or the variable that has it.

    Raises:
        VaelabError: for any other. It is said in English, there being no language to say it in.
    """
    found = _language_of(given)
    if found is None:
        raise VaelabError(
            f"{where}: expected {' or '.join(LANGUAGES)}; found '{given}'. Leave it out for the language of your locale"
        )
    return found


def _of_locale() -> str:
    """By the first of the three that is set, as C programs have it. A language that is not ours is no mistake: English."""
    given = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "C")
    return _language_of(given) or "en"


def _language_of(name: str) -> str | None:
    parts = re.split(r"[-_]", name.partition(".")[0].partition("@")[0].lower())
    if parts[0] == "en":
        return "en"
    # traditional characters, of Taiwan or Hong Kong, are not what the catalogue has
    if parts[0] == "zh" and not {"hant", "tw", "hk", "mo"} & set(parts):
        return "zh-CN"
    return None


@cache
def _catalogue(name: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALES, [name.replace("-", "_")], fallback=name == "en")


def _words(message: str, many: str | None, number: int, values: dict[str, object]) -> Words:
    english = message if many is None or number == 1 else many
    made = Words(_filled(english, values, str))
    made.message, made.many, made.number, made.values = message, many, number, values
    return made


def _filled(message: str, values: Mapping[str, object], said: Any) -> str:
    if not values:
        return message
    return message.format(
        **{name: said(value) if isinstance(value, Words) else value for name, value in values.items()}
    )


def to_width(words: str, width: int) -> str:
    """The words with spaces up to so many columns of a terminal, where a Chinese character takes two.

    >>> to_width("KL", 4), to_width("码率", 6)
    ('KL  ', '码率  ')
    """
    taken = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in words)
    return words + " " * (width - taken)
