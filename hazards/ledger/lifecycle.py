"""The life of a hazard (隐患): which event moves which state where. The table ``NEXT`` is the whole of it; a missing pair is refused.

Pure data and one look-up: rules on who and when are in ``hazards/ledger/hazard.py`` and the policy pack. That a due date has passed is a
fact derived from the clock, not a state. The diagram in ``docs/hazard-states.md`` is made from this table.
What must not go in: roles, dates, SQL.
"""

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


class Event(StrEnum):
    """What happens to a hazard; each is one entry of its record."""

    PROPOSED = "proposed"
    GRADE_RAISED = "grade_raised"  # a rule proposes a graver grade than was proposed
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    MEASURE_TAKEN = "measure_taken"
    MEASURE_ENDED = "measure_ended"
    PLAN_FILED = "plan_filed"
    RECTIFICATION_STARTED = "rectification_started"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    GATE_REFUSED = "gate_refused"  # the evidence spoke against a claim, an acceptance or a closing (带病销号)
    CLOSED = "closed"
    COMMENTED = "commented"


P, C, L, R, M, A, Z, D = State
START: tuple[Event, State] = (Event.PROPOSED, P)
_MOVES: dict[tuple[State, Event], State] = {
    (P, Event.GRADE_RAISED): P, (P, Event.CONFIRMED): C, (P, Event.DISMISSED): D,
    (C, Event.PLAN_FILED): L, (C, Event.RECTIFICATION_STARTED): R,
    (L, Event.PLAN_FILED): L, (L, Event.RECTIFICATION_STARTED): R,
    (R, Event.PLAN_FILED): R, (R, Event.CLAIMED): M, (R, Event.GATE_REFUSED): R,
    (M, Event.ACCEPTED): A, (M, Event.REFUSED): R, (M, Event.GATE_REFUSED): M,
    (A, Event.CLOSED): Z, (A, Event.REFUSED): R, (A, Event.GATE_REFUSED): A,
}  # fmt: skip
FINAL = frozenset({Z, D})
"""States without a way out."""
OPEN = frozenset(State) - FINAL
RUNNING = OPEN - {A}
"""States in which the clock of rectification runs: a claim does not stop it, acceptance does."""
ANYWHERE = (Event.MEASURE_TAKEN, Event.MEASURE_ENDED, Event.COMMENTED)
"""Events that change no state. Measures are possible from the first minute; they can end, and people can comment, also afterwards."""

NEXT: dict[tuple[State, Event], State] = _MOVES | {
    (state, event): state for state in State for event in ANYWHERE if state in OPEN or event is not Event.MEASURE_TAKEN
}


def next_state(state: State, event: Event) -> State | None:
    """The state after ``event``; None for a pair that the table does not have."""
    return NEXT.get((state, event))
