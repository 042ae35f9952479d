"""One decoding process as its parent sees it: started, told what to watch, listened to, and killed when it hangs.

What must not go in: which cameras it gets (``process``, ``placing``).
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable

import msgspec
import structlog

from ingest.cameras.children import child_environment, death
from ingest.cameras.eye_messages import HEAD_BYTES, Begin, CameraOrder, EyeMessage, EyeOrder, Leave, Left, body_length, order_line, unpack

log = structlog.get_logger()

SILENT_SECONDS = 15.0
"""Without a message for so long a decoding process hangs; it says something every second of every camera."""
LEAVE_SECONDS = 10.0


class Host:
    """A process and the cameras it has. ``order``: what to tell it of a camera; ``hear``: takes its messages."""

    def __init__(self, number: int, cameras: list[str], order: Callable[[str], CameraOrder], hear: Callable[[EyeMessage], None]) -> None:
        self.number, self.cameras = number, list(cameras)
        self.began = time.monotonic()
        self._order, self._hear = order, hear
        self._stdin: asyncio.StreamWriter | None = None
        self._leaving: dict[str, asyncio.Event] = {}

    async def life(self) -> str:
        """One process from its start to its death; how it died."""
        self.began = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest.cameras.eye", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=child_environment(),
        )  # fmt: skip
        try:
            if child.stdin is not None and child.stdout is not None:
                self._stdin = child.stdin
                await self._send(Begin([self._order(camera) for camera in self.cameras]))
                await self._listen(child.stdout)
        finally:
            self._stdin = None
            for left in self._leaving.values():
                left.set()
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            if child.stdin is not None:
                child.stdin.close()
            await asyncio.shield(child.communicate())  # to the end of its output: a pipe that is not empty would stay open
        return death(await child.wait())

    async def take(self, camera: str) -> None:
        """Watch ``camera`` from now on."""
        self.cameras.append(camera)
        await self._send(Begin([self._order(camera)]))

    async def leave(self, camera: str) -> None:
        """Watch ``camera`` no more; returns when the process says nothing of it any more."""
        left = self._leaving[camera] = asyncio.Event()
        self.cameras.remove(camera)
        try:
            await self._send(Leave([camera]))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVE_SECONDS):
                    if self._stdin is not None:
                        await left.wait()
        finally:
            del self._leaving[camera]

    async def _send(self, order: EyeOrder) -> None:
        if self._stdin is None:
            return  # it is being started anew, and then told everything
        with contextlib.suppress(ConnectionError):
            self._stdin.write(order_line(order))
            await self._stdin.drain()

    async def _listen(self, stream: asyncio.StreamReader) -> None:
        """Take messages until the process ends, hangs, talks nonsense or has nothing left to watch."""
        try:
            while self.cameras:
                async with asyncio.timeout(SILENT_SECONDS):  # not wait_for: on Python 3.11 it can swallow a cancellation
                    head = await stream.readexactly(HEAD_BYTES)
                    body = await stream.readexactly(body_length(head))
                message = unpack(body)
                if isinstance(message, Left):
                    if message.camera in self._leaving:
                        self._leaving[message.camera].set()
                elif message.camera in self.cameras or message.camera in self._leaving:
                    self._hear(message)
        except (asyncio.IncompleteReadError, TimeoutError, ValueError, msgspec.DecodeError) as e:
            log.info("a decoding process fell silent", error=type(e).__name__)
