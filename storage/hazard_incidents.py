"""The incidents of a hazard (隐患): those that belong to it by the record, and those of its kind in its zone while it was open.

What must not go in: writing links (``storage/hazard_links.py``), JSON shapes of the API.
"""

from typing import Any

from sqlalchemy import Connection, and_, or_, select, tuple_

from hazards.flood import GROUP as FLOOD
from hazards.ledger.hazard import Hazard
from hazards.ledger.kinds import hazard_kind
from hazards.ledger.lifecycle import OPEN
from hazards.ledger.limits import HOUR
from hazards.messages import UNASSIGNED, IncidentMessage
from hazards.scope import Scope
from storage import schema
from storage.hazard_queries import get_hazard
from storage.incident_queries import cursor_of, cursor_values, message_of, page
from storage.scoping import within
from storage.site_store import current_registry

BEFORE = HOUR
"""How long before it was put down an incident still counts as seen with it, µs (platform default)."""
SAME_KIND = "same_kind"
"""Why, where the record says nothing of it: an alarm that speaks of the hazard, while it was open."""
_AT_ONCE = 500


def incidents_of(
    connection: Connection, hazard_id: str, *, scope: Scope, cursor: str | None = None, limit: int = 50
) -> tuple[list[tuple[IncidentMessage, str]], str | None]:  # fmt: skip
    """Incidents with why, newest first, and the cursor of the next page or None. Raises NotFound for a hazard outside ``scope``."""
    hazard, limit = get_hazard(connection, hazard_id, scope=scope), page(limit)
    pack = current_registry(connection).policy_under(hazard.policy)
    kind = hazard_kind(hazard.kind, pack.kinds if pack is not None else ())
    links = schema.hazard_incidents
    why = {row.incident: row.why for row in connection.execute(select(links.c.incident, links.c.why).where(links.c.hazard == hazard.id))}
    after = cursor_values(cursor, (int, str)) if cursor else None
    found: list[tuple[IncidentMessage, str]] = []
    while len(found) <= limit:  # a family has alarms of other kinds, too
        rows = connection.execute(_query(hazard, [*kind.incident_families, FLOOD], list(why), scope, after)).all()
        meant = (i for i in map(message_of, rows) if i.id in why or any(kind.speaks(alarm) for alarm in i.kinds))
        found += [(incident, why.get(incident.id, SAME_KIND)) for incident in meant]
        if len(rows) < _AT_ONCE:
            break
        after = (rows[-1].opened_at, rows[-1].id)
    last = found[limit - 1][0] if len(found) > limit else None
    return found[:limit], cursor_of(last.opened_at, last.id) if last is not None else None


def _query(hazard: Hazard, families: list[str], linked: list[str], scope: Scope, after: tuple[Any, ...] | None) -> Any:
    table = schema.incidents
    here = and_(table.c.zone == hazard.zone, table.c.family.in_(families), table.c.opened_at >= hazard.opened_at - BEFORE,
                table.c.synthetic.is_(hazard.synthetic))  # fmt: skip
    if hazard.state not in OPEN:
        here = and_(here, table.c.opened_at <= (hazard.closed_at or hazard.updated_at))
    meant = table.c.id.in_(linked) if hazard.zone == UNASSIGNED else or_(here, table.c.id.in_(linked))
    query = within(select(table), table, scope).where(meant)
    if after is not None:
        query = query.where(tuple_(table.c.opened_at, table.c.id) < tuple_(*after))
    return query.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(_AT_ONCE)
