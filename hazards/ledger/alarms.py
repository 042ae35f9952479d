"""What an alarm does to hazards (隐患) said to be rectified: it marks those that wait, and brings back those that were closed. Pure.

Never by the word of one camera alone is a closed hazard brought back; never is there a second hazard for one cause: who calls this looks
for an open one first. What must not go in: finding hazards, proposals (``hazards/ledger/proposals.py``), the evidence gate.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hazards.correlation import Modality
from hazards.kinds import kind_of
from hazards.ledger.decision import Case, Decision, Facts
from hazards.ledger.decisions import case_of
from hazards.ledger.effects.acceptance import reopened
from hazards.ledger.hazard import PLATFORM, Hazard
from hazards.ledger.kinds import hazard_kind
from hazards.ledger.lifecycle import Event, State, next_state
from hazards.ledger.limits import DAY, HOUR
from hazards.ledger.particulars import AlarmSince
from hazards.ledger.policy import Policy
from hazards.messages import Certainty

MOST_KEPT = 20
"""Alarms since the claim that a hazard keeps, the newest; the record has them all."""


class Heard(Struct, frozen=True, kw_only=True):
    """An alarm that has begun to call somebody, and how its incident stands by now. ``at``: UTC µs; ``modality`` of its device."""

    incident: str
    device: str
    kind: str
    at: int
    severity: int
    certainty: str
    modality: Modality
    synthetic: bool = False

    @property
    def borne_out(self) -> bool:
        """Whether it is more than the word of one camera: a sensor's or a person's, or other sources agree."""
        return self.certainty != Certainty.POSSIBLE or self.modality in (Modality.SENSOR, Modality.PERSON)


def speaks_of(heard: Heard, hazard: Hazard, policy: Policy) -> bool:
    """Whether the alarm is one of the hazard's kind; a drill's speaks of a drill's hazards only."""
    return heard.synthetic == hazard.synthetic and hazard_kind(hazard.kind, policy.kinds).speaks(heard.kind)


def mark_claimed(hazard: Hazard, heard: Heard, *, now: int, facts: Facts) -> Decision | None:
    """That an alarm came since the claim, once an incident; None for one that says nothing against this claim."""
    claim = hazard.claim
    if claim is None or heard.at < claim.at or next_state(hazard.state, Event.ALARM_SINCE_CLAIM) is None:
        return None
    if not speaks_of(heard, hazard, facts.policy) or any(a.incident == heard.incident for a in hazard.alarms_since_claim):
        return None
    case = case_of(hazard, PLATFORM, now, facts)
    made = AlarmSince(incident=heard.incident, device=heard.device, kind=heard.kind, at=heard.at)
    return case.done(Event.ALARM_SINCE_CLAIM, particulars(heard) | {"claimed_at": claim.at}, tells=accepting_posts(case),
                     alarms_since_claim=[*hazard.alarms_since_claim, made][-MOST_KEPT:])  # fmt: skip


def accepting_posts(case: Case) -> tuple[str, ...]:
    """Who accepts a hazard of this grade, by the pack, and whoever inspects before that."""
    inspecting = case.grade.inspection.posts if case.grade.inspection is not None else ()
    accepting = [post.name for post in case.policy.posts if post.roles & case.grade.accepted_by]
    return tuple(dict.fromkeys((*inspecting, *accepting)))


def reopen(hazard: Hazard, heard: Sequence[Heard], *, now: int, facts: Facts) -> Decision | None:
    """Back by the first of ``heard`` that is enough for it; None where none is, or it comes too late after the closing.

    What a person closed against the evidence, with a reason, is not opened by the same evidence."""
    rule = facts.policy.recurrence
    if not rule.hours or hazard.state is not State.CLOSED or hazard.closed_at is None or _overridden(hazard):
        return None
    since = hazard.claim.at if hazard.claim is not None else hazard.closed_at
    until = hazard.closed_at + rule.hours * HOUR
    for each in heard:
        if each.borne_out and since < each.at <= until and speaks_of(each, hazard, facts.policy):
            details = particulars(each) | {"closed_at": hazard.closed_at, "reason": _reason(each)}
            return reopened(case_of(hazard, PLATFORM, now, facts), details, each.incident, rule=rule.rule)
    return None


def repeats_by_alarm(closed: Hazard, heard: Sequence[Heard], *, facts: Facts) -> Heard | None:
    """Which of ``heard`` proposes a repeat of ``closed``, whose closing is too long ago to be opened again; None: none."""
    rule = facts.policy.recurrence
    if not rule.hours or closed.state is not State.CLOSED or closed.closed_at is None:
        return None
    until = closed.closed_at + facts.policy.repeats.days * DAY
    return next((each for each in heard if each.borne_out and each.severity <= rule.severity and closed.closed_at < each.at <= until
                 and speaks_of(each, closed, facts.policy)), None)  # fmt: skip


def particulars(heard: Heard) -> dict[str, Any]:
    """What the record keeps of an alarm."""
    return {"incident": heard.incident, "device": heard.device, "alarm": heard.kind, "at": heard.at, "severity": heard.severity,
            "certainty": heard.certainty}  # fmt: skip


def _overridden(hazard: Hazard) -> bool:
    """Whether somebody went on against the evidence since the claim."""
    since = hazard.claim.at if hazard.claim is not None else hazard.closed_at or 0
    return any(override.at >= since for override in hazard.overrides)


def _reason(heard: Heard) -> str:
    return f"销号后再次报警：{heard.device} {kind_of(heard.kind).chinese}"
