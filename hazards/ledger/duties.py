"""Periodic duties (履职时钟) such as the monthly special inspection: which period they are for, until when, what was told. Pure.

A duty is one row a rule, body and period, known by ``name:body:period``. It is made when its period begins, and for every period that began
while nobody looked. What must not go in: SQL, hazards, who may say that it is done.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta, tzinfo
from typing import Literal

from msgspec import Struct, field, structs

from hazards.ledger.clocks import Point, points_between
from hazards.ledger.limits import SECOND, end_of_day, local_date
from hazards.ledger.policy import DutyRule, Policy, basis_of
from hazards.messages import DutyMessage

Standing = Literal["open", "overdue", "done", "late"]
MOST_PERIODS = 24
"""Periods that are made up for at once: who was away for longer has other worries."""
CLOCK_POINT, OVERDUE = "clock_point", "overdue"
"""What is told of a duty: that a point before its due date has passed, or that the due date has."""
MONTHS = {"month": 1, "quarter": 3}
"""Periods of a ``DutyRule``, in months."""


class Duty(Struct, frozen=True, kw_only=True):
    """One duty of a body in one period. ``body``: who has it, so far the post. Times are UTC µs; ``fired``: points that were told."""

    id: str
    name: str
    post: str
    body: str
    period: str  # 2026-11, 2026-Q4
    due_at: int
    done_at: int | None = None
    done_by: str | None = None
    note: str = ""
    fired: list[str] = field(default_factory=list)
    wake_at: int | None = None

    def standing(self, now: int) -> Standing:
        """done, late (done after its due date), overdue, or open."""
        if self.done_at is not None:
            return "done" if self.done_at <= self.due_at else "late"
        return "overdue" if now > self.due_at else "open"


def period_at(kind: str, day: date) -> str:
    """The period of ``kind`` (month, quarter) in which ``day`` lies."""
    return f"{day.year:04}-{day.month:02}" if kind == "month" else f"{day.year:04}-Q{(day.month + 2) // 3}"


def first_day(period: str) -> date:
    """The day on which ``period`` begins."""
    year, _, part = period.partition("-")
    return date(int(year), 3 * int(part[1:]) - 2 if part.startswith("Q") else int(part), 1)


def following(period: str) -> str:
    """The period after ``period``."""
    kind = "quarter" if "Q" in period else "month"
    return period_at(kind, first_day(period) + timedelta(days=31 * MONTHS[kind]))


def newest_of(rule: DutyRule, periods: Iterable[str]) -> str | None:
    """The one of ``periods`` that began last, of two that began on one day that of the rule's own kind; None for none."""
    return max(periods, key=lambda period: (first_day(period), ("Q" in period) == (rule.period == "quarter")), default=None)


def new_duties(rule: DutyRule, post: str, latest: str | None, now: int, zone: tzinfo) -> list[Duty]:
    """The duties of ``post`` that have begun since ``latest``, the last period it has one for. None: only the present period.

    So an installation is not blamed for what was before it, and loses nothing that began while it was down."""
    present = period_at(rule.period, local_date(now, zone))
    if latest is None or ("Q" in latest) != ("Q" in present):
        return [_duty(rule, post, present, zone)]
    periods = []
    while latest < present:
        periods.append(latest := following(latest))
    return [_duty(rule, post, period, zone) for period in periods[-MOST_PERIODS:]]


def _duty(rule: DutyRule, post: str, period: str, zone: tzinfo) -> Duty:
    due = end_of_day(first_day(following(period)) - timedelta(days=1), zone)
    duty = Duty(id=f"{rule.name}:{post}:{period}", name=rule.name, post=post, body=post, period=period, due_at=due)
    return awake(duty, rule, zone)


def duty_points(duty: Duty, rule: DutyRule, zone: tzinfo) -> Sequence[Point]:
    """The points of ``duty`` in order of time, between the first day of its period and its due date.

    Of the posts that have such a duty only the one whose duty it is is told: the others have their own."""
    start = end_of_day(first_day(duty.period) - timedelta(days=1), zone) + SECOND
    found, others = points_between(rule.points, duty.id, start, start, duty.due_at, zone), set(rule.posts) - {duty.post}
    return [structs.replace(point, tells=tuple(post for post in point.tells if post not in others)) for point in found]


def awake(duty: Duty, rule: DutyRule | None, zone: tzinfo) -> Duty:
    """``duty`` with when it wants to be looked at next. ``rule`` None: the pack no longer has it, so never."""
    left = () if rule is None or duty.done_at is not None else duty_points(duty, rule, zone)
    return structs.replace(duty, wake_at=min((point.at for point in left if point.key not in duty.fired), default=None))


def on_duty_tick(duty: Duty, rule: DutyRule | None, now: int, zone: tzinfo) -> tuple[Duty, Point | None]:
    """The duty after a look at ``now``, and the gravest of the points that passed, with all who were to be told of any of them."""
    left = () if rule is None or duty.done_at is not None else duty_points(duty, rule, zone)
    passed = [point for point in left if point.at <= now and point.key not in duty.fired]
    after = awake(structs.replace(duty, fired=[*duty.fired, *(point.key for point in passed)]), rule, zone)
    if not passed:
        return after, None
    tells = tuple(dict.fromkeys(post for point in reversed(passed) for post in point.tells))
    return after, structs.replace(passed[-1], tells=tells)


def notice_of(duty: Duty, rule: DutyRule, told: Point, now: int, policy: Policy) -> DutyMessage:
    """What goes out when ``told``, a point of ``duty``, has passed."""
    event = OVERDUE if duty.standing(now) == "overdue" else CLOCK_POINT
    return DutyMessage(
        id=duty.id, name=duty.name, post=duty.post, body=duty.body, period=duty.period, event=event, point=told.name, due_at=duty.due_at,
        told_at=now, tells=list(policy.known_posts(*told.tells)), basis=basis_of(policy.rule(rule.rule)),
    )  # fmt: skip


def done(duty: Duty, *, by: str, note: str, now: int) -> Duty:
    """``duty`` as done: nobody is told any more."""
    return structs.replace(duty, done_at=now, done_by=by, note=note, wake_at=None)
