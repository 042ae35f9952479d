"""A real receiver on loopback that checks what it gets as the standard's own library does, and answers as it is told."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Got:
    """One request, signature checked."""

    id: str
    at: float
    path: str
    body: dict[str, Any]
    raw: bytes


def status(code: int, **headers: str) -> Answer:
    """Answer with a status."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


@dataclass
class Receiver:
    """Answers by ``answers`` in turn (the last for ever), or by ``by_path``."""

    secret: str = SECRET
    answers: list[Answer] = field(default_factory=lambda: [status(204)])
    by_path: dict[str, Answer] = field(default_factory=dict)
    got: list[Got] = field(default_factory=list)
    port: int = 0
    concurrent: int = 0
    most: int = 0
    _runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> "Receiver":
        application = web.Application(client_max_size=10**6)
        application.router.add_route("*", "/{tail:.*}", self._take)
        self._runner = web.AppRunner(application, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.concurrent += 1
        self.most = max(self.most, self.concurrent)
        try:
            raw = await request.read()
            Webhook(self.secret).verify(raw, dict(request.headers))
            self.got.append(Got(request.headers["webhook-id"], time.time(), request.path, msgspec.json.decode(raw), raw))
            answer = self.by_path.get(request.path) or (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])
            return await answer(request)
        finally:
            self.concurrent -= 1

    async def until(self, count: int, seconds: float = 60) -> list[Got]:
        """Wait for ``count`` requests."""
        async with asyncio.timeout(seconds):
            while len(self.got) < count:
                await asyncio.sleep(0.005)
        return self.got
