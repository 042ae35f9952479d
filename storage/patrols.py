"""Patrol rounds over cameras (在线远程巡查): which one is to show, what was judged of each, by whom and when; never changed after.

What must not go in: HTTP, which cameras there are, who may start one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select, tuple_, update

from hazards.errors import NotFound, NotInState
from hazards.scope import Scope
from storage.bulk import insert_into
from storage.incident_queries import cursor_of, cursor_values, page
from storage.schema import patrol_looks, patrol_rounds
from storage.scoping import in_zone_of

_round, _look = patrol_rounds.c, patrol_looks.c
JUDGEMENTS = ("normal", "abnormal", "no_picture")


@dataclass(frozen=True, slots=True)
class Round:
    """One round. Each camera is shown ``seconds``; ``counts``: cameras by judgement, "" for those that nobody has judged; times in µs."""

    id: str
    seconds: int
    started_by: str
    started_at: int
    ended_by: str | None
    ended_at: int | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Look:
    """One camera of a round. ``judgement`` None: nobody has judged it. ``pictured``: whether its newest picture was there to judge by."""

    camera: str
    zone: str
    judgement: str | None
    note: str
    pictured: bool | None
    judged_by: str | None
    judged_at: int | None


def start_round(connection: Connection, name: str, cameras: Sequence[tuple[str, str]], *, seconds: int, by: str, now: int) -> bool:
    """Begin the round of id ``name`` over ``cameras`` (camera, zone), in that order; whether it is new: one that is there is left so."""
    row = {"id": name, "seconds": seconds, "started_by": by, "started_at": now}
    if connection.scalar(insert_into(connection, patrol_rounds).values(row).on_conflict_do_nothing().returning(_round.id)) is None:
        return False
    looks = [{"round": name, "camera": camera, "number": n, "zone": zone} for n, (camera, zone) in enumerate(cameras)]
    connection.execute(patrol_looks.insert(), looks)
    return True


def read_round(connection: Connection, name: str, *, scope: Scope) -> tuple[Round, list[Look]]:
    """A round with its cameras in order, those alone that ``scope`` sees. Raises NotFound, also where it sees none."""
    row = connection.execute(select(patrol_rounds).where(_round.id == name)).first()
    seen = select(patrol_looks).where(_look.round == name, in_zone_of(_look.zone, scope)).order_by(_look.number)
    looks = [_read(look) for look in connection.execute(seen)]
    if row is None or not looks:
        raise NotFound("no such round", where=name[:64])
    counts: dict[str, int] = {}
    for look in looks:
        counts[look.judgement or ""] = counts.get(look.judgement or "", 0) + 1
    return Round(**row._mapping, counts=counts), looks


def list_rounds(connection: Connection, *, scope: Scope, cursor: str | None = None, limit: int = 50) -> tuple[list[Round], str | None]:
    """Rounds over cameras that ``scope`` sees, begun last first, and the cursor of the next page or None."""
    limit, seen = page(limit), select(_look.round).where(in_zone_of(_look.zone, scope))
    query = select(patrol_rounds).where(_round.id.in_(seen))
    if cursor:
        query = query.where(tuple_(_round.started_at, _round.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(_round.started_at.desc(), _round.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].started_at, rows[limit - 1].id) if len(rows) > limit else None
    counted: dict[str, dict[str, int]] = {row.id: {} for row in rows[:limit]}
    judged = select(_look.round, _look.judgement, func.count()).where(_look.round.in_(counted), in_zone_of(_look.zone, scope))
    for name, judgement, count in connection.execute(judged.group_by(_look.round, _look.judgement)):
        counted[name][judgement or ""] = count
    return [Round(**row._mapping, counts=counted[row.id]) for row in rows[:limit]], following


def judge(
    connection: Connection, name: str, camera: str, *, judgement: str, note: str, pictured: bool, by: str, now: int
) -> None:  # fmt: skip
    """Put down what ``by`` judged of a camera; the same once more changes nothing. Raises NotFound, and NotInState when the round is over
    or the camera was judged before."""
    ended = connection.execute(select(_round.ended_at).where(_round.id == name)).scalar()
    values = {"judgement": judgement, "note": note, "pictured": pictured, "judged_by": by, "judged_at": now}
    there = (_look.round == name, _look.camera == camera)
    known = connection.execute(select(patrol_looks).where(*there)).first()
    if known is None:
        raise NotFound("no such camera in this round", where=camera[:64])
    if (known.judgement, known.note, known.judged_by) == (judgement, note, by):
        return
    if ended is not None:
        raise NotInState("this round is over", where=name)
    if not connection.execute(update(patrol_looks).where(*there, _look.judgement.is_(None)).values(values)).rowcount:
        raise NotInState("this camera was judged before", where=camera)


def end_round(connection: Connection, name: str, *, by: str, now: int) -> None:
    """End a round; what nobody has judged stays so. One that is over stays as it is."""
    connection.execute(update(patrol_rounds).where(_round.id == name, _round.ended_at.is_(None)).values(ended_by=by, ended_at=now))


def _read(row: Row[Any]) -> Look:
    return Look(row.camera, row.zone, row.judgement, row.note or "", row.pictured, row.judged_by, row.judged_at)
