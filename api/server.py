"""Serving the application: uvicorn, with an end that endless streams can't hold up. What must not go in: composition."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator

import uvicorn
from fastapi import FastAPI

from hazards.errors import Misconfigured

GRACE = 5
"""Seconds that running requests have to finish when the server stops."""


def open_port(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises Misconfigured when the port can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
        opened.listen(2048)
    except OSError as e:
        opened.close()
        raise Misconfigured(f"port {port} on {host} can't be opened: {e.strerror}", where="port", hint="choose another with --port") from e
    return opened


async def serve(app: FastAPI, port: socket.socket, *, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
    """Serve on ``port`` (closed at the end) until ``stop``; ``started`` is called once requests are answered.

    Feed streams are ended first, so that their clients come back to the next process at once."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="on",
        timeout_graceful_shutdown=GRACE, timeout_keep_alive=30,
    )  # fmt: skip
    server = _Server(config, started)
    serving = asyncio.create_task(server.serve([port]))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        app.state.services.feed.closed.set()
        server.should_exit = True
        await serving
        port.close()


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which is the supervisor's business, and with word of its start."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell_started = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:  # type: ignore[override]
        """None: the part that runs this decides when to stop."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open for requests, then tell."""
        await super().startup(sockets)
        if self.started:
            self._tell_started()
