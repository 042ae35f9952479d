"""When the devices of a zone could not see since a time, from the alarms that say so. What must not go in: judging, what is now."""

from collections.abc import Sequence

from sqlalchemy import Connection, or_, select

from hazards.ledger.blindness import FAMILIES, OUT_OF_SERVICE, Blind, Outage, outages
from hazards.messages import Action, IncidentMessage, IncidentState
from storage import schema
from storage.incident_queries import message_of

MOST_INCIDENTS = 200
"""Incidents of equipment of one zone looked at for one answer, newest first."""
MOST_SIGNALS = 2000
"""Signals of one such incident looked at, newest first."""
STANDING = (IncidentState.ACTIVE.value, IncidentState.PENDING.value)


def equipment_incidents(connection: Connection, zone: str, since: int) -> list[tuple[str, IncidentMessage]]:
    """State key and incident of those of a zone's equipment that stand, or were changed at or after ``since`` (µs)."""
    table = schema.incidents
    query = select(table).where(
        table.c.zone == zone, table.c.family.in_(FAMILIES), or_(table.c.state.in_(STANDING), table.c.updated_at >= since)
    )
    rows = connection.execute(query.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(MOST_INCIDENTS))
    return [(row.state_key, message_of(row)) for row in rows]


def blind_spans(connection: Connection, incidents: Sequence[IncidentMessage], now: int) -> dict[str, list[Blind]]:
    """By device, when it did not see by what ``incidents`` say, up to ``now`` (µs)."""
    table, found = schema.alarms, dict[str, list[Blind]]()
    for incident in incidents:
        query = select(table.c.device, table.c.kind, table.c.action, table.c.at).where(
            table.c.incident == incident.id, table.c.kind.in_(OUT_OF_SERVICE)
        )
        rows = connection.execute(query.order_by(table.c.at.desc(), table.c.id.desc()).limit(MOST_SIGNALS)).all()
        signals = [Outage(row.device, row.kind, Action(row.action), row.at) for row in reversed(rows)]
        over = None if incident.state.value in STANDING else incident.cleared_at or incident.closed_at or incident.updated_at
        for device, spans in outages(signals, incident=incident.id, opened_at=incident.opened_at, over_at=over, now=now).items():
            found.setdefault(device, []).extend(spans)
    return found
