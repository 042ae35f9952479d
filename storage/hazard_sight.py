"""What the zone's devices say of a hazard: the facts that the evidence gate judges, read in the caller's transaction.

What must not go in: judging (``hazards/evidence_gate.py``).
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, func, or_, select

from hazards.evidence_gate import Sight, Watcher, Witness, watchers_of
from hazards.hazard import Hazard
from hazards.hazard_kinds import HazardKind, hazard_kind
from hazards.messages import UNASSIGNED, Action, IncidentMessage, IncidentState
from storage import schema
from storage.incident_queries import message_of
from storage.site_store import Registry

MOST_WITNESSES = 50
"""Incidents named in one answer: one is enough to refuse."""
_STANDING = (IncidentState.ACTIVE.value, IncidentState.PENDING.value)
_OUT_OF_SERVICE = {"camera_offline", "tamper", "sensor_stale", "device_fault", "power_lost"}
"""Kinds of alarm by which the device that raised them does not see."""


def sight_of(connection: Connection, registry: Registry, hazard: Hazard, since: int) -> Sight:
    """Which devices of the hazard's zone can tell, and what they said since ``since`` (µs) or say now."""
    kind = hazard_kind(hazard.kind)
    witnesses = [_witness(connection, row, kind, since) for row in _incidents(connection, hazard, kind, since)]
    watchers = {w.device: w for w in watchers_of(kind, [d for d in registry.devices.values() if d.zone == hazard.zone])}
    spoken = {device for w in witnesses for device in w.devices} | _devices_of(connection, hazard, kind)
    for device in sorted(spoken - watchers.keys()):
        watchers[device] = Watcher(device, "alarms")
    blind = _blind(connection, hazard.zone, set(watchers)) if watchers else {}
    seen = [msgspec.structs.replace(w, blind=blind.get(w.device)) for w in watchers.values()]
    return Sight(tuple(seen), tuple(witnesses))


def _incidents(connection: Connection, hazard: Hazard, kind: HazardKind, since: int) -> list[IncidentMessage]:
    """Incidents of the zone that speak of the kind and stand, or had a signal received since; nobody's zone: only the same devices."""
    table = schema.incidents
    query = (
        select(table)
        .where(table.c.zone == hazard.zone, table.c.family.in_(sorted(kind.alarm_families)))
        .where(or_(table.c.state.in_(_STANDING), table.c.updated_at >= since))
        .order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(MOST_WITNESSES)
    )  # fmt: skip
    found = [message for row in connection.execute(query) if kind.speaks((message := message_of(row)).family, message.kinds)]
    if hazard.zone != UNASSIGNED:
        return found
    own = _devices_of(connection, hazard, kind)
    return [message for message in found if own & set(message.devices)]


def _witness(connection: Connection, incident: IncidentMessage, kind: HazardKind, since: int) -> Witness:
    table = schema.alarms
    raised = select(func.count(), func.max(table.c.at)).where(
        table.c.incident == incident.id, table.c.at >= since, table.c.action != Action.CLEARED.value
    )
    count, last = connection.execute(raised).one()
    return Witness(
        incident=incident.id, family=incident.family, kinds=incident.kinds, devices=incident.devices, state=incident.state,
        severity=incident.severity, opened_at=incident.opened_at, alarms=count, last_at=last,
    )  # fmt: skip


def _devices_of(connection: Connection, hazard: Hazard, kind: HazardKind) -> set[str]:
    """The devices of the hazard's own incident: they have shown that they can tell."""
    if hazard.incident is None:
        return set()
    row: Any = connection.execute(select(schema.incidents).where(schema.incidents.c.id == hazard.incident)).first()
    if row is None:
        return set()
    incident = message_of(row)
    return set(incident.devices) if kind.speaks(incident.family, incident.kinds) else set()


def _blind(connection: Connection, zone: str, watching: set[str]) -> dict[str, str]:
    """Those of ``watching`` that are out of service now, and the incident that says so."""
    table = schema.incidents
    query = select(table).where(table.c.zone == zone, table.c.family == "equipment", table.c.state == IncidentState.ACTIVE.value)
    found: dict[str, str] = {}
    for row in connection.execute(query):
        incident = message_of(row)
        kinds = _OUT_OF_SERVICE & set(incident.kinds)
        for device in watching & set(incident.devices):
            if any(_stands(connection, incident.id, device, kind) for kind in kinds):
                found[device] = incident.id
    return found


def _stands(connection: Connection, incident: str, device: str, kind: str) -> bool:
    """Whether the newest signal of that alarm raised it: another device's may keep the incident active."""
    table = schema.alarms
    newest = select(table.c.action).where(table.c.incident == incident, table.c.device == device, table.c.kind == kind)
    action = connection.execute(newest.order_by(table.c.at.desc(), table.c.received_at.desc()).limit(1)).scalar()
    return action == Action.RAISED.value
