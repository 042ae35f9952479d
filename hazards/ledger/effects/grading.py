"""Grading: confirm, regrade, dismiss, receive. What must not go in: other commands."""

from typing import Any

from hazards.errors import BadInput
from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.entries import grade_named, noted
from hazards.ledger.kinds import is_for
from hazards.ledger.lifecycle import Event
from hazards.ledger.limits import due_at, later_by
from hazards.ledger.policy import GradeRule, basis_of
from hazards.ledger.rulings import IncompleteByRule


def confirm(case: Case, command: ask.Confirm) -> Decision:
    """It is one, of this grade; the clock of rectification begins."""
    grade = grade_named(case.policy, command.grade)
    _criterion_given(case, grade, command.criterion)
    due = due_at(grade.limit, case.now, case.facts.time_zone, case.policy.calendar)
    details = {
        "grade": grade.name, "proposed_grade": case.hazard.grade, "criterion": command.criterion, "due_at": due,
        "due_basis": basis_of(case.policy.rule(grade.limit.rule)), "clock_basis": basis_of(case.policy.rule("clock_start")),
    }  # fmt: skip
    return case.done(Event.CONFIRMED, details, grade=grade.name, confirmed=True, criterion=command.criterion, due_at=due,
                     confirmed_by=case.actor.id, confirmed_at=case.now)  # fmt: skip


def regrade(case: Case, command: ask.Regrade) -> Decision:
    """Another grade; the limit is counted anew from the same start, with the days that were granted."""
    hazard, grade = case.hazard, grade_named(case.policy, command.grade)
    if grade.name == hazard.grade:
        raise BadInput(f"it has the grade {grade.name} already", where="/grade")
    criterion = command.criterion or (hazard.criterion if grade.needs_criterion else "")
    _criterion_given(case, grade, criterion)
    due = due_at(grade.limit, hazard.clock_start, case.facts.time_zone, case.policy.calendar)
    for extension in hazard.granted if grade.extendable else ():
        due = later_by(due, extension.days, grade.limit.counting, case.facts.time_zone, case.policy.calendar)
    details: dict[str, Any] = {
        "grade": grade.name, "before": hazard.grade, "reason": command.reason, "criterion": criterion, "due_at": due,
        "due_before": hazard.due_at, "due_basis": basis_of(case.policy.rule(grade.limit.rule)),
    }  # fmt: skip
    return case.done(Event.REGRADED, details, grade=grade.name, criterion=criterion, due_at=due)


def dismiss(case: Case, command: ask.Dismiss) -> Decision:
    """It is none."""
    return case.done(Event.DISMISSED, {"reason": command.reason}, dismissed_reason=command.reason)


def receive(case: Case, command: ask.Receive) -> Decision:
    """The responsible party has it."""
    return case.done(Event.RECEIVED, noted(command.note), received_by=case.actor.id, received_at=case.now)


def _criterion_given(case: Case, grade: GradeRule, criterion: str) -> None:
    policy, kind = case.policy, case.hazard.kind
    items = [c for c in policy.criteria if c.grade == grade.name]
    fitting = [c for c in items if is_for(c, kind, policy.kinds)]
    cited = policy.criterion(criterion)
    if cited is not None and not is_for(cited, kind, policy.kinds):
        what = f"the item {cited.id} is for hazards of {', '.join(cited.kinds)}; this one is of {kind}"
    elif grade.needs_criterion and not (criterion in {c.id for c in items} if items else criterion.strip()):
        what = f"the grade {grade.name} names the item of the criteria that is met"
    else:
        return
    none = f"no item is for hazards of {kind}" if items else "document and number of the item"
    hint = ", ".join(f"{c.id} {c.zh}" for c in fitting) or none
    raise IncompleteByRule(what, policy.rule("criterion_for_major"), where="/criterion", hint=hint)
