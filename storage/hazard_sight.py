"""What the zone's devices say of a hazard: the facts that the evidence gate judges, read in the caller's transaction.

Which alarms stand is read from the zone's own state, where on-delay, off-delay and latching are applied; which were raised since
the claim, from the alarms. What sensors measured was read before (``storage/series_sight.py``).
What must not go in: judging (``hazards/ledger/gate.py``).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select

from hazards.alarm_state import Phase
from hazards.ledger.blindness import OUT_OF_SERVICE
from hazards.ledger.gate import Present, Sight, Watcher, Witness, watchers_of
from hazards.ledger.hazard import Hazard
from hazards.ledger.kinds import HazardKind, hazard_kind
from hazards.ledger.sensor_evidence import Measured
from hazards.messages import UNASSIGNED, Action, IncidentMessage
from hazards.zone_codec import decode_state
from hazards.zone_state import ZoneState
from storage import schema
from storage.blindness import STANDING, blind_spans, equipment_incidents
from storage.incident_queries import message_of
from storage.judged_sensors import sensors_in
from storage.site_store import Registry

MOST_WITNESSES = 50
"""Incidents of one family looked at for one answer: one is enough to refuse."""
MOST_ALARMS = 1000
"""Alarms since the claim that are counted for one incident."""


def sight_of(
    connection: Connection, registry: Registry, hazard: Hazard, since: int, *, now: int, measured: tuple[Measured, ...] = ()
) -> Sight:
    """Which devices of the hazard's zone can tell, what they said since ``since`` (µs) or say ``now``, and when they did not see."""
    pack = registry.policy_under(hazard.policy)
    kind = hazard_kind(hazard.kind, pack.kinds if pack is not None else ())
    own = _devices_of_own_incident(connection, hazard, kind)
    found = _incidents(connection, hazard, kind, since)
    states = _Present(connection)
    witnesses = [_witness(connection, states.of(key, incident), incident, kind, since) for key, incident in found]
    devices = [d for d in registry.devices.values() if d.zone == hazard.zone]
    watchers = watchers_of(kind, devices, sensors_in(registry, hazard.zone))
    spoken = own | {device for w in witnesses for device in [*w.devices, *(p.device for p in w.present)]}
    watchers += [Watcher(device, "alarms") for device in sorted(spoken - {w.device for w in watchers})]
    if watchers:
        equipment = equipment_incidents(connection, hazard.zone, since)
        blind = _blind(states, equipment)
        spans = blind_spans(connection, [incident for _, incident in equipment], now)
        watchers = [
            msgspec.structs.replace(w, blind=blind.get(w.device), spans=tuple(s for s in spans.get(w.device, ()) if s.end >= since))
            for w in watchers
        ]
    return Sight(tuple(watchers), tuple(witnesses), measured)


class _Present:
    """Alarms of incidents that are not normal, as the zones' states have them; each state is read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._states: dict[str, ZoneState] = {}

    def of(self, key: str, incident: IncidentMessage) -> list[Present]:
        """Those of ``incident``, whose state has the key ``key``; one that the state let go has none."""
        if incident.state.value not in STANDING:
            return []
        if key not in self._states:
            body = self._connection.execute(select(schema.zone_states.c.state).where(schema.zone_states.c.key == key)).scalar()
            self._states[key] = decode_state(body) if body is not None else ZoneState()
        state = self._states[key]
        held = next((i for i in state.incidents.values() if i.id == incident.id), None)
        alarms = [state.alarms[name] for name in held.present if name in state.alarms] if held is not None else []
        return [Present(a.device, a.kind, a.phase is Phase.RAISING) for a in alarms]


def _incidents(connection: Connection, hazard: Hazard, kind: HazardKind, since: int) -> list[tuple[str, IncidentMessage]]:
    """State key and incident, newest first, of those that have such alarms and stand, or had a signal since.

    A zone's incidents of one family follow one another, so the walk back ends at the first that was over before. Nobody's zone holds
    devices of all sorts: there only those of this hazard speak of it."""
    table, found = schema.incidents, []
    for family in sorted(kind.incident_families):
        query = select(table).where(table.c.zone == hazard.zone, table.c.family == family)
        if hazard.zone == UNASSIGNED:
            own = select(table.c.state_key).where(table.c.id == hazard.incident).scalar_subquery()
            query = query.where(table.c.state_key == own)
        for row in connection.execute(query.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(MOST_WITNESSES)):
            if row.state not in STANDING and row.updated_at < since:
                break
            found.append((row.state_key, message_of(row)))
    return [(key, incident) for key, incident in found if any(kind.speaks(alarm) for alarm in incident.kinds)]


def _witness(connection: Connection, present: list[Present], incident: IncidentMessage, kind: HazardKind, since: int) -> Witness:
    table = schema.alarms
    speaking = [alarm for alarm in incident.kinds if kind.speaks(alarm)]
    query = (
        select(table.c.device, table.c.kind, table.c.at)
        .where(table.c.incident == incident.id, table.c.at >= since, table.c.kind.in_(speaking), table.c.action != Action.CLEARED.value)
        .order_by(table.c.at.desc(), table.c.id.desc()).limit(MOST_ALARMS)
    )  # fmt: skip
    raised = connection.execute(query).all()
    return Witness(
        incident=incident.id, severity=incident.severity, opened_at=incident.opened_at, present=[p for p in present if kind.speaks(p.kind)],
        raised=len(raised), last_at=raised[0].at if raised else None, devices=sorted({r.device for r in raised}),
        kinds=sorted({r.kind for r in raised}), snapshot=incident.snapshot,
    )  # fmt: skip


def _devices_of_own_incident(connection: Connection, hazard: Hazard, kind: HazardKind) -> set[str]:
    """The devices whose alarms made the hazard: they have shown that they can tell."""
    if hazard.incident is None:
        return set()
    table = schema.alarms
    query: Select[Any] = select(table.c.device, table.c.kind).where(table.c.incident == hazard.incident).distinct()
    return {row.device for row in connection.execute(query) if kind.speaks(row.kind)}


def _blind(states: _Present, equipment: Sequence[tuple[str, IncidentMessage]]) -> dict[str, str]:
    """Devices of the zone that are out of service now, and the incident that says so."""
    found: dict[str, str] = {}
    for key, incident in equipment:
        standing = [p for p in states.of(key, incident) if p.kind in OUT_OF_SERVICE and not p.undecided]
        found |= {p.device: incident.id for p in standing}
    return found
