"""Woken, not polling: whoever commits to the outbox rings; the relay wakes, and who follows the outbox.

With PostgreSQL the transaction itself notifies; with SQLite a datagram goes to loopback ports of the supervisor's choice,
one for each process that listens. A ring may get lost (a datagram is no promise), so waiting always has a time-out.
What must not go in: data.
"""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Protocol

from sqlalchemy import make_url

POSTGRES_CHANNEL = "bihuan_outbox"
"""Rows were committed that want a position: for the relay."""
POSITIONS_CHANNEL = "bihuan_positions"
"""Rows have got their positions: for followers."""


class Doorbell(Protocol):
    """``ring`` from any thread, cheap; ``wait`` in the one process that answers."""

    def ring(self) -> None:
        """Say that there is something."""

    async def wait(self, timeout: float) -> bool:
        """Wait for a ring, ``timeout`` seconds at most; whether it rang."""

    async def close(self) -> None:
        """Give back the port or connection."""


class LoopbackDoorbell:
    """A UDP port on 127.0.0.1; ringing goes to ``also``, too. Port 0 on the ringing side: nobody listens, ringing does nothing."""

    def __init__(self, port: int, also: Sequence[int] = ()) -> None:
        self.port, self._also = port, tuple(also)
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._rang, self._opening = asyncio.Event(), asyncio.Lock()
        self._transport: asyncio.DatagramTransport | None = None

    def ring(self) -> None:
        """Send one datagram; a full buffer means that others rang already."""
        for port in (self.port, *self._also):
            if port:
                with contextlib.suppress(OSError):
                    self._sender.sendto(b"!", ("127.0.0.1", port))

    async def wait(self, timeout: float) -> bool:
        """Wait for a ring; the first call opens the port."""
        async with self._opening:
            if self._transport is None:
                loop = asyncio.get_running_loop()
                self._transport, _ = await loop.create_datagram_endpoint(lambda: _Answer(self._rang), local_addr=("127.0.0.1", self.port))
                self.port = self._transport.get_extra_info("sockname")[1]
        return await _wait(self._rang, timeout)

    async def close(self) -> None:
        """Close the port."""
        if self._transport is not None:
            self._transport.close()
        self._sender.close()


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, rang: asyncio.Event) -> None:
        self._rang = rang

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._rang.set()


class PostgresDoorbell:
    """LISTEN on a channel that the outbox's transactions notify."""

    def __init__(self, url: str, channel: str = POSTGRES_CHANNEL) -> None:
        self._channel = channel
        parts = make_url(url)
        self._conninfo = parts.set(drivername="postgresql").render_as_string(hide_password=False)
        self._rang = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Nothing to do: the transaction notified."""

    async def wait(self, timeout: float) -> bool:
        """Wait for a notification; a broken connection is made anew behind the time-out."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._listen())
        return await _wait(self._rang, timeout)

    async def _listen(self) -> None:
        import psycopg  # noqa: PLC0415 (a start on SQLite does not pay for it)

        with contextlib.suppress(psycopg.Error, OSError):
            async with await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True) as connection:
                await connection.execute(f"LISTEN {self._channel}")
                self._rang.set()
                async for _ in connection.notifies():
                    self._rang.set()
        await asyncio.sleep(1)

    async def close(self) -> None:
        """End the listening connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


async def _wait(rang: asyncio.Event, timeout: float) -> bool:
    try:
        async with asyncio.timeout(timeout):  # not wait_for, which can swallow a cancellation before Python 3.12
            await rang.wait()
    except TimeoutError:
        return False
    rang.clear()
    return True


def open_doorbell(database_url: str, loopback_port: int, also: Sequence[int] = ()) -> Doorbell:
    """The relay's doorbell of a database URL. ``also``: further loopback ports to ring, those of followers."""
    return LoopbackDoorbell(loopback_port, also) if database_url.startswith("sqlite") else PostgresDoorbell(database_url)


def open_followers_bell(database_url: str, loopback_port: int) -> Doorbell:
    """What wakes a process that follows the outbox: it rings when rows have got their positions."""
    return LoopbackDoorbell(loopback_port) if database_url.startswith("sqlite") else PostgresDoorbell(database_url, POSITIONS_CHANNEL)
