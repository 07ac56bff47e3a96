"""IDX, the file format of MNIST: one array, big-endian, with its shape in front; plain or gzipped.

Bytes 0 and 1 are zero, byte 2 is the type of the values, byte 3 the number of axes; then one unsigned
32-bit length an axis, then the values, the last axis fastest (LeCun, Cortes & Burges, "The MNIST database
of handwritten digits", section "File formats").
"""

import gzip
import hashlib
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from vaelab.errors import VaelabError
from vaelab.language import to_translate, translated

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_MOST_AXES = 4  # images with channels


def read_idx(path: Path, *, sha256: str | None = None) -> Shaped[np.ndarray, "..."]:
    """The array in an IDX file, read-only, in native byte order.

    Gzip is recognised by its first bytes, whatever the file is called. With `sha256` given, the uncompressed
    bytes must have that digest.

    Raises `VaelabError` for a file that cannot be read, damaged gzip, a wrong magic number, a file cut short
    or followed by more bytes than its shape asks for, and a wrong digest.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise VaelabError(
            translated(
                "cannot read {path}: {strerror}; check that the file is there",
                path=path,
                strerror=error.strerror or error,
            )
        ) from error
    if content[:2] == _GZIP_MAGIC:
        content = _gunzip(content, path)
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise VaelabError(
            translated(
                "{path} is damaged: its content should have the SHA-256 {sha256}… and has another; install or "
                "download it again",
                path=path,
                sha256=sha256[:12],
            )
        )
    return _parse_idx(content, path)


def _gunzip(content: bytes, path: Path) -> bytes:
    # A gzip file ends with the length of what it holds: the result is allocated once, which takes a third off
    # the time of growing it. The length is only a hint (deflate cannot expand more than 1032-fold), zlib checks
    # the checksum. `zlib.decompress` stops after the first of several members; those go the slow way.
    length = int.from_bytes(content[-4:], "little")
    try:
        result = zlib.decompress(content, 31, bufsize=max(1, min(length, 1032 * len(content))))
        if len(result) != length:
            result = gzip.decompress(content)
    except (zlib.error, EOFError, OSError) as error:
        raise VaelabError(
            translated("{path} is damaged gzip ({error}); get the file again", path=path, error=error)
        ) from error
    return result


def _parse_idx(content: bytes, path: Path) -> Shaped[np.ndarray, "..."]:
    kind, axes = (content[2], content[3]) if len(content) >= 4 else (0, 0)
    if content[:2] != b"\x00\x00" or kind not in _TYPES or not 1 <= axes <= _MOST_AXES:
        raise VaelabError(
            translated(
                "{path} is no IDX file: expected a magic number such as 00000803 (images) or 00000801 (labels), "
                "found {found}; check that it is the right file",
                path=path,
                found=content[:4].hex() or to_translate("an empty file"),
            )
        )
    start = 4 + 4 * axes
    if len(content) < start:
        raise VaelabError(
            translated(
                "{path} is cut short: its header needs {start} bytes, it has {content}; get it again",
                path=path,
                start=start,
                content=len(content),
            )
        )
    shape = struct.unpack(f">{axes}I", content[4:start])
    dtype = np.dtype(_TYPES[kind])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        short = len(content) < expected
        found = to_translate("is cut short") if short else to_translate("has bytes too many")
        raise VaelabError(
            translated(
                "{path} {found}: {shape} values need {expected:,} bytes, it has {content:,}; get the file again",
                path=path,
                found=found,
                shape="x".join(map(str, shape)),
                expected=expected,
                content=len(content),
            )
        )
    values = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return values.astype(dtype.newbyteorder("="), copy=False)
