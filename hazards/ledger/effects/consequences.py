"""What follows when it is not done in time: supervision, summons, referral; and the waiver of a penalty.

What must not go in: other commands.
"""

from hazards.errors import BadInput
from hazards.ledger import commands as ask
from hazards.ledger.decision import Case, Decision
from hazards.ledger.effects.publicity import lifted
from hazards.ledger.entries import AHEAD, entered, noted
from hazards.ledger.lifecycle import NONE, Event, Track
from hazards.ledger.own_rules import REFERRED_IN_TIME
from hazards.ledger.particulars import Listing, Referral, Summons, Waiver
from hazards.ledger.rulings import IncompleteByRule


def supervise(case: Case, command: ask.Supervise) -> Decision:
    """It is listed for supervision (挂牌督办)."""
    filed = case.hazard.track(Track.EXTENSION) == "filed"
    made = Listing(number=command.number, supervisor=command.supervisor, at=case.now, by=case.actor.id, note=command.note)
    return case.done(Event.SUPERVISED, entered(command), rule=None if filed else "supervision_when_overdue", tells=("enterprise",),
                     supervisions=[*case.hazard.supervisions, made])  # fmt: skip


def lift_supervision(case: Case, command: ask.LiftSupervision) -> Decision:
    """The supervision is lifted (摘牌)."""
    supervisions = lifted(case, case.hazard.supervisions)
    details = {"number": supervisions[-1].number} | noted(command.note)
    return case.done(Event.SUPERVISION_LIFTED, details, tells=("enterprise",), supervisions=supervisions)


def summon(case: Case, command: ask.Summon) -> Decision:
    """The summons was held (约谈); within its 3 days or not is on the record."""
    at = case.now if command.held_at is None else command.held_at
    if not case.hazard.clock_start <= at <= case.now + AHEAD:
        raise BadInput("a summons is put down when it was held, and that is after the limit began", where="/held_at")
    posts = [post.name for post in case.policy.posts if post.roles & case.policy.commands["summon"].roles]
    if command.post and command.post not in posts:
        raise BadInput(f"no summons is held by {command.post[:64]!r}", where="/post", hint=", ".join(posts))
    waiting = case.hazard.track(Track.SUMMONS) == "due" and bool(case.hazard.summons)
    due = case.hazard.summons[-1].due_at if waiting else None
    held = Summons(due_at=due, held_at=at, held_by=command.post or case.actor.role, with_whom=command.with_whom, place=command.place,
                   note=command.note, by=case.actor.id)  # fmt: skip
    earlier = case.hazard.summons[:-1] if waiting else case.hazard.summons
    details = {**entered(command), "held_at": at, "in_time": due is None or at <= due}
    return case.done(Event.SUMMONED, details, tells=("safety_office",), summons=[*earlier, held])


def refer(case: Case, command: ask.Refer) -> Decision:
    """It is referred (移送); the record is the evidence. The clause speaks of refusing: it is cited where the limit was missed."""
    missed = case.hazard.overdue(case.now) or case.hazard.track(Track.SUMMONS) != NONE
    made = Referral(to=command.to, number=command.number, reason=command.reason, at=case.now, by=case.actor.id)
    return case.done(Event.REFERRED, entered(command), rule=None if missed else REFERRED_IN_TIME, tells=("bureau", "safety_office"),
                     referral=made)  # fmt: skip


def waive_penalty(case: Case, command: ask.WaivePenalty) -> Decision:
    """The penalty is waived by an item of the lists; nothing else changes, the clock least of all."""
    if command.item not in {item.name for item in case.policy.waivers}:
        raise IncompleteByRule(f"no item {command.item[:64]!r} on the lists", case.policy.rule("waiver"), where="/item",
                               hint=", ".join(f"{i.name} {i.zh}" for i in case.policy.waivers))  # fmt: skip
    made = Waiver(item=command.item, reason=command.reason, at=case.now, by=case.actor.id)
    return case.done(Event.PENALTY_WAIVED, entered(command), waiver=made)
