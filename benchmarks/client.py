"""The HTTP interface as a machine uses it: post alarms, follow the feed, read every page. Used by benches and by the kill tests.

It must cost little beside the system that it measures, hence aiohttp. What must not go in: measuring, what an answer means.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import aiohttp
import msgspec

from hazards.errors import Unavailable

BATCH = "application/cloudevents-batch+json"
SINGLE = "application/cloudevents+json"


def alarm_event(
    identity: str, device: str, kind: str, action: str, *, source: str, at: datetime | None = None, **data: Any
) -> dict[str, Any]:
    """A CloudEvent for ``POST /alarms``; ``at`` defaults to now."""
    return {
        "specversion": "1.0", "id": identity, "source": source, "type": f"bihuan.alarm.{action}", "subject": device,
        "time": (at or datetime.now(UTC)).isoformat(), "datacontenttype": "application/json", "data": {"kind": kind, **data},
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """One server-sent event: ``id`` is the feed position as text ("" where none), ``data`` the parsed JSON."""

    id: str
    event: str
    data: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answered, whatever its status."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        """The body, for people."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


class Client:
    """One bearer token on one system, or one person after ``sign_in``. Raises Unavailable when there is no answer."""

    def __init__(self, url: str, token: str = "", *, timeout: float = 15) -> None:
        self._url = url
        self._http = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {token}"} if token else None, connector=aiohttp.TCPConnector(limit=64),
            timeout=aiohttp.ClientTimeout(total=timeout),
        )  # fmt: skip

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.close()

    async def sign_in(self, name: str, password: str) -> None:
        """As that person from now on, with cookie and CSRF token as a browser has them. Raises Unavailable when it is refused."""
        async with self._http.post(f"{self._url}/api/v1/session", json={"name": name, "password": password}) as answer:
            if answer.status != 200:
                raise Unavailable(f"{answer.status} {await answer.text()}", where="/api/v1/session")
            csrf = (await answer.json())["csrf"]
            cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in answer.cookies.values())
        self._http.headers.update({"Cookie": cookies, "X-CSRF-Token": csrf})

    async def request(
        self, method: str, path: str, *, json: Any = None, content_type: str = "application/json",
        query: Mapping[str, str | int] | None = None,
    ) -> Answer:  # fmt: skip
        """Any request; ``path`` as in the API's own links, from ``/api`` on."""
        data = None if json is None else msgspec.json.encode(json)
        headers = {} if data is None else {"Content-Type": content_type}
        try:
            async with self._http.request(method, self._url + path, data=data, headers=headers, params=query) as answer:
                return Answer(answer.status, await answer.read())
        except (aiohttp.ClientError, OSError, TimeoutError) as e:
            raise Unavailable(f"no answer: {type(e).__name__} {e}", where=path) from e

    async def get(self, path: str, **query: str | int) -> Any:
        """The JSON under ``path``. Unavailable unless it is a 200."""
        answer = await self.request("GET", path, query=query)
        if answer.status != 200:
            raise Unavailable(f"{answer.status} {answer.text}", where=path)
        return answer.json()

    async def post_alarms(self, events: dict[str, Any] | Sequence[dict[str, Any]]) -> Answer:
        """POST one CloudEvent, or a batch for a sequence."""
        kind = SINGLE if isinstance(events, dict) else BATCH
        return await self.request("POST", "/api/v1/alarms", json=events, content_type=kind)

    async def command(self, incident: str, command: str, **fields: Any) -> Answer:
        """Give a command to an incident."""
        return await self.request("POST", f"/api/v1/incidents/{incident}/commands", json={"command": command, **fields})

    async def pages(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """Every item of a list, all pages."""
        items: list[dict[str, Any]] = []
        following: dict[str, str] = {}
        while True:
            body = await self.get(path, limit=500, **query, **following)
            items += body["items"]
            if not body["next"]:
                return items
            following = {"cursor": body["next"]}

    async def incidents(self) -> list[dict[str, Any]]:
        """Every incident in every state, newest first."""
        return await self.pages("/api/v1/incidents")

    async def incident(self, identity: str) -> dict[str, Any]:
        """One incident as it is now."""
        body: dict[str, Any] = await self.get(f"/api/v1/incidents/{identity}")
        return body

    async def alarms_of(self, incident: str) -> list[dict[str, Any]]:
        """Every alarm under one incident."""
        return await self.pages(f"/api/v1/incidents/{incident}/alarms")

    async def feed(self, after: str = "") -> AsyncGenerator[FeedEvent, None]:
        """Events of the live feed from now on, or after the position ``after``; ends when the server ends it or is gone."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
        patience = aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=60)
        try:
            async with self._http.get(f"{self._url}/api/v1/feed", headers=headers, timeout=patience) as answer:
                if answer.status != 200:
                    raise Unavailable(f"{answer.status} {await answer.text()}", where="/api/v1/feed")
                event: dict[bytes, bytes] = {}
                async for line in answer.content:
                    name, _, value = line.rstrip(b"\r\n").partition(b":")
                    if name:
                        event[name] = value.removeprefix(b" ")
                    elif b"data" in event:
                        kind = event.get(b"event", b"message").decode()
                        yield FeedEvent(event.get(b"id", b"").decode(), kind, msgspec.json.decode(event[b"data"]))
                    if line in (b"\n", b"\r\n"):
                        event = {}
        except (aiohttp.ClientError, OSError, TimeoutError) as e:
            raise Unavailable(f"the feed broke: {type(e).__name__} {e}", where="/api/v1/feed") from e
