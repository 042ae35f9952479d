"""What an incident shows of its zone's open hazards (隐患): the first due, those first of which its alarms speak; and how many there are.

Only hazards of the incident's own enterprise, so that whoever may see the one may see the other; a drill's incident shows a drill's
hazards, and devices that nobody registered have none in common. What must not go in: hazards in full, JSON shapes of the API.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Connection, case, func, select, text

from hazards.kinds import KINDS
from hazards.ledger.hazard import is_overdue
from hazards.ledger.kinds import HAZARD_KINDS
from hazards.ledger.policy import KindRow
from hazards.messages import UNASSIGNED, HazardLink, IncidentMessage
from storage import schema
from storage.bulk import rows_given
from storage.hazard_queries import overdue_at
from storage.site_store import Registry
from storage.zone_hazards import is_spoken_of, kind_rows, spoken_kinds

SHOWN = 5
"""Hazards that an incident names. A zone that has more is asked for those as well of which the alarms speak."""
_Place = tuple[str, str | None, bool]
_Rows = tuple[tuple[KindRow, ...], ...]

_COLUMNS = "id, zone, enterprise, synthetic, kind, grade, state, title, confirmed, due_at, first_due"
_INNER = (
    "FROM hazards i WHERE i.first_due IS NOT NULL AND i.zone = {zone} AND i.enterprise {same} {enterprise}"
    f" AND i.synthetic = {{synthetic}}{{more}} ORDER BY i.first_due, i.id LIMIT {SHOWN + 1}"
)
_FIELDS = {"zone": "text", "enterprise": "text", "synthetic": "boolean", "kind": "text"}


def _statement(dialect: str, more: str) -> Any:
    """The first due of each of the places in parameter ``places`` (JSON); ``more``: a further condition within each."""
    postgres = dialect == "postgresql"
    places, its = rows_given(dialect, "places", _FIELDS)
    inner = _INNER.format(more=more.format(**its), same="IS NOT DISTINCT FROM" if postgres else "IS", **its)
    if postgres:
        return text(f"SELECT h.* FROM {places} CROSS JOIN LATERAL (SELECT {_COLUMNS} {inner}) h")  # noqa: S608 (constants)
    columns = ", ".join(f"h.{name}" for name in _COLUMNS.split(", "))
    return text(f"SELECT {columns} FROM {places} JOIN hazards h ON h.id IN (SELECT i.id {inner})")  # noqa: S608 (constants)


_FIRST = {dialect: _statement(dialect, "") for dialect in ("sqlite", "postgresql")}
_FIRST_OF_KIND = {dialect: _statement(dialect, " AND i.kind = {kind}") for dialect in ("sqlite", "postgresql")}


def with_hazards(connection: Connection, registry: Registry, incidents: Sequence[IncidentMessage], *, now: int) -> list[IncidentMessage]:
    """``incidents`` with what they show of the hazards at ``now``. At most two queries, however many there are."""
    packs = kind_rows(registry)
    spoken = cache(lambda kind, alarms: is_spoken_of(kind, alarms, packs))  # many incidents have the same kinds; packs are large keys
    kinds_of = {alarms: _spoken_kinds(alarms, packs) for alarms in {tuple(i.kinds) for i in incidents}}
    places = {_place(incident) for incident in incidents if incident.zone != UNASSIGNED}
    found = _by_place(connection, _FIRST, [_shown(place) for place in places])
    full = {place for place, rows in found.items() if len(rows) > SHOWN}
    alike = {(_place(i), tuple(i.kinds)) for i in incidents}
    asked = {(place, kind) for place, alarms in alike if place in full for kind in kinds_of[alarms]}
    more = _by_place(connection, _FIRST_OF_KIND, [_shown(place) | {"kind": kind} for place, kind in asked])
    links = cache(lambda place, alarms: _links([*found.get(place, ()), *more.get(place, ())], lambda kind: spoken(kind, alarms), now))
    return [structs.replace(i, hazards=shown) if (shown := links(_place(i), tuple(i.kinds))) else i for i in incidents]


def _links(rows: Iterable[Any], same: Callable[[str], bool], now: int) -> list[HazardLink]:
    """The first ``SHOWN`` of ``rows``, which may come twice; those first whose kind is the ``same`` as that of the alarms."""
    once = {row.id: row for row in rows}
    first = sorted(once.values(), key=lambda row: (not same(row.kind), row.first_due, row.id))[:SHOWN]
    return [_link(row, same(row.kind), now) for row in first]


@dataclass(frozen=True, slots=True)
class Counted:
    """Open hazards of one zone, and how many of them are overdue."""

    open: int = 0
    overdue: int = 0


def count_hazards(connection: Connection, incidents: Sequence[IncidentMessage], *, now: int) -> dict[str, Counted]:
    """By incident how many open hazards its zone has. One query for all of them."""
    table, zones = schema.hazards, sorted({i.zone for i in incidents if i.zone != UNASSIGNED})
    late = func.sum(case((overdue_at(now), 1), else_=0))
    query = select(table.c.zone, table.c.enterprise, table.c.synthetic, func.count(), late)
    query = query.where(table.c.first_due.is_not(None), table.c.zone.in_(zones))
    rows = connection.execute(query.group_by(table.c.zone, table.c.enterprise, table.c.synthetic)).all() if zones else []
    found = {(zone, enterprise, bool(synthetic)): Counted(int(in_all), int(over)) for zone, enterprise, synthetic, in_all, over in rows}
    return {incident.id: found.get(_place(incident), Counted()) for incident in incidents}


@lru_cache(maxsize=1024)
def _spoken_kinds(alarms: tuple[str, ...], packs: _Rows) -> tuple[str, ...]:
    """Every kind of hazard that one of ``alarms`` speaks of."""
    known = {*HAZARD_KINDS, *KINDS, *alarms, *(row.name for rows in packs for row in rows)}
    return tuple(sorted(spoken_kinds(known, alarms, packs)))


def _place(incident: IncidentMessage) -> _Place:
    return incident.zone, incident.enterprise, incident.synthetic


def _shown(place: _Place) -> dict[str, Any]:
    return {"zone": place[0], "enterprise": place[1], "synthetic": place[2]}


def _by_place(connection: Connection, statements: dict[str, Any], places: Iterable[dict[str, Any]]) -> dict[_Place, list[Any]]:
    found: dict[_Place, list[Any]] = {}
    if wanted := list(places):
        for row in connection.execute(statements[connection.dialect.name], {"places": msgspec.json.encode(wanted).decode()}).all():
            found.setdefault((row.zone, row.enterprise, bool(row.synthetic)), []).append(row)
    return found


def _link(row: Any, same: bool, now: int) -> HazardLink:
    return HazardLink(
        id=row.id, kind=row.kind, grade=row.grade, state=row.state, title=row.title, confirmed=bool(row.confirmed), due_at=row.due_at,
        overdue=is_overdue(row.state, row.due_at, now), same=same,
    )  # fmt: skip
