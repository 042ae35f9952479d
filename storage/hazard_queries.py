"""Hazards for people: lists, one in full, its record. Every query takes the scope.

What must not go in: writes, decisions, JSON shapes of the API.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select, tuple_

from hazards.errors import NotFound
from hazards.ledger.hazard import Hazard
from hazards.ledger.lifecycle import FINAL, OPEN, RUNNING
from hazards.ledger.limits import DAY
from hazards.ledger.policy import RepeatRule
from hazards.ledger.record import Entry, first_broken, read_entry
from hazards.ledger.repeats import MOST_NAMED, Earlier
from hazards.scope import Scope
from storage import schema
from storage.hazard_rows import hazard_of
from storage.incident_queries import cursor_of, cursor_values, page
from storage.scoping import within


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One entry of a hazard's record with its digest, and the bytes over which that was made."""

    entry: Entry
    data: bytes
    digest: str


def overdue_at(now: int) -> ColumnElement[bool]:
    """``hazards.ledger.hazard.is_overdue`` in SQL; never unknown, so it may be negated."""
    table = schema.hazards.c
    return table.state.in_([state.value for state in RUNNING]) & table.due_at.is_not(None) & (table.due_at < now)


def list_hazards(
    connection: Connection, *, scope: Scope, now: int, states: Sequence[str] = (), zone: str | None = None,
    enterprise: str | None = None, grades: Sequence[str] = (), incident: str | None = None, overdue: bool | None = None,
    marks: Sequence[str] = (), cursor: str | None = None, limit: int = 50,
) -> tuple[list[Hazard], str | None]:  # fmt: skip
    """Hazards, newest first, and the cursor of the next page or None.

    ``incident``: one that belongs to them, by which they were put down or otherwise; ``overdue``: as
    ``Hazard.overdue`` at ``now``; ``marks`` of ``hazards/ledger/marks.py``: all of them."""
    table, limit = schema.hazards, page(limit)
    query: Select[Any] = within(select(table.c.opened_at, table.c.id), table, scope)
    for column, value in (
        (table.c.zone, zone),
        (table.c.enterprise, enterprise),
    ):
        if value is not None:
            query = query.where(column == value)
    if incident is not None:
        links = schema.hazard_incidents
        query = query.where(table.c.id.in_(select(links.c.hazard).where(links.c.incident == incident)))
    if states:
        query = query.where(table.c.state.in_(states))
    if grades:
        query = query.where(table.c.grade.in_(grades))
    for mark in marks:
        query = query.where(table.c[mark].is_(True))
    if overdue is not None:
        query = query.where(overdue_at(now) if overdue else ~overdue_at(now))
    if cursor:
        query = query.where(tuple_(table.c.opened_at, table.c.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].opened_at, rows[limit - 1].id) if len(rows) > limit else None
    whole = select(table.c.id, table.c.body).where(table.c.id.in_([row.id for row in rows[:limit]]))
    bodies = {row.id: row for row in connection.execute(whole)}
    return [hazard_of(bodies[row.id]) for row in rows[:limit]], following


def earlier_of(connection: Connection, hazard: Hazard, rule: RepeatRule) -> list[Earlier]:
    """Hazards of the same kind and enterprise within the pack's window before ``hazard``, newest first; of its zone if the pack says so.
    A real one repeats real ones only, a synthetic one synthetic ones.

    All that ``rule`` asks for is asked for here: what is cut off after the newest must not be what would have counted."""
    table = schema.hazards
    query = select(table.c.id, table.c.zone, table.c.opened_at).where(
        table.c.enterprise == hazard.enterprise, table.c.kind == hazard.kind, table.c.id != hazard.id,
        table.c.opened_at.between(hazard.opened_at - rule.days * DAY, hazard.opened_at),
        table.c.state.not_in([state.value for state in FINAL]), table.c.synthetic.is_(hazard.synthetic),
    )  # fmt: skip
    if rule.same_zone:
        query = query.where(table.c.zone == hazard.zone)
    rows = connection.execute(query.order_by(table.c.opened_at.desc()).limit(rule.from_count + MOST_NAMED))
    return [Earlier(row.id, row.zone, row.opened_at) for row in rows]


@dataclass(frozen=True, slots=True)
class GradeCount:
    """Open hazards of one grade: those that are confirmed, those that are only proposed, and how many of both are overdue."""

    confirmed: int = 0
    proposed: int = 0
    overdue: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """What the ledger says of one enterprise. ``grades``: by grade; ``repeated``: repeats since a time, by kind."""

    grades: dict[str, GradeCount]
    repeated: dict[str, int]


def profile_of(connection: Connection, enterprise: str, *, scope: Scope, synthetic: bool, since: int, now: int) -> Profile:
    """Its open hazards by grade, and its repeats that were opened after ``since`` (µs), as far as ``scope`` sees them.

    ``synthetic``: whether the site is; a real one counts no hazard of a synthetic device."""
    table = schema.hazards
    own = (table.c.enterprise == enterprise) & table.c.synthetic.is_(synthetic)
    is_open = table.c.state.in_([state.value for state in OPEN])
    confirmed = func.sum(case((table.c.confirmed, 1), else_=0))
    counted = select(table.c.grade, func.count(), confirmed, func.sum(case((overdue_at(now), 1), else_=0)))
    grades = {
        grade: GradeCount(int(sure), int(in_all - sure), int(late))
        for grade, in_all, sure, late in connection.execute(within(counted.where(own, is_open), table, scope).group_by(table.c.grade))
    }
    repeats = select(table.c.kind, func.count()).where(own, table.c.repeated.is_(True), table.c.opened_at >= since)
    return Profile(grades, {row[0]: row[1] for row in connection.execute(within(repeats, table, scope).group_by(table.c.kind))})


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


def entries_after(connection: Connection, hazard: str, version: int) -> list[Entry]:
    """What happened to a hazard after its ``version``, in order; the newest of very much. For commands: without a scope."""
    table = schema.hazard_events
    query = select(table.c.body).where(table.c.hazard == hazard, table.c.number > version)
    newest = connection.scalars(query.order_by(table.c.number.desc()).limit(MOST_NAMED)).all()
    return [read_entry(body) for body in reversed(newest)]


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
