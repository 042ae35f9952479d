"""The plan of rectification with the five commitments (五落实), and the start of the work. What must not go in: other commands."""

from msgspec import structs

from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.entries import noted
from hazards.ledger.lifecycle import Event
from hazards.ledger.particulars import Plan
from hazards.ledger.rulings import IncompleteByRule

COMMITMENTS = ("responsibility", "measures", "funds", "time", "contingency")
"""五落实: 责任, 措施, 资金, 时限, 预案 (001(16))."""


def file(case: Case, command: ask.FilePlan) -> Decision:
    """The plan, which must hold all five commitments."""
    given = {name: getattr(command, name) for name in COMMITMENTS}
    missing = [name for name, text in given.items() if not text.strip()]
    if missing:
        raise IncompleteByRule(f"a plan holds all five commitments, missing: {', '.join(missing)}", case.policy.rule("five_commitments"),
                               where=f"/{missing[0]}")  # fmt: skip
    tells = ("park_command", "department") if case.grade.needs_plan else ()
    return case.done(Event.PLAN_FILED, given, tells=tells, plan=Plan(**given, filed_by=case.actor.id, filed_at=case.now))


def approve(case: Case, command: ask.ApprovePlan) -> Decision:
    """The plan as filed is good."""
    plan = structs.replace(_plan(case), approved_by=case.actor.id, approved_at=case.now, returned_for="")
    return case.done(Event.PLAN_APPROVED, noted(command.note), tells=("enterprise",), plan=plan)


def send_back(case: Case, command: ask.ReturnPlan) -> Decision:
    """The plan has to be done again."""
    plan = structs.replace(_plan(case), returned_for=command.reason)
    return case.done(Event.PLAN_RETURNED, {"reason": command.reason}, tells=("enterprise",), plan=plan)


def start(case: Case, command: ask.StartRectification) -> Decision:
    """Permanent rectification begins."""
    return case.done(Event.RECTIFICATION_STARTED, noted(command.note), rectifying_since=case.now)


def _plan(case: Case) -> Plan:
    if case.hazard.plan is None:
        raise AssertionError("the tables let nobody approve a plan that was never filed")
    return case.hazard.plan
