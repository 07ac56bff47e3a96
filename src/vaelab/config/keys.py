"""The dotted keys of a configuration (`training.learning_rate`): finding them, reading a value for one, and what is said of a wrong one."""

import difflib
import tomllib
from collections.abc import Iterator, Set
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vaelab.kinds import Kinds
from vaelab.language import in_a_sentence, translated


@dataclass(frozen=True)
class PartOf:
    """Marks a field as a part whose kinds a table knows."""

    kinds: Kinds


def keys_of(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every dotted key below a model, over all kinds of all parts, with its field; the parts themselves too."""
    for name, field in model.model_fields.items():
        yield prefix + name, field
        for part in parts_in(field):
            yield from keys_of(part, f"{prefix}{name}.")


def parts_in(field: FieldInfo) -> Iterator[type[BaseModel]]:
    """The models that a field may hold: none for a plain value, several for a part of several kinds."""
    for mark in field.metadata:
        if isinstance(mark, PartOf):
            yield from mark.kinds.importable()
            return
    yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) is not None and get_origin(annotation) is not Literal:
        for argument in get_args(annotation):
            yield from _models_in(argument)


def nearest_key(key: str, known: Set[str]) -> str:
    """The end of a sentence about a key that is none."""
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if not close:
        return translated("see docs/configuration.md for all keys")
    return translated("did you mean '{name}'?", name=close[0])


def read_value(text: str) -> Any:
    """A value as TOML writes it, where the text is TOML (`3e-4`, `true`, `[300, 300]`); otherwise the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def first_complaint(error: ValidationError, known: Set[str]) -> str:
    """One line of what pydantic found: the dotted key, what was expected, what came."""
    first = error.errors()[0]
    path: list[str] = []
    location = first["loc"]
    for part, following in zip_longest(location, location[1:]):
        # a location also names the kind of a part and places in a list: they are no keys. A kind may share a key's name (a flow's
        # `flow`), but only after a kind comes another name
        is_kind = ".".join([*path, "kind"]) in known and isinstance(following, str)
        if not is_kind and ".".join([*path, str(part)]) in known:
            path.append(str(part))
    if first["type"] == "extra_forbidden":
        if path and path[-1] == str(first["loc"][-1]):
            return translated(
                "unknown key '{key}' here: it belongs to another kind of {part}",
                key=in_a_sentence(".".join(path)),
                part=".".join(path[:-1]),
            )
        key = ".".join([*path, str(first["loc"][-1])])
        return translated("unknown key '{key}'; {nearest}", key=in_a_sentence(key), nearest=nearest_key(key, known))
    message = first["msg"].removeprefix("Value error, ")
    found = "" if first["type"] == "value_error" else translated("; found {found!r}", found=first["input"])
    return f"{'.'.join(path)}: {message}{found}" if path else message


def room_at(values: dict[str, Any], room: str) -> dict[str, Any]:
    """The part of a nested dictionary that a dotted key names; the whole for an empty one."""
    for part in filter(None, room.split(".")):
        values = values.setdefault(part, {})
    return values
