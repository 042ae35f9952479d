"""Extension (延期): requested for an objective cause, signed by every post that must, filed. Only the last signature moves the due date.

What must not go in: other commands; who may and until when (``hazards/ledger/conditions.py``).
"""

from typing import Any

from msgspec import structs

from hazards.errors import BadInput
from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.entries import entered, noted
from hazards.ledger.lifecycle import Event
from hazards.ledger.limits import later_by
from hazards.ledger.particulars import Extension, Signature
from hazards.ledger.rulings import IncompleteByRule, NotForRole


def request(case: Case, command: ask.RequestExtension) -> Decision:
    """More days are asked for; no clock stops."""
    rule, posts = case.policy.extension, case.signing_posts()
    if command.cause not in {cause.name for cause in rule.causes}:
        raise IncompleteByRule(f"no objective cause {command.cause[:64]!r}", case.policy.rule(rule.cause_rule), where="/cause",
                               hint=", ".join(f"{c.name} {c.zh}" for c in rule.causes))  # fmt: skip
    if command.days > rule.most_days:
        raise IncompleteByRule(f"at most {rule.most_days} days each time", case.policy.rule(rule.cap_rule), where="/days")
    made = Extension(number=case.hazard.version + 1, days=command.days, cause=command.cause, reason=command.reason, by=case.actor.id,
                     at=case.now)  # fmt: skip
    details = {**entered(command), "posts": list(posts)}
    return case.done(Event.EXTENSION_REQUESTED, details, tells=posts, extensions=[*case.hazard.extensions, made])


def sign(case: Case, command: ask.SignExtension) -> Decision:
    """One signature; with the last one that was missing the due date moves."""
    now, actor, open_request = case.now, case.actor, case.hazard.extensions[-1]
    signature = Signature(post=_post(case, command.post), by=actor.id, name=actor.name, role=actor.role, at=now)
    signed = structs.replace(open_request, signatures=[*open_request.signatures, signature])
    missing = [post for post in case.signing_posts() if post not in {s.post for s in signed.signatures}]
    details: dict[str, Any] = {"post": signature.post, "name": signature.name, "days": signed.days, "missing": missing}
    details |= noted(command.note)
    if missing or case.hazard.due_at is None:
        return _changed(case, Event.EXTENSION_SIGNED, details, signed, tells=tuple(missing))
    counting = case.grade.limit.counting
    due = later_by(case.hazard.due_at, signed.days, counting, case.facts.time_zone, case.policy.calendar)
    details |= {"due_before": case.hazard.due_at, "due_at": due}
    granted = structs.replace(signed, granted_at=now, due_before=case.hazard.due_at)
    return _changed(case, Event.EXTENSION_GRANTED, details, granted, tells=("enterprise", "bureau"), due_at=due)


def refuse(case: Case, command: ask.RefuseExtension) -> Decision:
    """No more days; the due date stands."""
    refused = structs.replace(case.hazard.extensions[-1], refused_at=case.now, refused_by=case.actor.id, refused_for=command.reason)
    return _changed(case, Event.EXTENSION_REFUSED, {"reason": command.reason}, refused, tells=("enterprise",))


def file(case: Case, command: ask.FileExtension) -> Decision:
    """Filed with the emergency bureau (备案)."""
    filed = structs.replace(case.hazard.extensions[-1], filed_at=case.now, filed_by=case.actor.id, filing=command.number)
    return _changed(case, Event.EXTENSION_FILED, entered(command), filed, tells=("bureau",))


def _changed(
    case: Case, event: Event, details: dict[str, Any], extension: Extension, *, tells: tuple[str, ...], **changes: Any
) -> Decision:  # fmt: skip
    rule = None if case.facts.in_park or event is Event.EXTENSION_FILED else case.policy.extension.outside_rule
    extensions = [*case.hazard.extensions[:-1], extension]
    return case.done(event, {"extension": extension.number, **details}, rule=rule, tells=tells, extensions=extensions, **changes)


def _post(case: Case, wanted: str) -> str:
    """The post that is signed for: of the actor's role, and without a signature."""
    signed = {s.post for s in case.hazard.extensions[-1].signatures}
    posts = [post for post in case.signing_posts() if post not in signed]
    held = case.held(posts)
    if wanted and wanted not in posts:
        raise BadInput(f"no signature of {wanted[:64]!r} is missing", where="/post", hint=", ".join(posts))
    if wanted and wanted not in held:
        raise NotForRole(f"the role {case.actor.role} does not sign for {wanted}", case.policy.rule(case.policy.extension.rule))
    if not wanted and len(held) > 1:
        raise BadInput("say for which post", where="/post", hint=", ".join(held))
    return wanted or held[0]
