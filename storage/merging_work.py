"""One transaction of merging: zone states loaded with what surrounds them, and all that merging said written down.

What must not go in: decisions (``hazards/merging.py``), which signals are new (``storage/incidents.py``), reading for people.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from bus.codecs import encode
from hazards.annunciation import AlarmState
from hazards.declarations import Declaration
from hazards.errors import MalformedMessage, Unavailable, UnknownSchema
from hazards.kinds import graveness, holds_never_suppressed, kind_of
from hazards.ledger.limits import DAY, SECOND
from hazards.merging import next_wake
from hazards.messages import WHOLE_SITE, AlarmRecord, AlarmRecords, IncidentMessage, IncidentState, Signal
from hazards.surroundings import NO_TIMING, Surroundings
from hazards.weight import OpenHazard
from hazards.zone_codec import decode_state, encode_state
from hazards.zone_state import Decision, Happening, Incident, Merged, ZoneState
from hazards.zones import AlarmTiming
from storage import schema
from storage.bulk import delete_rows, insert_rows, select_rows, update_rows, upsert_rows
from storage.declarations import declarations_in_force
from storage.hazard_alarms import hear, heard_of
from storage.hazard_proposals import propose_by_rule
from storage.incident_hazards import with_hazards
from storage.incident_rows import PEOPLE, STANDING, merged_columns, merged_message
from storage.outbox import announce
from storage.site_store import Registry, current_registry
from storage.zone_hazards import open_hazards

PUT_OFF = 60 * SECOND
"""µs until a state that this worker can't work on is due again."""
_SHELVING = ("shelved_by", "shelved_until", "shelve_reason")
_WRITTEN = ("version", "cleared_at", "closed_at", "acknowledged_severity", *_SHELVING)
SOON = DAY
"""µs ahead: declarations that begin within are known to a zone beforehand, so that it wakes by itself when they do."""


class StaleState(Unavailable):
    """Another worker wrote the same zone first: read again and repeat."""


class NewerState(Unavailable):
    """A newer version wrote the zone of ``key``: nothing is lost, this worker has to be upgraded, or leave the zone to a newer one."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason, where="zone_states", hint="upgrade this worker; the state and its signals are kept")
        self.key = key


def record_events(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Lines of incidents' timelines: incident, at, actor, event, body (JSON)."""
    insert_rows(connection, schema.incident_events, rows)


def joined(first: Merged, second: Merged) -> Merged:
    """What two calls on one state changed, one after the other."""
    return Merged(
        first.decisions, first.happenings + second.happenings, first.changed | second.changed, first.graver, first.alarms | second.alarms,
        first.of | second.of, second.told, first.sounded + second.sounded,
    )  # fmt: skip


class MergingWork:
    """One transaction's zone states: loaded, changed by the domain, saved."""

    def __init__(self, connection: Connection, now: int) -> None:
        self.connection, self.now = connection, now
        self.registry: Registry = current_registry(connection)
        self.versions: dict[str, int] = {}
        self.acknowledged: set[str] = set()
        self.kept: list[tuple[str, str, ZoneState, Merged]] = []
        self._wakes: dict[str, int | None] = {}
        self.changed: dict[str, tuple[str, str, Incident]] = {}
        self.graver: set[str] = set()
        self._declared: dict[str, list[Declaration]] = {}
        self._hazards: dict[str, list[OpenHazard]] = {}

    def timing_of(self, device: str) -> AlarmTiming:
        """The delays of a device."""
        known = self.registry.device(device)
        return known.timing if known else NO_TIMING

    def type_of(self, device: str) -> str | None:
        """The type of a device, None for one that nobody registered."""
        known = self.registry.device(device)
        return known.type if known else None

    def around(self, zone: str) -> Surroundings:
        """What surrounds ``zone``, which was loaded."""
        declared, hazards = self._declared.get(zone, ()), self._hazards.get(zone, ())
        return Surroundings(zone, self.timing_of, self.type_of, self.acknowledged, declared, hazards)

    def load(self, zones: Mapping[str, str], *, newer: bool = True) -> dict[str, ZoneState]:
        """States by key, of ``zones`` by key, locked in one order (PostgreSQL), and who of their incidents is acknowledged.

        Raises NewerState; without ``newer`` such states, and those that can't be read at all, are left out and put off."""
        table, keys, found, skipped = schema.zone_states, sorted(zones), {}, set[str]()
        for row in select_rows(self.connection, table, ("key", "version", "state"), "key", keys, lock=True):
            self.versions[row.key] = row.version
            try:
                found[row.key] = _decoded(row.key, row.state)
            except (NewerState, MalformedMessage):
                if newer:
                    raise
                skipped.add(row.key)
        self.put_off(skipped)
        states = {key: found.get(key) or ZoneState() for key in keys if key not in skipped}
        self._hazards = open_hazards(self.connection, self.registry, zones.values())
        waiting = [i.id for s in states.values() for i in s.incidents.values() if not i.over or i.state is IncidentState.CLEARED]
        self._load_acknowledged(waiting)
        self._load_declared(set(zones.values()))
        return states

    def put_off(self, keys: Collection[str]) -> None:
        """States that can't be worked on are not due again at once: others must have their turn."""
        if keys:
            states = schema.zone_states
            self.connection.execute(update(states).where(states.c.key.in_(keys)).values(wake_at=self.now + PUT_OFF))

    def _load_declared(self, zones: set[str]) -> None:
        found = declarations_in_force(self.connection, zones, now=self.now, until=self.now + SOON, registry=self.registry)
        for zone in zones:
            self._declared[zone] = [d for d in found if d.zone in (zone, WHOLE_SITE)]

    def _load_acknowledged(self, ids: Sequence[str]) -> None:
        found = select_rows(self.connection, schema.incidents, ("id", "severity", "acknowledged_severity"), "id", ids)
        known = (row for row in found if row.acknowledged_severity is not None)
        self.acknowledged |= {row.id for row in known if row.acknowledged_severity <= row.severity}

    def keep(self, key: str, zone: str, state: ZoneState, merged: Merged) -> None:
        """Put down what is to be saved of one state."""
        self.kept.append((key, zone, state, merged))
        self._wakes[key] = next_wake(state)
        self.graver |= merged.graver
        for incident in merged.changed.values():
            self.changed[incident.id] = (key, zone, incident)

    @property
    def next_wake(self) -> int | None:
        """When a state of this transaction wants to be woken, µs."""
        return min((at for at in self._wakes.values() if at is not None), default=None)

    def save(self, signals: dict[str, Signal]) -> None:
        """Write everything of this transaction. The incidents come before the outbox: their row locks order its ids."""
        try:
            self._save_states()
            messages = self._save_incidents()
            self._save_alarms(signals)
            self._save_alarm_states()
        except IntegrityError as e:
            raise StaleState("another worker applied the same signals first", where="alarms") from e
        happenings = [h for _, _, _, merged in self.kept for h in merged.happenings]
        record_events(self.connection, [_event_row(h) for h in happenings])
        self._let_hazards_hear(messages)
        told = {incident: word for _, _, _, merged in self.kept for incident, word in merged.told.items()}
        news = with_hazards(self.connection, self.registry, [m for m in messages if m.id in told], now=self.now)
        announce(self.connection, [(m, told[m.id]) for m in news], now=self.now, records=self._records(signals))
        propose_by_rule(self.connection, self.registry, messages, now=self.now)

    def _let_hazards_hear(self, messages: Sequence[IncidentMessage]) -> None:
        """Before the incidents are told, so that they carry what is open again."""
        incidents = {m.id: m for m in messages}
        heard = heard_of(self.registry, [s for _, _, _, merged in self.kept for s in merged.sounded], incidents)
        hear(self.connection, self.registry, heard, incidents, lambda zone: self._hazards.get(zone, ()), now=self.now)

    def _records(self, signals: dict[str, Signal]) -> list[AlarmRecords]:
        by_zone: dict[str, list[AlarmRecord]] = {}
        for _, zone, _, merged in self.kept:
            if merged.decisions:
                by_zone.setdefault(zone, []).extend(_record(signals[d.signal], d) for d in merged.decisions)
        return [AlarmRecords(zone=zone, enterprise=self.registry.enterprise_of(zone), records=r) for zone, r in by_zone.items()]

    def _save_states(self) -> None:
        rows: list[dict[str, Any]] = [
            {"key": key, "zone": zone, "version": self.versions.get(key, 0) + 1, "state": encode_state(state),
             "wake_at": self._wakes[key]}
            for key, zone, state, _ in self.kept
        ]  # fmt: skip
        insert_rows(self.connection, schema.zone_states, [r for r in rows if r["version"] == 1])
        old = [{**r, "version_before": r["version"] - 1} for r in rows if r["version"] > 1]
        if update_rows(self.connection, schema.zone_states, old, where=("key", "version_before")) != len(old):
            raise StaleState("another worker wrote the zone's state first", where="zone_states")

    def _save_incidents(self) -> list[IncidentMessage]:
        table, new, old, messages = schema.incidents, list[dict[str, Any]](), list[dict[str, Any]](), list[IncidentMessage]()
        standing = {row.id: row for row in select_rows(self.connection, table, STANDING, "id", self.changed, lock=True)}
        for key, zone, incident in self.changed.values():
            merged, row = merged_columns(incident), standing.get(incident.id)
            now = self._newly(zone, incident) if row is None else self._again(row, incident)
            if row is None:
                new.append({**merged, **now, "state": incident.state.value, "state_key": key, "people_version": 0})
            else:
                old.append({**merged, **{name: now[name] for name in _WRITTEN}, "state": now["state"].value, "id": incident.id})
            messages.append(merged_message(incident, now))
        insert_rows(self.connection, table, new)
        update_rows(self.connection, table, old, where=("id",))
        return messages

    def _newly(self, zone: str, incident: Incident) -> dict[str, Any]:
        """What stands of an incident that has no row yet."""
        return {
            "id": incident.id, "zone": zone, "enterprise": self.registry.enterprise_of(zone), "opened_at": incident.opened_at,
            "state": incident.state, "cleared_at": incident.cleared_at, "closed_at": incident.closed_at, "synthetic": incident.synthetic,
            "version": 1, **dict.fromkeys(PEOPLE),
        }  # fmt: skip

    def _again(self, row: Any, incident: Incident) -> dict[str, Any]:
        """What stands of an incident that has a row; an acknowledgement closed what merging had let go: a repeated end must not bring it
        back. What became graver, and what may never be kept quiet, is shelved no longer."""
        now = dict(row._mapping) | {"version": row.version + 1, "synthetic": bool(row.synthetic)}
        if row.state == IncidentState.CLOSED and incident.state is IncidentState.CLEARED:
            now["state"] = IncidentState.CLOSED
        else:
            now |= {"state": incident.state, "cleared_at": incident.cleared_at, "closed_at": incident.closed_at}
        if incident.id in self.graver or holds_never_suppressed(incident.kinds):
            now |= dict.fromkeys(_SHELVING)
        if incident.id in self.graver and row.acknowledged_severity is not None:  # it was of something less
            now["acknowledged_severity"] = max(row.acknowledged_severity, incident.severity + 1)
        return now

    def _save_alarms(self, signals: dict[str, Signal]) -> None:
        rows = [
            {"id": s.id, "source": s.source, "source_id": s.source_id, "device": s.device, "zone": s.zone, "kind": s.kind,
             "action": s.action.value, "at": s.at, "received_at": s.received_at, "score": s.score, "snapshot": s.snapshot,
             "body": encode(s), "incident": d.incident, "reason": d.reason.value,
             "explained": msgspec.json.encode(d.explained).decode(), "applied_at": self.now}
            for _, _, _, merged in self.kept for d in merged.decisions for s in (signals[d.signal],)
        ]  # fmt: skip
        insert_rows(self.connection, schema.alarms, rows)

    def _save_alarm_states(self) -> None:
        normal, others = list[dict[str, Any]](), list[dict[str, Any]]()
        for key, zone, _, merged in self.kept:
            for name, alarm in merged.alarms.items():
                row = {"key": key, "device": alarm.device, "kind": alarm.kind}
                if alarm.state is AlarmState.NORMAL:
                    normal.append(row)
                    continue
                others.append({
                    **row, "zone": zone, "incident": merged.of.get(name, ""), "state": alarm.state.value, "phase": alarm.phase.value,
                    "severity": alarm.severity or kind_of(alarm.kind).severity, "quiet": alarm.quiet, "quiet_by": alarm.by,
                    "since": alarm.since, "last_at": alarm.last_at,
                })  # fmt: skip
        delete_rows(self.connection, schema.alarm_states, normal)
        upsert_rows(self.connection, schema.alarm_states, others)


def _decoded(key: str, state: bytes) -> ZoneState:
    try:
        return decode_state(state)
    except UnknownSchema as e:
        raise NewerState(key, str(e)) from e


def _record(s: Signal, d: Decision) -> AlarmRecord:
    return AlarmRecord(
        id=s.id, device=s.device, kind=s.kind, action=s.action, at=s.at, received_at=s.received_at,
        severity=graveness(s.kind, s.severity), incident=d.incident, reason=d.reason.value,
        score=s.score, synthetic=s.synthetic,
    )  # fmt: skip


def _event_row(h: Happening) -> dict[str, Any]:
    body = msgspec.json.encode({"reason": h.reason, **h.explained}).decode()
    return {"incident": h.incident, "at": h.at, "actor": "bihuan", "event": h.event, "body": body}


