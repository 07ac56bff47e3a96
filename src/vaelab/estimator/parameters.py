"""An estimator's parameters as JSON and back, each of the type it was: what `get_params` gives is what was given."""

from typing import Any

import numpy as np

from vaelab.errors import VaelabError
from vaelab.language import translated


def as_json(value: Any, name: str) -> Any:
    """A value as JSON has it; what JSON has no word for is an object with one key, its kind.

    Raises:
        VaelabError: naming the parameter, for what can only be pickled.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [as_json(part, name) for part in value]
    if isinstance(value, tuple):
        return {"tuple": [as_json(part, name) for part in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": [[key, as_json(part, f"{name}[{key!r}]")] for key, part in value.items()]}  # in their order
    if isinstance(value, np.generic) and value.dtype.kind in "biufUS":
        return {"number": as_json(np.asarray(value), name)}
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufUSO":
        items = [item.decode("latin-1") if isinstance(item, bytes) else item for item in value.ravel().tolist()]
        return {
            "array": [as_json(item, name) for item in items],
            "dtype": value.dtype.str,
            "shape": list(value.shape),
        }
    if isinstance(value, np.random.RandomState):
        state = value.get_state(legacy=False)
        return {"random_state": as_json(state, name)}
    raise VaelabError(
        translated(
            "{name}: a {type_name} cannot be written to a file (found {value!r}); give numbers, texts, lists or tables",
            name=name,
            type_name=type(value).__name__,
            value=value,
        )
    )


def from_json(value: Any) -> Any:
    """What `as_json` was given."""
    match value:
        case list():
            return [from_json(part) for part in value]
        case {"tuple": parts}:
            return tuple(from_json(part) for part in parts)
        case {"dict": parts}:
            return {key: from_json(part) for key, part in parts}
        case {"number": parts}:
            return from_json(parts)[()]
        case {"array": parts, "dtype": dtype, "shape": shape}:
            return _array([from_json(part) for part in parts], np.dtype(dtype), shape)
        case {"random_state": state}:
            found = np.random.RandomState()
            found.set_state(from_json(state))
            return found
        case _:
            return value


def _array(items: list[Any], dtype: np.dtype, shape: list[int]) -> np.ndarray:
    if dtype.kind == "S":
        items = [item.encode("latin-1") for item in items]
    found = np.empty(len(items), dtype)
    found[:] = items
    return found.reshape(shape)
