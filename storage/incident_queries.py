"""Incidents for people: lists, details, signals, timelines. Every query takes the scope.

What must not go in: writes, JSON shapes of the API.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select, tuple_

from bus.codecs import decode
from hazards.errors import BadInput, NotFound
from hazards.messages import Action, Certainty, IncidentMessage, IncidentState, Signal
from hazards.scope import Scope
from storage import schema
from storage.scoping import within

_names: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])
LARGEST_PAGE = 500


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """One signal under its incident, with the reason of its merging. ``explained``: particulars of the reason."""

    signal: Signal
    incident: str
    reason: str
    explained: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """One line of an incident's timeline."""

    id: int
    at: int
    actor: str
    event: str
    body: dict[str, Any]


def message_of(row: Any) -> IncidentMessage:
    """An incident message from a row of the table."""
    return IncidentMessage(
        id=row.id, zone=row.zone, family=row.family, kinds=_names.decode(row.kinds), devices=_names.decode(row.devices),
        state=IncidentState(row.state), severity=row.severity, opened_at=row.opened_at, updated_at=row.updated_at, version=row.version,
        raised_at=row.raised_at or 0,
        alarm_count=row.alarm_count, reason=row.reason, message=row.message or "", enterprise=row.enterprise, snapshot=row.snapshot,
        cleared_at=row.cleared_at, closed_at=row.closed_at, acknowledged_by=row.acknowledged_by, acknowledged_at=row.acknowledged_at,
        acknowledged_severity=row.acknowledged_severity, assigned_to=row.assigned_to, shelved_by=row.shelved_by,
        shelved_until=row.shelved_until, shelve_reason=row.shelve_reason, synthetic=bool(row.synthetic),
        certainty=Certainty(row.certainty or Certainty.POSSIBLE), corroboration=msgspec.json.decode(row.corroboration or "{}"),
        quiet=row.quiet or "", quiet_by=row.quiet_by or "", labels=_names.decode(row.labels or "[]"),
    )  # fmt: skip


def cursor_of(*values: int | str) -> str:
    """An opaque cursor that continues after ``values``."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def cursor_values(cursor: str, kinds: tuple[type, ...]) -> tuple[Any, ...]:
    """What ``cursor_of`` put into ``cursor``, if they are of ``kinds``. Raises BadInput."""
    try:
        values = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, msgspec.DecodeError) as e:
        raise BadInput("not a cursor of this list", where="cursor", hint="start again without it") from e
    fits = isinstance(values, list) and tuple(type(v) for v in values) == kinds
    if not fits or any(isinstance(v, int) and abs(v) >= 1 << 63 for v in values):
        raise BadInput("not a cursor of this list", where="cursor", hint="start again without it")
    return tuple(values)


def page(limit: int) -> int:
    """``limit`` within 1 and ``LARGEST_PAGE``: clamped, never refused."""
    return min(max(limit, 1), LARGEST_PAGE)


def list_incidents(
    connection: Connection, *, scope: Scope, states: Sequence[str] = (), zone: str | None = None, family: str | None = None,
    severities: Sequence[int] = (), acknowledged: bool | None = None, cursor: str | None = None, limit: int = 50,
) -> tuple[list[IncidentMessage], str | None]:  # fmt: skip
    """Incidents, newest first, and the cursor of the next page or None."""
    table, limit = schema.incidents, page(limit)
    query: Select[Any] = within(select(table), table, scope)
    if states:
        query = query.where(table.c.state.in_(states))
    if zone is not None:
        query = query.where(table.c.zone == zone)
    if family is not None:
        query = query.where(table.c.family == family)
    if severities:
        query = query.where(table.c.severity.in_(severities))
    if acknowledged is not None:
        done = table.c.acknowledged_severity.is_not(None) & (table.c.acknowledged_severity <= table.c.severity)
        query = query.where(done if acknowledged else ~done | table.c.acknowledged_severity.is_(None))
    if cursor:
        query = query.where(tuple_(table.c.opened_at, table.c.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].opened_at, rows[limit - 1].id) if len(rows) > limit else None
    return [message_of(row) for row in rows[:limit]], following


@dataclass(frozen=True, slots=True)
class Call:
    """When (µs, by receipt) an incident last called somebody."""

    incident: str
    at: int
    zone: str
    enterprise: str | None


def calls_since(connection: Connection, at: int, *, limit: int) -> list[Call]:
    """The last call of each incident that began to call somebody after ``at`` (µs); of very many the newest, oldest first."""
    events, i = schema.incident_events.c, schema.incidents.c
    began = select(events.incident).where(events.at >= at, events.event.in_(("opened", "reactivated")))
    query = select(i.id, i.raised_at, i.zone, i.enterprise).where(i.id.in_(began), i.raised_at > at, i.quiet == "")
    return [Call(*row) for row in connection.execute(query.order_by(i.raised_at.desc()).limit(limit))][::-1]


def get_incident(connection: Connection, incident: str, *, scope: Scope) -> IncidentMessage:
    """One incident. Raises NotFound, also for one outside ``scope``."""
    row = connection.execute(_one(incident, scope)).first()
    if row is None:
        raise NotFound("no such incident", where=incident)
    return message_of(row)


def _one(incident: str, scope: Scope) -> Select[Any]:
    return within(select(schema.incidents).where(schema.incidents.c.id == incident), schema.incidents, scope)


def incident_alarms(
    connection: Connection, incident: str, *, scope: Scope, cursor: str | None = None, limit: int = 100
) -> tuple[list[AlarmRow], str | None]:
    """Every signal of one incident, oldest first. Raises NotFound."""
    get_incident(connection, incident, scope=scope)
    table, limit = schema.alarms, page(limit)
    query = select(table).where(table.c.incident == incident)
    if cursor:
        query = query.where(tuple_(table.c.at, table.c.id) > tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(table.c.at, table.c.id).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].at, rows[limit - 1].id) if len(rows) > limit else None
    return [AlarmRow(decode(Signal, r.body), r.incident, r.reason, msgspec.json.decode(r.explained)) for r in rows[:limit]], following


def newest_raise(connection: Connection, incident: str, kind: str, device: str | None = None) -> Signal | None:
    """The newest signal of an incident that who asks may see that says of ``kind`` (on ``device``) that it is an alarm."""
    table = schema.alarms
    query = select(table.c.body).where(table.c.incident == incident, table.c.kind == kind, table.c.action != Action.CLEARED.value)
    if device is not None:
        query = query.where(table.c.device == device)
    body = connection.scalar(query.order_by(table.c.at.desc(), table.c.id.desc()).limit(1))
    return decode(Signal, body) if body is not None else None


def incident_events(
    connection: Connection, incident: str, *, scope: Scope, cursor: str | None = None, limit: int = 100
) -> tuple[list[TimelineRow], str | None]:
    """The timeline of one incident in the order of record. Raises NotFound."""
    get_incident(connection, incident, scope=scope)
    table, limit = schema.incident_events, page(limit)
    query = select(table).where(table.c.incident == incident)
    if cursor:
        query = query.where(table.c.id > cursor_values(cursor, (int,))[0])
    rows = connection.execute(query.order_by(table.c.id).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].id) if len(rows) > limit else None
    return [TimelineRow(r.id, r.at, r.actor, r.event, msgspec.json.decode(r.body)) for r in rows[:limit]], following


def snapshot_zones(connection: Connection, sha256: str) -> list[str]:
    """The zones whose alarms refer to an evidence file: who may see the zone may see the file."""
    return list(connection.scalars(select(schema.alarms.c.zone).where(schema.alarms.c.snapshot == sha256).distinct()))
