"""Writing what was decided on a hazard (隐患): the hazard, its entry on the record and the outbox row, in the caller's transaction.

What must not go in: deciding, reading for people.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hazards.errors import Conflict
from hazards.ledger.decision import Decision
from hazards.ledger.hazard import Actor, Hazard, message_of
from hazards.ledger.marks import MARKS
from hazards.ledger.policy import basis_of
from hazards.ledger.record import GENESIS, Entry, canonical, chained
from hazards.scope import Scope
from storage import schema
from storage.hazard_queries import hazard_of
from storage.outbox import announce_hazard
from storage.scoping import within


def columns_of(hazard: Hazard) -> dict[str, Any]:
    """The row of a hazard but its id."""
    return {
        "zone": hazard.zone, "enterprise": hazard.enterprise, "kind": hazard.kind, "grade": hazard.grade, "confirmed": hazard.confirmed,
        "state": hazard.state.value, "title": hazard.title, "incident": hazard.incident, "opened_at": hazard.opened_at,
        "updated_at": hazard.updated_at, "due_at": hazard.due_at, "overdue_at": hazard.overdue_at, "wake_at": hazard.wake_at,
        "closed_at": hazard.closed_at, "version": hazard.version,
        "synthetic": hazard.synthetic,
        **{mark: has(hazard) for mark, has in MARKS.items()}, "body": msgspec.json.encode(hazard, order="sorted").decode(),
    }  # fmt: skip


def insert_hazard(
    connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None, request: str | None = None, now: int
) -> bool:  # fmt: skip
    """Whether it was new: two that propose the same at once are one."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = make(schema.hazards).values(id=decision.hazard.id, **columns_of(decision.hazard)).on_conflict_do_nothing(index_elements=["id"])
    if connection.execute(row.returning(schema.hazards.c.id)).first() is None:
        return False
    _record(connection, decision, actor, GENESIS, command_id=command_id, request=request, now=now)
    return True


def apply_decision(
    connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None = None, request: str | None = None, now: int
) -> None:  # fmt: skip
    """Write what was decided: the hazard, its entry on the record, the outbox row. Raises Conflict when the hazard has moved on."""
    table, hazard = schema.hazards, decision.hazard
    before = hazard.version - 1
    done = connection.execute(update(table).where(table.c.id == hazard.id, table.c.version == before).values(**columns_of(hazard)))
    if done.rowcount != 1:
        raise Conflict("somebody changed this hazard first", where="/version", hint="look again, then repeat")
    events = schema.hazard_events
    previous = connection.execute(select(events.c.digest).where(events.c.hazard == hazard.id, events.c.number == before)).scalar_one()
    _record(connection, decision, actor, previous, command_id=command_id, request=request, now=now)


def keep_woken(connection: Connection, hazard: Hazard) -> None:
    """Write what the clocks keep in ``hazard`` when nothing happened to it; nothing for one that has moved on meanwhile."""
    table = schema.hazards
    connection.execute(update(table).where(table.c.id == hazard.id, table.c.version == hazard.version).values(**columns_of(hazard)))


def _record(
    connection: Connection, decision: Decision, actor: Actor, previous: str, *, command_id: str | None, request: str | None, now: int
) -> None:  # fmt: skip
    """The entry on the record, chained to ``previous``, and the outbox row."""
    hazard, entry = decision.hazard, entry_of(decision, actor, command_id, request)
    data = canonical(entry)
    row = {"hazard": hazard.id, "number": entry.number, "at": entry.at, "actor": entry.actor, "event": entry.event, "body": data,
           "digest": chained(previous, data), "command_id": command_id}  # fmt: skip
    connection.execute(schema.hazard_events.insert().values(**row))
    announce_hazard(connection, [(message_of(hazard, entry.basis, decision.tells), entry.event)], now=now)


def entry_of(decision: Decision, actor: Actor, command_id: str | None = None, request: str | None = None) -> Entry:
    """What the record keeps of a decision."""
    hazard = decision.hazard
    return Entry(
        hazard=hazard.id, number=hazard.version, at=hazard.updated_at, actor=actor.id, role=actor.role, event=decision.event.value,
        state=hazard.state.value, policy=hazard.policy, basis=basis_of(decision.rule), details=decision.details, command_id=command_id,
        request=request,
    )  # fmt: skip


def locked_hazard(connection: Connection, hazard_id: str, scope: Scope) -> Hazard | None:
    """The hazard, locked for this transaction; None for none, or one outside ``scope``."""
    query = select(schema.hazards.c.body).where(schema.hazards.c.id == hazard_id).with_for_update()
    row = connection.execute(within(query, schema.hazards, scope)).first()
    return hazard_of(row) if row is not None else None
