"""A server in a thread, for tests that open its page."""

import threading
import time

import uvicorn

from vaelab.explorer.bundle import Bundle
from vaelab.explorer.server import free_port, make_app
from vaelab.explorer.source import Source

TOKEN = "a-token-for-tests"


class Serving:
    """A server in a thread, for as long as the block lasts."""

    def __init__(self, bundle: Bundle | Source, port: int = 0):
        self.bundle = bundle
        self.port = port

    def __enter__(self) -> str:
        listener = free_port(self.port)
        self.port = port = listener.getsockname()[1]
        app = make_app(self.bundle, token=TOKEN, port=port)
        config = uvicorn.Config(
            app, log_level="error", ws="websockets-sansio", lifespan="off", timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listener]}, daemon=True)
        self.thread.start()
        for _ in range(600):
            if self.server.started:
                break
            time.sleep(0.05)
        self.listener = listener
        return f"http://127.0.0.1:{port}/?token={TOKEN}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)
        self.listener.close()
