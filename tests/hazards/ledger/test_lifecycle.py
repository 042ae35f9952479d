"""The table of a hazard's life has no gaps and no dead ends."""

from hazards.ledger.decisions import COMMANDS
from hazards.ledger.lifecycle import ANYWHERE, FINAL, NEXT, OPEN, START, Event, State, next_state
from hazards.ledger.policy_guangyuan import POLICY


def test_the_table_is_sound() -> None:
    """Everything can be reached, only final states end, and every event and command has its rule."""
    reached, edge = {START[1]}, {START[1]}
    while edge:
        edge = {to for (at, _), to in NEXT.items() if at in edge} - reached
        reached |= edge
    assert reached == set(State)
    for state in State:
        onward = {to for (at, _), to in NEXT.items() if at is state and to is not state}
        assert (not onward) == (state in FINAL)
    of_the_platform = {START[0], Event.GRADE_RAISED, Event.GATE_REFUSED}
    assert set(POLICY.events) == set(Event) and set(COMMANDS.values()) | of_the_platform == set(Event)
    assert all(next_state(state, event) is state for state in OPEN for event in ANYWHERE)
    assert {event for (at, event), to in NEXT.items() if to is State.CLOSED and at is not to} == {Event.CLOSED}
    assert {at for (at, event) in NEXT if event is Event.CLOSED} == {State.ACCEPTED}
