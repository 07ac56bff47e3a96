"""`--language`: read before anything else, so that even `--help` is in the language asked for. And what typer and rich know nothing of."""

import gettext
import os
import re
from collections.abc import Sequence
from typing import Any

import typer

from vaelab.errors import VaelabError
from vaelab.language import DOMAIN, LANGUAGES, LOCALES, ask_for, known_language, language, to_translate, translated

OPTION = "--language"

LOOKED_UP_BY_TYPER = (
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
"""By `gettext`, in whose catalogue ours stands. Its other complaints, of options that there are not, are English in every language."""

WRITTEN_BY_TYPER = (
    to_translate("Show this message and exit."),
    to_translate("Install completion for the current shell."),
    to_translate("Show completion for the current shell, to copy it or customize the installation."),
)
"""The helps of its own options."""

OPENING, CLOSING, HAN = "“（《", "，。；：、！？”）》…", "\u2e80-\u9fff\uf900-\ufaff"
_LETTERS = rf"(?:[{HAN}]|[^\s{HAN}{OPENING}{CLOSING}]+)"
CHINESE_WORD = re.compile(rf"\s*(?:[{OPENING}]+{_LETTERS}?|{_LETTERS}|[{CLOSING}])[{CLOSING}]*\s*")
"""What a line is not broken in: a character, or what is between two spaces, with the punctuation that belongs to it."""


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


def in_the_users_words(app: typer.Typer) -> Any:
    """What the application's arguments are given to: itself, with the help of typer's own options in the user's language."""
    if language() == "en":
        return app
    _break_lines_in_chinese()
    command = typer.main.get_command(app)
    _translate_helps(command, None)
    return command


def _translate_helps(command: Any, above: typer.Context | None) -> None:
    context = typer.Context(command, parent=above, **command.context_settings)
    for option in (*command.params, command.get_help_option(context)):
        if getattr(option, "help", None) in WRITTEN_BY_TYPER:
            option.help = translated(option.help)
    for below in getattr(command, "commands", {}).values():
        _translate_helps(below, context)


def _break_lines_in_chinese() -> None:
    """rich breaks lines at spaces, of which Chinese has none, and cuts off what is left of a help: it learns of words without them."""
    import rich._wrap

    rich._wrap.re_word = CHINESE_WORD


def _taken_from(arguments: list[str]) -> str | None:
    """What stands behind the last `--language`; it is taken away, for the commands know nothing of it."""
    asked, place = None, 0
    while place < len(arguments) and arguments[place] != "--":
        name, equals, value = arguments[place].partition("=")
        if name != OPTION:
            place += 1
            continue
        if not equals and place + 1 == len(arguments):
            raise VaelabError(
                translated("--language: expected {languages} after it", languages=translated(" or ").join(LANGUAGES))
            )
        asked = value if equals else arguments[place + 1]
        del arguments[place : place + (1 if equals else 2)]
    return asked
