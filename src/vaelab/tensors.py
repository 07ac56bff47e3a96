"""Named arrays and a header in one safetensors file, checked by a digest; never unpickled."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as format_tensors

from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated


def write_bytes_safely(path: Path, content: bytes) -> None:
    """Write a file so that at every moment either the old content or the new one is there: temporary name, flush, move.

    Raises:
        VaelabError: when the disk is full or the folder cannot be written to; the old file is untouched.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".partial")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise VaelabError(
            translated(
                "{path}: could not be written ({strerror}); what was there before is unchanged. Free some space, "
                "or choose another folder",
                path=path,
                strerror=error.strerror or error,
            )
        ) from error


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], header: Mapping[str, Any]) -> None:
    """Write arrays by name, with a header of JSON values, and a digest over both."""
    # ascontiguousarray makes a number a vector of one: the shape is put back
    arrays = {name: np.ascontiguousarray(array).reshape(array.shape) for name, array in arrays.items()}
    texts = {key: json.dumps(value, sort_keys=True) for key, value in header.items()}
    texts["digest"] = _digest(arrays, texts)
    write_bytes_safely(path, format_tensors(arrays, metadata=texts))


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the header of a file that `write_tensors` wrote.

    Raises:
        VaelabError: where the file is missing, cut short, altered, or not of this kind.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise VaelabError(translated("{path}: no such file", path=path)) from None
    except OSError as error:
        raise VaelabError(
            translated("{path}: could not be read ({strerror})", path=path, strerror=error.strerror)
        ) from None
    try:
        arrays = parse_tensors(content)
        size = int.from_bytes(content[:8], "little")
        texts: dict[str, str] = json.loads(content[8 : 8 + size]).get("__metadata__", {})
    except (SafetensorError, ValueError, KeyError) as error:
        raise _damaged(path, to_translate("not a whole safetensors file: {error}", error=error)) from None
    digest = texts.pop("digest", None)
    if digest is None:
        raise VaelabError(
            translated("{path}: a safetensors file without vaelab's header; expected one that vaelab wrote", path=path)
        )
    if digest != _digest(arrays, texts):
        raise _damaged(path, to_translate("its digest does not fit its content"))
    return arrays, {key: json.loads(text) for key, text in texts.items()}


def _damaged(path: Path, how: str) -> VaelabError:
    return VaelabError(
        translated(
            "{path}: cut short or altered ({how}). Restore it from a copy, or train again (--resume, if its checkpoint is whole)",
            path=path,
            how=how,
        )
    )


def _digest(arrays: Mapping[str, np.ndarray], texts: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(texts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
