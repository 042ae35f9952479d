"""Alarms that are not normal, for people: what stands, what is shelved, suppressed, out of service. Every query takes the scope.

What must not go in: writes (``storage/merging_work.py``), JSON shapes of the API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select, tuple_

from hazards.alarm_state import ALARMING
from hazards.annunciation import SPARED
from hazards.kinds import graveness, gravity, never_suppressed
from hazards.messages import Action, IncidentMessage, Signal
from hazards.quieting import Quiet
from hazards.scope import Scope
from storage import schema
from storage.incident_queries import cursor_of, cursor_values, newest_raise, page
from storage.scoping import within


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """A row of the table; see ``storage/schema.py``."""

    device: str
    kind: str
    zone: str
    incident: str
    state: str
    phase: str
    severity: int
    quiet: str
    quiet_by: str
    since: int
    last_at: int


def list_alarm_states(
    connection: Connection, *, scope: Scope, zone: str | None = None, device: str | None = None, incident: str | None = None,
    states: Sequence[str] = (), cursor: str | None = None, limit: int = 100,
) -> tuple[list[StandingAlarm], str | None]:  # fmt: skip
    """Alarms that are not normal, newest first, and the cursor of the next page or None. Scoped by the incident they are in."""
    table, incidents, limit = schema.alarm_states, schema.incidents, page(limit)
    joined = select(table).join(incidents, incidents.c.id == table.c.incident)
    query: Select[Any] = within(joined, incidents, scope)
    for column, value in ((table.c.zone, zone), (table.c.device, device), (table.c.incident, incident)):
        if value is not None:
            query = query.where(column == value)
    if states:
        query = query.where(table.c.state.in_(states))
    place = tuple_(table.c.since, table.c.device, table.c.kind)
    if cursor:
        query = query.where(place < tuple_(*cursor_values(cursor, (int, str, str))))
    rows = connection.execute(query.order_by(table.c.since.desc(), table.c.device.desc(), table.c.kind.desc()).limit(limit + 1)).all()
    found = [
        StandingAlarm(r.device, r.kind, r.zone, r.incident, r.state, r.phase, r.severity, r.quiet, r.quiet_by, r.since, r.last_at)
        for r in rows[:limit]
    ]
    last = found[-1] if len(rows) > limit else None
    return found, cursor_of(last.since, last.device, last.kind) if last is not None else None


def gravest_signal(connection: Connection, incident: IncidentMessage) -> Signal | None:
    """What last raised the gravest alarm that stands in ``incident`` or, a pulse, has yet to be answered; if there is none, the gravest
    that was in it. ``incident``: one that who asks may see."""
    table = schema.alarm_states
    rows = connection.execute(select(table).where(table.c.incident == incident.id)).all()
    for row in sorted(rows, key=lambda r: (_is_held_back(r), *gravity(r.kind, r.severity), -r.last_at, r.device)):
        signal = newest_raise(connection, incident.id, row.kind, row.device)
        if signal is not None and (row.phase in ALARMING or signal.action is Action.PULSE):
            return signal
    found = [signal for kind in incident.kinds if (signal := newest_raise(connection, incident.id, kind)) is not None]
    return min(found, key=lambda s: (*gravity(s.kind, graveness(s.kind, s.severity)), -s.at), default=None)


def _is_held_back(row: Any) -> bool:
    """Whether people know of the alarm and are spared it: it decides only where nothing else stands."""
    return row.state in SPARED or (row.quiet in (Quiet.CALIBRATION, Quiet.PERMIT) and not never_suppressed(row.kind))
