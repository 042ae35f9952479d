"""Rows of the outbox as points: alarms, incidents, transitions of hazards. Pure: the same row gives the same point.

What must not go in: reading the outbox, writing points.
"""

import hashlib

from bus.codecs import decode
from bus.topics import HAZARDS, INCIDENTS
from hazards.messages import UNASSIGNED, AlarmRecord, AlarmRecords, HazardMessage, IncidentMessage
from storage.followers import Entry
from storage.outbox import INTERNAL
from storage.series.port import EventPoint, Value

UNREGISTERED = "unregistered"
"""Tag ``device`` of every device that nobody registered: anybody's invention must not become a series of its own."""


def points_of(entry: Entry) -> list[EventPoint]:
    """The points of one row, none for a topic that the time series does not keep. Raises BadInput for a payload that can't be read."""
    if entry.topic == INTERNAL:
        pack = decode(AlarmRecords, entry.payload)
        return [_alarm(pack, record) for record in pack.records]
    if entry.topic == INCIDENTS.name:
        return [_incident(entry, decode(IncidentMessage, entry.payload))]
    if entry.topic == HAZARDS.name:
        return [_hazard(entry, decode(HazardMessage, entry.payload))]
    return []


def nanoseconds(at: int, identity: str) -> int:
    """``at`` (µs) in nanoseconds, the digits beyond its resolution from ``identity``: equal times of different things stay apart.

    A time in whole milliseconds or seconds was not measured to the microsecond: there six digits are free, else three."""
    free = 1_000_000 if at % 1000 == 0 else 1000
    return at * 1000 + int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest(), "big") % free


def _tags(zone: str, enterprise: str | None, synthetic: bool, **more: str) -> dict[str, str]:
    tags = {"zone": zone, "enterprise": enterprise or "", "synthetic": "true" if synthetic else "", **more}
    return {name: value for name, value in tags.items() if value}


def _alarm(pack: AlarmRecords, record: AlarmRecord) -> EventPoint:
    device = UNREGISTERED if pack.zone == UNASSIGNED else record.device
    fields: dict[str, Value] = {
        "id": record.id, "source_device": record.device, "severity": record.severity, "incident": record.incident,
        "reason": record.reason, "received_at": record.received_at,
    }  # fmt: skip
    if record.score is not None:
        fields["score"] = float(record.score)
    tags = _tags(pack.zone, pack.enterprise, record.synthetic, device=device, kind=record.kind, action=record.action.value)
    return EventPoint("alarms", nanoseconds(record.at, record.id), tags, fields)


def _incident(entry: Entry, message: IncidentMessage) -> EventPoint:
    """At the time of its transaction: its rows differ by position."""
    tags = _tags(
        message.zone, message.enterprise, message.synthetic, family=message.family, state=message.state.value,
        severity=str(message.severity), certainty=message.certainty.value,
    )  # fmt: skip
    fields: dict[str, Value] = {
        "id": message.id, "event": entry.event, "reason": message.reason, "version": message.version, "alarms": message.alarm_count,
        "opened_at": message.opened_at, "acknowledged": message.acknowledged_by is not None, "shelved": message.shelved_by is not None,
    }  # fmt: skip
    return EventPoint("incidents", entry.created_at * 1000 + entry.position % 1000, tags, fields)


def _hazard(entry: Entry, message: HazardMessage) -> EventPoint:
    tags = _tags(message.zone, message.enterprise, message.synthetic, grade=message.grade, state=message.state, event=message.event)
    fields: dict[str, Value] = {
        "id": message.id, "kind": message.kind, "confirmed": message.confirmed, "version": message.version,
        "opened_at": message.opened_at, "incident": message.incident or "",
    }  # fmt: skip
    if message.due_at is not None:
        fields["due_at"] = message.due_at
    return EventPoint("hazards", entry.created_at * 1000 + entry.position % 1000, tags, fields)
