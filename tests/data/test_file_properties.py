"""IDX and NumPy files of any type, shape and byte order, whole and damaged: right arrays, or one line that says what is wrong."""

import gzip
import io
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from vaelab.data.array_files import read_npy, read_npz
from vaelab.data.idx import read_idx
from vaelab.errors import VaelabError
from vaelab.generating.files import read_latents

quickly = settings(max_examples=60, deadline=None, database=None, derandomize=True)

IDX_TYPES = {"u1": 0x08, "i1": 0x09, ">i2": 0x0B, ">i4": 0x0C, ">f4": 0x0D, ">f8": 0x0E}
SHAPES = arrays_of.array_shapes(min_dims=2, max_dims=4, min_side=1, max_side=4).filter(lambda shape: shape[0] >= 2)


def idx_of(array: np.ndarray, kind: str) -> bytes:
    header = bytes([0, 0, IDX_TYPES[kind], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(kind).tobytes()


def npy_of(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def npz_of(method: int = zipfile.ZIP_STORED, **members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def read(reader: Callable, content: bytes, name: str) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        return reader(path)


def read_or_refused(reader: Callable, content: bytes, name: str) -> object | None:
    """What is read; None where it is refused in one line. Any other exception fails the test."""
    refusal = ""
    try:
        return read(reader, content, name)
    except VaelabError as error:
        refusal = str(error)
    assert "\n" not in refusal
    assert name in refusal
    return None


@quickly
@given(data=st.data(), kind=st.sampled_from(sorted(IDX_TYPES)), packed=st.booleans())
def test_idx_files_of_any_type_and_shape_are_read_as_written(data: st.DataObject, kind: str, packed: bool) -> None:
    array = data.draw(arrays_of.arrays(np.dtype(kind), arrays_of.array_shapes(min_dims=1, max_dims=4, max_side=4)))
    content = idx_of(array, kind)
    found = read(read_idx, gzip.compress(content) if packed else content, "x")
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.dtype(kind).newbyteorder("=")
    np.testing.assert_array_equal(found, array)


LEVELS = st.sampled_from(["u1", "<i2", ">i2", "<i8", ">u4", "bool"])
REALS = st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<f2", ">f2"])


def _as_read(array: np.ndarray) -> np.ndarray:
    """By the rule of docs/data.md: integers are grey levels, of 0 and 1 alone black and white; floats stay as they are."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    whole = array.astype(np.uint8)
    return whole * np.uint8(255) if array.dtype.kind == "b" or whole.max() <= 1 else whole


@quickly
@given(data=st.data(), kind=st.one_of(LEVELS, REALS), fortran=st.booleans(), zipped=st.booleans())
def test_numpy_files_of_any_type_and_order_are_read_as_written(
    data: st.DataObject, kind: str, fortran: bool, zipped: bool
) -> None:
    dtype = np.dtype(kind)
    values = st.floats(-100, 100, width=16) if dtype.kind == "f" else st.integers(0, 1 if dtype.kind == "b" else 100)
    array = data.draw(arrays_of.arrays(dtype, SHAPES.filter(_is_of_images), elements=values))
    content = npy_of(np.asfortranarray(array) if fortran else array)
    found = read(read_npz, npz_of(x=content), "x.npz") if zipped else read(read_npy, content, "x.npy")
    images = found.train.images
    assert images.dtype.isnative
    np.testing.assert_array_equal(images.reshape(array.shape), _as_read(array))


def _is_of_images(shape: tuple[int, ...]) -> bool:
    """Flat rows, grey pictures, or pictures whose last axis is one of channels."""
    return len(shape) < 4 or shape[3] in (1, 3)


EXAMPLE = np.random.default_rng(0).integers(0, 256, (6, 5, 4)).astype(np.uint8)
IDX, NPY = idx_of(EXAMPLE, "u1"), npy_of(EXAMPLE)
WHOLE: dict[str, tuple[Callable, bytes, str]] = {
    "idx": (read_idx, IDX, "x"),
    "gzip": (read_idx, gzip.compress(IDX, mtime=0), "x.gz"),
    "npy": (read_npy, NPY, "x.npy"),
    "npz": (read_npz, npz_of(x_train=NPY, x_test=NPY), "x.npz"),
    "npz, deflated": (read_npz, npz_of(zipfile.ZIP_DEFLATED, x_train=NPY), "x.npz"),
    "npz, bzip2": (read_npz, npz_of(zipfile.ZIP_BZIP2, x_train=NPY), "x.npz"),
    "npz, lzma": (read_npz, npz_of(zipfile.ZIP_LZMA, x_train=NPY), "x.npz"),
    "latents": (read_latents, npz_of(zipfile.ZIP_LZMA, z=npy_of(np.ones((3, 2)))), "z.npz"),
}
CHECKED = ("gzip", "npz", "npz, deflated", "npz, bzip2", "npz, lzma")
"""Formats with a checksum: what is read of a damaged file is what was written."""


@pytest.mark.parametrize("kind", WHOLE)
def test_whole_files_of_every_format_are_read(kind: str) -> None:
    reader, content, name = WHOLE[kind]
    assert read(reader, content, name) is not None


def _damaged(content: bytes, data: st.DataObject) -> bytes:
    """Cut short, some bytes replaced, a stretch taken out, or bytes added."""
    how = data.draw(st.sampled_from(["cut", "replace", "take out", "add"]))
    place = data.draw(st.integers(0, len(content) - 1))
    if how == "cut":
        return content[:place]
    if how == "replace":
        new = data.draw(st.binary(min_size=1, max_size=8))
        return content[:place] + new + content[place + len(new) :]
    if how == "take out":
        return content[:place] + content[place + data.draw(st.integers(1, 40)) :]
    return content[:place] + data.draw(st.binary(min_size=1, max_size=8)) + content[place:]


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.filterwarnings("ignore::UserWarning")  # NumPy's of a header that reads like one of Python 2
@quickly
@given(data=st.data())
def test_a_damaged_file_is_read_right_or_refused_in_one_line(kind: str, data: st.DataObject) -> None:
    reader, content, name = WHOLE[kind]
    found = read_or_refused(reader, _damaged(content, data), name)
    if found is not None and kind in CHECKED:
        images = found if isinstance(found, np.ndarray) else found.train.images
        if images.shape == EXAMPLE.shape:
            np.testing.assert_array_equal(images, EXAMPLE)


@pytest.mark.filterwarnings("ignore::UserWarning")
@quickly
@given(
    content=st.binary(max_size=200),
    start=st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"\0\0\x08\x01", b"\x1f\x8b\x08"]),
)
def test_any_bytes_are_refused_in_one_line_or_read(content: bytes, start: bytes) -> None:
    for reader, name in ((read_idx, "x"), (read_npy, "x.npy"), (read_npz, "x.npz"), (read_latents, "z.npz")):
        read_or_refused(reader, start + content, name)


HEADERS = {
    "keys that are no text": "{1: '<f8', 'fortran_order': False, 'shape': (2, 2)}",
    "keys of several types": "{'descr': '|u1', None: False, 'shape': (2, 2)}",
    "a type that is none": "{'descr': 'nonsense', 'fortran_order': False, 'shape': (2, 2)}",
    "a type of fields": "{'descr': [('a', '<f8'), ('b', 3)], 'fortran_order': False, 'shape': (2, 2)}",
    "a length beyond all numbers": "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999999, 4)}",
    "brackets without an end": "(" * 3000,
    "a call": "__import__('os').getcwd()",
}


@pytest.mark.parametrize("case", HEADERS)
def test_headers_that_are_none_are_refused(tmp_path, refused, case):
    header = HEADERS[case].encode().ljust(118) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
    (tmp_path / "x.npy").write_bytes(content)
    (tmp_path / "x.npz").write_bytes(npz_of(x=content))
    refused(lambda: read_npy(tmp_path / "x.npy"), "x.npy", "damaged")
    refused(lambda: read_npz(tmp_path / "x.npz"), "x.npz", "damaged")
    refused(lambda: read_latents(tmp_path / "x.npz"), "x.npz", "damaged")


def test_an_encrypted_archive_is_named(tmp_path, refused):
    """By the bit of its flags that says so, in the member's own header and in the archive's list."""
    content = bytearray(npz_of(x_train=NPY))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.npz").write_bytes(bytes(content))
    refused(lambda: read_npz(tmp_path / "x.npz"), "x.npz", "encrypted", "without a password")
    refused(lambda: read_latents(tmp_path / "x.npz"), "x.npz", "damaged")


def test_lzma_that_is_damaged_is_named(tmp_path, refused):
    content = bytearray(npz_of(zipfile.ZIP_LZMA, x_train=NPY))
    start = content.index(b"x_train.npy") + len(b"x_train.npy")
    content[start + 12 : start + 40] = b"\xff" * 28
    (tmp_path / "x.npz").write_bytes(bytes(content))
    refused(lambda: read_npz(tmp_path / "x.npz"), "x.npz", "damaged")


@pytest.mark.parametrize("name", ["two\nlines", "carriage\rreturn", "bell\a"])
def test_names_of_several_lines_are_said_in_one(tmp_path, refused, name):
    (tmp_path / "two.npz").write_bytes(npz_of(**{name: NPY, "other": NPY}))
    refused(lambda: read_npz(tmp_path / "two.npz"), "expected arrays named", ascii(name)[1:-1])
    refused(lambda: read_latents(tmp_path / "two.npz"), "expected an array z", ascii(name)[1:-1])
    bad = npy_of(np.zeros((0, 28, 28), np.uint8))
    (tmp_path / "one.npz").write_bytes(npz_of(**{name: bad}))
    refused(lambda: read_npz(tmp_path / "one.npz"), "holds no images", ascii(name)[1:-1])
