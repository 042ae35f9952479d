"""Where an effect happens: signals become alarms, incidents, zone states and outbox rows in one transaction.

Idempotent: a signal that is known by its id has no effect. A write that lost a race raises ``StaleState`` and is tried
again by the caller with fresh state. What must not go in: decisions (``hazards.merging``), Kafka, reading for people
(``storage/incident_queries.py``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import msgspec
import structlog
from sqlalchemy import Connection, func, select, update

from hazards.merging import merge, state_key, wake
from hazards.messages import UNASSIGNED, Signal
from hazards.zone_state import Reason
from storage import schema
from storage.bulk import select_rows
from storage.incident_hazards import with_hazards
from storage.incident_queries import message_of
from storage.merging_work import MergingWork, StaleState, joined, record_events
from storage.outbox import announce
from storage.site_store import current_registry

log = structlog.get_logger(__name__)
MOST_AT_ONCE = 500
"""Incidents that one transaction unshelves."""

__all__ = ["Applied", "StaleState", "applied_ids", "apply_signals", "end_shelving", "waiting_devices", "wake_zones"]


@dataclass(slots=True)
class Applied:
    """What ``apply_signals`` did. ``new``: ids applied now; ``next_wake``: µs, when ``wake_zones`` has work for these zones.

    ``late``, ``early``: how many of the new came long after what they tell, or ahead of their receipt (``hazards.merging``)."""

    new: list[str] = field(default_factory=list)
    duplicates: int = 0
    incidents: set[str] = field(default_factory=set)
    next_wake: int | None = None
    late: int = 0
    early: int = 0


def applied_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` that SQL has applied."""
    return {row.id for row in select_rows(connection, schema.alarms, ("id",), "id", ids)}


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
    work = MergingWork(connection, now)
    for key, state in work.load(zones).items():
        around = work.around(zones[key])
        merged = merge(state, by_key[key], around)
        applied.late += sum("late_by" in d.explained or d.reason is Reason.LATE for d in merged.decisions)
        applied.early += sum("early_by" in d.explained for d in merged.decisions)
        around = replace(around, acknowledged=work.acknowledged - merged.graver)
        work.keep(key, zones[key], state, joined(merged, wake(state, now, around)))
    work.save({s.id: s for s in fresh})
    applied.incidents = set(work.changed)
    applied.next_wake = work.next_wake
    return applied


def wake_zones(connection: Connection, *, now: int, limit: int = 200, mine: Callable[[str], bool] = lambda zone: True) -> int:
    """Let time pass in the zones that are due and ``mine``; how many there were. Raises StaleState as above.

    One that can't be worked on is put off and said: it must not hold up the delays and reminders of the others."""
    table = schema.zone_states
    due = connection.execute(select(table.c.key, table.c.zone).where(table.c.wake_at <= now).order_by(table.c.wake_at))
    zones = dict(islice(((row.key, row.zone) for row in due if mine(row.zone)), limit))  # another's overdue zones must not hold up ours
    work, woken = MergingWork(connection, now), 0
    for key, state in work.load(zones, newer=False).items():
        try:
            then = wake(state, now, work.around(zones[key]))
        except Exception:
            log.exception("a zone can't be woken", zone=zones[key], key=key)
            work.put_off([key])
            continue
        work.keep(key, zones[key], state, then)
        woken += 1
    work.save({})
    return woken + end_shelving(connection, now=now, mine=mine)


def end_shelving(connection: Connection, *, now: int, mine: Callable[[str], bool] = lambda zone: True) -> int:
    """Unshelve the incidents whose time is over, and announce it; how many."""
    table = schema.incidents
    found = connection.execute(select(table.c.id, table.c.zone).where(table.c.shelved_until <= now).order_by(table.c.shelved_until))
    ids = list(islice((row.id for row in found if mine(row.zone)), MOST_AT_ONCE))
    over = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id).with_for_update()).all() if ids else []
    registry = current_registry(connection)
    for row in over:
        values = {"shelved_by": None, "shelved_until": None, "shelve_reason": None, "version": row.version + 1,
                  "reason": Reason.SHELVING_ENDED.value}  # fmt: skip
        connection.execute(update(table).where(table.c.id == row.id).values(**values))
        changed = msgspec.structs.replace(message_of(row), shelved_by=None, shelved_until=None, shelve_reason=None,
                                          version=row.version + 1, reason=Reason.SHELVING_ENDED.value)  # fmt: skip
        record_events(connection, [{"incident": row.id, "at": now, "actor": "bihuan", "event": "unshelved",
                                    "body": '{"reason":"shelving_ended"}'}])  # fmt: skip
        announce(connection, [(m, "updated") for m in with_hazards(connection, registry, [changed], now=now)], now=now)
    return len(over)


def waiting_devices(connection: Connection, *, limit: int = 200) -> list[dict[str, Any]]:
    """The waiting list: devices that nobody registered and that sent alarms, newest first (architecture 3.9)."""
    table = schema.alarms
    query = (
        select(table.c.device, func.count().label("alarms"), func.min(table.c.received_at).label("first_at"),
               func.max(table.c.received_at).label("last_at"))
        .where(table.c.zone == UNASSIGNED).group_by(table.c.device).order_by(func.max(table.c.received_at).desc()).limit(limit)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(query)]
