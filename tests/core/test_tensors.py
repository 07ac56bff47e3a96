"""Tensor files: exact, checked by digest, replaced whole or not at all."""

import json
import struct

import numpy as np
import pytest

from vaelab.errors import VaelabError
from vaelab.tensors import read_tensors, write_tensors

ARRAYS = {
    "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b": np.array(7, np.int32),
    "key": np.array([1, 2], np.uint32),
}
HEADER = {"format": "test-1", "facts": {"names": ["zero", "零"]}}


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "file.safetensors"
    write_tensors(path, ARRAYS, HEADER)
    arrays, header = read_tensors(path)
    assert header == HEADER
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.safetensors"]


def test_a_file_cut_short_or_altered_is_refused(tmp_path):
    path = tmp_path / "file.safetensors"
    write_tensors(path, ARRAYS, HEADER)
    whole = path.read_bytes()
    for cut in (0, 4, 20, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(VaelabError, match="cut short or altered"):
            read_tensors(path)
    for place in (len(whole) - 1, whole.index(b"test-1")):
        altered = bytearray(whole)
        altered[place] ^= 1
        path.write_bytes(bytes(altered))
        with pytest.raises(VaelabError, match="cut short or altered"):
            read_tensors(path)


def test_files_of_others_and_missing_files_are_refused(tmp_path):
    with pytest.raises(VaelabError, match="no such file"):
        read_tensors(tmp_path / "none.safetensors")
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(VaelabError, match="without vaelab's header"):
        read_tensors(path)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "file.safetensors"
    write_tensors(path, ARRAYS, HEADER)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vaelab.tensors.os.fsync", full)
    with pytest.raises(VaelabError, match=r"No space left on device.*unchanged"):
        write_tensors(path, {"b": np.zeros(3)}, HEADER)
    assert read_tensors(path)[1] == HEADER
    assert len(list(tmp_path.iterdir())) == 1
