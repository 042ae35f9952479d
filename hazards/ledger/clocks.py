"""The clocks (时限) on a hazard: which run, since when, until when, and the points at which people are told. Pure.

A row of ``CLOCKS`` says when a kind of clock runs; a row of the pack gives its limit and its points. What a point does is in
``hazards/ledger/ticks.py``. What must not go in: SQL, a clock of its own (``now`` is never asked for here).

A point that was told is noted in ``Hazard.fired`` as ``clock@KEY:point``, so that it is told once, whoever looks and however late.
KEY is what makes a run of a clock another run, and nothing else:

- when it started: after reopening, a second claim or a second missed due date the clock runs anew, and what its earlier run told
  does not block it;
- for rectification also its due date, which is kept with the hazard: an extension or another grade moves it, and the coming points of
  the new date are told again. Points before the move are not: nobody needs a warning of days that were just given.
- not the due date of the other clocks: it follows from start and limit, and would move with the site's time zone. What was told
  before such a change is not told again after it.

Keys of a run that another one replaced are dropped, so ``fired`` does not grow with the years.
"""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta, tzinfo
from functools import lru_cache
from typing import Any

from msgspec import Struct, structs

from hazards.ledger.hazard import Hazard
from hazards.ledger.lifecycle import NONE, OPEN, RECTIFIABLE, RUNNING, Event, State, Track
from hazards.ledger.limits import EPOCH, HOUR, MICROSECOND, due_at
from hazards.ledger.policy import ClockRule, GradeRule, Policy, WarningPoint

RECTIFY, SUMMONS = "rectify", "summons"
HALF, DUE, BEGUN = "half", "due", "begun"
POINT_PATTERN = r"^(half|due|[+-][1-9][0-9]{0,2}[dh])\Z"
"""``WarningPoint.at``: half of the time, the due date, or days or hours before or after it."""


class ClockKind(Struct, frozen=True):
    """When a kind of clock runs. ``starts``: since when, None while it does not; ``ends``: the events that it waits for, any of them."""

    starts: Callable[[Hazard, GradeRule], int | None]
    ends: tuple[Event, ...]
    due: Callable[[Hazard], int | None] | None = None  # where the due date is kept with the hazard; else it follows from the limit
    moved: Callable[[Hazard], int] | None = None  # where people can move it: when it was last moved


class Clock(Struct, frozen=True):
    """One clock that runs. Times are UTC µs; in time is up to and with ``due``. ``since``: when it got this due date."""

    rule: ClockRule
    key: str
    start: int
    due: int
    since: int


class Point(Struct, frozen=True):
    """A point of a clock: its name in the pack, from when on it has passed (UTC µs), who is told, its name in ``Hazard.fired``."""

    name: str
    at: int
    tells: tuple[str, ...]
    key: str


# --- when each clock runs ---


def _rectify(hazard: Hazard, _: GradeRule) -> int | None:
    return hazard.clock_start if hazard.state in RUNNING else None


def _rectify_key(hazard: Hazard) -> str:
    return f"{RECTIFY}@{hazard.clock_start}-{hazard.due_at}"


def _due_moved(hazard: Hazard) -> int:
    return max(hazard.clock_start, hazard.graded_at or 0, hazard.due_taken_at or 0, *(e.granted_at or 0 for e in hazard.granted))


def _confirmed_start(hazard: Hazard) -> int:
    """When what a grade asks for began: with its confirmation, or with the correction that made it this grade."""
    return max(hazard.clock_start, hazard.graded_at or 0)


def _receipt(hazard: Hazard, _: GradeRule) -> int | None:
    waits = hazard.enterprise is not None and hazard.state in RECTIFIABLE and hazard.track(Track.RECEIPT) == NONE
    return hazard.clock_start if waits else None


def _report(hazard: Hazard, _: GradeRule) -> int | None:
    if hazard.track(Track.REPORT) not in (NONE, "to_congress"):
        return None
    return max(hazard.opened_at, hazard.graded_at or 0, hazard.reopened_at or 0)


def _double_report(hazard: Hazard, _: GradeRule) -> int | None:
    return _confirmed_start(hazard) if hazard.confirmed and hazard.track(Track.REPORT) != "to_both" else None


def _publish(hazard: Hazard, grade: GradeRule) -> int | None:
    waits = hazard.confirmed and grade.listed and hazard.track(Track.PUBLICATION) == NONE
    return _confirmed_start(hazard) if waits else None


def _list(hazard: Hazard, grade: GradeRule) -> int | None:
    waits = grade.listed and hazard.state in RECTIFIABLE and hazard.track(Track.LISTING) != "listed"
    return _confirmed_start(hazard) if waits else None


def _plan(hazard: Hazard, _: GradeRule) -> int | None:
    possible = hazard.state in (State.CONFIRMED, State.PLANNED, State.RECTIFYING)
    missing = hazard.track(Track.PLAN) in (NONE, "returned")  # a plan that was returned is none
    return _confirmed_start(hazard) if possible and missing else None


def _accept(hazard: Hazard, _: GradeRule) -> int | None:
    return hazard.claim.at if hazard.state is State.CLAIMED and hazard.claim is not None else None


def _summons(hazard: Hazard, grade: GradeRule) -> int | None:
    return hazard.overdue_at if grade.extendable and hazard.track(Track.SUMMONS) == "due" else None


CLOCKS: dict[str, ClockKind] = {
    RECTIFY: ClockKind(_rectify, (Event.ACCEPTED,), lambda hazard: hazard.due_at, _due_moved),  # 整改期限
    "receipt": ClockKind(_receipt, (Event.RECEIVED,)),  # 签收
    "report": ClockKind(_report, (Event.REPORTED_TO_DEPARTMENT,)),  # 立即报告
    "double_report": ClockKind(_double_report, (Event.REPORTED_TO_DEPARTMENT, Event.REPORTED_TO_CONGRESS)),  # 双报告
    "publish": ClockKind(_publish, (Event.PUBLISHED,)),  # 公示
    "list": ClockKind(_list, (Event.LISTED,)),  # 挂牌整改
    "plan": ClockKind(_plan, (Event.PLAN_FILED,)),  # 整改方案
    "accept": ClockKind(_accept, (Event.ACCEPTED, Event.REFUSED)),  # 验收
    SUMMONS: ClockKind(_summons, (Event.SUMMONED,), lambda hazard: hazard.summons[-1].due_at if hazard.summons else None),  # 约谈
}
"""Every clock that a pack may give points to. All of them stop with the hazard (closed, dismissed, merged)."""


def running(hazard: Hazard, policy: Policy, zone: tzinfo) -> list[Clock]:
    """The clocks that run on ``hazard``, in the order of the pack."""
    if hazard.state not in OPEN:
        return []
    grade, found = policy.grade_or_gravest(hazard.grade), []
    for rule in policy.clocks:
        kind = CLOCKS[rule.clock]
        if not rule.is_for(hazard.grade):
            continue
        start = kind.starts(hazard, grade)
        due = None if start is None else _due(kind, rule, hazard, start, policy, zone)
        if start is not None and due is not None:
            key = _rectify_key(hazard) if rule.clock == RECTIFY else f"{rule.clock}@{start}"
            found.append(Clock(rule, key, start, due, start if kind.moved is None else kind.moved(hazard)))
    return found


def _due(kind: ClockKind, rule: ClockRule, hazard: Hazard, start: int, policy: Policy, zone: tzinfo) -> int | None:
    if kind.due is not None:
        return kind.due(hazard)
    return due_at(rule.limit, start, zone, policy.calendar) if rule.limit is not None else None


def points(clock: Clock, zone: tzinfo) -> Sequence[Point]:
    """The points of ``clock`` in order of time. A warning from before the start, or before the due date was moved, is left out."""
    return points_between(clock.rule.points, clock.key, clock.start, clock.since, clock.due, zone)


@lru_cache(maxsize=16_384)
def points_between(rules: tuple[WarningPoint, ...], key: str, start: int, since: int, due: int, zone: tzinfo) -> Sequence[Point]:
    """The points of what runs from ``start`` to ``due``, as in ``points``."""
    found = []
    for rule in rules:
        at = _at(rule.at, start, due, zone)
        warning = rule.at == HALF or rule.at.startswith("-")
        if not warning or since < at <= due:
            found.append(Point(rule.at, at, rule.tells, f"{key}:{rule.at}"))
    return tuple(sorted(found, key=lambda point: point.at))


def _at(name: str, start: int, due: int, zone: tzinfo) -> int:
    """From when on the point has passed, UTC µs. Due and what comes after it: the first moment that is no longer in time."""
    if name == HALF:
        return (start + due) // 2
    days, hours = parsed_point(name)
    at = due + hours * HOUR
    if days:  # by the wall clock, so that a change of the clocks moves no point by an hour
        local = (EPOCH + timedelta(microseconds=at)).astimezone(zone) + timedelta(days=days)
        at = (local - EPOCH) // MICROSECOND
    return at + 1 if at >= due else at


@lru_cache(maxsize=256)
def parsed_point(name: str) -> tuple[int, int]:
    """Days and hours from the due date, for every point but "half". Raises ValueError."""
    if not re.fullmatch(POINT_PATTERN, name):
        raise ValueError(f"no point of a clock: {name[:64]!r}")
    if name in (HALF, DUE):
        return 0, 0
    amount = int(name[:-1])
    return (amount, 0) if name.endswith("d") else (0, amount)


# --- when to look again ---


def next_deadline(hazard: Hazard, policy: Policy, zone: tzinfo) -> int | None:
    """When a clock of ``hazard`` wants to be looked at, UTC µs; None: never again by itself. It may lie in the past: then at once."""
    return _next(hazard, running(hazard, policy, zone), policy, zone)


def _next(hazard: Hazard, clocks: Sequence[Clock], policy: Policy, zone: tzinfo) -> int | None:
    if owes_summons(hazard, policy):
        return hazard.overdue_at
    fired = hazard.fired
    return min((point.at for clock in clocks for point in points(clock, zone) if point.key not in fired), default=None)


def summons_key(hazard: Hazard) -> str:
    """How ``Hazard.fired`` says that the summons of the present missed due date is on the record."""
    return f"{SUMMONS}@{hazard.overdue_at}:{BEGUN}"


def owes_summons(hazard: Hazard, policy: Policy) -> bool:
    """Whether somebody has to be summoned (应约谈) and the record does not say so yet."""
    if hazard.overdue_at is None or hazard.state not in RECTIFIABLE or summons_key(hazard) in hazard.fired:
        return False
    return policy.grade_or_gravest(hazard.grade).extendable and summons_rule(policy, hazard.grade) is not None


def summons_rule(policy: Policy, grade: str) -> ClockRule | None:
    """The pack's clock of the summons for hazards of ``grade``, if it has one with a limit."""
    return next((rule for rule in policy.clocks if rule.clock == SUMMONS and rule.limit is not None and rule.is_for(grade)), None)


_NEW_GRADE = frozenset({Event.GRADE_RAISED.value, Event.REPEATED.value, Event.REGRADED.value})


def woken(hazard: Hazard, policy: Policy, zone: tzinfo) -> Hazard:
    """``hazard`` after its latest event with what the clocks keep in it: ``wake_at``, ``graded_at``, ``overdue_at`` and ``fired``.

    For every decision, as its last step; doing it twice changes nothing."""
    changes: dict[str, Any] = {}
    last = hazard.last_event
    if last in _NEW_GRADE or (last == Event.CONFIRMED.value and hazard.grade != hazard.proposed_grade):
        changes["graded_at"] = hazard.updated_at
    if hazard.overdue_at is not None and hazard.state in RUNNING and f"{_rectify_key(hazard)}:{DUE}" not in hazard.fired:
        changes["overdue_at"] = None  # the due date was moved: whether that one is missed is another question
    if changes:
        hazard = structs.replace(hazard, **changes)
    clocks = running(hazard, policy, zone)
    fired = _still_meant(hazard.fired, clocks)
    wake_at = _next(hazard, clocks, policy, zone)
    if fired is hazard.fired and wake_at == hazard.wake_at:
        return hazard
    return structs.replace(hazard, fired=fired, wake_at=wake_at)


def _still_meant(fired: list[str], clocks: Sequence[Clock]) -> list[str]:
    """``fired`` without earlier runs of the clocks that run now."""
    if not fired:
        return fired
    now_running = {clock.rule.clock: f"{clock.key}:" for clock in clocks}
    kept = [each for each in fired if each.startswith(now_running.get(each.partition("@")[0], ""))]
    return fired if len(kept) == len(fired) else kept
