"""The live feed as server-sent events. What must not go in: following positions (``api/feed.py``)."""

import asyncio
import contextlib
import json
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from api.feed import Event, Gone
from api.gate import GuardedRoute, presented
from api.principals import Principal, Principals
from api.roles import DUTIFUL, Role
from api.routes.common import Asking, With
from api.services import Services
from hazards.errors import BadInput, BihuanError, Throttled

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "an endless stream of ``incident`` and ``hazard`` events (id: position, data: as listed), ``duty`` (a point of "
        "a duty has passed), ``declaration`` (something was declared or ended), ``flood`` (of this listener), ``status``, ``reset``",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
LARGEST_POSITION = 2**62


@router.get("/api/v1/feed", summary="Live incidents, hazards, duties and declarations", response_class=Response, responses=_STREAM)
async def get_feed(
    request: Request, asking: Asking, services: With,
    after: Annotated[int | None, Query(description="begin after this position, from Feed-Position of the list")] = None,
    last_event_id: Annotated[str | None, Header(description="resume after this event; stands above ``after``")] = None,
) -> Response:  # fmt: skip
    """Begins at the newest position, or after the one asked for. ``reset``: what was asked for is no longer kept, load the list anew.

    It also comes when the site changed and with it what a district sees. A comment every ten seconds shows that the line is alive.
    ``status`` says since when accepted alarms wait too long; ``flood`` since when more than ten incidents a ten minutes call this listener
    (null: no longer), even if before, so that a console can condense what is less grave. Nothing is left out of the feed itself."""
    wanted = _position(last_event_id) if last_event_id else after
    if wanted is not None and not 0 <= wanted <= LARGEST_POSITION:
        raise BadInput("not a position of this feed", where="after")
    if services.feed.listeners >= services.settings.feed_listeners:
        raise Throttled("too many listeners", hint="close some")
    token, session = presented(request)
    return _Stream(services, asking, Principals.key_of(token=token, session=session), wanted)


def _position(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise BadInput("Last-Event-ID is not a position of this feed", where="Last-Event-ID")
    return int(text)


class _Stream(Response):
    """One listener: takes from the tail at its own pace; the tail buffers nothing for it."""

    media_type = "text/event-stream"

    def __init__(self, services: Services, principal: Principal, key: str, wanted: int | None) -> None:
        super().__init__(status_code=200, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._services, self._principal, self._key, self._wanted = services, principal, key, wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI: stream until the client or the server ends it."""
        feed = self._services.feed
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        feed.listeners += 1
        streaming = asyncio.create_task(self._stream(send))
        leaving = asyncio.create_task(_until_disconnected(receive))
        closing = asyncio.create_task(feed.closed.wait())
        try:
            await asyncio.wait({streaming, leaving, closing}, return_when=asyncio.FIRST_COMPLETED)
            dropped = streaming.done() and isinstance(streaming.exception(), TimeoutError)
            self._services.metrics.feed_dropped += dropped
            if not leaving.done() and not dropped:
                streaming.cancel()
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            feed.listeners -= 1
            for task in (streaming, leaving, closing):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await asyncio.gather(streaming, leaving, closing, return_exceptions=True)

    async def _stream(self, send: Send) -> None:
        feed, settings = self._services.feed, self._services.settings
        position = feed.newest if self._wanted is None else self._wanted
        behind: int | None = -1  # not a time: the first status is always told
        told: int | None = None if self._wanted is None else -1  # who was here before may still believe in a flood that is over
        within = self._principal.scope
        await self._send(send, b"retry: 2000\n\n")
        if self._wanted is not None:
            position = await self._resume(send, position)
        flood = feed.flood(within, position)
        while True:
            if feed.behind_since != behind:
                behind = feed.behind_since
                await self._send(send, _status(self._services, behind))
            flood.pass_time(self._services.now())
            if flood.since != told:
                told = flood.since
                await self._send(send, _flood(self._services, told))
            try:
                events, position = await feed.next(position, scope=within, timeout=settings.feed_heartbeat)
            except Gone:
                position = await self._reset(send)
                flood = feed.flood(within, position)
                continue
            try:
                await self._services.principals.again(self._principal, self._key)
            except BihuanError:
                return  # signed out, revoked or expired: the client's next try is told so
            if (present := self._services.scopes.of(self._principal)) != within:
                within, position = present, await self._reset(send)
                flood = feed.flood(within, position)
                continue
            self._services.metrics.feed_events += len(events)
            for at in sorted(e.calls_at for e in events if e.calls_at is not None):
                flood.take(at)
            await self._send(send, b"".join(_lines(events, self._principal.role)) if events else b": beat\n\n")

    async def _resume(self, send: Send, position: int) -> int:
        try:
            await self._services.feed.check(position)
        except Gone:
            return await self._reset(send)
        return position

    async def _reset(self, send: Send) -> int:
        newest = self._services.feed.newest
        await self._send(send, f'id: {newest}\nevent: reset\ndata: {{"position": {newest}}}\n\n'.encode())
        return newest

    async def _send(self, send: Send, data: bytes) -> None:
        message = {"type": "http.response.body", "body": data, "more_body": True}
        async with asyncio.timeout(self._services.settings.feed_send_timeout):
            await send(message)


def _lines(events: Iterable[Event], role: Role) -> Iterable[bytes]:
    for event in events:
        if event.name == b"duty" and role not in DUTIFUL:
            continue
        yield b"id: %d\nevent: %b\ndata: %b\n\n" % (event.position, event.name, event.data)


def _status(services: Services, behind: int | None) -> bytes:
    since = services.presenter().time_or_none(behind)
    return f"event: status\ndata: {json.dumps({'behind_since': since.isoformat() if since else None})}\n\n".encode()


def _flood(services: Services, since: int | None) -> bytes:
    at = services.presenter().time_or_none(since)
    return f"event: flood\ndata: {json.dumps({'since': at.isoformat() if at else None})}\n\n".encode()


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
