"""The HTTP interface as a machine uses it: post alarms, follow the feed, read every page. Used by benches and by the kill tests.

What must not go in: measuring, decisions about what an answer means.
"""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

import httpx

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


class Client:
    """One bearer token on one system. Raises httpx errors as they are."""

    def __init__(self, url: str, token: str, *, timeout: float = 15) -> None:
        self._http = httpx.AsyncClient(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=timeout,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32), trust_env=False,
        )  # fmt: skip

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()

    async def post_alarms(self, events: dict[str, Any] | Sequence[dict[str, Any]]) -> httpx.Response:
        """POST one CloudEvent, or a batch for a sequence. The answer whatever its status."""
        kind = SINGLE if isinstance(events, dict) else BATCH
        return await self._http.post("/alarms", content=json.dumps(events), headers={"Content-Type": kind})

    async def pages(self, path: str, **query: str | int) -> list[dict[str, Any]]:
        """Every item of a list, all pages."""
        items: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            answer = await self._http.get(path, params={"limit": 500, **query, **({"cursor": cursor} if cursor else {})})
            answer.raise_for_status()
            body = answer.json()
            items += body["items"]
            cursor = body["next"]
            if not cursor:
                return items

    async def incidents(self, **query: str | int) -> list[dict[str, Any]]:
        """Every incident in every state, newest first."""
        return await self.pages("/incidents", **query)

    async def incident(self, identity: str) -> dict[str, Any]:
        """One incident as it is now."""
        answer = await self._http.get(f"/incidents/{identity}")
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body

    async def alarms_of(self, incident: str) -> list[dict[str, Any]]:
        """Every alarm under one incident."""
        return await self.pages(f"/incidents/{incident}/alarms")

    async def command(self, incident: str, command: str, **fields: Any) -> httpx.Response:
        """Give a command; the answer whatever its status."""
        return await self._http.post(f"/incidents/{incident}/commands", json={"command": command, **fields})

    async def get(self, path: str) -> httpx.Response:
        """Any other resource; ``path`` under the API or a whole URL path beginning with ``/api``."""
        base = self._http.base_url
        return await self._http.get(f"{base.scheme}://{base.netloc.decode()}{path}" if path.startswith("/api/") else path)

    async def feed(self, after: str | None = None) -> AsyncGenerator[FeedEvent, None]:
        """Events of the live feed from now on, or after the position ``after``; ends when the server ends it."""
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after is not None else {})
        async with self._http.stream("GET", "/feed", headers=headers, timeout=httpx.Timeout(15, read=60)) as answer:
            answer.raise_for_status()
            identity, event, data = "", "message", ""
            async for line in answer.aiter_lines():
                field, _, value = line.partition(":")
                value = value.removeprefix(" ")
                if field == "id":
                    identity = value
                elif field == "event":
                    event = value
                elif field == "data":
                    data += value
                elif not line and data:
                    yield FeedEvent(identity, event, json.loads(data))
                    event, data = "message", ""
