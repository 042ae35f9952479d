"""What is sent: JSON of type, timestamp and data (Standard Webhooks, "Payload structure"), always under 20 kB.

``data`` is the incident, hazard or duty as the API shows it, with links.
What must not go in: how the API shows it (given by the composition).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hazards.messages import DutyMessage, HazardMessage, IncidentMessage
from storage.site_store import Registry

LARGEST = 20_000
"""A body is smaller than this many bytes (Standard Webhooks, "Payload size")."""
LONGEST_TEXT = 500
ESSENTIAL = ("id", "zone", "zone_name", "enterprise", "kinds", "kind", "state", "severity", "grade", "version", "opened_at", "updated_at",
             "synthetic", "links")  # fmt: skip
"""Fields that are left out last."""

Subject = IncidentMessage | HazardMessage | DutyMessage
"""What can be worth a push: nobody's telephone rings for a declaration (作业票, 标校 …)."""
Present = Callable[[Registry, Subject], dict[str, Any]]
"""``data`` of a subject: what the API shows of it, as plain JSON values. Given by the composition, since push does not know the API."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def links(subject: Subject, base: str) -> dict[str, str]:
    """Where to look further; ``base`` is the address of this system as receivers reach it, or "" for paths alone."""
    if isinstance(subject, IncidentMessage):
        here = f"{base}/api/v1/incidents/{subject.id}"
        return {"self": here, "alarms": f"{here}/alarms", "events": f"{here}/events", "console": f"{base}/"}
    if isinstance(subject, DutyMessage):
        return {"list": f"{base}/api/v1/duties", "console": f"{base}/"}
    here = f"{base}/api/v1/hazards/{subject.id}"
    found = {"self": here, "events": f"{here}/events", "console": f"{base}/"}
    return found | ({"incident": f"{base}/api/v1/incidents/{subject.incident}"} if subject.incident else {})


def body_of(event: str, at: int, data: Mapping[str, Any], registry: Registry) -> bytes:
    """The bytes to sign and send. What does not fit is shortened, then left out; ``data.left_out`` names it."""
    moment = (_EPOCH + timedelta(microseconds=at)).astimezone(_zone_of(registry.site.time_zone))
    envelope = {"type": event, "timestamp": moment.isoformat()}
    body = msgspec.json.encode({**envelope, "data": data})
    if len(body) < LARGEST:
        return body
    return msgspec.json.encode({**envelope, "data": _fitting(dict(data), LARGEST - len(msgspec.json.encode(envelope)) - 100)})


def _fitting(data: dict[str, Any], room: int) -> dict[str, Any]:
    for name, value in data.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            data[name] = value[: LONGEST_TEXT - 1] + "…"
    left_out: list[str] = []
    while len(msgspec.json.encode({**data, "left_out": left_out})) >= room:
        name = max(data, key=lambda n: (n not in ESSENTIAL, n not in ("id", "links"), len(msgspec.json.encode(data[n]))))
        del data[name]
        left_out.append(name)
    return {**data, "left_out": sorted(left_out)} if left_out else data


def _zone_of(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
