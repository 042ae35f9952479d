"""What the clocks do when time has passed: points that are told, overdue (逾期), summons due (应约谈). Pure.

A tick may come at any time, late, twice, from several workers: it finds what passed and is not on the record yet. What must not go
in: when clocks run (``hazards/ledger/clocks.py``), waiting, SQL.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from hazards.ledger.clocks import (
    DUE,
    RECTIFY,
    SUMMONS,
    Clock,
    Point,
    owes_summons,
    points,
    points_between,
    running,
    summons_key,
    summons_rule,
)
from hazards.ledger.decision import Case, Decision, Facts
from hazards.ledger.hazard import PLATFORM, Hazard
from hazards.ledger.lifecycle import Event
from hazards.ledger.limits import due_at
from hazards.ledger.particulars import Summons
from hazards.ledger.policy import basis_of


def on_tick(hazard: Hazard, now: int, facts: Facts) -> list[Decision]:
    """What the clocks of ``hazard`` do at ``now``, each on the hazard as the one before left it. Nothing to do: an empty list.

    One event a clock: of several points that passed while nobody looked the gravest is told, to all who were to be told of any of them."""
    now, decisions = max(now, hazard.updated_at), list[Decision]()
    while (decision := _next(Case(hazard, PLATFORM, now, facts))) is not None:
        decisions.append(decision)
        hazard = decision.hazard
        if hazard.wake_at is None or hazard.wake_at > now:
            break
    return decisions


def _next(case: Case) -> Decision | None:
    if owes_summons(case.hazard, case.policy):
        return _summons_due(case)
    fired, zone = case.hazard.fired, case.facts.time_zone
    for clock in running(case.hazard, case.policy, zone):
        passed = [point for point in points(clock, zone) if point.at <= case.now and point.key not in fired]
        if passed:
            return _told(case, clock, passed)
    return None


def _told(case: Case, clock: Clock, passed: Sequence[Point]) -> Decision:
    """The gravest, that is the latest, of the points that passed."""
    hazard, rectify = case.hazard, clock.rule.clock == RECTIFY
    details: dict[str, Any] = {"clock": clock.rule.clock, "point": passed[-1].name, "started_at": clock.start, "due_at": clock.due}
    if len(passed) > 1:
        details["passed_over"] = [point.name for point in passed[:-1]]
    if not hazard.confirmed:
        details["provisional"] = True
    tells = _once(post for point in reversed(passed) for post in point.tells)
    fired = [*hazard.fired, *(point.key for point in passed)]
    if rectify and hazard.confirmed and any(point.name == DUE for point in passed):
        return _overdue(case, details, tells, fired)
    limit = clock.rule.limit or case.grade.limit
    rule = "provisional_clock" if rectify and not hazard.confirmed else limit.rule
    return case.done(Event.CLOCK_POINT, details, rule=rule, tells=tells, fired=fired)


def _overdue(case: Case, details: dict[str, Any], tells: tuple[str, ...], fired: list[str]) -> Decision:
    """A confirmed hazard was not put right in time. Where nobody is summoned for its grade the enterprise's principal is told."""
    details["due_basis"] = basis_of(case.policy.rule(case.grade.limit.rule))
    if case.grade.extendable:
        return case.done(Event.OVERDUE, details, tells=tells, fired=fired, overdue_at=case.now)
    tells = _once(("enterprise", *tells))
    return case.done(Event.OVERDUE, details, rule="summons_scope", tells=tells, fired=fired, overdue_at=case.now)


def _summons_due(case: Case) -> Decision:
    """Somebody has to summon, within the pack's limit after the due date that was missed: however late that was noticed."""
    hazard, rule = case.hazard, summons_rule(case.policy, case.hazard.grade)
    if rule is None or rule.limit is None or hazard.due_at is None:
        raise AssertionError("owes_summons looked")
    until = due_at(rule.limit, hazard.due_at, case.facts.time_zone, case.policy.calendar)
    details = {"missed": hazard.due_at, "due_at": until, "due_basis": basis_of(case.policy.rule(rule.limit.rule))}
    first = points_between(rule.points, SUMMONS, hazard.due_at, hazard.due_at, until, case.facts.time_zone)[:1]
    return case.done(
        Event.SUMMONS_DUE, details, tells=first[0].tells if first else (), summons=[*hazard.summons, Summons(due_at=until)],
        fired=[*hazard.fired, summons_key(hazard)],
    )  # fmt: skip


def _once(posts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(posts))
