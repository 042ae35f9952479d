"""Commands of people on incidents: decided in SQL at once; answer, timeline and outbox row in one transaction.

What must not go in: decisions (``hazards.incidents``), roles (``api``).
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, select, update

from hazards.annunciation import NEXT, AlarmState, Move
from hazards.errors import BadInput, NotFound
from hazards.incidents import Acknowledge, Assign, Close, IncidentCommand, decide
from hazards.merging import close_by_hand, next_wake
from hazards.messages import IncidentMessage
from hazards.scope import Scope
from hazards.zone_codec import decode_state, encode_state
from storage import schema
from storage.incident_hazards import with_hazards
from storage.incident_queries import message_of
from storage.merging_work import record_events
from storage.outbox import announce
from storage.scoping import within
from storage.site_store import current_registry

_PEOPLES = ("acknowledged_by", "acknowledged_at", "acknowledged_severity", "assigned_to", "shelved_by", "shelved_until", "shelve_reason")


def command_incident(
    connection: Connection, incident: str, command: IncidentCommand, *, actor: str, scope: Scope, now: int
) -> IncidentMessage:  # fmt: skip
    """Carry out ``command``; the incident afterwards. Raises NotFound, Conflict, NotInState, BadInput."""
    table, states = schema.incidents, schema.zone_states
    key = connection.execute(select(table.c.state_key).where(table.c.id == incident)).scalar()
    # the worker's lock order: state, then incident
    held = connection.execute(select(states).where(states.c.key == key).with_for_update()).first()
    query = select(table).where(table.c.id == incident).with_for_update()
    row = connection.execute(within(query, table, scope)).first()
    if row is None:
        raise NotFound("no such incident", where=incident)
    after, event, body = decide(message_of(row), command, people_version=row.people_version, actor=actor, now=now)
    if isinstance(command, Assign) and command.to is not None:
        _must_be_a_person(connection, command.to)
    if isinstance(command, Close) and held is not None:
        _close_in_state(connection, held, incident, now)
    version = row.version + 1
    after = msgspec.structs.replace(after, version=version)
    values = {name: getattr(after, name) for name in _PEOPLES}
    values |= {"state": after.state.value, "cleared_at": after.cleared_at, "closed_at": after.closed_at, "reason": after.reason}
    values |= {"version": version, "people_version": version}
    connection.execute(update(table).where(table.c.id == incident).values(**values))
    if isinstance(command, Acknowledge):  # a latch waits for this: let the zone's state look at it now
        connection.execute(update(states).where(states.c.key == key).values(wake_at=now))
        _acknowledge_alarms(connection, incident, now)
    line = {"incident": incident, "at": now, "actor": actor, "event": event, "body": msgspec.json.encode(body).decode()}
    record_events(connection, [line])
    announce(connection, [(m, event) for m in with_hazards(connection, current_registry(connection), [after], now=now)], now=now)
    return after


def _acknowledge_alarms(connection: Connection, incident: str, now: int) -> None:
    """What the worker will find when it wakes, shown at once."""
    table = schema.alarm_states
    for state in AlarmState:
        after = NEXT.get((state, Move.ACKNOWLEDGED), state)
        rows = (table.c.incident == incident) & (table.c.state == state.value)
        if after is AlarmState.NORMAL:
            connection.execute(delete(table).where(rows))
        elif after is not state:
            connection.execute(update(table).where(rows).values(state=after.value, since=now))


def _must_be_a_person(connection: Connection, name: str) -> None:
    """A mistyped name would make an incident look taken."""
    users = schema.users
    if connection.execute(select(users.c.id).where(users.c.id == name, users.c.disabled.is_(False))).first() is None:
        raise BadInput(f"there is no user {name!r}", where="/to", hint="give a sign-in name")


def _close_in_state(connection: Connection, held: Any, incident: str, now: int) -> None:
    """Closing by hand ends the alarms too, under the same lock and version as the worker's own writes."""
    state = decode_state(held.state)
    if close_by_hand(state, incident, now):
        values = {"state": encode_state(state), "version": held.version + 1, "wake_at": next_wake(state)}
        connection.execute(update(schema.zone_states).where(schema.zone_states.c.key == held.key).values(**values))
        connection.execute(delete(schema.alarm_states).where(schema.alarm_states.c.incident == incident))
