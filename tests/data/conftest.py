"""Small files of every kind that the data room reads."""

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vaelab.errors import VaelabError

WriteIdx = Callable[..., Path]


@pytest.fixture
def write_idx() -> WriteIdx:
    """A writer of IDX files, independent of the reader: magic number, lengths, values."""

    def write(path: Path, array: np.ndarray, compress: bool = False) -> Path:
        kind = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}[array.dtype.str[1:]]
        content = struct.pack(">HBB", 0, kind, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
        content += array.astype(array.dtype.newbyteorder(">")).tobytes()
        path.write_bytes(gzip.compress(content) if compress else content)
        return path

    return write


@pytest.fixture
def grey_images() -> np.ndarray:
    """Twenty images of 6x5, all different, none constant."""
    return np.random.default_rng(1).integers(0, 256, (20, 6, 5), dtype=np.uint8)


@pytest.fixture
def refused() -> Callable[..., None]:
    """Asserts that a call is refused in one line that has all of the `words`."""

    def check(call: Callable[[], object], *words: str) -> None:
        with pytest.raises(VaelabError) as caught:
            call()
        message = str(caught.value)
        assert "\n" not in message
        missing = [word for word in words if word not in message]
        assert not missing, f"{missing} not in {message!r}"

    return check
