"""From the claim to the closing, and back: claim, inspect, accept, refuse, close, reopen. The evidence gate stands before three of them.

What must not go in: what the gate says (``hazards/ledger/gate.py``), other commands.
"""

from typing import Any

import msgspec

from hazards.errors import BadInput
from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.entries import check_papers, entered, noted
from hazards.ledger.gate import Answer, Question, Verdict, judge
from hazards.ledger.hazard import Hazard
from hazards.ledger.lifecycle import Event, Track
from hazards.ledger.limits import due_at
from hazards.ledger.papers import PaperWhy
from hazards.ledger.papers import evidence_of as papers_of
from hazards.ledger.particulars import Claim, Inspection, Override, Paper
from hazards.ledger.policy import Rule, basis_of
from hazards.ledger.rulings import IncompleteByRule, NotByRule, NotForRole

_Gated = ask.Claim | ask.Accept | ask.Close


def claim(case: Case, command: ask.Claim) -> Decision:
    """It is said to be rectified. No clock stops."""
    check_papers(command.evidence, now=case.now)
    answer, refused = _asked(case, command, Question.CLAIM, command.evidence)
    if refused is not None:
        return refused
    made = Claim(number=case.hazard.version + 1, by=case.actor.id, at=case.now, note=command.note, evidence=command.evidence,
                 verdict=answer.verdict.value)  # fmt: skip
    details = {"note": command.note, "evidence": [msgspec.to_builtins(paper) for paper in command.evidence]}
    tells = ("park_command", "department") if case.hazard.enterprise is not None else ("bureau",)
    return _passed(case, command, Event.CLAIMED, details, answer, tells=tells, claim=made, alarms_since_claim=[])


def inspect(case: Case, command: ask.Inspect) -> Decision:
    """An inspection before the acceptance, with its experts and what it found; by a person of each post that it is for."""
    check_papers(command.evidence, now=case.now)
    _of_own_posts(case, command.posts)
    made = Inspection(number=case.hazard.version + 1, at=case.now, by=case.actor.id, posts=command.posts, experts=command.experts,
                      passed=command.passed, note=command.note, evidence=command.evidence)  # fmt: skip
    rule = case.grade.inspection.rule if case.grade.inspection is not None else None
    return case.done(Event.INSPECTED, entered(command) | {"passed": command.passed}, rule=rule,
                     inspections=[*case.hazard.inspections, made])  # fmt: skip


def _of_own_posts(case: Case, posts: list[str]) -> None:
    """Somebody inspects for posts that he holds, and of those that must inspect for one only: the others are other people's."""
    needed = case.grade.inspection
    rule = case.policy.rule(needed.rule) if needed is not None else case.policy.rule_of(Event.INSPECTED)
    known, held = [post.name for post in case.policy.posts], case.held(posts)
    for n, post in enumerate(posts):
        if post not in known:
            raise BadInput(f"no post {post[:64]!r}", where=f"/posts/{n}", hint=", ".join(known))
        if post not in held:
            raise NotForRole(f"the role {case.actor.role} does not inspect for {post}", rule, hint="a person of that post records it")
    for_post = {post for post in posts if needed is not None and post in needed.posts}
    if len(for_post) > 1:
        raise IncompleteByRule("one person inspects for one of the posts that must", rule, where="/posts", hint=", ".join(sorted(for_post)))
    before = {post for each in case.hazard.inspected if each.by == case.actor.id for post in each.posts}
    if needed is not None and for_post and (others := before & set(needed.posts) - for_post):
        raise NotForRole(f"{case.actor.id} has inspected for {', '.join(others)}; the other post's inspection is another person's", rule)


def accept(case: Case, command: ask.Accept) -> Decision:
    """The rectification is good: the clock of rectification stops."""
    answer, refused = _asked(case, command, Question.ACCEPT, _papers(case.hazard))
    if refused is not None:
        return refused
    return _passed(case, command, Event.ACCEPTED, noted(command.note), answer, tells=("enterprise",), accepted_by=case.actor.id,
                   accepted_at=case.now)  # fmt: skip


def refuse(case: Case, command: ask.Refuse) -> Decision:
    """Back to work; the clock goes on from where it began."""
    return case.done(Event.REFUSED, {"reason": command.reason}, tells=("enterprise",), accepted_by=None, accepted_at=None,
                     rectifying_since=case.now)  # fmt: skip


def close(case: Case, command: ask.Close) -> Decision:
    """Off the list."""
    answer, refused = _asked(case, command, Question.CLOSE, _papers(case.hazard))
    if refused is not None:
        return refused
    omitted = omissions(case)
    details = noted(command.note) | ({"omitted": [basis_of(rule) for rule in omitted]} if omitted else {})
    tells = ("enterprise", "bureau", "safety_office") if omitted else ("enterprise",)
    return _passed(case, command, Event.CLOSED, details, answer, tells=tells, closed_by=case.actor.id, closed_at=case.now)


def omissions(case: Case) -> list[Rule]:
    """Rules for a listed grade that nobody followed until its closing: it closes, and that is on the record."""
    done = (
        (case.policy.rule("listing"), case.hazard.track(Track.LISTING) == "lifted"),
        (case.policy.rule("publication"), case.hazard.track(Track.PUBLICATION) == "published"),
        (case.policy.rule("double_report"), case.hazard.track(Track.REPORT) == "to_both"),
    )
    return [rule for rule, kept in done if not kept] if case.grade.listed else []


def reopen(case: Case, command: ask.Reopen) -> Decision:
    """It came back: the same hazard, confirmed as it was, with a new limit; a plan has to be filed anew."""
    return reopened(case, entered(command), command.incident)


def reopened(case: Case, details: dict[str, Any], incident: str | None, *, rule: str | None = None) -> Decision:
    """Open again, by a person or an alarm (``hazards/ledger/alarms.py``). ``incident``: by which it was seen; ``rule``: as in ``done``."""
    due = due_at(case.grade.limit, case.now, case.facts.time_zone, case.policy.calendar)
    details = details | {"due_at": due, "due_basis": basis_of(case.policy.rule(case.grade.limit.rule))}
    known = {case.hazard.incident, *case.hazard.incidents}
    incidents = [*case.hazard.incidents, *([incident] if incident and incident not in known else [])]
    return case.done(Event.REOPENED, details, rule=rule, tells=("enterprise", "department"), reopened_at=case.now, due_at=due, plan=None,
                     claim=None, rectifying_since=None, closed_at=None, closed_by=None, accepted_at=None, accepted_by=None,
                     overdue_at=None, received_at=None, received_by=None, refuted_by=[], referral=None, incidents=incidents,
                     alarms_since_claim=[])  # fmt: skip


# --- the evidence gate ---


def gate_preview(case: Case) -> Answer | None:
    """What the gate would say to the next claim, acceptance or closing; None for a hazard that is over."""
    question = question_of(case.hazard)
    return None if question is None else _answer(case, question, _papers(case.hazard))


def question_of(hazard: Hazard) -> Question | None:
    """What the gate is asked next; None for a hazard that is over."""
    return _QUESTION_AT.get(hazard.state.value)


def since_of(hazard: Hazard, question: Question, now: int) -> int:
    """From when on alarms and readings count: the claim, or this moment when it is only now being claimed."""
    return now if question is Question.CLAIM or hazard.claim is None else hazard.claim.at


_QUESTION_AT = {
    "proposed": Question.CLAIM, "confirmed": Question.CLAIM, "planned": Question.CLAIM, "rectifying": Question.CLAIM,
    "claimed": Question.ACCEPT, "accepted": Question.CLOSE,
}  # fmt: skip


def _answer(case: Case, question: Question, papers: list[Paper]) -> Answer:
    since = since_of(case.hazard, question, case.now)
    kept = case.facts.kept([paper.sha256 for paper in papers if paper.sha256 is not None])
    said = papers_of(papers, began=case.hazard.rectification_start, kept=kept)
    return judge(question, case.facts.sight(since), since=since, now=case.now, papers=said, rule=case.policy.gate)


def _asked(case: Case, command: _Gated, question: Question, papers: list[Paper]) -> tuple[Answer, Decision | None]:
    """The gate's answer, and the refusal that follows from it unless somebody who may overrides it."""
    answer = _answer(case, question, papers)
    if answer.passes:
        return answer, None
    if command.override_reason.strip():
        right = case.policy.gate_override
        if case.actor.role not in right.roles:
            raise NotForRole(f"the role {case.actor.role} may not go on against the evidence", case.policy.rule(right.rule))
        return answer, None
    return answer, _refused(case, ask.name_of(command), answer)


def _refused(case: Case, name: str, answer: Answer) -> Decision:
    """On the record, once in a row, where devices speak or should have: where none can, papers are asked for."""
    rule, before = case.policy.rule(answer.rule), case.hazard
    if answer.verdict is Verdict.NOT_APPLICABLE:
        raise gate_refusal(answer, rule)
    if (before.last_event, before.last_actor, before.refuted_by) == (Event.GATE_REFUSED, case.actor.id, answer.against):
        raise gate_refusal(answer, rule, still="still ")
    return case.done(Event.GATE_REFUSED, {"command": name}, answer, rule=answer.rule, refuted_by=answer.against)


def gate_refusal(answer: Answer, rule: Rule, still: str = "") -> NotByRule:
    """The refusal by the gate as somebody hears it; where a claim's papers are missing it points at them, or at the first that is
    from before."""
    if answer.verdict is Verdict.REFUTED:
        return NotByRule(f"the evidence {still}speaks against it", rule, gate=answer)
    early = next((p for p in answer.papers if p.why is PaperWhy.TOO_EARLY), None)
    claimed = answer.question is Question.CLAIM
    what, where = "no device here can tell whether it is gone", "/evidence" if claimed else "/command"
    if early is not None:
        what, where = "evidence from before the rectification began does not show the state after it", early.where
    hint = "add evidence of the state after rectification, with time and place"
    return NotByRule(what, rule, gate=answer, where=where, hint=hint)


def _passed(
    case: Case, command: _Gated, event: Event, details: dict[str, Any], answer: Answer, *, tells: tuple[str, ...], **changes: Any
) -> Decision:  # fmt: skip
    if answer.passes:
        return case.done(event, details, answer, tells=tells, **changes)
    made = Override(question=answer.question.value, reason=command.override_reason, at=case.now, by=case.actor.id,
                    verdict=answer.verdict.value)  # fmt: skip
    basis = basis_of(case.policy.rule(case.policy.gate_override.rule))
    details = {**details, "override_reason": command.override_reason, "override_basis": basis}
    return case.done(event, details, answer, tells=(*tells, "safety_office"), overrides=[*case.hazard.overrides, made], **changes)


def _papers(hazard: Hazard) -> list[Paper]:
    return hazard.claim.evidence if hazard.claim is not None else []
