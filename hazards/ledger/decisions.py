"""Deciding: what a proposal, a rule or a command does to a hazard, or by which rule it is refused.

Pure: hazard, command, actor, time and facts in; decision out. The parts: ``conditions.py`` says when a command is refused beforehand,
``effects/`` what it does, ``lifecycle.py`` which moves there are. What must not go in: SQL, texts of the console, HTTP.
"""

from collections.abc import Sequence

from hazards.errors import BadInput, Conflict
from hazards.kinds import KIND_PATTERN
from hazards.ledger import commands as ask
from hazards.ledger.clocks import woken
from hazards.ledger.conditions import hindrance
from hazards.ledger.decision import Case, Decision, Facts
from hazards.ledger.effects import EFFECTS
from hazards.ledger.entries import LONGEST_TITLE, check_command, check_text, entered, grade_named
from hazards.ledger.hazard import PLATFORM, Actor, Hazard, Origin
from hazards.ledger.lifecycle import START, Event, next_state
from hazards.ledger.limits import due_at
from hazards.ledger.policy import Policy, ProposalRule, basis_of
from hazards.ledger.repeats import Earlier, graver_by, repeats_of
from hazards.ledger.rulings import NotForRole

_ORIGINS_OF_ENTERPRISE = frozenset({Origin.SELF_INSPECTION, Origin.CHECK_ITEM})
_ORIGINS_OF_OTHERS = frozenset(
    {Origin.INSPECTION, Origin.CHECK_ITEM, Origin.WHISTLE_BLOW, Origin.HOTLINE, Origin.CHECK_UP, Origin.OTHER_SYSTEM}
)


def origin_of(command: ask.Propose, actor: Actor) -> Origin:
    """How it was found, as far as ``actor`` can say. Raises BadInput."""
    if command.incident is not None:
        return Origin.INCIDENT
    own = actor.enterprise is not None
    allowed = _ORIGINS_OF_ENTERPRISE if own else _ORIGINS_OF_OTHERS
    if not command.origin:
        return Origin.SELF_INSPECTION if own else Origin.INSPECTION
    if command.origin not in allowed:
        raise BadInput(f"no origin {command.origin[:64]!r} for this role", where="/origin", hint=", ".join(sorted(allowed)))
    return Origin(command.origin)


def check_may_propose(actor: Actor, policy: Policy) -> None:
    """Raise NotForRole unless the pack lets the actor's role put hazards down."""
    right = policy.commands["propose"]
    if actor.role not in right.roles:
        raise NotForRole(f"the role {actor.role} may not propose", policy.rule(right.rule))


def propose(
    command: ask.Propose, *, hazard_id: str, actor: Actor, origin: Origin, enterprise: str | None, synthetic: bool, now: int,
    facts: Facts, rule: str | None = None, because: dict[str, object] | None = None,
) -> Decision:  # fmt: skip
    """A hazard to be confirmed. ``rule``: id of the rule that proposes, ``because``: why; without them a person does. Raises BadInput."""
    policy, grade = facts.policy, grade_named(facts.policy, command.grade)
    if not KIND_PATTERN.match(command.kind):
        raise BadInput("a kind is lower_snake_case with at most 64 characters", where="/kind")
    check_text(command.title, "/title", longest=LONGEST_TITLE)
    check_text(command.description, "/description", needed=False)
    due = due_at(grade.limit, now, facts.time_zone, policy.calendar)
    self_found = origin in _ORIGINS_OF_ENTERPRISE and actor.enterprise is not None
    follows = policy.rule(rule or ("self_report" if self_found else policy.events[Event.PROPOSED]))
    event, state = START
    hazard = Hazard(
        id=hazard_id, zone=command.zone, enterprise=enterprise, kind=command.kind, grade=grade.name, proposed_grade=grade.name,
        state=state, title=command.title, description=command.description, incident=command.incident, opened_at=now, updated_at=now,
        version=1, policy=policy.version, proposed_by=actor.id, origin=origin, due_at=due, synthetic=synthetic,
        last_event=event.value, last_actor=actor.id,
    )  # fmt: skip
    details = {**entered(command), "origin": origin.value, "due_at": due, "due_basis": basis_of(policy.rule("provisional_clock"))}
    details |= {"because": because} if because is not None else {}
    tells = policy.known_posts("park_command", "department")
    return Decision(woken(hazard, policy, facts.time_zone), event, details, follows, tells=tells)


def raise_grade(
    hazard: Hazard, rule: ProposalRule, *, now: int, facts: Facts, because: dict[str, object] | None = None
) -> Decision | None:  # fmt: skip
    """``rule`` proposes a graver grade than was proposed so far; None for what is no news, or what a person has decided already."""
    if next_state(hazard.state, Event.GRADE_RAISED) is None or not facts.policy.is_graver(rule.grade, hazard.grade):
        return None
    details: dict[str, object] = {"because": because} if because is not None else {}
    return _proposed_graver(case_of(hazard, PLATFORM, now, facts), Event.GRADE_RAISED, rule.grade, details, rule.rule)


def mark_repeated(
    hazard: Hazard, earlier: Sequence[Earlier], *, now: int, facts: Facts, again: Sequence[Earlier] = ()
) -> Decision | None:  # fmt: skip
    """That a hazard just proposed is a repeat (重复隐患) of ``earlier`` ones, or of those that come ``again`` (``repeats_of``).

    Where the pack says so it is proposed graver."""
    rule = facts.policy.repeats
    repeated = repeats_of(hazard, earlier, rule, again)
    if not repeated:
        return None
    case, details = case_of(hazard, PLATFORM, now, facts), {"repeat_of": repeated, "inspections": rule.inspections}
    grade = graver_by(facts.policy, hazard.grade) if rule.raises_grade else hazard.grade
    return _proposed_graver(case, Event.REPEATED, grade, details, rule.rule, repeat_of=repeated)


def _proposed_graver(
    case: Case, event: Event, grade: str, details: dict[str, object], rule: str, *, repeat_of: list[str] | None = None
) -> Decision:  # fmt: skip
    hazard, policy, facts = case.hazard, case.policy, case.facts
    due = due_at(grade_named(policy, grade).limit, hazard.opened_at, facts.time_zone, policy.calendar)
    details |= {"grade": grade, "proposed_grade": hazard.grade, "due_at": due, "due_basis": basis_of(policy.rule("provisional_clock"))}
    repeats = hazard.repeat_of if repeat_of is None else repeat_of
    return case.done(event, details, rule=rule, tells=("department",), grade=grade, proposed_grade=grade, due_at=due, repeat_of=repeats)


def case_of(hazard: Hazard, actor: Actor, now: int, facts: Facts) -> Case:
    """What ``actor`` wants of ``hazard`` at ``now``; a record never goes back in time."""
    return Case(hazard, actor, max(now, hazard.updated_at), facts)


def decide(hazard: Hazard, command: ask.HazardCommand, *, actor: Actor, now: int, facts: Facts) -> Decision:
    """What ``command`` of ``actor`` does at ``now``. Raises Conflict, NotByRule, NotForRole, BadInput; changes nothing.

    A refusal by the evidence gate is a decision too, with the event GATE_REFUSED: it belongs on the record."""
    _same_version(hazard, command.version)
    case = case_of(hazard, actor, now, facts)
    if (hindered := hindrance(case, ask.name_of(command))) is not None:
        raise hindered
    check_command(command)
    return EFFECTS[type(command)](case, command)


def _same_version(hazard: Hazard, version: int | None) -> None:
    if version is None or version == hazard.version:
        return
    if version > hazard.version:
        raise BadInput(f"version {version} does not exist yet, the newest is {hazard.version}", where="/version")
    raise Conflict(f"{hazard.last_actor} did {hazard.last_event} at version {hazard.version}, you looked at {version}", where="/version",
                   hint="look again, then repeat")  # fmt: skip
