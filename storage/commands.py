"""Commands of people on incidents: decided in SQL at once; answer, timeline and outbox row in one transaction.

What must not go in: decisions (``hazards.incidents``), roles (``api``).
"""

import msgspec
from sqlalchemy import Connection, select, update

from hazards.errors import NotFound
from hazards.incidents import Acknowledge, IncidentCommand, decide
from hazards.messages import IncidentMessage
from storage import schema
from storage.incident_queries import message_of
from storage.incidents import record_events
from storage.outbox import announce

_PEOPLES = ("acknowledged_by", "acknowledged_at", "acknowledged_severity", "assigned_to", "shelved_by", "shelved_until", "shelve_reason")


def command_incident(
    connection: Connection, incident: str, command: IncidentCommand, *, actor: str, scope: str | None, now: int
) -> IncidentMessage:  # fmt: skip
    """Carry out ``command``; the incident afterwards. Raises NotFound, Conflict, NotInState, BadInput."""
    table, states = schema.incidents, schema.zone_states
    key = connection.execute(select(table.c.state_key).where(table.c.id == incident)).scalar()
    # the worker's lock order: state, then incident
    connection.execute(select(states.c.version).where(states.c.key == key).with_for_update())
    query = select(table).where(table.c.id == incident).with_for_update()
    row = connection.execute(query if scope is None else query.where(table.c.enterprise == scope)).first()
    if row is None:
        raise NotFound("no such incident", where=incident)
    after, event, body = decide(message_of(row), command, people_version=row.people_version, actor=actor, now=now)
    version = row.version + 1
    after = msgspec.structs.replace(after, version=version)
    values = {name: getattr(after, name) for name in _PEOPLES}
    values |= {"state": after.state.value, "closed_at": after.closed_at, "version": version, "people_version": version}
    connection.execute(update(table).where(table.c.id == incident).values(**values))
    if isinstance(command, Acknowledge):  # a latch waits for this: let the zone's state look at it now
        connection.execute(update(states).where(states.c.key == key).values(wake_at=now))
    line = {"incident": incident, "at": now, "actor": actor, "event": event, "body": msgspec.json.encode(body).decode()}
    record_events(connection, [line])
    announce(connection, [(after, event)], now=now)
    return after
