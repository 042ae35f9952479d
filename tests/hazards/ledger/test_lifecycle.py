"""The tables of a hazard's life have no gaps and no dead ends, and commands, events and rules name each other."""

import pytest

from hazards.ledger.commands import STRUCTS
from hazards.ledger.effects import EFFECTS
from hazards.ledger.lifecycle import (
    COMMANDS,
    FINAL,
    NEXT,
    NONE,
    OF_THE_PLATFORM,
    OPEN,
    OVER,
    RUNNING,
    START,
    TRACKS,
    Event,
    State,
    Track,
    next_state,
    next_tracks,
)
from tests.packs import POLICY


def test_every_state_is_reached_and_only_final_ones_end() -> None:
    reached, edge = {START[1]}, {START[1]}
    while edge:
        edge = {to for (at, _), to in NEXT.items() if at in edge} - reached
        reached |= edge
    assert reached == set(State)
    for state in State:
        onward = {to for (at, _), to in NEXT.items() if at is state and to is not state}
        assert (not onward) == (state in FINAL)
    assert set(State) == OPEN | OVER and FINAL < OVER and RUNNING < OPEN


def test_every_command_event_struct_effect_and_rule_belong_together() -> None:
    assert set(STRUCTS) == set(COMMANDS) == set(POLICY.commands) - {"propose"} and set(STRUCTS.values()) == set(EFFECTS)
    made = {event for events in COMMANDS.values() for event in events}
    assert made | OF_THE_PLATFORM == set(Event) and not made & OF_THE_PLATFORM
    assert set(POLICY.events) == set(Event) and {event for _, event in NEXT} | {START[0]} == set(Event)


def test_there_is_one_way_to_closed_and_none_around_acceptance() -> None:
    assert {(at, event) for (at, event), to in NEXT.items() if to is State.CLOSED and at is not to} == {(State.ACCEPTED, Event.CLOSED)}
    assert {(at, event) for (at, event), to in NEXT.items() if to is State.ACCEPTED and at is not to} == {(State.CLAIMED, Event.ACCEPTED)}
    assert next_state(State.PROPOSED, Event.RECTIFICATION_STARTED) is None, "nothing is rectified before it is confirmed"


def test_what_is_over_takes_only_what_follows_it() -> None:
    """Comments and ends of measures always; of a closed one also what a regulator still does with it; never rectification again."""
    after = {state: {event for at, event in NEXT if at is state} for state in OVER}
    always = {Event.COMMENTED, Event.MEASURE_ENDED}
    assert after[State.DISMISSED] == always
    assert after[State.MERGED] == always | {Event.LISTING_LIFTED, Event.SUPERVISION_LIFTED}
    assert after[State.CLOSED] == always | {
        Event.REOPENED, Event.LISTING_LIFTED, Event.SUPERVISION_LIFTED, Event.REFERRED, Event.PENALTY_WAIVED,
    }  # fmt: skip


def test_a_waived_penalty_changes_no_state() -> None:
    assert {to for (at, event), to in NEXT.items() if event is Event.PENALTY_WAIVED and to is not at} == set()


@pytest.mark.parametrize("track", list(Track))
def test_every_place_of_a_track_is_reached(track: Track) -> None:
    table = TRACKS[track]
    reached, edge = {NONE}, {NONE}
    while edge:
        edge = {to for (at, _), to in table.items() if at in edge} - reached
        reached |= edge
    assert reached >= {at for at, _ in table} | set(table.values())
    for at, event in table:
        assert any((state, event) in NEXT for state in State), (at, event)


@pytest.mark.parametrize(
    ("tracks", "event", "after"),
    [({}, Event.EXTENSION_REQUESTED, {"extension": "requested"}), ({"extension": "requested"}, Event.EXTENSION_REQUESTED, Track.EXTENSION),
     ({"extension": "requested"}, Event.EXTENSION_SIGNED, {"extension": "requested"}),
     ({}, Event.EXTENSION_GRANTED, Track.EXTENSION), ({"extension": "refused"}, Event.EXTENSION_FILED, Track.EXTENSION),
     ({"report": "to_congress"}, Event.REPORTED_TO_DEPARTMENT, {"report": "to_both"}),
     ({"report": "to_both"}, Event.REPORTED_TO_DEPARTMENT, Track.REPORT), ({"referral": "referred"}, Event.REFERRED, Track.REFERRAL),
     ({"receipt": "received", "listing": "lifted", "referral": "referred"}, Event.REOPENED, {}),
     ({"receipt": "received", "penalty": "waived"}, Event.REOPENED, {"penalty": "waived"}),
     ({"listing": "lifted"}, Event.LISTED, {"listing": "listed"}), ({"plan": "approved"}, Event.PLAN_FILED, {"plan": "filed"}),
     ({"listing": "listed"}, Event.COMMENTED, {"listing": "listed"})],
)  # fmt: skip
def test_side_tables_move_with_their_events_or_say_which_one_does_not(
    tracks: dict[str, str], event: Event, after: dict[str, str] | Track
) -> None:
    assert next_tracks(tracks, event) == after
