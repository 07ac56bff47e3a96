"""Any configuration that is one, of any kinds of parts, is the same again from TOML and from JSON; any other key is refused in one line."""

import json
from typing import Annotated, Any, Literal, get_args, get_origin

import pytest
import tomli_w
from annotated_types import Ge, Gt, Le, Lt
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vaelab.config import Config, known_keys
from vaelab.config.keys import PartOf
from vaelab.errors import VaelabError
from vaelab.kinds import FOREIGN
from vaelab.training.optimisers import OPTIMISERS

quickly = settings(max_examples=60, deadline=None, database=None, derandomize=True)

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
CHOSEN: dict[str, st.SearchStrategy] = {
    "training.optimiser": st.sampled_from(sorted(OPTIMISERS)),
    "training.optimiser_options": st.dictionaries(TEXTS, st.floats(0, 1) | st.booleans(), max_size=2),
    "data.size": st.none() | st.integers(1, 99) | st.tuples(st.integers(1, 99), st.integers(1, 99)),
    "objective.warmup": st.floats(0, 1) | st.integers(1, 99).map("{} epochs".format) | st.just("2000 steps"),
    "packages": st.just(()),  # those that are named have to be installed
}
"""Fields that say more of what they take than their types do."""


def values_of(model: type[BaseModel], prefix: str = "") -> st.SearchStrategy[dict[str, Any]]:
    """Nested values of a model, some fields left to their defaults."""
    required, optional = {}, {}
    for name, field in model.model_fields.items():
        where = required if field.is_required() or name == "kind" else optional
        key = prefix + name
        where[name] = CHOSEN[key] if key in CHOSEN else _of_field(field, f"{key}.")
    return st.fixed_dictionaries(required, optional=optional)


def _of_field(field: FieldInfo, prefix: str) -> st.SearchStrategy:
    for mark in field.metadata:
        if isinstance(mark, PartOf):
            parts = [part for part in mark.kinds.importable() if getattr(part, "is_trained", True)]
            return st.one_of(
                [values_of(part, prefix) for part in parts if part.model_fields["kind"].default != FOREIGN]
            )
    return _of_type(field.annotation, field.metadata, prefix)


def _of_type(kind: Any, marks: list[Any], prefix: str) -> st.SearchStrategy:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _of_type(arguments[0], [*marks, *_flat(arguments[1:])], prefix)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_of_type(arguments[0], [], prefix), min_size=1, max_size=3).map(tuple)
    if arguments:
        return st.one_of([_of_type(argument, marks, prefix) for argument in arguments])
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return values_of(kind, prefix)
    if kind is int:
        return st.integers(*_bounds(marks, whole=True))
    if kind is float:
        return st.floats(*_bounds(marks, whole=False), allow_nan=False)
    return {bool: st.booleans(), str: TEXTS, type(None): st.none()}[kind]


def _flat(marks: tuple[Any, ...]) -> list[Any]:
    return [inner for mark in marks for inner in (mark.metadata if isinstance(mark, FieldInfo) else [mark])]


def _bounds(marks: list[Any], *, whole: bool) -> tuple[float, float]:
    low, high = -1000, 1000
    step = 1 if whole else 1e-3
    for mark in marks:
        match mark:
            case Ge(ge=value):
                low = value
            case Gt(gt=value):
                low = value + step
            case Le(le=value):
                high = value
            case Lt(lt=value):
                high = value - step
    return low, high


def _valid(values: dict[str, Any]) -> Config:
    """What is refused is so in words of ours, for parts that do not agree with each other: every single field is valid."""
    kinds: set[str] = set()
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        kinds = {found["type"] for found in error.errors()}
    assert kinds == {"value_error"}
    assume(False)
    raise AssertionError


@quickly
@given(values_of(Config))
def test_a_valid_configuration_is_the_same_from_toml_and_from_json(values: dict[str, Any]) -> None:
    config = _valid(values)
    assert Config.from_toml(config.to_toml(), source="test") == config
    assert Config.from_values(json.loads(config.model_dump_json()), source="test") == config
    assert Config.from_values(config.model_dump(mode="json", exclude_none=True), source="test") == config


@quickly
@given(values_of(Config), st.data())
def test_changing_any_key_to_what_it_is_changes_nothing(values: dict[str, Any], data: st.DataObject) -> None:
    config = _valid(values)
    flat = dict(_flattened(config.model_dump(mode="json")))
    key = data.draw(st.sampled_from(sorted(flat)))
    written = tomli_w.dumps({"value": flat[key]}).removeprefix("value = ").strip()
    assert config.with_values({key: written}) == config


def _flattened(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, value in values.items():
        key = prefix + name
        if isinstance(value, dict) and value and key not in CHOSEN:
            found += _flattened(value, f"{key}.")
        elif not isinstance(value, dict) and value is not None:
            found.append((key, value))
    return found


ROOMS = ("", "data.", "model.", "model.encoder.", "model.prior.", "objective.", "training.", "training.schedule.")


@settings(quickly, max_examples=25)
@given(room=st.sampled_from(ROOMS), name=TEXTS)
def test_an_unknown_key_is_refused_in_one_line(room: str, name: str) -> None:
    assume(room + name not in set(known_keys()) and "." not in name and (room + name) != "format")
    # a schedule says which it is, or nothing is known of its keys
    nested: Any = {name: 1, "kind": "cosine"} if room == "training.schedule." else {name: 1}
    for part in reversed(room.split(".")[:-1]):
        nested = {part: nested}
    with pytest.raises(VaelabError) as by_file:
        Config.from_values(nested, source="config.toml")
    with pytest.raises(VaelabError) as by_command:
        Config().with_values({room + name: "1"})
    for found in (by_file, by_command):
        assert "unknown key" in str(found.value)
        assert len(str(found.value).splitlines()) == 1
