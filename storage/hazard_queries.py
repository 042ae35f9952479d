"""Hazards for people: lists, one in full, its record. Every query takes the scope.

What must not go in: writes, decisions, JSON shapes of the API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select, tuple_

from hazards.errors import NotFound
from hazards.ledger.hazard import Hazard
from hazards.ledger.lifecycle import RUNNING
from hazards.ledger.record import Entry, first_broken, read_entry
from hazards.scope import Scope
from storage import schema
from storage.incident_queries import cursor_of, cursor_values, page
from storage.scoping import within

_hazards = msgspec.json.Decoder(Hazard)


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One entry of a hazard's record with its digest, and the bytes over which that was made."""

    entry: Entry
    data: bytes
    digest: str


def hazard_of(row: Any) -> Hazard:
    """The hazard in a row of the table."""
    return _hazards.decode(row.body)


def list_hazards(
    connection: Connection, *, scope: Scope, now: int, states: Sequence[str] = (), zone: str | None = None,
    enterprise: str | None = None, grades: Sequence[str] = (), incident: str | None = None, overdue: bool | None = None,
    cursor: str | None = None, limit: int = 50,
) -> tuple[list[Hazard], str | None]:  # fmt: skip
    """Hazards, newest first, and the cursor of the next page or None. ``overdue``: as ``Hazard.overdue`` at ``now``."""
    table, limit = schema.hazards, page(limit)
    query: Select[Any] = within(select(table.c.body, table.c.opened_at, table.c.id), table, scope)
    for column, value in (
        (table.c.zone, zone),
        (table.c.enterprise, enterprise),
        (table.c.incident, incident),
    ):
        if value is not None:
            query = query.where(column == value)
    if states:
        query = query.where(table.c.state.in_(states))
    if grades:
        query = query.where(table.c.grade.in_(grades))
    if overdue is not None:
        late = table.c.state.in_([s.value for s in RUNNING]) & table.c.due_at.is_not(None) & (table.c.due_at < now)
        query = query.where(late if overdue else ~late)
    if cursor:
        query = query.where(tuple_(table.c.opened_at, table.c.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].opened_at, rows[limit - 1].id) if len(rows) > limit else None
    return [hazard_of(row) for row in rows[:limit]], following


def get_hazard(connection: Connection, hazard: str, *, scope: Scope) -> Hazard:
    """One hazard. Raises NotFound, also for one outside ``scope``."""
    query = select(schema.hazards.c.body).where(schema.hazards.c.id == hazard)
    row = connection.execute(within(query, schema.hazards, scope)).first()
    if row is None:
        raise NotFound("no such hazard", where=hazard)
    return hazard_of(row)


def hazard_events(
    connection: Connection, hazard: str, *, scope: Scope, cursor: str | None = None, limit: int = 100
) -> tuple[list[RecordRow], str | None]:
    """The record of one hazard in order. Raises NotFound."""
    get_hazard(connection, hazard, scope=scope)
    table, limit = schema.hazard_events, page(limit)
    query = select(table.c.number, table.c.body, table.c.digest).where(table.c.hazard == hazard)
    if cursor:
        query = query.where(table.c.number > cursor_values(cursor, (int,))[0])
    rows = connection.execute(query.order_by(table.c.number).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].number) if len(rows) > limit else None
    return [RecordRow(read_entry(row.body), row.body, row.digest) for row in rows[:limit]], following


def broken_at(connection: Connection, hazard: str) -> int | None:
    """The number at which a hazard's chain is first wrong, cut off at its end included; None: it holds."""
    table = schema.hazard_events
    rows = connection.execute(select(table.c.number, table.c.body, table.c.digest).where(table.c.hazard == hazard).order_by(table.c.number))
    chain = [(row.number, row.body, row.digest) for row in rows]
    broken = first_broken(chain)
    if broken is not None:
        return broken
    version = connection.execute(select(schema.hazards.c.version).where(schema.hazards.c.id == hazard)).scalar()
    return None if version == len(chain) else len(chain) + 1
