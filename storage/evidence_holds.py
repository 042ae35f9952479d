"""Holds (证据封存): what a zone's cameras kept of a span of time is not thrown away, whatever the retention says, until it is lifted.

For accidents (004: evidence of the zone is frozen) and inquiries. What must not go in: files, HTTP, who may hold.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, tuple_, update

from hazards.errors import NotFound, NotInState
from hazards.scope import Scope
from storage.bulk import insert_into
from storage.incident_queries import cursor_of, cursor_values, page
from storage.schema import evidence_holds
from storage.scoping import in_zone_of

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
    row = {name: getattr(made, name) for name in Hold.__slots__}
    new = connection.scalar(insert_into(connection, evidence_holds).values(row).on_conflict_do_nothing().returning(_hold.id))
    return read_hold(connection, hold), new is not None


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


def list_holds(
    connection: Connection, *, scope: Scope, standing: bool | None = None, cursor: str | None = None, limit: int = 50
) -> tuple[list[Hold], str | None]:  # fmt: skip
    """Holds of zones that ``scope`` sees, entered last first, and the cursor of the next page or None. ``standing``: only those that
    stand, or only the others."""
    query, limit = select(evidence_holds).where(in_zone_of(_hold.zone, scope)), page(limit)
    if standing is not None:
        query = query.where(_hold.lifted_at.is_(None) if standing else _hold.lifted_at.is_not(None))
    if cursor:
        query = query.where(tuple_(_hold.entered_at, _hold.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(_hold.entered_at.desc(), _hold.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].entered_at, rows[limit - 1].id) if len(rows) > limit else None
    return [Hold(**row._mapping) for row in rows[:limit]], following
