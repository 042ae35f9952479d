"""Declarations for people: lists, and what is in force on each zone. Every query takes the scope; everybody sees what is of the whole site.

What must not go in: writes, JSON shapes of the API.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, false, or_, select, true, tuple_

from hazards.declarations import Declaration, Declared
from hazards.declaring import Standing, standing
from hazards.messages import WHOLE_SITE
from hazards.scope import Scope
from storage import schema
from storage.declaration_rows import declaration_in
from storage.incident_queries import cursor_of, cursor_values, page
from storage.key_periods import key_periods
from storage.scoping import is_one_of
from storage.site_store import current_registry

_table = schema.declarations
_OPEN = frozenset({Standing.ENTERED.value, Standing.IN_FORCE.value})


def list_declarations(
    connection: Connection, scope: Scope, *, now: int, kinds: Sequence[str] = (), zone: str | None = None, states: Sequence[str] = (),
    at: int | None = None, cursor: str | None = None, limit: int = 50,
) -> tuple[list[Declaration], str | None]:  # fmt: skip
    """Declarations, entered last first, and the cursor of the next page or None. ``zone``: of it or of the whole site.

    ``at``: in force then. Key periods of the pack, which nobody entered, come before the first page and beyond its limit."""
    limit, query = page(limit), select(_table.c.id, _table.c.entered_at, _table.c.body)
    if kinds:
        query = query.where(_table.c.kind.in_(kinds))
    if zone is not None:
        query = query.where(_table.c.zone.in_((zone, WHOLE_SITE)))
    if states:
        query = query.where(or_(false(), *(_stands(Standing(state), now) for state in states)))
    if at is not None:
        query = query.where(_table.c.starts_at <= at, _table.c.over_at > at)
    if cursor:
        query = query.where(tuple_(_table.c.entered_at, _table.c.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = _newest(connection, query, scope, limit + 1, few=at is not None or (bool(states) and _OPEN.issuperset(states)))
    following = cursor_of(rows[limit - 1].entered_at, rows[limit - 1].id) if len(rows) > limit else None
    found = [declaration_in(row.body) for row in rows[:limit]]
    if cursor or (kinds and Declared.KEY_PERIOD.value not in kinds):
        return found, following
    periods = [
        period for period in key_periods(current_registry(connection))
        if (not states or standing(period, now) in states) and (at is None or period.holds(at))
    ]  # fmt: skip
    return periods + found, following


def _newest(connection: Connection, query: Select[Any], scope: Scope, limit: int, *, few: bool) -> list[Row[Any]]:
    """The ``limit`` entered last of ``query`` that ``scope`` sees: its own and what is of the whole site, each by its index.

    ``few`` of all that there ever was: sought by their end and then sorted, where a walk from the newest would not end."""
    own = [_own(scope), _table.c.zone == WHOLE_SITE] if not scope.everything else [true()]
    newest = _table.c.entered_at + 0 if few else _table.c.entered_at  # a sum is in no index
    found = [row for each in own for row in connection.execute(query.where(each).order_by(newest.desc(), _table.c.id.desc()).limit(limit))]
    return sorted(dict.fromkeys(found), key=lambda row: (row.entered_at, row.id), reverse=True)[:limit]


def in_force_by_zone(connection: Connection, scope: Scope, zones: Iterable[str], *, now: int) -> dict[str, list[Declaration]]:
    """What is in force at ``now`` on each of ``zones`` that ``scope`` sees, measures of hazards too; what is of the whole site on each."""
    wanted = [*zones, WHOLE_SITE]
    query = select(_table.c.body).where(_seen(scope), is_one_of(_table.c.zone, wanted), _stands(Standing.IN_FORCE, now))
    found = [declaration_in(body) for body in connection.scalars(query.order_by(_table.c.starts_at, _table.c.id))]
    everywhere = [p for p in key_periods(current_registry(connection)) if p.holds(now)] + [d for d in found if d.zone == WHOLE_SITE]
    shown = {zone: list(everywhere) for zone in wanted}
    for declaration in found:
        if declaration.zone != WHOLE_SITE:
            shown[declaration.zone].append(declaration)
    return shown


def _seen(scope: Scope) -> ColumnElement[bool]:
    return or_(_table.c.zone == WHOLE_SITE, _own(scope))


def _own(scope: Scope) -> ColumnElement[bool]:
    enterprise = true() if scope.enterprise is None else _table.c.enterprise == scope.enterprise
    zones = true() if scope.zones is None else is_one_of(_table.c.zone, scope.zones)
    return and_(enterprise, zones)


def _stands(state: Standing, now: int) -> ColumnElement[bool]:
    """``hazards.declaring.standing`` in SQL."""
    started, over = _table.c.starts_at <= now, _table.c.over_at <= now
    by_people = _table.c.state == state.value
    match state:
        case Standing.ENTERED:
            return and_(by_people, _table.c.starts_at > now, ~over)
        case Standing.IN_FORCE:
            return and_(started, ~over)
        case Standing.EXPIRED:
            return and_(_table.c.state == Standing.ENTERED.value, over)
        case Standing.ENDED | Standing.WITHDRAWN:
            return by_people
