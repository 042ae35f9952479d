"""Where an effect happens: signals become alarms, incidents, zone states and outbox rows in one transaction.

Idempotent: a signal that is known by its id has no effect. A write that lost a race raises ``StaleState`` and is tried
again by the caller with fresh state. What must not go in: decisions (``hazards.merging``), Kafka, reading for people
(``storage/incident_queries.py``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update
from sqlalchemy.exc import IntegrityError

from bus.codecs import encode
from hazards.errors import Unavailable
from hazards.kinds import kind_of
from hazards.merging import merge, next_wake, state_key, wake
from hazards.messages import UNASSIGNED, AlarmRecord, AlarmRecords, IncidentMessage, IncidentState, Signal
from hazards.zone_state import Decision, Happening, Incident, Merged, Reason, ZoneState
from hazards.zones import AlarmTiming
from storage import schema
from storage.bulk import insert_rows, update_rows
from storage.hazard_proposals import propose_by_rule
from storage.incident_queries import message_of
from storage.outbox import announce
from storage.site_store import Registry, current_registry

_states: msgspec.msgpack.Decoder[ZoneState] = msgspec.msgpack.Decoder(ZoneState)
_NO_DELAY = AlarmTiming()
CHUNK = 500
"""Ids in one IN list: under every driver's bound."""


class StaleState(Unavailable):
    """Another worker wrote the same zone first: read again and repeat."""


@dataclass(slots=True)
class Applied:
    """What ``apply_signals`` did. ``new``: ids applied now; ``next_wake``: µs, when ``wake_zones`` has work for these zones."""

    new: list[str] = field(default_factory=list)
    duplicates: int = 0
    incidents: set[str] = field(default_factory=set)
    next_wake: int | None = None


def applied_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` that SQL has applied."""
    found: set[str] = set()
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        found.update(connection.scalars(select(schema.alarms.c.id).where(schema.alarms.c.id.in_(part))))
    return found


def apply_signals(connection: Connection, signals: Sequence[Signal], *, now: int) -> Applied:
    """Take ``signals`` in the order given. Raises StaleState when another worker was faster: repeat in a new transaction."""
    unique = {s.id: s for s in signals}
    known = applied_ids(connection, list(unique))
    fresh = [s for s in unique.values() if s.id not in known]
    applied = Applied([s.id for s in fresh], len(signals) - len(fresh))
    if not fresh:
        return applied
    by_key: dict[str, list[Signal]] = {}
    for signal in fresh:
        by_key.setdefault(state_key(signal.zone, signal.device), []).append(signal)
    zones = {key: group[0].zone for key, group in by_key.items()}
    work = _Work(connection, now)
    for key, state in work.load(sorted(by_key)).items():
        merged = merge(state, by_key[key], work.timing_of, work.acknowledged, type_of=work.type_of)
        then = wake(state, now, work.timing_of, work.acknowledged - merged.graver, type_of=work.type_of)
        work.keep(key, zones[key], state, _joined(merged, then))
    work.save({s.id: s for s in fresh})
    applied.incidents = set(work.changed)
    applied.next_wake = work.next_wake
    return applied


def wake_zones(connection: Connection, *, now: int, limit: int = 200, mine: Callable[[str], bool] = lambda zone: True) -> int:
    """Let time pass in the zones that are due and ``mine``; how many there were. Raises StaleState as above."""
    table = schema.zone_states
    due = connection.execute(select(table.c.key, table.c.zone).where(table.c.wake_at <= now).order_by(table.c.wake_at))
    zones = dict(islice(((row.key, row.zone) for row in due if mine(row.zone)), limit))  # another's overdue zones must not hold up ours
    work = _Work(connection, now)
    for key, state in work.load(sorted(zones)).items():
        work.keep(key, zones[key], state, wake(state, now, work.timing_of, work.acknowledged, type_of=work.type_of))
    work.save({})
    return len(zones) + end_shelving(connection, now=now, mine=mine)


def end_shelving(connection: Connection, *, now: int, mine: Callable[[str], bool] = lambda zone: True) -> int:
    """Unshelve the incidents whose time is over, and announce it; how many."""
    table = schema.incidents
    found = connection.execute(select(table.c.id, table.c.zone).where(table.c.shelved_until <= now).order_by(table.c.shelved_until))
    ids = list(islice((row.id for row in found if mine(row.zone)), CHUNK))
    over = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id).with_for_update()).all() if ids else []
    for row in over:
        values = {"shelved_by": None, "shelved_until": None, "shelve_reason": None, "version": row.version + 1,
                  "reason": Reason.SHELVING_ENDED.value}  # fmt: skip
        connection.execute(update(table).where(table.c.id == row.id).values(**values))
        changed = msgspec.structs.replace(message_of(row), shelved_by=None, shelved_until=None, shelve_reason=None,
                                          version=row.version + 1, reason=Reason.SHELVING_ENDED.value)  # fmt: skip
        record_events(connection, [{"incident": row.id, "at": now, "actor": "bihuan", "event": "unshelved",
                                    "body": '{"reason":"shelving_ended"}'}])  # fmt: skip
        announce(connection, [(changed, "updated")], now=now)
    return len(over)


def record_events(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Lines of incidents' timelines: incident, at, actor, event, body (JSON)."""
    insert_rows(connection, schema.incident_events, rows)


def _joined(first: Merged, second: Merged) -> Merged:
    return Merged(first.decisions, first.happenings + second.happenings, first.changed | second.changed)


class _Work:
    """One transaction's zone states: loaded, changed by the domain, saved."""

    def __init__(self, connection: Connection, now: int) -> None:
        self.connection, self.now = connection, now
        self.registry: Registry = current_registry(connection)
        self.versions: dict[str, int] = {}
        self.acknowledged: set[str] = set()
        self.kept: list[tuple[str, str, ZoneState, Merged]] = []
        self.changed: dict[str, tuple[str, str, Incident]] = {}

    def timing_of(self, device: str) -> AlarmTiming:
        known = self.registry.device(device)
        return known.timing if known else _NO_DELAY

    def type_of(self, device: str) -> str | None:
        known = self.registry.device(device)
        return known.type if known else None

    def load(self, keys: Sequence[str]) -> dict[str, ZoneState]:
        """Zone states by key, locked in one order (PostgreSQL), and who of their incidents is acknowledged."""
        table, found = schema.zone_states, {}
        for start in range(0, len(keys), CHUNK):
            query = select(table).where(table.c.key.in_(keys[start : start + CHUNK])).order_by(table.c.key).with_for_update()
            for row in self.connection.execute(query):
                self.versions[row.key] = row.version
                found[row.key] = _states.decode(row.body)
        states = {key: found.get(key) or ZoneState() for key in keys}
        self._load_acknowledged([i.id for s in states.values() for i in s.incidents.values() if not i.over])
        return states

    def _load_acknowledged(self, ids: Sequence[str]) -> None:
        table = schema.incidents
        for start in range(0, len(ids), CHUNK):
            query = select(table.c.id).where(table.c.id.in_(ids[start : start + CHUNK]), table.c.acknowledged_severity <= table.c.severity)
            self.acknowledged.update(self.connection.scalars(query))

    def keep(self, key: str, zone: str, state: ZoneState, merged: Merged) -> None:
        self.kept.append((key, zone, state, merged))
        for incident in merged.changed.values():
            self.changed[incident.id] = (key, zone, incident)

    @property
    def next_wake(self) -> int | None:
        return min((at for _, _, state, _ in self.kept if (at := next_wake(state)) is not None), default=None)

    def save(self, signals: dict[str, Signal]) -> None:
        """Write everything of this transaction. The incidents come before the outbox: their row locks order its ids."""
        try:
            self._save_states()
            messages = self._save_incidents()
            self._save_alarms(signals)
        except IntegrityError as e:
            raise StaleState("another worker applied the same signals first", where="alarms") from e
        happenings = [h for _, _, _, merged in self.kept for h in merged.happenings]
        record_events(self.connection, [_event_row(h) for h in happenings])
        words = {h.incident: h.event for h in happenings if h.event == "opened"}
        words |= {h.incident: h.event for h in happenings if h.event == "closed"}
        announce(self.connection, [(m, words.get(m.id, "updated")) for m in messages], now=self.now, records=self._records(signals))
        propose_by_rule(self.connection, self.registry, messages, now=self.now)

    def _records(self, signals: dict[str, Signal]) -> list[AlarmRecords]:
        by_zone: dict[str, list[AlarmRecord]] = {}
        for _, zone, _, merged in self.kept:
            if merged.decisions:
                by_zone.setdefault(zone, []).extend(_record(signals[d.signal], d) for d in merged.decisions)
        return [AlarmRecords(zone=zone, enterprise=self.registry.enterprise_of(zone), records=r) for zone, r in by_zone.items()]

    def _save_states(self) -> None:
        rows: list[dict[str, Any]] = [
            {"key": key, "zone": zone, "version": self.versions.get(key, 0) + 1, "body": msgspec.msgpack.encode(state),
             "wake_at": next_wake(state)}
            for key, zone, state, _ in self.kept
        ]  # fmt: skip
        insert_rows(self.connection, schema.zone_states, [r for r in rows if r["version"] == 1])
        old = [{**r, "version_before": r["version"] - 1} for r in rows if r["version"] > 1]
        if update_rows(self.connection, schema.zone_states, old, where=("key", "version_before")) != len(old):
            raise StaleState("another worker wrote the zone's state first", where="zone_states")

    def _save_incidents(self) -> list[IncidentMessage]:
        table, rows = schema.incidents, {}
        ids = list(self.changed)
        for start in range(0, len(ids), CHUNK):
            query = select(table).where(table.c.id.in_(ids[start : start + CHUNK])).order_by(table.c.id).with_for_update()
            rows.update({row.id: row for row in self.connection.execute(query)})
        new, old, messages = [], [], []
        for key, zone, incident in self.changed.values():
            merged = _merged_columns(incident)
            row = rows.get(incident.id)
            if row is None:
                full = {**merged, "id": incident.id, "state_key": key, "zone": zone, "enterprise": self.registry.enterprise_of(zone),
                        "opened_at": incident.opened_at, "synthetic": incident.synthetic,
                        "version": 1, "people_version": 0}  # fmt: skip
                new.append(full)
                messages.append(message_of_columns(full))
            else:
                if row.state == IncidentState.CLOSED and incident.state is IncidentState.CLEARED:
                    # an acknowledgement closed what merging had let go: a repeated end must not bring it back
                    merged |= {"state": row.state, "cleared_at": row.cleared_at, "closed_at": row.closed_at}
                old.append({**merged, "id": incident.id, "version": row.version + 1})
                messages.append(message_of_columns({**row._mapping, **merged, "version": row.version + 1}))
        insert_rows(self.connection, table, new)
        update_rows(self.connection, table, old, where=("id",))
        return messages

    def _save_alarms(self, signals: dict[str, Signal]) -> None:
        rows = [
            {"id": s.id, "source": s.source, "source_id": s.source_id, "device": s.device, "zone": s.zone, "kind": s.kind,
             "action": s.action.value, "at": s.at, "received_at": s.received_at, "score": s.score, "snapshot": s.snapshot,
             "body": encode(s), "incident": d.incident, "reason": d.reason.value,
             "explained": msgspec.json.encode(d.explained).decode(), "applied_at": self.now}
            for _, _, _, merged in self.kept for d in merged.decisions for s in (signals[d.signal],)
        ]  # fmt: skip
        insert_rows(self.connection, schema.alarms, rows)


def message_of_columns(columns: Any) -> IncidentMessage:
    """An incident message from a mapping of the table's columns."""
    return message_of(_Columns(columns))


class _Columns:
    """Attribute access to a mapping; columns that were not written yet are None."""

    def __init__(self, columns: Any) -> None:
        self._columns = columns

    def __getattr__(self, name: str) -> Any:
        return self._columns.get(name)


def _merged_columns(incident: Incident) -> dict[str, Any]:
    return {
        "family": incident.family, "certainty": incident.certainty.value,
        "corroboration": msgspec.json.encode(incident.corroboration).decode(),
        "kinds": msgspec.json.encode(incident.kinds).decode(), "devices": msgspec.json.encode(incident.devices).decode(),
        "state": incident.state.value, "severity": incident.severity, "updated_at": incident.updated_at, "raised_at": incident.raised_at,
        "cleared_at": incident.cleared_at, "closed_at": incident.closed_at, "alarm_count": incident.count,
        "reason": incident.reason.value, "message": incident.message, "snapshot": incident.snapshot,
    }  # fmt: skip


def _record(s: Signal, d: Decision) -> AlarmRecord:
    return AlarmRecord(
        id=s.id, device=s.device, kind=s.kind, action=s.action, at=s.at, received_at=s.received_at,
        severity=kind_of(s.kind).severity if s.severity is None else s.severity, incident=d.incident, reason=d.reason.value,
        score=s.score, synthetic=s.synthetic,
    )  # fmt: skip


def _event_row(h: Happening) -> dict[str, Any]:
    body = msgspec.json.encode({"reason": h.reason, **h.explained}).decode()
    return {"incident": h.incident, "at": h.at, "actor": "bihuan", "event": h.event, "body": body}


def waiting_devices(connection: Connection, *, limit: int = 200) -> list[dict[str, Any]]:
    """The waiting list: devices that nobody registered and that sent alarms, newest first (architecture 3.9)."""
    table = schema.alarms
    query = (
        select(table.c.device, func.count().label("alarms"), func.min(table.c.received_at).label("first_at"),
               func.max(table.c.received_at).label("last_at"))
        .where(table.c.zone == UNASSIGNED).group_by(table.c.device).order_by(func.max(table.c.received_at).desc()).limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(query)]
