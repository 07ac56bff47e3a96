"""What the shell offers when a word is completed (`vaelab --install-completion`). Nothing here imports JAX: each tab is a new process."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from vaelab.language import translated

Offers = Iterator[tuple[str, str]]
"""Words, each with its explanation, which some shells show."""

PRETRAINED = "pretrained:tutorial"


def recipes(incomplete: str) -> Offers:
    """The named recipes, each with the first line of its file."""
    from vaelab.config import recipe_names
    from vaelab.config.recipes import RECIPES

    for name in recipe_names():
        first = (RECIPES / f"{name}.toml").read_text(encoding="utf-8").splitlines()[0]
        yield from _starting([(name, first.removeprefix("#").strip())], incomplete)


def data_sets(incomplete: str) -> Offers:
    """The names of data sets, then files and folders."""
    from vaelab.data import catalogue

    yield from _starting([(entry.name, translated(entry.contents)) for entry in catalogue()], incomplete)
    yield from _paths(incomplete)


def runs(incomplete: str) -> Offers:
    """The model in the package, the runs in `runs/`, then folders."""
    found = sorted(str(path.parent) for path in Path("runs").glob("*/config.toml"))
    yield from _starting(
        [(PRETRAINED, translated("in the package")), *((name, translated("a run")) for name in found)], incomplete
    )
    yield from ((path, words) for path, words in _paths(incomplete) if path.endswith("/") and path[:-1] not in found)


def priors(ctx: typer.Context, incomplete: str) -> Offers:
    """The priors of the run, or runs, that stand before the word: `trained`, and those made by fit-prior."""
    from vaelab.errors import VaelabError
    from vaelab.runs import Run

    # while --prior still wants its value, the arguments before it lie unparsed
    given = ctx.params.get("run") or ctx.params.get("runs") or ctx.args
    names = {"trained": translated("learnt with the model, or N(0, I)")}
    for run in [given] if isinstance(given, str) else given:
        try:
            names |= dict.fromkeys(Run.open(run).prior_names(), translated("made by fit-prior"))
        except VaelabError:
            continue  # a word that is no run yet
    # of several between commas, the last is completed
    before, comma, last = incomplete.rpartition(",")
    yield from ((before + comma + name, words) for name, words in _starting(names.items(), last))


def settings(incomplete: str) -> Offers:
    """KEY= of every key that --set takes; after it, the values where they are few."""
    from vaelab.config import described_keys

    key, equals, value = incomplete.partition("=")
    for name, field in described_keys():
        if equals and name == key:
            yield from ((f"{key}={choice}", "") for choice, _ in _starting(_choices(field.annotation), value))
        elif not equals:
            yield from _starting([(f"{name}=", (field.description or "").split(";")[0])], incomplete)


def kinds_of(part: str) -> Any:
    """A completion by the kinds of a part of the configuration: `model.prior`, `data.pixels`."""

    def kinds(incomplete: str) -> Offers:
        from vaelab.config import described_keys

        found = {word: "" for name, field in described_keys() if name == part for word, _ in _choices(field.annotation)}
        yield from _starting(found.items(), incomplete)

    return kinds


def fitted_priors(incomplete: str) -> Offers:
    """The kinds of priors that are fitted afterwards."""
    from vaelab.fitting.names import kinds

    yield from _starting([(kind, "") for kind in kinds()], incomplete)


def one_of(*words: str) -> Any:
    """A completion by these words."""

    def offered(incomplete: str) -> Offers:
        yield from _starting([(word, "") for word in words], incomplete)

    return offered


def _choices(annotation: Any) -> list[tuple[str, str]]:
    """The words among a type's literal values, at any depth."""
    if get_origin(annotation) is Literal:
        return [(str(value), "") for value in get_args(annotation)]
    if annotation is bool:
        return [("true", ""), ("false", "")]
    return [choice for argument in get_args(annotation) for choice in _choices(argument)]


def _paths(incomplete: str) -> Offers:
    """Files and folders that begin so; a folder ends in a slash, to be gone into."""
    whole = Path(incomplete)
    folder, start = (whole, "") if incomplete.endswith("/") else (whole.parent, whole.name)
    try:
        found = sorted(
            path for path in folder.iterdir() if path.name.startswith(start) and not path.name.startswith(".")
        )
    except OSError:
        return
    for path in found:
        yield f"{path}/" if path.is_dir() else str(path), ""


def _starting(offers: Iterable[tuple[str, str]], incomplete: str) -> Offers:
    yield from ((word, words) for word, words in offers if word.startswith(incomplete))
