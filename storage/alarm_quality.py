"""What alarm-quality figures are made of, read from incidents, their events and alarms: within a span of time, a scope and a position.

Many rows are counted in SQL; only moments at which an incident sounded come out one by one. What must not go in: figures and
targets (``hazards/alarm_quality.py``), JSON shapes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, case, func, or_, select, union

from hazards.alarm_quality import (
    BAD_ACTORS,
    CHATTER_COUNT,
    CHATTER_WITHIN,
    STALE_AFTER,
    WHOLE,
    Actor,
    Annunciations,
    Load,
    Settled,
    Sounded,
    Standing,
    annunciations,
)
from hazards.errors import BadInput
from hazards.messages import Action, IncidentState
from hazards.scope import EVERYTHING, Scope
from hazards.zone_state import Reason
from hazards.zones import Position, Site
from storage import schema
from storage.scoping import is_one_of, within

T = TypeVar("T", bound=tuple[Any, ...])
MOST = 200_000
"""Annunciations of one answer: an average of 45 in 10 minutes for 31 days, or of 1,400 for a day."""
_SOUNDS = ("opened", "reactivated")
_ENDS = ("cleared", "closed")
_incidents, _events, _alarms = schema.incidents, schema.incident_events, schema.alarms


@dataclass(frozen=True, slots=True)
class Selection:
    """Whose figures. ``zones``: only there; ``besides``: everywhere but there; ``synthetic``: those of demonstrations and drills alone."""

    scope: Scope = EVERYTHING
    zones: frozenset[str] | None = None
    besides: frozenset[str] = frozenset()
    synthetic: bool = False

    def of(self, query: Select[T]) -> Select[T]:
        """``query``, which joins incidents, with nothing else in it."""
        query = within(query, _incidents, self.scope).where(_incidents.c.synthetic.is_(self.synthetic))
        if self.zones is not None:
            query = query.where(is_one_of(_incidents.c.zone, self.zones))
        return query.where(~is_one_of(_incidents.c.zone, self.besides)) if self.besides else query


def positions_of(site: Site) -> list[Position]:
    """The operating positions of ``site``: one for everything, if it names none."""
    return list(site.positions) or [WHOLE]


def selection_of(
    positions: Sequence[Position], position: Position | None, *, scope: Scope = EVERYTHING, synthetic: bool = False
) -> Selection:
    """What belongs to ``position``; None: to all of them. The first has what no other lists."""
    if position is None:
        return Selection(scope, synthetic=synthetic)
    if position is positions[0]:
        return Selection(scope, besides=frozenset(z for p in positions[1:] for z in p.zones), synthetic=synthetic)
    return Selection(scope, zones=frozenset(position.zones), synthetic=synthetic)


def read_annunciations(connection: Connection, selection: Selection, start: int, end: int) -> Annunciations:
    """Incidents that sounded in ``start`` <= time < ``end`` (µs), and until when each waited. Raises BadInput for more than ``MOST``."""
    within_time = (_events.c.at >= start, _events.c.at < end, _events.c.event.in_(_SOUNDS))
    joined = _events.join(_incidents, _incidents.c.id == _events.c.incident)
    chosen = selection.of(select(_events.c.incident).select_from(joined).where(*within_time))
    e, i = _events.c, _incidents.c
    columns = chosen.with_only_columns(e.incident, e.at, i.zone, i.severity, e.event, e.body)
    rows = connection.execute(columns.order_by(e.at, e.id).limit(MOST + 1)).all()
    if len(rows) > MOST:
        raise BadInput(f"more than {MOST:,} alarms sounded in that time", where="from", hint="ask for a shorter one")
    people = (_events.c.event == "closed") & (_events.c.actor != "bihuan")
    deciding = or_(_events.c.event.in_(("acknowledged", "severity_raised")), people)
    turns = select(_events.c.incident, _events.c.at, _events.c.event, _events.c.body).where(_events.c.incident.in_(chosen), deciding)
    settled = connection.execute(turns.order_by(_events.c.at, _events.c.id)).all()
    return annunciations([Sounded(r.incident, r.at, r.zone, r.severity, r.event == "opened", _late(r.body)) for r in rows],
                         [Settled(r.incident, r.at + _late(r.body), r.event != "severity_raised") for r in settled])  # fmt: skip


class _Lateness(Struct):
    late_by: int = 0


_lateness = msgspec.json.Decoder(_Lateness)


def _late(body: str) -> int:
    """By how much later (µs) than its time an event was known."""
    return _lateness.decode(body).late_by if '"late_by"' in body else 0


_NOBODY_CALLED = tuple(
    reason.value for reason in (Reason.REPEATED, Reason.INHIBITED, Reason.SHELVED, Reason.OUT_OF_SERVICE, Reason.CALIBRATION)
)
"""Why a raise called nobody: the standard counts what is annunciated."""


def read_load(connection: Connection, selection: Selection, start: int, end: int) -> Load:
    """What devices raised in ``start`` <= time < ``end``; a repetition of what stands already, or what was quiet, is none. One pass, in
    SQL."""
    at, pair = _alarms.c.at, (_alarms.c.device, _alarms.c.kind)
    gap = at - func.lag(at, CHATTER_COUNT - 1).over(partition_by=pair, order_by=at)
    raised = selection.of(
        select(*pair, gap.label("gap")).select_from(_alarms.join(_incidents, _incidents.c.id == _alarms.c.incident))
        .where(at >= start, at < end, _alarms.c.action != Action.CLEARED.value, _alarms.c.reason.not_in(_NOBODY_CALLED))
    ).cte("raised")  # fmt: skip
    fast = func.sum(case((raised.c.gap < CHATTER_WITHIN, 1), else_=0))
    names = raised.c.device, raised.c.kind
    pairs = select(*names, func.count().label("alarms"), fast.label("chatters")).group_by(*names).cte("pairs")
    p = pairs.c
    ranked = select(
        pairs, func.sum(p.alarms).over().label("total"), func.count().over().label("number"),
        func.sum(case((p.chatters > 0, 1), else_=0)).over().label("chattering"),
        func.row_number().over(order_by=(p.alarms.desc(), p.device, p.kind)).label("by_alarms"),
        func.row_number().over(order_by=(p.chatters.desc(), p.device, p.kind)).label("by_chatters"),
    ).cte("ranked")  # fmt: skip
    worst = (ranked.c.by_alarms <= BAD_ACTORS) | ((ranked.c.by_chatters <= BAD_ACTORS) & (ranked.c.chatters > 0))
    rows = connection.execute(select(ranked).where(worst)).all()
    if not rows:
        return Load()
    actors = [Actor(r.device, r.kind, r.alarms, int(r.chatters)) for r in rows]
    return Load(int(rows[0].total), int(rows[0].number), int(rows[0].chattering), actors)


def read_standing(connection: Connection, selection: Selection, at: int) -> Standing:
    """How incidents stood at ``at`` (µs): as they stand, where nothing happened to them since; else as their events tell."""
    i, long_ago = _incidents.c, at - STALE_AFTER
    active = i.state == IncidentState.ACTIVE.value
    # what became graver or sounded within a day is new to people, and may stand for longer all the same
    again = select(i.id).where(active, i.opened_at <= long_ago, i.raised_at > long_ago)
    since = union(select(_events.c.incident).where(_events.c.at > at), again)
    touched = since.subquery("touched")
    acknowledged = i.acknowledged_severity.is_not(None) & (i.acknowledged_severity <= i.severity)
    sums = _sums(active, active & (i.raised_at <= long_ago), (~acknowledged | i.acknowledged_severity.is_(None)) & (i.quiet == ""))
    untouched = _incidents.outerjoin(touched, touched.c.incident == i.id)  # no NOT IN: PostgreSQL would walk a long list for each row
    open_ones = select(*sums).select_from(untouched).where(
        i.state.in_((IncidentState.ACTIVE.value, IncidentState.CLEARED.value)), touched.c.incident.is_(None)
    )  # fmt: skip
    unmoved = connection.execute(selection.of(open_ones)).one()
    moved = connection.execute(_replayed(selection, since, at)).one()
    return Standing(*(int(n or 0) + int(m or 0) for n, m in zip(unmoved, moved, strict=True)))


def _replayed(selection: Selection, since: CompoundSelect[Any], at: int) -> Select[Any]:
    """The sums of ``read_standing`` for the incidents of ``since``, by the last events up to ``at`` of two kinds."""
    e = _events.c
    moves = e.event.in_((*_SOUNDS, *_ENDS))
    place = func.row_number().over(partition_by=(e.incident, case((moves, 1), else_=0)), order_by=(e.at.desc(), e.id.desc()))
    told = selection.of(
        select(e.incident, e.event, e.at, moves.label("moves"), place.label("place"))
        .select_from(_events.join(_incidents, _incidents.c.id == e.incident))
        .where(e.incident.in_(since), e.at <= at, e.event.in_((*_SOUNDS, *_ENDS, "acknowledged", "severity_raised")))
    ).cte("told")  # fmt: skip
    last = told.c.place == 1
    each = (
        select(
            func.max(case((last & told.c.moves, told.c.event))).label("state"),
            func.max(case((last & told.c.moves, told.c.at))).label("since"),
            func.max(case((last & ~told.c.moves, told.c.event))).label("turn"),
            func.max(case((told.c.event == "opened", 1), else_=0)).label("sounded"),
        ).group_by(told.c.incident).cte("each")
    )  # fmt: skip
    stands = each.c.state.in_(_SOUNDS)
    waits = (each.c.state != "closed") & (each.c.sounded == 1) & (func.coalesce(each.c.turn, "") != "acknowledged")
    return select(*_sums(stands, stands & (each.c.since <= at - STALE_AFTER), waits))


def _sums(*conditions: ColumnElement[bool]) -> Sequence[ColumnElement[Any]]:
    return [func.sum(case((condition, 1), else_=0)).label(f"n{n}") for n, condition in enumerate(conditions)]
