"""Alarms towards people in SQL: their rows, what people declare, an older and a newer state of a zone; on SQLite and PostgreSQL."""

import msgspec
import pytest
from sqlalchemy import select, update

from hazards.declarations import Declared
from hazards.declaring import Declare
from hazards.errors import NotInState
from hazards.incidents import Acknowledge, Close, Shelve
from hazards.messages import IncidentMessage
from hazards.scope import EVERYTHING, Scope
from hazards.zone_codec import SCHEMA
from storage import schema
from storage.alarm_states import StandingAlarm, list_alarm_states
from storage.commands import command_incident
from storage.database import Database
from storage.incident_queries import list_incidents
from storage.incidents import apply_signals, wake_zones
from storage.merging_work import NewerState
from tests.hazards.signals import NOON, SECOND, signal
from tests.storage.test_declarations import HOUR, PERMIT, end, enter
from tests.storage.test_hazards import OPERATOR, park, take  # noqa: F401


def wake(database: Database, now: int) -> None:
    with database.write() as connection:
        wake_zones(connection, now=now)


def standing(database: Database, scope: Scope = EVERYTHING) -> list[StandingAlarm]:
    with database.read() as connection:
        return list_alarm_states(connection, scope=scope)[0]


def states(database: Database) -> dict[tuple[str, str], str]:
    return {(row.device, row.kind): row.state for row in standing(database)}


def only(database: Database) -> IncidentMessage:
    with database.read() as connection:
        (incident,), _ = list_incidents(connection, scope=EVERYTHING)
        return incident


def give_order(database: Database, command: Acknowledge | Close | Shelve, now: int) -> None:
    with database.write() as connection:
        command_incident(connection, only(database).id, command, actor="wang", scope=EVERYTHING, now=now)


def test_rows_follow_the_alarms_and_an_acknowledgement_shows_at_once(park: Database) -> None:  # noqa: F811
    take(park, signal(1), signal(2, kind="smoke", device="CAM-2", at=1), signal(3, "cleared", kind="smoke", device="CAM-2", at=2))
    assert states(park) == {("CAM-1", "flame"): "unacknowledged", ("CAM-2", "smoke"): "returned_unacknowledged"}
    give_order(park, Acknowledge(), NOON + 3 * SECOND)
    assert states(park) == {("CAM-1", "flame"): "acknowledged"}, "before the worker has looked"
    wake(park, NOON + 4 * SECOND)
    assert states(park) == {("CAM-1", "flame"): "acknowledged"}, "and it finds the same"
    take(park, signal(4, "cleared", at=9))
    assert states(park) == {}


def test_closing_by_hand_leaves_no_alarm(park: Database) -> None:  # noqa: F811
    take(park, signal(1))
    give_order(park, Close("it was the welder"), NOON + SECOND)
    assert states(park) == {}


def test_an_enterprise_sees_its_own_alarms(park: Database) -> None:  # noqa: F811
    take(park, signal(1), signal(2, zone="depot", device="G-9", kind="intrusion"))
    assert [row.zone for row in standing(park, Scope(enterprise="alu"))] == ["smelter"] and len(standing(park)) == 2


def test_a_permit_labels_the_alarm_and_when_it_is_ended_early_the_alarm_sounds(park: Database) -> None:  # noqa: F811
    permit, _ = enter(park, PERMIT)
    take(park, signal(1, at=60))
    incident = only(park)
    assert (incident.quiet, incident.quiet_by, incident.labels, incident.severity) == ("permit", permit.id, ["permit"], 3)
    end(park, permit, now=NOON + 120 * SECOND)
    wake(park, NOON + 121 * SECOND)
    incident = only(park)
    assert (incident.quiet, incident.labels, incident.severity) == ("", [], 2), "the flame stands, and nothing accounts for it any more"


def test_what_called_is_not_silenced_by_what_the_enterprise_declares_then_until_somebody_acknowledges_it(park: Database) -> None:  # noqa: F811
    take(park, signal(1))
    permit, _ = enter(park, msgspec.structs.replace(PERMIT, starts_at=NOON + SECOND), now=NOON + SECOND)
    wake(park, NOON + SECOND)
    incident = only(park)
    assert (incident.quiet, incident.labels, incident.severity) == ("", ["permit"], 2) and standing(park)[0].quiet_by == permit.id
    give_order(park, Acknowledge(), NOON + 2 * SECOND)
    wake(park, NOON + 2 * SECOND)
    assert only(park).quiet == "permit", "it is answered: now it is explained"


def test_an_alarm_is_shelved_and_sounds_again_when_the_time_is_over(park: Database) -> None:  # noqa: F811
    take(park, signal(1, kind="intrusion"))
    shelf = Declare(kind=Declared.SHELVED, zone="smelter", starts_at=NOON + SECOND, ends_at=NOON + HOUR, devices=["CAM-1"],
                    alarms=["intrusion"], reason="scaffolders")  # fmt: skip
    enter(park, shelf, actor=OPERATOR, now=NOON + SECOND)
    wake(park, NOON + SECOND)
    assert (states(park), only(park).quiet) == ({("CAM-1", "intrusion"): "shelved"}, "shelved")
    wake(park, NOON + HOUR)
    assert (states(park), only(park).quiet) == ({("CAM-1", "intrusion"): "unacknowledged"}, "")


def test_a_state_that_a_newer_version_wrote_is_left_alone_and_its_signals_wait(park: Database) -> None:  # noqa: F811
    take(park, signal(1))
    newer = msgspec.msgpack.encode((SCHEMA + 1, {"all": "new"}))
    with park.write() as connection:
        connection.execute(update(schema.zone_states).where(schema.zone_states.c.key == "smelter").values(state=newer))
    with pytest.raises(NewerState, match="upgrade"), park.write() as connection:
        apply_signals(connection, [signal(2, at=1)], now=NOON + SECOND)
    take(park, signal(3, zone="depot", device="D-3", kind="intrusion"))
    with park.write() as connection:
        connection.execute(update(schema.zone_states).values(wake_at=NOON))
        assert wake_zones(connection, now=NOON + HOUR) == 1, "others go on"
        due = connection.execute(select(schema.zone_states.c.wake_at).where(schema.zone_states.c.key == "smelter")).scalar()
        assert due is not None and due > NOON + HOUR, "and it is not the first in the queue for ever"
    with park.read() as connection:
        assert connection.execute(select(schema.zone_states.c.state).where(schema.zone_states.c.key == "smelter")).scalar() == newer
        zones = [row.zone for row in connection.execute(select(schema.alarms.c.zone))]
        assert sorted(zones) == ["depot", "smelter"], "the second of the smelter waits where it is"


def test_methane_is_neither_shelved_nor_closed_while_it_stands(park: Database) -> None:  # noqa: F811
    take(park, signal(1, kind="methane_high", device="M-1"))
    for order in (Close("it is nothing"), Shelve(minutes=5, reason="nothing")):
        with pytest.raises(NotInState, match="methane"):
            give_order(park, order, NOON + SECOND)
    take(park, signal(2, "cleared", kind="methane_high", device="M-1", at=9))
    give_order(park, Close("aired"), NOON + 10 * SECOND)


def test_a_shelf_ends_when_the_incident_becomes_graver(park: Database) -> None:  # noqa: F811
    take(park, signal(1, kind="flammable_gas_rising", device="G-1"))
    give_order(park, Shelve(minutes=60, reason="known"), NOON + SECOND)
    take(park, signal(2, kind="flammable_gas_high_high", device="G-1", at=5))
    assert (only(park).shelved_until, only(park).severity) == (None, 1)
