"""What a command does to a hazard, or by which rule it is refused. Pure: hazard, command, actor, time and facts in; decision out.

``hindrance`` says before anything is entered whether a command is open to somebody, in the words of the refusal itself.
What must not go in: SQL, texts of the console, which route a role may call (``api/roles.py``).
"""

from collections.abc import Callable
from datetime import tzinfo
from typing import Any

import msgspec
from msgspec import Struct, structs

from hazards.errors import BadInput, Conflict
from hazards.kinds import KIND_PATTERN
from hazards.ledger import commands as ask
from hazards.ledger.entries import AHEAD, LONGEST_REASON, LONGEST_TITLE, check_papers, check_text, entered, grade_named
from hazards.ledger.gate import Answer, Question, Sight, Verdict, judge
from hazards.ledger.hazard import PLATFORM, Actor, Claim, Hazard, Measure, Origin, Paper, Plan, Stage
from hazards.ledger.lifecycle import START, Event, State, next_state
from hazards.ledger.policy import Policy, ProposalRule, Rule, basis_of, due_at
from hazards.ledger.rulings import IncompleteByRule, NotByRule, NotForRole

COMMANDS: dict[str, Event] = {
    "confirm": Event.CONFIRMED, "dismiss": Event.DISMISSED, "measure": Event.MEASURE_TAKEN, "end_measure": Event.MEASURE_ENDED,
    "plan": Event.PLAN_FILED, "start_rectification": Event.RECTIFICATION_STARTED, "claim": Event.CLAIMED, "accept": Event.ACCEPTED,
    "refuse": Event.REFUSED, "close": Event.CLOSED, "comment": Event.COMMENTED,
}  # fmt: skip
"""Every command on a hazard that is there, and the event it makes when nothing hinders it."""
QUESTIONS = {"claim": Question.CLAIM, "accept": Question.ACCEPT, "close": Question.CLOSE}
"""Commands that the evidence gate is asked about."""
COMMITMENTS = ("responsibility", "measures", "funds", "time", "contingency")
"""五落实: 责任, 措施, 资金, 时限, 预案."""
_OF_THE_RESPONSIBLE = frozenset({"plan", "start_rectification", "claim"})
_OF_THE_ACCEPTING = frozenset({"accept", "refuse", "close"})


class Facts(Struct, frozen=True):
    """What a decision may know. ``sight`` answers what the zone's devices say since a time (µs); it is only called when asked."""

    policy: Policy
    time_zone: tzinfo
    sight: Callable[[int], Sight] = lambda _since: Sight()


class Decision(Struct, frozen=True):
    """The hazard afterwards, what happened, its particulars for the record, the rule it follows.

    ``gate`` is the evidence gate's answer where it was asked; with the event GATE_REFUSED the command was refused by it."""

    hazard: Hazard
    event: Event
    details: dict[str, Any]
    rule: Rule
    gate: Answer | None = None


def propose(
    command: ask.Propose, *, hazard_id: str, actor: Actor, origin: Origin, enterprise: str | None, synthetic: bool, now: int,
    facts: Facts, rule: str | None = None,
) -> Decision:  # fmt: skip
    """A hazard to be confirmed. ``rule``: id of the rule that proposes; without one a person does. Raises BadInput."""
    policy, grade = facts.policy, grade_named(facts.policy, command.grade)
    if not KIND_PATTERN.match(command.kind):
        raise BadInput("a kind is lower_snake_case with at most 64 characters", where="/kind")
    check_text(command.title, "/title", longest=LONGEST_TITLE)
    check_text(command.description, "/description", needed=False)
    due = due_at(grade, now, facts.time_zone)
    follows = policy.rule(rule or ("self_report" if origin is Origin.SELF_INSPECTION else policy.events[Event.PROPOSED]))
    event, state = START
    hazard = Hazard(
        id=hazard_id, zone=command.zone, enterprise=enterprise, kind=command.kind, grade=grade.name, proposed_grade=grade.name,
        state=state, title=command.title, description=command.description, incident=command.incident, opened_at=now, updated_at=now,
        version=1, policy=policy.version, proposed_by=actor.id, origin=origin, due_at=due, synthetic=synthetic,
        last_event=event.value, last_actor=actor.id,
    )  # fmt: skip
    details = {**entered(command), "origin": origin.value, "due_at": due, "due_basis": basis_of(policy.rule("provisional_clock"))}
    return Decision(hazard, event, details, follows)


def raise_grade(hazard: Hazard, rule: ProposalRule, *, now: int, facts: Facts) -> Decision | None:
    """``rule`` proposes a graver grade than was proposed so far; None for what is no news, or what a person has decided already."""
    policy, event = facts.policy, Event.GRADE_RAISED
    if next_state(hazard.state, event) is None or not policy.is_graver(rule.grade, hazard.grade):
        return None
    due = due_at(grade_named(policy, rule.grade), hazard.opened_at, facts.time_zone)
    details = {"grade": rule.grade, "proposed_grade": hazard.grade, "due_at": due, "due_basis": basis_of(policy.rule("provisional_clock"))}
    deciding = _Deciding(hazard, PLATFORM, max(now, hazard.updated_at), facts)
    return deciding.done(event, details, rule=rule.rule, grade=rule.grade, proposed_grade=rule.grade, due_at=due)


def hindrance(hazard: Hazard, command: str, actor: Actor, policy: Policy) -> NotByRule | NotForRole | None:
    """Why ``actor`` can't give ``command`` now, or None. Roles of routes come before this (``api/roles.py``)."""
    event, grade = COMMANDS[command], policy.grade_or_gravest(hazard.grade)
    if command in _OF_THE_RESPONSIBLE:
        allowed = policy.responsible if hazard.enterprise is not None else policy.responsible_without_enterprise
        if actor.role not in allowed:
            return NotForRole(f"the role {actor.role} does not rectify here", policy.rule("responsible_party"))
    if command in _OF_THE_ACCEPTING and actor.role not in grade.accepted_by:
        return NotForRole(f"the role {actor.role} may not {command} a hazard of grade {grade.name}", policy.rule(grade.accepted_by_rule))
    if next_state(hazard.state, event) is None:
        return NotByRule(f"a hazard that is {hazard.state.value} takes no {command}", policy.rule_of(event), hint=_NEXT_STEP[hazard.state])
    if command == "start_rectification" and grade.needs_plan and hazard.plan is None:
        return NotByRule(f"rectification of a {grade.name} hazard waits for its plan", policy.rule("plan_before_rectification"),
                         hint="file the plan; immediate measures are possible now")  # fmt: skip
    if command in ("accept", "close") and hazard.claim is not None and hazard.claim.by == actor.id:
        return NotForRole(f"{actor.id} claimed the rectification and can't {command} it", policy.rule("second_person"))
    return None


def decide(hazard: Hazard, command: ask.HazardCommand, *, actor: Actor, now: int, facts: Facts) -> Decision:
    """What ``command`` of ``actor`` does at ``now``. Raises Conflict, NotByRule, NotForRole, BadInput; changes nothing.

    A refusal by the evidence gate is a decision too, with the event GATE_REFUSED: it belongs on the record."""
    name = name_of(command)
    _same_version(hazard, command.version)
    if (hindered := hindrance(hazard, name, actor, facts.policy)) is not None:
        raise hindered
    deciding = _Deciding(hazard, actor, max(now, hazard.updated_at), facts)
    return deciding.ask_the_gate(name, command) if name in QUESTIONS else deciding.carry_out(command)


def name_of(command: ask.HazardCommand) -> str:
    """The command's name, as in ``COMMANDS``."""
    return str(command.__struct_config__.tag)


def gate_preview(hazard: Hazard, sight: Callable[[int], Sight], now: int) -> Answer | None:
    """What the gate would say to the next claim, acceptance or closing; None for a hazard that is over."""
    if hazard.state in (State.CLOSED, State.DISMISSED):
        return None
    question = {State.CLAIMED: Question.ACCEPT, State.ACCEPTED: Question.CLOSE}.get(hazard.state, Question.CLAIM)
    since = _since(hazard, question, now)
    return judge(question, sight(since), since=since, now=now, papers=_has_papers(hazard.claim.evidence if hazard.claim else []))


class _Deciding:
    """One command on one hazard; everything here has passed ``hindrance``."""

    def __init__(self, hazard: Hazard, actor: Actor, now: int, facts: Facts) -> None:
        self.hazard, self.actor, self.now, self.facts, self.policy = hazard, actor, now, facts, facts.policy

    def ask_the_gate(self, name: str, command: ask.HazardCommand) -> Decision:
        """Put the question to the evidence gate; carry the command out if it passes."""
        evidence = self.hazard.claim.evidence if self.hazard.claim is not None else []
        if isinstance(command, ask.Claim):
            check_text(command.note, "/note")
            check_papers(command.evidence, now=self.now)
            evidence = command.evidence
        since = _since(self.hazard, QUESTIONS[name], self.now)
        answer = judge(QUESTIONS[name], self.facts.sight(since), since=since, now=self.now, papers=_has_papers(evidence))
        return self.carry_out(command, answer) if answer.passes else self._refused(name, answer)

    def _refused(self, name: str, answer: Answer) -> Decision:
        rule = self.policy.rule(answer.rule)
        if answer.verdict is not Verdict.REFUTED:
            raise NotByRule("no device here can tell whether it is gone", rule, gate=answer,
                            hint="add evidence of the state after rectification, with time and place")  # fmt: skip
        refuted_by = [e.incident for e in answer.evidence]
        before = self.hazard
        if (before.last_event, before.last_actor, before.refuted_by) == (Event.GATE_REFUSED, self.actor.id, refuted_by):
            raise NotByRule("the evidence still speaks against it", rule, gate=answer)  # this refusal is on the record already
        after = self._after(Event.GATE_REFUSED, refuted_by=refuted_by)
        return Decision(after, Event.GATE_REFUSED, {"command": name, "gate": msgspec.to_builtins(answer)}, rule, answer)

    def carry_out(self, command: ask.HazardCommand, answer: Answer | None = None) -> Decision:
        """The command's own effect."""
        me, now = self.actor.id, self.now
        match command:
            case ask.Confirm():
                return self._confirm(command)
            case ask.Dismiss(reason=reason):
                return self._reasoned(Event.DISMISSED, reason, dismissed_reason=reason)
            case ask.FilePlan():
                return self._file_plan(command)
            case ask.StartRectification(note=note):
                return self._noted(Event.RECTIFICATION_STARTED, note)
            case ask.TakeMeasure():
                return self._take_measure(command)
            case ask.EndMeasure():
                return self._end_measure(command)
            case ask.Claim():
                return self._claim(command, answer)
            case ask.Accept(note=note):
                return self._noted(Event.ACCEPTED, note, answer, accepted_by=me, accepted_at=now)
            case ask.Refuse(reason=reason):
                return self._reasoned(Event.REFUSED, reason, accepted_by=None, accepted_at=None)
            case ask.Close(note=note):
                return self._noted(Event.CLOSED, note, answer, closed_by=me, closed_at=now)
            case ask.Comment(text=text):
                check_text(text, "/text")
                return self.done(Event.COMMENTED, {"text": text})

    def _reasoned(self, event: Event, reason: str, **changes: Any) -> Decision:
        check_text(reason, "/reason", longest=LONGEST_REASON)
        return self.done(event, {"reason": reason}, **changes)

    def _noted(self, event: Event, note: str, answer: Answer | None = None, **changes: Any) -> Decision:
        check_text(note, "/note", needed=False)
        return self.done(event, {"note": note} if note else {}, answer, **changes)

    def _confirm(self, command: ask.Confirm) -> Decision:
        policy, grade = self.policy, grade_named(self.policy, command.grade)
        check_text(command.criterion, "/criterion", needed=False, longest=LONGEST_REASON)
        if grade.needs_criterion and not command.criterion.strip():
            what = f"confirming the grade {grade.name} names the item of the criteria"
            hint = "document and number of the item"
            raise IncompleteByRule(what, policy.rule("criterion_for_major"), where="/criterion", hint=hint)
        due = due_at(grade, self.now, self.facts.time_zone)
        details = {
            "grade": grade.name, "proposed_grade": self.hazard.grade, "criterion": command.criterion, "due_at": due,
            "due_basis": basis_of(policy.rule(grade.rule)), "clock_basis": basis_of(policy.rule("clock_start")),
        }  # fmt: skip
        return self.done(Event.CONFIRMED, details, grade=grade.name, confirmed=True, criterion=command.criterion, due_at=due,
                          confirmed_by=self.actor.id, confirmed_at=self.now)  # fmt: skip

    def _file_plan(self, command: ask.FilePlan) -> Decision:
        given = {name: getattr(command, name) for name in COMMITMENTS}
        missing = [name for name, text in given.items() if not text.strip()]
        if missing:
            raise IncompleteByRule(f"a plan holds all five commitments, missing: {', '.join(missing)}",
                                   self.policy.rule("five_commitments"), where=f"/{missing[0]}")  # fmt: skip
        for name, text in given.items():
            check_text(text, f"/{name}")
        return self.done(Event.PLAN_FILED, given, plan=Plan(**given, filed_by=self.actor.id, filed_at=self.now))

    def _take_measure(self, command: ask.TakeMeasure) -> Decision:
        kind = self.policy.measure(command.kind)
        if kind is None:
            raise BadInput(f"no measure {command.kind[:64]!r}", where="/kind", hint=", ".join(m.name for m in self.policy.measures))
        if self.actor.role not in kind.roles:
            raise NotForRole(f"the role {self.actor.role} may not {kind.name.replace('_', ' ')}", self.policy.rule(kind.rule))
        check_text(command.authority, "/authority", longest=LONGEST_TITLE)
        check_text(command.note, "/note", needed=False)
        start = self.now if command.start is None else command.start
        if start > self.now + AHEAD:
            raise BadInput("a measure is put down when it has begun", where="/start")
        if command.until is not None and command.until <= start:
            raise BadInput("the end lies before the start", where="/until")
        measure = Measure(number=self.hazard.version + 1, kind=kind.name, authority=command.authority, start=start, until=command.until,
                          note=command.note, taken_by=self.actor.id)  # fmt: skip
        details = {**entered(command), "start": start, "measure": measure.number}
        return self.done(Event.MEASURE_TAKEN, details, rule=kind.rule, measures=[*self.hazard.measures, measure])

    def _end_measure(self, command: ask.EndMeasure) -> Decision:
        measure = next((m for m in self.hazard.measures if m.number == command.measure), None)
        if measure is None or measure.ended_at is not None:
            raise BadInput("no such measure is in force", where="/measure")
        kind = self.policy.measure(measure.kind)
        if kind is not None and self.actor.role not in kind.roles:
            raise NotForRole(f"the role {self.actor.role} may not end this measure", self.policy.rule(kind.rule))
        check_text(command.note, "/note", needed=False)
        ended = structs.replace(measure, ended_at=self.now, ended_by=self.actor.id)
        measures = [ended if m.number == measure.number else m for m in self.hazard.measures]
        details = {"measure": measure.number, "kind": measure.kind} | ({"note": command.note} if command.note else {})
        return self.done(Event.MEASURE_ENDED, details, measures=measures)

    def _claim(self, command: ask.Claim, answer: Answer | None) -> Decision:
        verdict = answer.verdict.value if answer is not None else ""
        claim = Claim(by=self.actor.id, at=self.now, note=command.note, evidence=command.evidence, verdict=verdict)
        details = {"note": command.note, "evidence": [msgspec.to_builtins(paper) for paper in command.evidence]}
        return self.done(Event.CLAIMED, details, answer, claim=claim)

    def done(
        self, event: Event, details: dict[str, Any], answer: Answer | None = None, *, rule: str | None = None, **changes: Any
    ) -> Decision:
        """The decision that ``event`` happened, with its ``changes`` of the hazard."""
        if answer is not None:
            details = {**details, "gate": msgspec.to_builtins(answer)}
        follows = self.policy.rule(rule) if rule else self.policy.rule_of(event)
        return Decision(self._after(event, **changes), event, details, follows, answer)

    def _after(self, event: Event, **changes: Any) -> Hazard:
        state = next_state(self.hazard.state, event)
        if state is None:  # hindrance asked the same table for the command's own event
            raise NotByRule(f"a hazard that is {self.hazard.state.value} takes no {event.value}", self.policy.rule_of(event))
        return structs.replace(self.hazard, state=state, version=self.hazard.version + 1, updated_at=self.now, last_event=event.value,
                               last_actor=self.actor.id, **changes)  # fmt: skip


def _since(hazard: Hazard, question: Question, now: int) -> int:
    """From when on alarms count: the claim, or this moment when it is only now being claimed."""
    return now if question is Question.CLAIM or hazard.claim is None else hazard.claim.at


def _has_papers(evidence: list[Paper]) -> bool:
    return any(paper.stage is Stage.AFTER for paper in evidence)


def _same_version(hazard: Hazard, version: int | None) -> None:
    if version is None or version == hazard.version:
        return
    if version > hazard.version:
        raise BadInput(f"version {version} does not exist yet, the newest is {hazard.version}", where="/version")
    raise Conflict(f"{hazard.last_actor} did {hazard.last_event} at version {hazard.version}, you looked at {version}", where="/version",
                   hint="look again, then repeat")  # fmt: skip


_NEXT_STEP = {
    State.PROPOSED: "it waits for confirmation of its grade", State.CONFIRMED: "a plan may be filed, or rectification started",
    State.PLANNED: "rectification may start", State.RECTIFYING: "rectification may be claimed", State.CLAIMED: "it waits for acceptance",
    State.ACCEPTED: "it waits for closing", State.CLOSED: "it is closed; put a new one down", State.DISMISSED: "it was dismissed",
}  # fmt: skip
