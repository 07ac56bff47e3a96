"""The explorer's server: this computer only, this user only, one page.

It listens on 127.0.0.1 and answers only who knows its random token: the address it prints carries the token once, and the answer to
it sets a cookie. Host and Origin are checked (so that another site's page, or a name that was rebound to this address, gets nothing),
and the page may load nothing from elsewhere.
"""

import hmac
import io
import json
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from vaelab.data import pictures
from vaelab.errors import VaelabError
from vaelab.explorer.assemble import page_script, style_sheet
from vaelab.explorer.bundle import Bundle
from vaelab.explorer.export import PAGE_STYLE, export_html
from vaelab.explorer.source import Source
from vaelab.generating import decode, encode, log_likelihoods
from vaelab.language import translated

COOKIE = "vaelab"
PORTS_TO_TRY = 40
LARGEST_UPLOAD = 20 * 1024 * 1024
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 512
LARGEST_FRAME = 64 * 1024 * 1024

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; worker-src blob:; "
    "connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en" data-served="yes" data-token="{token}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>vaelab</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
</head>
<body>
<main id="explorer" class="vx">
<p class="vx-wait" role="status">Preparing the map … &nbsp;·&nbsp; <span lang="zh-CN">正在准备地图……</span></p>
</main>
<script src="page.js"></script>
</body>
</html>
"""


def free_port(wanted: int, *, tries: int = PORTS_TO_TRY) -> socket.socket:
    """A socket that listens on 127.0.0.1 at the port wanted, or at the first free one after it.

    Raises:
        VaelabError: where none of the ports is free, or the number is no port's.
    """
    if not 0 <= wanted <= 65535:
        raise VaelabError(
            translated("--port {wanted}: expected a number from 0 (any free port) to 65535", wanted=wanted)
        )
    for port in range(wanted, min(wanted + tries, 65536)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            listener.listen(128)
        except OSError:
            listener.close()
            continue
        return listener
    raise VaelabError(
        translated(
            "--port {wanted}: no free port from {wanted} to {last}; choose another",
            wanted=wanted,
            last=wanted + tries - 1,
        )
    )


class OnlyOurs:
    """Refuses every request that does not come from the page this server gave out."""

    def __init__(self, app: ASGIApp, *, token: str, port: int):
        self.app = app
        self.token = token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self.origins = {f"http://{host}" for host in self.hosts}
        self.policy = POLICY.format(port=port)
        self.cookie = f"{COOKIE}-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        refusal = self._refusal(connection)
        if refusal is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": refusal})
                return
            await PlainTextResponse(refusal, 403, self._headers())(scope, receive, send)
            return
        given = connection.query_params.get("token")
        if scope["type"] == "http" and given is not None:
            kept = urlencode([pair for pair in connection.query_params.multi_items() if pair[0] != "token"])
            response = RedirectResponse((scope["path"] or "/") + (f"?{kept}" if kept else ""), 303, self._headers())
            response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            await response(scope, receive, send)
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    *((name.encode(), value.encode()) for name, value in self._headers().items()),
                ]
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _refusal(self, connection: HTTPConnection) -> str | None:
        """Why a connection is refused, or None."""
        if connection.headers.get("host", "") not in self.hosts:
            return "another host's name: open the address that vaelab explore printed"
        origin = connection.headers.get("origin")
        if origin is not None and origin not in self.origins:
            return "a page of another origin may not ask here"
        if connection.scope["type"] == "websocket" and origin is None:
            return "a WebSocket without an origin"
        given = connection.query_params.get("token") or connection.cookies.get(self.cookie) or ""
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return "without its token this page is shut: open the whole address that vaelab explore printed"
        return None

    def _headers(self) -> dict[str, str]:
        return {
            "content-security-policy": self.policy,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-resource-policy": "same-origin",
            "cache-control": "no-store",
        }


def make_app(bundle: Bundle | Source, *, token: str, port: int) -> ASGIApp:
    """The server as an ASGI application, of a bundle or of a source of newer ones."""
    source = bundle if isinstance(bundle, Source) else Source.of(bundle)

    async def octets(make: Callable[[], bytes], headers: dict[str, str] | None = None) -> Response:
        try:
            content = await run_in_threadpool(make)
        except (VaelabError, IndexError) as error:
            return PlainTextResponse(str(error), 404)
        return Response(content, media_type="application/octet-stream", headers=headers)

    async def page(request: Request) -> Response:
        del request
        return HTMLResponse(PAGE.format(token=token))

    async def script(request: Request) -> Response:
        del request
        return Response(page_script(), media_type="text/javascript")

    async def style(request: Request) -> Response:
        del request
        return Response(style_sheet() + PAGE_STYLE, media_type="text/css")

    async def view(request: Request) -> Response:
        label = _label_of(request)
        await run_in_threadpool(source.newest)
        return await octets(lambda: source.as_label(label)[1].first_view, {"x-version": source.at_hand[0]})

    async def version(request: Request) -> Response:
        del request
        return PlainTextResponse(await run_in_threadpool(lambda: source.version))

    async def progress(request: Request) -> Response:
        _, own = source.as_label(_label_of(request))
        return JSONResponse(own.progress.as_json())

    def part(make: Callable[[Bundle, dict[str, int]], bytes]) -> Callable[[Request], Any]:
        """What belongs to a view: refused to a page whose view is of another version."""

        async def answer(request: Request) -> Response:
            version, label = source.at_hand[0], _label_of(request)
            asked = request.query_params.get("version", version)
            if asked != version or asked != await run_in_threadpool(lambda: source.version):
                return PlainTextResponse(CHANGED, 409)
            return await octets(lambda: make(source.as_label(label)[1], request.path_params))

        return answer

    async def exported(request: Request) -> Response:
        await run_in_threadpool(source.newest)
        _, newest = await run_in_threadpool(source.as_label, _label_of(request))
        content = await run_in_threadpool(export_html, newest)
        return Response(
            content,
            media_type="text/html",
            headers={"content-disposition": f'attachment; filename="{_file_name(newest)}"'},
        )

    async def channel(websocket: WebSocket) -> None:
        await websocket.accept()
        asked, label = websocket.query_params.get("version"), _label_of(websocket)
        try:
            while True:
                frame = await websocket.receive_bytes()
                version, own = await run_in_threadpool(source.as_label, label)
                if asked not in (None, version):
                    await websocket.send_bytes(refused_frame(frame))
                    continue
                answer = await run_in_threadpool(answer_frame, own, frame)
                await websocket.send_bytes(answer)
        except (WebSocketDisconnect, KeyError):
            return

    routes = [
        Route("/", page),
        Route("/page.js", script),
        Route("/style.css", style),
        Route("/view", view),
        Route("/version", version),
        Route("/progress", progress),
        Route("/priors/{run:int}/{prior:int}", part(lambda own, at: own.prior_file(at["run"], at["prior"]))),
        Route("/weights/{run:int}", part(lambda own, at: own.weights(_known(own, at["run"])))),
        Route(
            "/snapshots/{run:int}/{epoch:int}", part(lambda own, at: own.snapshot(_known(own, at["run"]), at["epoch"]))
        ),
        Route("/export", exported),
        Route("/picture", read_picture, methods=["POST"]),
        WebSocketRoute("/socket", channel),
    ]
    return OnlyOurs(Starlette(routes=routes), token=token, port=port)


CHANGED = "the run was trained anew since this page was opened"


def _label_of(connection: HTTPConnection) -> int | None:
    """The label that a page asked for, by its number; None for none."""
    given = connection.query_params.get("label", "")
    return int(given) if given.isascii() and given.isdigit() else None


def _known(bundle: Bundle, run: int) -> int:
    """The number of a run of the bundle.

    Raises:
        IndexError: where there is none.
    """
    if run >= len(bundle.explored):
        raise IndexError("no such run")
    return run


def _file_name(bundle: Bundle) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in bundle.name) + ".html"


# --- dropped files ------------------------------------------------------------------------------------------------------------------


async def read_picture(request: Request) -> Response:
    """A dropped file as RGB bytes, its width and height in the headers; refused with the reason where it is too large or no image."""
    content = bytearray()
    async for chunk in _limited(request):
        content += chunk
        if len(content) > LARGEST_UPLOAD:
            return PlainTextResponse(f"it is larger than {LARGEST_UPLOAD // 2**20} MB", 413)
    try:
        width, height, pixels = await run_in_threadpool(open_picture, bytes(content))
    except VaelabError as error:
        return PlainTextResponse(str(error), 415)
    headers = {"x-width": str(width), "x-height": str(height)}
    return Response(pixels, media_type="application/octet-stream", headers=headers)


async def _limited(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


def open_picture(content: bytes) -> tuple[int, int, bytes]:
    """Width, height and RGB bytes of an image file, made smaller where it is large.

    Raises:
        VaelabError: for what is no image, is damaged, or has too many pixels; the sentence goes on from the file's name.
    """
    try:
        picture = pictures.open_picture(io.BytesIO(content), most_pixels=MOST_PIXELS).convert("RGB")
    except pictures.UnreadablePicture as reason:
        raise VaelabError(
            translated(
                "it is no image, damaged, or too large (at most {most_pixels:.0f} megapixels): {reason}",
                most_pixels=MOST_PIXELS / 1000000.0,
                reason=reason,
            )
        ) from None
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture.width, picture.height, picture.tobytes()


# --- decoding for the page ----------------------------------------------------------------------------------------------------------


def answer_frame(bundle: Bundle, frame: bytes) -> bytes:
    """The answer to one question of the page: `decode`, `encode` or `likelihoods`. Frames are as `engine.js` has them."""
    header, numbers = read_frame(frame)
    identity = header.get("id")
    try:
        model = bundle.explored[int(str(header.get("key", "")).split("@")[0])].model
        kind = header.get("kind")
        if kind == "decode":
            images = decode(model, numbers.reshape(-1, model.latent_dim))
            return write_frame({"id": identity}, images.reshape(len(images), -1))
        if kind == "encode":
            encoded = encode(model, numbers.reshape(-1, *model.image_shape))
            arrays = {"mean": encoded.mean}
            if encoded.log_variance is not None:
                arrays["log_variance"] = encoded.log_variance
            sizes = {name: int(array.size) for name, array in arrays.items()}
            return write_frame({"id": identity, "arrays": sizes}, *arrays.values())
        if kind == "likelihoods":
            pixels = int(header.get("image", 0))
            latents, image = numbers[: len(numbers) - pixels], numbers[len(numbers) - pixels :]
            values = log_likelihoods(model, latents.reshape(-1, model.latent_dim), image.reshape(model.image_shape))
            return write_frame({"id": identity}, values)
        raise VaelabError(translated("no task is called {kind!r}", kind=kind))
    except (ValueError, IndexError, TypeError) as error:
        return write_frame({"id": identity, "error": str(error)})


def refused_frame(frame: bytes) -> bytes:
    """The answer to a page whose view is of another version."""
    header, _ = read_frame(frame)
    return write_frame({"id": header.get("id"), "error": CHANGED, "changed": True})


def read_frame(frame: bytes) -> tuple[dict[str, Any], np.ndarray]:
    """The header and the float32 numbers of a frame.

    Raises:
        ValueError: for what is no frame.
    """
    if len(frame) < 4:
        raise ValueError("a frame has a length, a header and numbers")
    (length,) = struct.unpack_from("<I", frame)
    if 4 + length > len(frame) or (len(frame) - 4 - length) % 4:
        raise ValueError("a frame that is cut short")
    header = json.loads(frame[4 : 4 + length])
    if not isinstance(header, dict):
        raise ValueError("a frame's header is an object")
    return header, np.frombuffer(frame, np.float32, offset=4 + length)


def write_frame(header: dict[str, Any], *arrays: np.ndarray) -> bytes:
    text = json.dumps(header)
    text += " " * (-(len(text) + 4) % 4)
    numbers = b"".join(np.ascontiguousarray(array, np.float32).tobytes() for array in arrays)
    return struct.pack("<I", len(text)) + text.encode() + numbers


# --- running ------------------------------------------------------------------------------------------------------------------------


def serve(
    bundle: Bundle | Source, listener: socket.socket, *, token: str | None = None, ready: Callable[[str], None] = print
) -> None:
    """Serve until interrupted. `ready` is called with the address, once it can be opened."""
    import uvicorn

    token = token or secrets.token_urlsafe(24)
    port = listener.getsockname()[1]
    app = make_app(bundle, token=token, port=port)
    config = uvicorn.Config(
        app,
        log_level="warning",
        ws="websockets-sansio",
        ws_max_size=LARGEST_FRAME,
        lifespan="off",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    ready(f"http://127.0.0.1:{port}/?token={token}")
    server.run(sockets=[listener])
