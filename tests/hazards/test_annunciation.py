"""The states of ISA-18.2: the table, and what an alarm's life makes of it."""

import pytest

from hazards.annunciation import NEXT, SPARED, AlarmState, Move, next_state
from hazards.errors import NotInState


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        (["occurred"], "unacknowledged"),
        (["occurred", "acknowledged"], "acknowledged"),
        (["occurred", "returned"], "returned_unacknowledged"),
        (["occurred", "returned", "acknowledged"], "normal"),
        (["occurred", "acknowledged", "returned"], "normal"),
        (["occurred", "latched"], "latched"),
        (["occurred", "latched", "acknowledged"], "latched"),
        (["occurred", "latched", "released"], "normal"),
        (["occurred", "returned", "occurred"], "unacknowledged"),
        (["occurred", "shelved", "returned", "calmed"], "normal"),
        (["occurred", "acknowledged", "shelved", "sounded"], "unacknowledged"),
        (["suppressed", "occurred", "sounded"], "unacknowledged"),
        (["occurred", "removed", "shelved", "acknowledged"], "shelved"),
    ],
)
def test_a_life_of_an_alarm(moves: list[str], expected: str) -> None:
    state = AlarmState.NORMAL
    for move in moves:
        state = next_state(state, Move(move))
    assert state == expected


def test_every_state_can_be_spared_and_nothing_moves_a_spared_one_but_what_is_said_of_it() -> None:
    for state in AlarmState:
        assert {next_state(state, move) for move in (Move.SHELVED, Move.SUPPRESSED, Move.REMOVED)} == SPARED
    for state in SPARED:
        assert all(next_state(state, move) is state for move in (Move.OCCURRED, Move.RETURNED, Move.LATCHED, Move.ACKNOWLEDGED))


def test_every_state_is_reached_and_left() -> None:
    assert set(NEXT.values()) == set(AlarmState) == {state for state, _ in NEXT}


def test_a_pair_that_is_missing_is_refused() -> None:
    with pytest.raises(NotInState, match="normal can't be sounded"):
        next_state(AlarmState.NORMAL, Move.SOUNDED)
