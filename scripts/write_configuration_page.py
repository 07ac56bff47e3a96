"""Write docs/configuration.md from the configuration itself: its keys, their defaults, and what `config.py` says of them.

python -m scripts.write_configuration_page
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from vaelab.config import Config
from vaelab.config.keys import PartOf, parts_in
from vaelab.training import defaults
from vaelab.training.optimisers import OPTIMISERS

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"

INTRODUCTION = """\
# Configuration

A training is a function of its configuration. It begins as a recipe (`--recipe NAME`) or a file of yours (`--config FILE.toml`), takes the
flags of the command line and any key by `--set KEY=VALUE`, and is written whole to `RUN/config.toml`, which `--config` takes again. Where a
part has several kinds, `kind` says which; setting another `kind` begins with that kind's own defaults. Likewise another optimiser begins
without the old one's options, and other data without what was read off the old.

A key without a default may be left out. This page is made from the configuration by `python -m scripts.write_configuration_page`.
"""

CLOSING = """\
`best` and `patience` choose by val_loss, so they need `data.validation = "held-out"`: nothing is ever chosen by the test images.
"""


class Row(NamedTuple):
    """A line of a table: the key, its default as TOML writes it, and what it means."""

    key: str
    default: str
    meaning: str


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, _table(_rows(Config, "", rooms=False))]
    for name, field in Config.model_fields.items():
        if _is_part(field):
            parts += [f"\n## `{name}`\n", _table(_rows_of_part(field, name))]
        else:
            for room in parts_in(field):
                parts += [f"\n## `{name}`\n", _table(_merged(list(_rows(room, f"{name}."))))]
    return "\n".join([*parts, "\n" + CLOSING, _by_the_data()])


def _by_the_data() -> str:
    """The rule of `auto`, from where it is carried out."""
    assert defaults.__doc__ is not None
    _, _, words = defaults.__doc__.partition("\n\n")
    return f"## What `auto` means\n\n{words.strip()}\n"


def _rows(model: type[BaseModel], prefix: str, *, rooms: bool = True) -> Iterator[Row]:
    for name, field in model.model_fields.items():
        kinds = list(parts_in(field))
        key = prefix + name
        if not kinds:
            if not (name == "kind" and _is_one_of_several(field)):
                yield Row(key, _toml(field.default), _meaning(field))
        elif rooms and len(kinds) == 1:
            yield Row(key, "", _meaning(field))
            yield from _rows(kinds[0], f"{key}.")
        elif rooms:
            yield from _rows_of_part(field, key)


def _rows_of_part(field: FieldInfo, key: str) -> Iterator[Row]:
    """A part of several kinds: which there are, and what each of them has."""
    kinds = list(parts_in(field))
    words = [_with_note(kind) for kind in kinds]
    usual = field.get_default(call_default_factory=True, validated_data={}).kind
    yield Row(f"{key}`, `{key}.kind", _toml(usual), ", ".join(words))
    yield from _of_kinds(kinds, key)


def _is_part(field: FieldInfo) -> bool:
    return any(isinstance(mark, PartOf) for mark in field.metadata)


def _of_kinds(kinds: list[type[BaseModel]], part: str) -> Iterator[Row]:
    """The keys of a part's kinds, in the order of the kinds; a key that several have with one meaning is one row."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for kind in kinds:
        for name, field in kind.model_fields.items():
            if name != "kind":
                found.setdefault((name, _meaning(field)), {})[_name_of(kind)] = _toml(field.default)
    for (name, meaning), defaults_of in found.items():
        usual = next(iter(defaults_of.values()))
        others = [f"`{kind}`: {value}" for kind, value in defaults_of.items() if value != usual]
        of = ", ".join(f"`{kind}`" for kind in defaults_of)
        whose = "" if len(defaults_of) == len(kinds) else f"of {of}: "
        yield Row(f"{part}.{name}", "; ".join([usual, *others]), whose + meaning)


def _merged(rows: list[Row]) -> Iterator[Row]:
    """Encoder and decoder have the same keys: one row for both."""
    twins = {row.key.replace("decoder", "encoder"): row for row in rows if row.key.startswith("model.decoder")}
    for row in rows:
        twin = twins.get(row.key)
        if row not in twins.values():
            yield row._replace(key=f"{row.key}`, `{twin.key}") if twin is not None else row


def _table(rows: Iterator[Row]) -> str:
    lines = [f"| `{row.key}` |{row.default and f' {row.default}'} | {row.meaning} |" for row in rows]
    return "\n".join(["| key | default | meaning |", "| --- | --- | --- |", *lines])


def _meaning(field: FieldInfo) -> str:
    if field.description is None:
        raise ValueError(f"a field of the configuration has no description: {field!r}")
    return field.description.replace("{optimisers}", ", ".join(sorted(OPTIMISERS)))


def _with_note(kind: type[BaseModel]) -> str:
    note = kind.model_fields["kind"].description
    return f"`{_name_of(kind)}`" + (f" ({note})" if note else "")


def _name_of(kind: type[BaseModel]) -> str:
    return kind.model_fields["kind"].default


def _is_one_of_several(field: FieldInfo) -> bool:
    return (
        get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1 and field.description is None
    )


def _toml(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    if isinstance(value, dict):
        return "`{}`"
    return str(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"{PAGE}: written")
