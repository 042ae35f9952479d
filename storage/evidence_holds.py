"""Holds (证据封存): what a zone's cameras kept of a span of time is not thrown away, whatever the retention says, until it is lifted.

For accidents (004: evidence of the zone is frozen) and inquiries. What must not go in: files, HTTP, who may hold.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hazards.errors import NotFound, NotInState
from storage.schema import evidence_holds

_hold = evidence_holds.c


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold: of ``zone`` from ``begins`` to ``ends`` (µs). ``lifted_at`` None: it stands."""

    id: str
    zone: str
    begins: int
    ends: int
    reason: str
    entered_by: str
    entered_at: int
    lifted_at: int | None = None
    lifted_by: str | None = None
    lifted_reason: str | None = None


def enter_hold(
    connection: Connection, hold: str, *, zone: str, begins: int, ends: int, reason: str, by: str, now: int
) -> tuple[Hold, bool]:  # fmt: skip
    """The hold of id ``hold`` that stands from now, and whether it is new: one that is there already stays as it is."""
    made = Hold(hold, zone, begins, ends, reason, by, now)
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {name: getattr(made, name) for name in Hold.__slots__}
    new = connection.execute(make(evidence_holds).values(row).on_conflict_do_nothing()).rowcount > 0
    return read_hold(connection, hold), new


def read_hold(connection: Connection, hold: str) -> Hold:
    """The hold of that id. Raises NotFound."""
    row = connection.execute(select(evidence_holds).where(_hold.id == hold)).first()
    if row is None:
        raise NotFound("no such hold", where=hold[:64])
    return Hold(**row._mapping)


def lift_hold(connection: Connection, hold: str, *, reason: str, by: str, now: int) -> Hold:
    """End a hold. Raises NotFound, and NotInState for one that was lifted before."""
    values = {"lifted_at": now, "lifted_by": by, "lifted_reason": reason}
    changed = connection.execute(update(evidence_holds).where(_hold.id == hold, _hold.lifted_at.is_(None)).values(values))
    found = read_hold(connection, hold)
    if not changed.rowcount:
        raise NotInState("this hold was lifted before", where=hold)
    return found


def list_holds(connection: Connection, *, standing: bool | None = None) -> list[Hold]:
    """Holds, newest first; ``standing``: only those that stand, or only the others."""
    query = select(evidence_holds).order_by(_hold.entered_at.desc(), _hold.id)
    if standing is not None:
        query = query.where(_hold.lifted_at.is_(None) if standing else _hold.lifted_at.is_not(None))
    return [Hold(**row._mapping) for row in connection.execute(query)]
