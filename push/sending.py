"""One attempt: a signed POST over a guarded connection, and what came of it. Never raises for what a receiver does.

What must not go in: when to try again (``push/schedule.py``), SQL.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType

import aiohttp

from push.endpoints import Endpoint
from push.guard import AddressRefused, CheckingResolver, NameResolver, checking_sockets
from push.schedule import TIMEOUT, retry_after
from push.signing import signed_headers

AGENT = "bihuan (Standard Webhooks)"
KEPT_OPEN = 4.0
"""Seconds that a connection waits for the next message: less than receivers keep it, or a message would meet a closing door."""
DRAINED = 16_384
DRAIN_SECONDS = 0.2
"""An answer's body says nothing to us: this much is read, for so long, so that the connection can be used again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt. ``status`` None: no answer, ``error`` says why. ``wait``: µs that the receiver asked for, or None."""

    at: int
    took_ms: int
    status: int | None
    error: str
    wait: int | None = None


class Sender:
    """Connections to receivers: those that may be private and those that may not share none."""

    def __init__(self, *, timeout: float = TIMEOUT, lookups: int = 64, now: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._now, self._lookups = now, lookups
        self._timeout = aiohttp.ClientTimeout(total=timeout, connect=timeout)
        self._sessions = {allowed: self._session(allow_private=allowed) for allowed in (False, True)}

    def _session(self, *, allow_private: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=CheckingResolver(NameResolver(self._lookups), allow_private=allow_private), use_dns_cache=False,
            socket_factory=checking_sockets(allow_private=allow_private), limit=0, keepalive_timeout=KEPT_OPEN,
        )  # fmt: skip
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False, timeout=self._timeout,
            headers={"User-Agent": AGENT, "Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "identity"},
        )  # fmt: skip

    async def __aenter__(self) -> "Sender":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for session in self._sessions.values():
            await session.close()

    async def send(self, endpoint: Endpoint, message_id: str, body: bytes) -> Outcome:
        """POST ``body`` to ``endpoint``, signed now."""
        at, began = self._now(), time.monotonic()
        status, error, wait = None, "", None
        try:
            headers, session = signed_headers(message_id, at, body, endpoint.keys), self._sessions[endpoint.allow_private]
            async with session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as answer:
                status = answer.status
                wait = retry_after(answer.headers.get("Retry-After"), now=at)
                took = time.monotonic() - began
                await _drain(answer)
        except asyncio.CancelledError:
            raise
        except Exception as e:  # whatever a receiver does, it is this endpoint's trouble and nobody else's
            took = time.monotonic() - began
            error = "" if status is not None else _plain(_said(e, self._timeout.total))
        if status is not None and not 200 <= status < 300:
            error = _status_text(status)
        return Outcome(at, round(took * 1000), status, error, wait)


async def _drain(answer: aiohttp.ClientResponse) -> None:
    """Read a short body to its end; a long or slow one is left, and its connection closed."""
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(DRAIN_SECONDS):
            left = DRAINED
            while left > 0 and (chunk := await answer.content.read(left)):
                left -= len(chunk)
            if left > 0:
                return
    answer.close()


def _status_text(status: int) -> str:
    if 300 <= status < 400:
        return f"HTTP {status}: redirects are not followed"
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _plain(text: str) -> str:
    """``text`` as one short line that any database keeps: it may hold what a stranger sent."""
    return "".join(c if c.isprintable() else " " for c in text[:300])


def _said(error: Exception, timeout: float | None) -> str:
    """The cause in one sentence, without addresses of ours or texts of theirs beyond a line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, AddressRefused):
            return f"the address is not allowed: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    match error:
        case TimeoutError():
            return f"no answer within {timeout:g} s"
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate is not valid: {error.certificate_error}"
        case aiohttp.ClientConnectorError():
            return f"no connection: {error.os_error.strerror or error.os_error}"
        case aiohttp.InvalidURL():
            return "the URL is not valid"
        case aiohttp.ServerDisconnectedError():
            return "the connection was closed before an answer came"
    return f"{type(error).__name__}: {error}"
