"""The server answers its own page and nobody else."""

import io
import socket
import struct
import zlib
from collections.abc import Iterator

import httpx
import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from explorer.local_server import TOKEN, Serving
from vaelab.errors import VaelabError
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.server import LARGEST_UPLOAD, free_port, read_frame, write_frame
from vaelab.generating import decode, encode


@pytest.fixture(scope="module")
def base(bundle: Bundle) -> Iterator[str]:
    with Serving(bundle) as address:
        yield address.split("/?")[0]


@pytest.fixture
def client(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=120, trust_env=False) as made:
        yield made


@pytest.fixture
def known(client: httpx.Client) -> httpx.Client:
    """A client that opened the printed address, and so has the cookie."""
    answer = client.get("/", params={"token": TOKEN})
    assert answer.status_code == 303
    assert "token" not in answer.headers["location"]
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    return client


PATHS = ["/", "/page.js", "/view", "/weights/0", "/snapshots/0/1", "/export"]


@pytest.mark.parametrize("path", PATHS)
def test_without_the_token_nothing_is_answered(client: httpx.Client, path: str):
    assert client.get(path).status_code == 403
    assert client.get(path, params={"token": "wrong"}).status_code == 403
    assert client.get(path, headers={"cookie": f"vaelab-{client.base_url.port}=wrong"}).status_code == 403


@pytest.mark.parametrize("path", ["/", "/view"])
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "localhost"},
        {"host": "127.0.0.1:9"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9"},
    ],
    ids=lambda headers: "".join(f"{name} {value}" for name, value in headers.items()),
)
def test_a_foreign_host_or_origin_is_refused_even_with_the_token(known: httpx.Client, path: str, headers: dict):
    assert known.get(path, headers=headers).status_code == 403


def test_the_page_may_load_nothing_from_elsewhere(known: httpx.Client):
    answer = known.get("/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_files_that_are_not_there(known: httpx.Client):
    assert known.get("/weights/7").status_code == 404
    assert known.get("/snapshots/0/12345").status_code == 404
    assert known.get("/../pyproject.toml").status_code == 404


def test_a_picture_comes_back_as_rgb(known: httpx.Client):
    buffer = io.BytesIO()
    Image.new("RGBA", (40, 30), (255, 0, 0, 0)).save(buffer, "PNG")
    answer = known.post("/picture", content=buffer.getvalue())
    assert (answer.headers["x-width"], answer.headers["x-height"]) == ("40", "30")
    assert answer.content == b"\xff" * (40 * 30 * 3)  # transparent is white


def bomb() -> bytes:
    """A PNG of 100 megapixels, some kilobytes long."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (10_000 * 1251), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"not an image at all", 415, "no image"),
        (bomb(), 415, "at most 40 megapixels"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, 415, "damaged"),
        (b"\0" * (LARGEST_UPLOAD + 1), 413, "larger than 20 MB"),
    ],
    ids=["text", "bomb", "damaged", "large"],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(known: httpx.Client, content: bytes, status: int, words: str):
    answer = known.post("/picture", content=content)
    assert answer.status_code == status
    assert words in answer.text


def channel(client: httpx.Client, origin: str | None = "own"):
    """A WebSocket with the client's cookies."""
    own = f"http://127.0.0.1:{client.base_url.port}"
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    return connect(
        f"ws://127.0.0.1:{client.base_url.port}/socket",
        origin=own if origin == "own" else origin,  # pyright: ignore[reportArgumentType]
        additional_headers={"cookie": cookies},
        proxy=None,
    )


def ask(client: httpx.Client, header: dict, *arrays: np.ndarray) -> tuple[dict, np.ndarray]:
    with channel(client) as opened:
        opened.send(write_frame(header, *arrays))
        answer = opened.recv(timeout=60)
        assert isinstance(answer, bytes)
        return read_frame(answer)


def test_the_socket_decodes_and_encodes_as_the_model_does(known: httpx.Client, bundle: Bundle, generator):
    model = bundle.explored[0].model
    z = generator.normal(size=(3, 2)).astype(np.float32)
    header, pixels = ask(known, {"id": 4, "kind": "decode", "key": "0"}, z)
    assert header == {"id": 4}
    np.testing.assert_allclose(pixels.reshape(3, 28, 28), decode(model, z), atol=1e-6)
    images = decode(model, z)
    header, numbers = ask(known, {"id": 5, "kind": "encode", "key": "0"}, images)
    encoded = encode(model, images)
    assert header["arrays"] == {"mean": 6, "log_variance": 6}
    np.testing.assert_allclose(numbers[:6].reshape(3, 2), encoded.mean, atol=1e-5)
    header, values = ask(known, {"id": 6, "kind": "likelihoods", "key": "0", "image": 784}, z, images[0])
    expected = [float(model.likelihood(point).log_prob(jnp.asarray(images[0]))) for point in jnp.asarray(z)]
    np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.mark.parametrize(
    "header",
    [{"kind": "decode", "key": "9"}, {"kind": "run", "key": "0"}, {"kind": "decode", "key": "zero"}],
    ids=["run", "task", "key"],
)
def test_the_socket_answers_nonsense_with_an_error(known: httpx.Client, header: dict):
    answer, _ = ask(known, {"id": 1, **header}, np.zeros(2, np.float32))
    assert answer["id"] == 1
    assert answer["error"]


@pytest.mark.parametrize("origin", ["https://evil.example", None], ids=["foreign", "none"])
def test_the_socket_is_shut_to_other_origins(known: httpx.Client, origin: str | None):
    with pytest.raises(InvalidStatus, match="403"), channel(known, origin):
        pass


def test_the_socket_is_shut_without_the_token(client: httpx.Client):
    with pytest.raises(InvalidStatus, match="403"), channel(client):
        pass


def test_a_port_in_use_gives_the_next():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with free_port(port) as found:
            assert found.getsockname()[1] > port
            assert found.getsockname()[0] == "127.0.0.1"
        with pytest.raises(VaelabError, match=f"--port {port}"):
            free_port(port, tries=1)
    with pytest.raises(VaelabError, match="65535"):
        free_port(70_000)
