"""Commands of people on an incident."""

import pytest
from msgspec import structs

from hazards.errors import BadInput, BihuanError, Conflict, NotInState
from hazards.incidents import Acknowledge, Assign, Close, Comment, IncidentCommand, Shelve, Unshelve, decide, is_acknowledged
from hazards.merging import REGROUP_WINDOW
from hazards.messages import IncidentMessage, IncidentState
from tests.hazards.signals import NOON, SECOND

FIRE = IncidentMessage(
    id="i", zone="smelter", family="fire", kinds=["flame"], devices=["CAM-1"], state=IncidentState.ACTIVE, severity=2, opened_at=NOON,
    updated_at=NOON, version=5, alarm_count=1, reason="opened",
)  # fmt: skip
SEEN = structs.replace(FIRE, acknowledged_by="a", acknowledged_at=NOON, acknowledged_severity=2)
OVER = structs.replace(FIRE, state=IncidentState.CLEARED, cleared_at=NOON)
SHELVED = structs.replace(FIRE, shelved_by="a", shelved_until=NOON + SECOND, shelve_reason="test")
CLOSED = structs.replace(OVER, state=IncidentState.CLOSED, closed_at=NOON)


def after(incident: IncidentMessage, command: IncidentCommand, now: int = NOON, people_version: int = 3) -> IncidentMessage:
    return decide(incident, command, people_version=people_version, actor="li", now=now)[0]


def test_acknowledging_names_who_and_when() -> None:
    seen = after(FIRE, Acknowledge())
    assert (seen.acknowledged_by, seen.acknowledged_at, is_acknowledged(seen), seen.state) == ("li", NOON, True, IncidentState.ACTIVE)


def test_graver_than_what_was_acknowledged_is_unacknowledged_again() -> None:
    assert not is_acknowledged(structs.replace(SEEN, severity=1))
    assert after(structs.replace(SEEN, severity=1), Acknowledge()).acknowledged_severity == 1


def test_acknowledging_what_was_over_long_ago_closes_it() -> None:
    assert after(OVER, Acknowledge(), now=NOON + REGROUP_WINDOW - 1).state is IncidentState.CLEARED
    assert after(OVER, Acknowledge(), now=NOON + REGROUP_WINDOW).state is IncidentState.CLOSED


def test_shelving_ends_by_itself() -> None:
    shelved = after(FIRE, Shelve(minutes=30, reason="hot work"))
    assert (shelved.shelved_by, shelved.shelved_until, shelved.shelve_reason) == ("li", NOON + 1800 * SECOND, "hot work")
    assert after(shelved, Unshelve()).shelved_until is None


@pytest.mark.parametrize(
    ("incident", "command", "error", "where"),
    [
        (SEEN, Acknowledge(), NotInState, "/command"),
        (FIRE, Acknowledge(version=2), Conflict, "/version"),
        (FIRE, Acknowledge(version=6), BadInput, "/version"),
        (FIRE, Close(reason=""), BadInput, "/reason"),
        (CLOSED, Close(reason="x"), NotInState, "/command"),
        (FIRE, Shelve(minutes=0, reason="x"), BadInput, "/minutes"),
        (FIRE, Shelve(minutes=1441, reason="x"), BadInput, "/minutes"),
        (FIRE, Shelve(minutes=5, reason=" "), BadInput, "/reason"),
        (CLOSED, Shelve(minutes=5, reason="x"), NotInState, "/command"),
        (FIRE, Unshelve(), NotInState, "/command"),
        (FIRE, Comment(text="  "), BadInput, "/text"),
    ],
)
def test_refusals_say_where(incident: IncidentMessage, command: IncidentCommand, error: type[BihuanError], where: str) -> None:
    with pytest.raises(error) as caught:
        after(incident, command)
    assert caught.value.where == where


def test_a_worker_s_change_since_is_no_conflict() -> None:
    assert after(FIRE, Assign(to="wang", version=3)).assigned_to == "wang"  # the incident is at 5, people's last change at 3
