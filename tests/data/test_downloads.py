"""Downloading: from a server on this machine that also breaks its promises."""

import gzip
import hashlib
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import vaelab.data.names
from vaelab.data import catalogue, load_data
from vaelab.data.downloads import FASHION_MNIST, KMNIST, Published, cache_folder, read_published

NAMES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


class Server(ThreadingHTTPServer):
    """Serves `files` below /good/; /corrupt/, /short/, /missing/ and /error/ fail each in their own way."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.requests: list[str] = []

    def mirror(self, way: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{way}/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.requests.append(self.path)
        way, name = self.path.strip("/").split("/")
        content = self.server.files[name]
        if way in ("missing", "error"):
            self.send_error(404 if way == "missing" else 503)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if way == "corrupt":
            content = content[:-1] + bytes([content[-1] ^ 1])
        self.wfile.write(content[: len(content) // 2] if way == "short" else content)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def arrays(grey_images) -> dict[str, np.ndarray]:
    labels = np.arange(20, dtype="u1") % 10
    return dict(zip(NAMES, (grey_images, labels, grey_images[:5], labels[:5]), strict=True))


@pytest.fixture
def server(arrays, write_idx, tmp_path, monkeypatch) -> Iterator[Server]:
    for proxy in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(proxy, "127.0.0.1")
    monkeypatch.delenv("VAELAB_CACHE", raising=False)
    logging.getLogger("pooch").setLevel(logging.WARNING)
    files = {name: write_idx(tmp_path / "source", array, True).read_bytes() for name, array in arrays.items()}
    server = Server(files)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _published(server: Server, *ways: str, **changes: object) -> Published:
    md5 = {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in server.files.items()}
    mirrors = tuple(server.mirror(way) for way in ways)
    return replace(KMNIST, md5=md5, mirrors=mirrors, system_folder=None, **changes)


def _check(parts, arrays: dict[str, np.ndarray]) -> None:
    found = parts.train.images, parts.train.labels, parts.test.images, parts.test.labels
    for array, expected in zip(found, arrays.values(), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_downloaded_once_then_read_from_the_cache(server, arrays, tmp_path):
    published = _published(server, "good")
    parts, origin = read_published(published, tmp_path / "cache")
    _check(parts, arrays)
    assert sorted(server.requests) == sorted(f"/good/{name}" for name in NAMES)
    assert str(tmp_path / "cache" / "kmnist") in origin
    server.requests.clear()
    _check(read_published(published, tmp_path / "cache")[0], arrays)
    assert server.requests == []


@pytest.mark.parametrize("way", ["corrupt", "short", "missing", "error"])
def test_the_next_mirror_takes_over(server, arrays, tmp_path, way):
    parts, _ = read_published(_published(server, way, "good"), tmp_path)
    _check(parts, arrays)
    assert [request.split("/")[1] for request in server.requests] == [way, "good"] * 4
    assert sorted(path.name for path in (tmp_path / "kmnist").iterdir()) == sorted(NAMES)  # and nothing half done


@pytest.mark.parametrize(
    ("way", "words"),
    [("corrupt", "damaged in transfer"), ("short", "cut short"), ("missing", "HTTP 404"), ("error", "HTTP 503")],
)
def test_no_mirror_delivers(server, tmp_path, refused, way, words):
    published = _published(server, way, way)
    call = lambda: read_published(published, tmp_path)  # noqa: E731
    refused(call, NAMES[0], "kmnist", words, "check the connection", str(tmp_path / "kmnist"), "mnist")
    assert list((tmp_path / "kmnist").iterdir()) == []


def test_offline(server, tmp_path, refused):
    published = replace(_published(server), mirrors=("http://127.0.0.1:9/",))  # the discard port: nobody listens
    refused(lambda: read_published(published, tmp_path), "no connection", "yourself", "needs no download")


def test_files_put_into_the_cache_by_hand(server, arrays, tmp_path):
    folder = tmp_path / "kmnist"
    folder.mkdir()
    for name, content in server.files.items():
        (folder / name).write_bytes(content)
    _check(read_published(_published(server, "missing"), tmp_path)[0], arrays)
    assert server.requests == []


def test_a_damaged_file_in_the_cache_is_fetched_again(server, arrays, tmp_path):
    published = _published(server, "good")
    read_published(published, tmp_path)
    (tmp_path / "kmnist" / NAMES[0]).write_bytes(gzip.compress(b"something else"))
    server.requests.clear()
    _check(read_published(published, tmp_path)[0], arrays)
    assert server.requests == [f"/good/{NAMES[0]}"]


def test_a_cache_that_cannot_be_written(server, tmp_path, refused):
    (tmp_path / "file").write_text("no folder")
    refused(lambda: read_published(_published(server, "good"), tmp_path / "file"), "cannot keep", "VAELAB_CACHE")


def test_where_the_cache_is(tmp_path, monkeypatch):
    monkeypatch.setenv("VAELAB_CACHE", str(tmp_path / "variable"))
    assert cache_folder(KMNIST) == tmp_path / "variable" / "kmnist"
    assert cache_folder(KMNIST, tmp_path / "argument") == tmp_path / "argument" / "kmnist"
    monkeypatch.delenv("VAELAB_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user"))
    assert cache_folder(KMNIST).name == "kmnist"
    assert cache_folder(KMNIST).parent.name == "vaelab"


def test_load_data_downloads_by_name(server, arrays, tmp_path, monkeypatch):
    monkeypatch.setitem(vaelab.data.names.PUBLISHED, "kmnist", _published(server, "corrupt", "good"))
    data = load_data("kmnist", cache=tmp_path)
    assert (len(data.train), len(data.validation), len(data.test)) == (18, 2, 5)
    assert data.label_names[4] == "na"
    assert "CC BY-SA 4.0" in data.licence
    assert str(tmp_path) in data.origin


# -- A distribution's package --------------------------------------------------------------------------------------


def _installed(server: Server, folder: Path, arrays: dict[str, np.ndarray], write_idx) -> Published:
    # Compressed anew, as Debian does: the published files' MD5 do not fit, the content's SHA-256 do.
    folder.mkdir()
    sha256 = {}
    for name, array in arrays.items():
        content = write_idx(folder / "plain", array).read_bytes()
        sha256[name] = hashlib.sha256(content).hexdigest()
        (folder / name).write_bytes(gzip.compress(content, 1))
    (folder / "plain").unlink()
    changes = {"system_folder": folder, "system_package": "Debian's package", "sha256": sha256}
    return replace(_published(server, "missing"), **changes)


def test_an_installed_package_is_used(server, arrays, tmp_path, write_idx):
    published = _installed(server, tmp_path / "system", arrays, write_idx)
    parts, origin = read_published(published, tmp_path / "cache")
    _check(parts, arrays)
    assert origin == f"Debian's package in {tmp_path / 'system'}"
    assert server.requests == []
    assert not (tmp_path / "cache").exists()


def test_a_damaged_installed_package(server, arrays, tmp_path, write_idx, refused):
    published = _installed(server, tmp_path / "system", arrays, write_idx)
    path = write_idx(tmp_path / "system" / NAMES[0], arrays[NAMES[0]] ^ 1, True)
    refused(lambda: read_published(published, tmp_path), str(path), "damaged", "SHA-256")


def test_half_an_installed_package_is_not_used(server, arrays, tmp_path, write_idx):
    published = _installed(server, tmp_path / "system", arrays, write_idx)
    (tmp_path / "system" / NAMES[3]).unlink()
    published = replace(published, mirrors=(server.mirror("good"),))
    _check(read_published(published, tmp_path / "cache")[0], arrays)
    assert len(server.requests) == 4


@pytest.mark.skipif(not FASHION_MNIST.system_folder.is_dir(), reason="Debian's dataset-fashion-mnist is not installed")
def test_debians_fashion_mnist():
    data = load_data("fashion-mnist")
    # Xiao, Rasul & Vollgraf 2017: 7,000 images a class, 1,000 of them in the test part.
    assert np.bincount(data.test.labels).tolist() == [1000] * 10
    assert np.bincount(data.train_and_validation.labels).tolist() == [6000] * 10
    entry = next(entry for entry in catalogue() if entry.name == "fashion-mnist")
    assert entry.at_hand
    assert entry.place == str(FASHION_MNIST.system_folder)


# -- What is published ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("published", [FASHION_MNIST, KMNIST], ids=lambda published: published.name)
def test_every_published_file_has_a_checksum_and_several_mirrors(published):
    assert sorted(published.md5) == sorted(NAMES)
    assert len({len(checksum) for checksum in published.md5.values()} | {32}) == 1
    assert len(set(published.md5.values())) == 4
    assert len({mirror.split("/")[2] for mirror in published.mirrors}) >= 2
    assert all(mirror.endswith("/") for mirror in published.mirrors)
    assert len(published.label_names) == 10
