"""When a command is refused before its effect: a row of conditions a command, each answering with the rule that hinders it, or None.

The same conditions tell people beforehand what they may do and why not. What must not go in: effects, checks of what was entered.
"""

from collections.abc import Callable

from msgspec import structs

from hazards.ledger.commands import SIGNATURES
from hazards.ledger.decision import NEXT_STEP, Case, not_in_tables
from hazards.ledger.hazard import Actor
from hazards.ledger.lifecycle import COMMANDS, OPEN, Event, State, Track, next_state, next_tracks
from hazards.ledger.own_rules import MEASURES_ENDED, SIGNED_BY_PERSON
from hazards.ledger.policy import Rule
from hazards.ledger.rulings import NotByRule, NotForRole

Hindrance = NotByRule | NotForRole
Condition = Callable[[Case, str], Hindrance | None]

SIGNATURE_FRESH = 5 * 60 * 1_000_000
"""How long ago a person who signs may have proved again who it is, µs (platform default)."""


def hindrance(case: Case, command: str) -> Hindrance | None:
    """Why the case's actor can't give ``command`` now, or None."""
    for condition in (_right, *_FIRST.get(command, ()), _in_tables, *_CONDITIONS.get(command, ())):
        if (found := condition(case, command)) is not None:
            return found
    return None


def open_to(case: Case, command: str) -> list[str]:
    """The roles of which a person, having proved again who it is, could give ``command`` now: whose turn it is. The administrator,
    who stands in for others, is left out."""
    if _in_tables(case, command) is not None:
        return []
    roles = case.policy.commands[command].roles - {"administrator"}
    people = {role: structs.replace(case, actor=Actor("", role, confirmed_at=case.now)) for role in sorted(roles)}
    return [role for role, asking in people.items() if hindrance(asking, command) is None]


# --- who ---


def _right(case: Case, command: str) -> Hindrance | None:
    right = case.policy.commands[command]
    if case.actor.role in right.roles:
        return None
    return NotForRole(f"the role {case.actor.role} may not {_words(command)}", case.policy.rule(right.rule))


def _person(case: Case, command: str) -> Hindrance | None:
    if case.actor.is_person:
        return None
    return NotForRole("a signature is given by a person, not with a token", SIGNED_BY_PERSON, hint="sign in and sign there")


def _responsible(case: Case, command: str) -> Hindrance | None:
    policy, own = case.policy, case.hazard.enterprise is not None
    if case.actor.role in (policy.responsible if own else policy.responsible_without_enterprise):
        return None
    return NotForRole(f"the role {case.actor.role} does not rectify here", policy.rule("responsible_party"))


def _accepting(case: Case, command: str) -> Hindrance | None:
    if case.actor.role in case.grade.accepted_by:
        return None
    what = f"the role {case.actor.role} may not {_words(command)} a hazard of grade {case.grade.name}"
    return NotForRole(what, case.policy.rule(case.grade.accepted_by_rule))


def _another_person(case: Case, command: str) -> Hindrance | None:
    claim = case.hazard.claim
    if claim is None or claim.by != case.actor.id:
        return None
    return NotForRole(f"{case.actor.id} claimed the rectification and can't {_words(command)} it", case.policy.rule("second_person"))


def _in_person(case: Case, command: str) -> Hindrance | None:
    actor, rule = case.actor, case.policy.rule("signature")
    if actor.confirmed_at is None or case.now - actor.confirmed_at > SIGNATURE_FRESH:
        return NotForRole("a signature needs your password again", rule, hint="POST /api/v1/session/confirm, then sign within 5 minutes")
    return None


def _rule_of_signing(case: Case) -> Rule:
    return case.policy.rule(case.policy.extension.rule if case.facts.in_park else case.policy.extension.outside_rule)


def _signs(case: Case, command: str) -> Hindrance | None:
    """Somebody whose post is to sign, whether or not it has."""
    if case.held(case.signing_posts()):
        return None
    return NotForRole(f"the role {case.actor.role} signs no extension here", _rule_of_signing(case))


def _free_post(case: Case, command: str) -> Hindrance | None:
    """A post of the actor's that has not signed, and an actor who has not signed for another one."""
    request = case.hazard.extensions[-1] if case.hazard.extensions else None
    signed = request.signatures if request is not None else []
    held = case.held(case.signing_posts())
    if any(s.by == case.actor.id for s in signed):
        return NotForRole(f"{case.actor.id} has signed already; the other signature is another person's", case.policy.rule("signature"))
    if not set(held) - {s.post for s in signed}:
        return NotByRule(f"the signature of {', '.join(held)} is there already", _rule_of_signing(case))
    return None


# --- whether at all ---


def _in_tables(case: Case, command: str) -> Hindrance | None:
    hazard, wanted = case.hazard, [event for event in COMMANDS[command] if event is not Event.GATE_REFUSED]
    for event in wanted:
        if next_state(hazard.state, event) is not None and not isinstance(next_tracks(hazard.tracks, event), Track):
            return None
    return not_in_tables(hazard, wanted[0], case.policy, _words(command))


def _confirmed(case: Case, command: str) -> Hindrance | None:
    if case.hazard.state is not State.PROPOSED:
        return None
    return NotByRule(f"a hazard that is proposed takes no {_words(command)}", case.policy.rule("provisional_clock"),
                     hint=NEXT_STEP[State.PROPOSED])  # fmt: skip


def _of_a_listed_grade(case: Case, command: str) -> Hindrance | None:
    if case.grade.listed:
        return None
    what = f"a hazard of grade {case.grade.name} takes no {_words(command)}"
    return NotByRule(what, case.policy.rule(case.policy.commands[command].rule))


def _plan_approved(case: Case, command: str) -> Hindrance | None:
    if not case.grade.needs_plan or case.hazard.track(Track.PLAN) == "approved":
        return None
    hint = "file the plan; immediate measures are possible now" if case.hazard.plan is None else "it waits for its approval"
    rule = "plan_before_rectification" if case.hazard.plan is None else "plan_approval"
    return NotByRule(f"rectification of a {case.grade.name} hazard waits for its plan", case.policy.rule(rule), hint=hint)


def _extendable(case: Case, command: str) -> Hindrance | None:
    extension = case.policy.extension
    granted = len(case.hazard.granted)
    if not case.grade.extendable or not extension.posts:
        return NotByRule(f"the limit of a {case.grade.name} hazard is not extended", case.policy.rule(extension.rule))
    if granted >= extension.most_times:
        return NotByRule(f"it was extended {granted} times, which is the most", case.policy.rule(extension.cap_rule))
    return None


def _in_time(case: Case, command: str) -> Hindrance | None:
    if not case.hazard.overdue(case.now):
        return None
    return NotByRule("the due date has passed; it can't be moved any more", case.policy.rule("extension_in_time"))


def _filed_or_overdue(case: Case, command: str) -> Hindrance | None:
    if case.hazard.track(Track.EXTENSION) == "filed" or case.hazard.overdue(case.now):
        return None
    return NotByRule("listed for supervision is what was extended and filed, or is overdue", case.policy.rule("supervision"),
                     hint="file the granted extension first")  # fmt: skip


def _overdue(case: Case, command: str) -> Hindrance | None:
    if not case.grade.extendable:
        return NotByRule(f"nobody is summoned for a {case.grade.name} hazard", case.policy.rule("summons_scope"))
    if case.hazard.track(Track.SUMMONS) == "due" or case.hazard.overdue(case.now):
        return None
    return NotByRule("it is not overdue", case.policy.rule("summons"))


def _accepted_or_regraded(case: Case, command: str) -> Hindrance | None:
    if case.hazard.state not in OPEN or case.hazard.state is State.ACCEPTED or not case.grade.listed:
        return None
    return NotByRule("it is lifted when the rectification is accepted", case.policy.rule("lifted_before_closing"))


def _inspected(case: Case, command: str) -> Hindrance | None:
    needed = case.grade.inspection
    if needed is None or case.hazard.claim is None:
        return None
    newest = {post: each for each in case.hazard.inspected for post in each.posts}
    passed = {post: newest[post] for post in needed.posts if post in newest and newest[post].passed}
    people, experts = {each.by for each in passed.values()}, {name for each in passed.values() for name in each.experts}
    if len(people) == len(needed.posts) and len(experts) >= needed.experts:
        return None
    missing = [post for post in needed.posts if post not in passed] or needed.posts
    what = f"an inspection that passed is missing: {', '.join(missing)} with {needed.experts} expert(s)"
    return NotByRule(what, case.policy.rule(needed.rule), hint="a person of each post records it with `inspect`")


def _lifted(case: Case, command: str) -> Hindrance | None:
    standing = [t.value for t, at in ((Track.LISTING, "listed"), (Track.SUPERVISION, "supervised")) if case.hazard.track(t) == at]
    if not standing:
        return None
    return NotByRule(f"it still stands on the list ({', '.join(standing)})", case.policy.rule("lifted_before_closing"),
                     hint="lift the listing first")  # fmt: skip


def _no_measure_in_force(case: Case, command: str) -> Hindrance | None:
    standing = [f"{m.number} ({_words(m.kind)})" for m in case.hazard.measures if m.ended_at is None]
    if not standing:
        return None
    what = f"its measures {', '.join(standing)} are in force"
    if command == "merge":
        hint = "put them down at the other hazard, and end them here"
        return NotByRule(what, case.policy.rule("duplicates"), hint=hint)
    return NotByRule(what, MEASURES_ENDED, hint="end each of them first with `end_measure` and its number")


def _words(command: str) -> str:
    return command.replace("_", " ")


_FIRST: dict[str, tuple[Condition, ...]] = {
    **dict.fromkeys(SIGNATURES, (_person,)),
    **dict.fromkeys(("plan", "start_rectification", "claim", "request_extension", "receive"), (_responsible,)),
    **dict.fromkeys(("accept", "refuse", "close", "inspect"), (_accepting,)),
    **dict.fromkeys(("publish", "list", "refer", "supervise"), (_confirmed,)),
}
"""Who may is said before whether it is possible."""
_CONDITIONS: dict[str, tuple[Condition, ...]] = {
    "start_rectification": (_plan_approved,),
    "publish": (_of_a_listed_grade,),
    "list": (_of_a_listed_grade,),
    "lift_listing": (_accepted_or_regraded,),
    "refer": (_of_a_listed_grade,),
    "request_extension": (_extendable, _in_time),
    "sign_extension": (_signs, _free_post, _extendable, _in_time, _in_person),
    "refuse_extension": (_signs,),
    "supervise": (_filed_or_overdue,),
    "summon": (_overdue,),
    "claim": (_plan_approved,),
    "inspect": (_another_person,),
    "accept": (_another_person, _plan_approved, _inspected),
    "close": (_another_person, _lifted, _no_measure_in_force),
    "merge": (_no_measure_in_force,),
}
"""What else must hold for a command, after its role and the tables."""
