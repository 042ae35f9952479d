"""The life of a hazard (隐患) as tables: which event moves which state where. A missing pair is refused.

A hazard stands in one ``State`` of the main table, and at one place of each side table (``Track``): listing, extension, summons and
the like run beside the rectification. An event may happen when every table that knows it has a row for where the hazard stands, and
then moves it in all of them. ``COMMANDS`` says which events a person's command can make. The diagrams in
``docs/hazard-states.md`` are made from these tables. That a due date has passed is a fact of the clock and not a state.
What must not go in: roles, dates, SQL; rules on who and when (``hazards/ledger/decisions.py``, the policy pack).
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a hazard stands."""

    PROPOSED = "proposed"  # 拟定: a person or a rule says there is one
    CONFIRMED = "confirmed"  # 已确认: a person confirmed it and its grade
    PLANNED = "planned"  # 方案已备: the plan with the five commitments is filed
    RECTIFYING = "rectifying"  # 整改中
    CLAIMED = "claimed"  # 待验收: said to be rectified
    ACCEPTED = "accepted"  # 已验收: waits to be taken off the list
    CLOSED = "closed"  # 已销号
    DISMISSED = "dismissed"  # 已排除: it was none
    MERGED = "merged"  # 已并案: the same as another one, which goes on


class Event(StrEnum):
    """What happens to a hazard; each is one entry of its record."""

    PROPOSED = "proposed"
    GRADE_RAISED = "grade_raised"  # a rule proposes a graver grade than was proposed
    REPEATED = "repeated"  # 重复隐患: the same kind at the same enterprise again
    CONFIRMED = "confirmed"
    REGRADED = "regraded"  # 重新定级
    DISMISSED = "dismissed"
    RECEIVED = "received"  # 签收: the responsible party has it
    MEASURE_TAKEN = "measure_taken"
    MEASURE_ENDED = "measure_ended"
    REPORTED_TO_DEPARTMENT = "reported_to_department"  # 双报告: to the department
    REPORTED_TO_CONGRESS = "reported_to_congress"  # 双报告: to the staff congress (职代会)
    PUBLISHED = "published"  # 公示
    LISTED = "listed"  # 挂牌整改
    LISTING_LIFTED = "listing_lifted"  # 摘牌
    PLAN_FILED = "plan_filed"
    PLAN_APPROVED = "plan_approved"
    PLAN_RETURNED = "plan_returned"
    RECTIFICATION_STARTED = "rectification_started"
    EXTENSION_REQUESTED = "extension_requested"  # 申请延期
    EXTENSION_SIGNED = "extension_signed"  # one of several signatures; the others are still missing
    EXTENSION_GRANTED = "extension_granted"  # the last signature: the due date moves
    EXTENSION_REFUSED = "extension_refused"
    EXTENSION_FILED = "extension_filed"  # 备案 with the emergency bureau
    SUPERVISED = "supervised"  # 挂牌督办
    SUPERVISION_LIFTED = "supervision_lifted"  # 摘牌 of the supervision
    CLOCK_POINT = "clock_point"  # a clock reached a point at which people are told
    OVERDUE = "overdue"  # the due date of rectification has passed
    SUMMONS_DUE = "summons_due"  # 应约谈
    SUMMONED = "summoned"  # 已约谈
    REFERRED = "referred"  # 移送
    PENALTY_WAIVED = "penalty_waived"  # 免罚; the rectification is never waived
    CLAIMED = "claimed"
    ALARM_SINCE_CLAIM = "alarm_since_claim"  # 申请验收后又报警: an alarm of its kind while it waits for acceptance or closing
    INSPECTED = "inspected"  # 验收检查, with experts
    GATE_REFUSED = "gate_refused"  # the evidence spoke against a claim, an acceptance or a closing (带病销号)
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CLOSED = "closed"
    REOPENED = "reopened"  # it came back
    TRANSFERRED = "transferred"  # 移交 to another supervising body
    MERGED = "merged"  # 并案 into another one
    DUPLICATE_TAKEN = "duplicate_taken"  # another one was merged into this one
    COMMENTED = "commented"


class Track(StrEnum):
    """What runs beside the rectification."""

    RECEIPT = "receipt"  # 签收
    PLAN = "plan"  # 方案审批
    REPORT = "report"  # 双报告
    PUBLICATION = "publication"  # 公示
    LISTING = "listing"  # 挂牌整改
    EXTENSION = "extension"  # 延期
    SUPERVISION = "supervision"  # 挂牌督办
    SUMMONS = "summons"  # 约谈
    REFERRAL = "referral"  # 移送
    PENALTY = "penalty"  # 免罚


P, C, L, R, M, A, Z, D, G = State
START: tuple[Event, State] = (Event.PROPOSED, P)
FINAL = frozenset({D, G})
"""States without a way out."""
OVER = FINAL | {Z}
OPEN = frozenset(State) - OVER
RUNNING = OPEN - {A}
"""States in which the clock of rectification runs: a claim does not stop it, acceptance does."""
WAITING = frozenset({M, A})
"""Said to be rectified, and not closed."""
RECTIFIABLE = RUNNING - {P}
"""Confirmed and not accepted."""

_MOVES: dict[tuple[State, Event], State] = {
    (P, Event.GRADE_RAISED): P, (P, Event.CONFIRMED): C, (P, Event.DISMISSED): D,
    (C, Event.PLAN_FILED): L, (C, Event.RECTIFICATION_STARTED): R,
    (L, Event.PLAN_FILED): L, (L, Event.PLAN_RETURNED): C, (L, Event.RECTIFICATION_STARTED): R,
    (R, Event.PLAN_FILED): R, (R, Event.PLAN_RETURNED): R, (R, Event.CLAIMED): M, (R, Event.GATE_REFUSED): R,
    (M, Event.INSPECTED): M, (M, Event.ACCEPTED): A, (M, Event.REFUSED): R, (M, Event.GATE_REFUSED): M,
    (A, Event.CLOSED): Z, (A, Event.REFUSED): R, (A, Event.GATE_REFUSED): A,
    (Z, Event.REOPENED): C,
}  # fmt: skip

_WHILE: dict[Event, frozenset[State]] = {
    Event.REPEATED: OPEN, Event.REGRADED: RECTIFIABLE, Event.RECEIVED: RUNNING - {P}, Event.MEASURE_TAKEN: OPEN,
    Event.MEASURE_ENDED: frozenset(State), Event.REPORTED_TO_DEPARTMENT: OPEN, Event.REPORTED_TO_CONGRESS: OPEN,
    Event.PUBLISHED: OPEN - {P}, Event.LISTED: RECTIFIABLE, Event.LISTING_LIFTED: (OPEN - {P}) | {Z, G},
    Event.PLAN_APPROVED: frozenset({L, R}),
    Event.EXTENSION_REQUESTED: RECTIFIABLE, Event.EXTENSION_SIGNED: RECTIFIABLE, Event.EXTENSION_GRANTED: RECTIFIABLE,
    Event.EXTENSION_REFUSED: RECTIFIABLE, Event.EXTENSION_FILED: RECTIFIABLE, Event.SUPERVISED: RECTIFIABLE,
    Event.SUPERVISION_LIFTED: frozenset({A, Z, G}), Event.CLOCK_POINT: OPEN, Event.OVERDUE: RUNNING, Event.SUMMONS_DUE: RECTIFIABLE,
    Event.SUMMONED: OPEN - {P}, Event.REFERRED: (OPEN - {P}) | {Z}, Event.PENALTY_WAIVED: (OPEN - {P}) | {Z}, Event.TRANSFERRED: OPEN,
    Event.ALARM_SINCE_CLAIM: WAITING, Event.MERGED: RUNNING, Event.DUPLICATE_TAKEN: RUNNING, Event.COMMENTED: frozenset(State),
}  # fmt: skip
"""Events that leave the main state as it is (but MERGED), and the states in which they may happen.

Measures are possible from the first minute; they can end, and people can comment, also afterwards."""

NEXT: dict[tuple[State, Event], State] = _MOVES | {
    (state, event): G if event is Event.MERGED else state for event, states in _WHILE.items() for state in State if state in states
}

NONE = "none"
"""Where every track begins."""
_TRACKS: dict[Track, dict[tuple[str, Event], str]] = {
    Track.RECEIPT: {(NONE, Event.RECEIVED): "received"},
    Track.PLAN: {
        **{(at, Event.PLAN_FILED): "filed" for at in (NONE, "filed", "returned", "approved")},
        ("filed", Event.PLAN_APPROVED): "approved", ("filed", Event.PLAN_RETURNED): "returned",
    },
    Track.REPORT: {
        (NONE, Event.REPORTED_TO_DEPARTMENT): "to_department", (NONE, Event.REPORTED_TO_CONGRESS): "to_congress",
        ("to_congress", Event.REPORTED_TO_DEPARTMENT): "to_both", ("to_department", Event.REPORTED_TO_CONGRESS): "to_both",
    },
    Track.PUBLICATION: {(at, Event.PUBLISHED): "published" for at in (NONE, "published")},
    Track.LISTING: {(NONE, Event.LISTED): "listed", ("listed", Event.LISTING_LIFTED): "lifted", ("lifted", Event.LISTED): "listed"},
    Track.EXTENSION: {
        **{(at, Event.EXTENSION_REQUESTED): "requested" for at in (NONE, "refused", "granted", "filed")},
        ("requested", Event.EXTENSION_SIGNED): "requested", ("requested", Event.EXTENSION_GRANTED): "granted",
        ("requested", Event.EXTENSION_REFUSED): "refused", ("granted", Event.EXTENSION_FILED): "filed",
    },
    Track.SUPERVISION: {
        (NONE, Event.SUPERVISED): "supervised", ("supervised", Event.SUPERVISION_LIFTED): "lifted",
        ("lifted", Event.SUPERVISED): "supervised",
    },
    Track.SUMMONS: {
        **{(at, Event.SUMMONS_DUE): "due" for at in (NONE, "held", "due")},  # a second due date that was missed is a second summons
        ("due", Event.SUMMONED): "held", (NONE, Event.SUMMONED): "held",
    },
    Track.REFERRAL: {(NONE, Event.REFERRED): "referred"},
    Track.PENALTY: {(NONE, Event.PENALTY_WAIVED): "waived"},
}  # fmt: skip
FOR_GOOD = frozenset({Track.PENALTY})
"""Tracks that a reopened hazard keeps; all others begin anew with it."""
TRACKS = {
    track: table if track in FOR_GOOD else table | {(at, Event.REOPENED): NONE for at in (NONE, *dict.fromkeys(table.values()))}
    for track, table in _TRACKS.items()
}
"""The side tables."""

COMMANDS: dict[str, tuple[Event, ...]] = {
    "confirm": (Event.CONFIRMED,),
    "regrade": (Event.REGRADED,),
    "dismiss": (Event.DISMISSED,),
    "receive": (Event.RECEIVED,),
    "measure": (Event.MEASURE_TAKEN,),
    "end_measure": (Event.MEASURE_ENDED,),
    "report": (Event.REPORTED_TO_DEPARTMENT, Event.REPORTED_TO_CONGRESS),
    "publish": (Event.PUBLISHED,),
    "list": (Event.LISTED,),
    "lift_listing": (Event.LISTING_LIFTED,),
    "plan": (Event.PLAN_FILED,),
    "approve_plan": (Event.PLAN_APPROVED,),
    "return_plan": (Event.PLAN_RETURNED,),
    "start_rectification": (Event.RECTIFICATION_STARTED,),
    "request_extension": (Event.EXTENSION_REQUESTED,),
    "sign_extension": (Event.EXTENSION_SIGNED, Event.EXTENSION_GRANTED),
    "refuse_extension": (Event.EXTENSION_REFUSED,),
    "file_extension": (Event.EXTENSION_FILED,),
    "supervise": (Event.SUPERVISED,),
    "lift_supervision": (Event.SUPERVISION_LIFTED,),
    "summon": (Event.SUMMONED,),
    "refer": (Event.REFERRED,),
    "waive_penalty": (Event.PENALTY_WAIVED,),
    "claim": (Event.CLAIMED, Event.GATE_REFUSED),
    "inspect": (Event.INSPECTED,),
    "accept": (Event.ACCEPTED, Event.GATE_REFUSED),
    "refuse": (Event.REFUSED,),
    "close": (Event.CLOSED, Event.GATE_REFUSED),
    "reopen": (Event.REOPENED,),
    "transfer": (Event.TRANSFERRED,),
    "merge": (Event.MERGED,),
    "comment": (Event.COMMENTED,),
}
"""Every command on a hazard that is there, and the events it can make: the first unless its docstring says when another one."""
OF_THE_PLATFORM = frozenset(
    {Event.PROPOSED, Event.GRADE_RAISED, Event.REPEATED, Event.ALARM_SINCE_CLAIM, Event.CLOCK_POINT, Event.OVERDUE, Event.SUMMONS_DUE,
     Event.DUPLICATE_TAKEN}
)  # fmt: skip
"""Events that no command on this hazard makes: its beginning, what rules, alarms and clocks do, what a command on another hazard does.

An alarm can also reopen one that was closed (REOPENED), as a person's command does."""


_TRACKS_OF = {event: tuple(t for t, table in TRACKS.items() if any(known is event for _, known in table)) for event in Event}


def next_state(state: State, event: Event) -> State | None:
    """The state after ``event``; None for a pair that the main table does not have."""
    return NEXT.get((state, event))


def next_tracks(tracks: Mapping[str, str], event: Event) -> dict[str, str] | Track:
    """The tracks after ``event``, those at NONE left out; or the track that does not allow it."""
    after = dict(tracks)
    for track in _TRACKS_OF[event]:
        moved = TRACKS[track].get((tracks.get(track.value, NONE), event))
        if moved is not None:
            after[track.value] = moved
        else:
            return track
    return {track: at for track, at in after.items() if at != NONE}
