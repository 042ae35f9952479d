"""Writing what was decided on a hazard (隐患): the hazard, its entry on the record and the outbox row, in the caller's transaction.

What must not go in: deciding, reading for people.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hazards.errors import Conflict
from hazards.ledger.decision import Decision
from hazards.ledger.hazard import Actor, Hazard, message_of
from hazards.ledger.marks import MARKS
from hazards.ledger.policy import basis_of
from hazards.ledger.record import Entry
from hazards.scope import Scope
from storage import schema
from storage.hazard_queries import hazard_of
from storage.outbox import announce_hazard
from storage.record import keep_entry
from storage.scoping import within

# Statements of every command, made once: SQLAlchemy spends more on making one than SQLite on running it.
_hazards = schema.hazards
_LOCKED = select(_hazards.c.body).where(_hazards.c.id == bindparam("b_id")).with_for_update()
_UPDATE = (
    update(_hazards).where(_hazards.c.id == bindparam("b_id"), _hazards.c.version == bindparam("b_version"))
    .values({column.name: bindparam(column.name) for column in _hazards.columns if column.name != "id"})
)  # fmt: skip


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
    _record(connection, decision, actor, command_id=command_id, request=request, now=now)
    return True


def apply_decision(
    connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None = None, request: str | None = None, now: int
) -> None:  # fmt: skip
    """Write what was decided: the hazard, its entry on the record, the outbox row. Raises Conflict when the hazard has moved on."""
    hazard = decision.hazard
    key = {"b_id": hazard.id, "b_version": hazard.version - 1}
    if connection.execute(_UPDATE, columns_of(hazard) | key).rowcount != 1:
        raise Conflict("somebody changed this hazard first", where="/version", hint="look again, then repeat")
    _record(connection, decision, actor, command_id=command_id, request=request, now=now)


def keep_woken(connection: Connection, hazard: Hazard) -> None:
    """Write what the clocks keep in ``hazard`` when nothing happened to it; nothing for one that has moved on meanwhile."""
    table = schema.hazards
    connection.execute(update(table).where(table.c.id == hazard.id, table.c.version == hazard.version).values(**columns_of(hazard)))


def _record(
    connection: Connection, decision: Decision, actor: Actor, *, command_id: str | None, request: str | None, now: int
) -> None:  # fmt: skip
    """The entry on the record, and the outbox row."""
    entry = entry_of(decision, actor, command_id, request)
    keep_entry(connection, entry)
    announce_hazard(connection, [(message_of(decision.hazard, entry.basis, decision.tells), entry.event)], now=now)


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
    row = connection.execute(within(_LOCKED, schema.hazards, scope), {"b_id": hazard_id}).first()
    return hazard_of(row) if row is not None else None
