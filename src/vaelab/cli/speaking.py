"""`--language`: read before anything else, so that even `--help` is in the language asked for."""

import gettext
import os
from collections.abc import Sequence

from vaelab.errors import VaelabError
from vaelab.language import DOMAIN, LANGUAGES, LOCALES, ask_for, known_language, language, to_translate, translated

OPTION = "--language"

SAID_BY_TYPER = (
    to_translate("[default: {}]"),
    to_translate("[required]"),
    to_translate("Arguments"),
    to_translate("Options"),
    to_translate("Commands"),
    to_translate("Error"),
    to_translate("Aborted."),
    to_translate("Try [blue]'{command_path} {help_option}'[/] for help."),
    to_translate("No such command {name!r}."),
    to_translate("Missing command."),
)
"""What typer looks up by `gettext`, in whose catalogue ours stands; its other complaints are English in every language."""


def speak_as_asked(arguments: Sequence[str]) -> list[str]:
    """From now on the language of `--language`, wherever it stands, else of VAELAB_LANGUAGE, else of the locale; the other arguments.

    Raises:
        VaelabError: for one that is not there.
    """
    rest = list(arguments)
    asked = _taken_from(rest)
    speak(None if asked is None else known_language(asked, OPTION))
    return rest


def speak(name: str | None) -> None:
    """A language of `LANGUAGES`; None: the user's own."""
    ask_for(name)
    if language() == "zh-CN":
        # typer's own words: of this process alone
        os.environ["LANGUAGE"] = "zh_CN"
        gettext.bindtextdomain(DOMAIN, str(LOCALES))
        gettext.textdomain(DOMAIN)


def _taken_from(arguments: list[str]) -> str | None:
    """What stands behind the last `--language`; it is taken away, for the commands know nothing of it."""
    asked, place = None, 0
    while place < len(arguments) and arguments[place] != "--":
        name, equals, value = arguments[place].partition("=")
        if name != OPTION:
            place += 1
            continue
        if not equals and place + 1 == len(arguments):
            raise VaelabError(translated("--language: expected {languages} after it", languages=" or ".join(LANGUAGES)))
        asked = value if equals else arguments[place + 1]
        del arguments[place : place + (1 if equals else 2)]
    return asked
