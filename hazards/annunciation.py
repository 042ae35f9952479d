"""How an alarm stands towards people: the states of ISA-18.2 and IEC 62682 as one table. A missing pair is refused. Pure.

Whether its condition holds is in ``hazards/alarm_state.py``; this says whether somebody is called, has answered, or is spared it, and by
what. What must not go in: delays, incidents, who may do what, SQL.
"""

from enum import StrEnum

from hazards.errors import NotInState


class AlarmState(StrEnum):
    """The states of ISA-18.2, with the letter of its diagram."""

    NORMAL = "normal"  # 正常, A
    UNACKNOWLEDGED = "unacknowledged"  # 未确认, B
    ACKNOWLEDGED = "acknowledged"  # 已确认, C
    RETURNED = "returned_unacknowledged"  # 已恢复未确认, D
    LATCHED = "latched"  # 已恢复、自保持, E: over, and kept until acknowledged
    SHELVED = "shelved"  # 搁置, G: by a person, for a limited time, with a reason
    SUPPRESSED = "suppressed_by_design"  # 设计抑制, H: another alarm explains it
    OUT_OF_SERVICE = "out_of_service"  # 停用, I


class Move(StrEnum):
    """What happens to it."""

    OCCURRED = "occurred"
    RETURNED = "returned"
    LATCHED = "latched"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"  # an acknowledgement let the latch go
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"
    REMOVED = "removed"  # from service
    SOUNDED = "sounded"  # what spared it is over, and it still stands
    CALMED = "calmed"  # what spared it is over, and so is the alarm


N, U, A, R, L, G, H, I = AlarmState  # noqa: E741 (the letters of the standard's diagram, but N, U, A, R, L)
_SPARED = (G, H, I)
SPARED = frozenset(_SPARED)
"""Nobody is called in these; the alarm and all its signals are still recorded and shown."""
_SPARE = {Move.SHELVED: G, Move.SUPPRESSED: H, Move.REMOVED: I}

NEXT: dict[tuple[AlarmState, Move], AlarmState] = {
    (N, Move.OCCURRED): U, (N, Move.RETURNED): N, (N, Move.ACKNOWLEDGED): N, (N, Move.RELEASED): N, (N, Move.LATCHED): L,
    (U, Move.OCCURRED): U, (U, Move.RETURNED): R, (U, Move.LATCHED): L, (U, Move.ACKNOWLEDGED): A, (U, Move.RELEASED): N,
    (A, Move.OCCURRED): A, (A, Move.RETURNED): N, (A, Move.LATCHED): L, (A, Move.ACKNOWLEDGED): A, (A, Move.RELEASED): N,
    (R, Move.OCCURRED): U, (R, Move.RETURNED): R, (R, Move.LATCHED): L, (R, Move.ACKNOWLEDGED): N, (R, Move.RELEASED): N,
    (L, Move.OCCURRED): U, (L, Move.LATCHED): L, (L, Move.ACKNOWLEDGED): L, (L, Move.RELEASED): N,
    **{(spared, Move.SOUNDED): U for spared in _SPARED},
    **{(spared, Move.CALMED): N for spared in _SPARED},
    **{(spared, move): spared for spared in _SPARED
       for move in (Move.OCCURRED, Move.RETURNED, Move.LATCHED, Move.ACKNOWLEDGED, Move.RELEASED)},
    **{(state, move): to for state in AlarmState for move, to in _SPARE.items()},
}  # fmt: skip


def next_state(state: AlarmState, move: Move) -> AlarmState:
    """The state after ``move``. Raises NotInState for a pair that the table does not have."""
    following = NEXT.get((state, move))
    if following is None:
        raise NotInState(f"an alarm that is {state} can't be {move}")
    return following
