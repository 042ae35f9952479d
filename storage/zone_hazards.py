"""What merging asks of a zone's hazards (隐患): those that weigh on its alarms or wait for acceptance, and those that were closed lately.

One query a batch each, over an index that holds nothing else: thousands of open hazards cost nothing. Devices that nobody registered have
no hazards in common, so their zone has none here. What must not go in: hazards in full, deciding (``hazards/ledger/alarms.py``).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, and_, bindparam, case, func, select, text

from hazards.kinds import kind_of
from hazards.ledger.kinds import hazard_kind
from hazards.ledger.lifecycle import RUNNING, WAITING
from hazards.ledger.limits import DAY, HOUR
from hazards.ledger.policy import KindRow
from hazards.messages import UNASSIGNED
from hazards.weight import OpenHazard
from storage import schema
from storage.bulk import rows_given
from storage.site_store import Registry

_h = schema.hazards.c
_OVERDUE = case((and_(_h.confirmed.is_(True), _h.state.in_([state.value for state in RUNNING])), _h.overdue_at))
_WATCHED = (
    select(_h.zone, _h.kind, _h.state, _h.synthetic, func.min(_h.id).label("id"), func.min(_OVERDUE).label("overdue_at"),
           func.min(_h.due_at).label("due_at"))
    .where(_h.watched.is_(True), _h.zone.in_(bindparam("zones", expanding=True)))
    .group_by(_h.zone, _h.kind, _h.state, _h.synthetic)
)  # fmt: skip
_CLOSED = (
    select(_h.zone, _h.kind, _h.synthetic, func.max(_h.closed_at).label("closed_at"))
    .where(_h.zone.in_(bindparam("zones", expanding=True)), _h.closed_at >= bindparam("since"))
    .group_by(_h.zone, _h.kind, _h.synthetic)
)  # fmt: skip
_FIELDS = ("incident", "zone", "kind", "state")
MOST_MARKED = 50
"""Hazards of one kind in one zone that one incident marks."""


def _unmarked_statement(dialect: str) -> Any:
    """Ids of the watched hazards of each row of parameter ``asked`` (JSON) to which its incident does not belong yet."""
    postgres = dialect == "postgresql"
    asked, its = rows_given(dialect, "asked", dict.fromkeys(_FIELDS, "text"))
    columns = ", ".join(its.values())
    inner = (
        f"SELECT i.id FROM hazards i WHERE i.watched IS {'true' if postgres else '1'} "  # noqa: S608 (constants)
        f"AND i.zone = {its['zone']} AND i.kind = {its['kind']} AND i.state = {its['state']} AND NOT EXISTS "
        f"(SELECT 1 FROM hazard_incidents l WHERE l.hazard = i.id AND l.incident = {its['incident']}) ORDER BY i.id LIMIT {MOST_MARKED}"
    )
    joined = f"CROSS JOIN LATERAL ({inner}) h" if postgres else f"JOIN hazards h ON h.id IN ({inner})"
    return text(f"SELECT h.id, {columns} FROM {asked} {joined}")  # noqa: S608


_UNMARKED = {dialect: _unmarked_statement(dialect) for dialect in ("sqlite", "postgresql")}
LONGEST = 3650 * DAY
"""Ten years, µs: nobody looks further back, whatever a pack says."""


class ClosedKind(Struct, frozen=True):
    """Hazards of one kind that were closed in one zone; the newest of them at ``closed_at`` (µs)."""

    kind: str
    synthetic: bool
    closed_at: int


class Meant(NamedTuple):
    """Hazards of one kind and state in a zone of which an incident's alarms speak."""

    incident: str
    zone: str
    kind: str
    state: str


def unmarked(connection: Connection, meant: Sequence[Meant]) -> list[tuple[str, Meant]]:
    """Ids of the hazards that are ``meant`` and to which the incident does not belong yet. One query."""
    if not meant:
        return []
    asked = msgspec.json.encode([each._asdict() for each in meant]).decode()
    rows = connection.execute(_UNMARKED[connection.dialect.name], {"asked": asked})
    return [(row[0], Meant(*row[1:])) for row in rows]


def open_hazards(connection: Connection, registry: Registry, zones: Iterable[str]) -> dict[str, list[OpenHazard]]:
    """Of each of ``zones`` the hazards that are confirmed and overdue, or wait for acceptance or closing; of those that are alike (kind,
    state) the first stands for all. Zones without any are left out."""
    found, packs = dict[str, list[OpenHazard]](), kind_rows(registry)
    for row in _rows(connection, _WATCHED, zones):
        alarms, families = speakers(row.kind, packs)
        found.setdefault(row.zone, []).append(OpenHazard(
            id=row.id, kind=row.kind, grade="", state=row.state, due_at=row.due_at, overdue_at=row.overdue_at, speaks=alarms,
            families=families, synthetic=bool(row.synthetic),
        ))  # fmt: skip
    return found


def closed_kinds(connection: Connection, registry: Registry, zones: Iterable[str], *, now: int) -> dict[str, list[ClosedKind]]:
    """Of each of ``zones`` the kinds of hazards that were closed so lately, by any pack, that an alarm may bring them back."""
    since, found = now - window(registry), dict[str, list[ClosedKind]]()
    for row in _rows(connection, _CLOSED, zones, since=since):
        found.setdefault(row.zone, []).append(ClosedKind(row.kind, bool(row.synthetic), row.closed_at))
    return found


def window(registry: Registry) -> int:
    """The longest time (µs) after a closing for which any pack has a rule."""
    longest = max((max(p.recurrence.hours * HOUR, p.repeats.days * DAY) for p in registry.packs.values()), default=0)
    return min(max(longest, 0), LONGEST)


def is_waiting(hazard: OpenHazard) -> bool:
    """Whether it is said to be rectified."""
    return hazard.state in WAITING


def kind_rows(registry: Registry) -> tuple[tuple[KindRow, ...], ...]:
    """What the packs of this database say of kinds: a hazard keeps its own pack, so all of them count."""
    return tuple(sorted({pack.kinds for pack in registry.packs.values()}, key=repr)) or ((),)


@lru_cache(maxsize=4096)
def speakers(kind: str, packs: tuple[tuple[KindRow, ...], ...]) -> tuple[frozenset[str], frozenset[str]]:
    """Kinds and families of alarm that speak of hazards of ``kind`` by any of ``packs`` (``kind_rows``)."""
    kinds = [hazard_kind(kind, rows) for rows in packs]
    return frozenset(a for k in kinds for a in k.alarms), frozenset(f for k in kinds for f in k.families)


def is_spoken_of(kind: str, alarms: Iterable[str], packs: tuple[tuple[KindRow, ...], ...]) -> bool:
    """Whether one of ``alarms`` speaks of hazards of ``kind``."""
    return bool(spoken_kinds([kind], alarms, packs))


def spoken_kinds(kinds: Iterable[str], alarms: Iterable[str], packs: tuple[tuple[KindRow, ...], ...]) -> list[str]:
    """Those of ``kinds`` of hazards of which one of ``alarms`` speaks."""
    told = set(alarms)
    of = {kind_of(alarm).family for alarm in told}
    return [kind for kind in kinds for single, families in (speakers(kind, packs),) if single & told or families & of]


def _rows(connection: Connection, query: Any, zones: Iterable[str], **values: Any) -> Sequence[Any]:
    wanted = sorted({zone for zone in zones if zone != UNASSIGNED})
    found: list[Any] = []
    for start in range(0, len(wanted), 500):
        found += connection.execute(query, {"zones": wanted[start : start + 500], **values}).all()
    return found

