"""Immediate measures (管控措施): taken from the first minute, ended by who may take them. What must not go in: other commands."""

from msgspec import structs

from hazards.errors import BadInput
from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.entries import AHEAD, entered, noted
from hazards.ledger.lifecycle import Event
from hazards.ledger.particulars import Measure
from hazards.ledger.rulings import NotForRole


def take(case: Case, command: ask.TakeMeasure) -> Decision:
    """A measure is in force from now on, or from ``start``."""
    kind = case.policy.measure(command.kind)
    if kind is None:
        raise BadInput(f"no measure {command.kind[:64]!r}", where="/kind", hint=", ".join(m.name for m in case.policy.measures))
    if case.actor.role not in kind.roles:
        raise NotForRole(f"the role {case.actor.role} may not {kind.name.replace('_', ' ')}", case.policy.rule(kind.rule))
    start = case.now if command.start is None else command.start
    if start > case.now + AHEAD:
        raise BadInput("a measure is put down when it has begun", where="/start")
    if command.until is not None and command.until <= start:
        raise BadInput("the end lies before the start", where="/until")
    measure = Measure(number=case.hazard.version + 1, kind=kind.name, authority=command.authority, start=start, until=command.until,
                      note=command.note, taken_by=case.actor.id)  # fmt: skip
    details = {**entered(command), "start": start, "measure": measure.number}
    return case.done(Event.MEASURE_TAKEN, details, rule=kind.rule, measures=[*case.hazard.measures, measure])


def end(case: Case, command: ask.EndMeasure) -> Decision:
    """A measure that is in force is over."""
    measure = next((m for m in case.hazard.measures if m.number == command.measure), None)
    if measure is None or measure.ended_at is not None:
        raise BadInput("no such measure is in force", where="/measure")
    kind = case.policy.measure(measure.kind)
    if kind is not None and case.actor.role not in kind.roles:
        raise NotForRole(f"the role {case.actor.role} may not end this measure", case.policy.rule(kind.rule))
    ended = structs.replace(measure, ended_at=case.now, ended_by=case.actor.id)
    measures = [ended if m.number == measure.number else m for m in case.hazard.measures]
    details = {"measure": measure.number, "kind": measure.kind} | noted(command.note)
    return case.done(Event.MEASURE_ENDED, details, rule=kind.rule if kind is not None else None, measures=measures)
