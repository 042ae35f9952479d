"""What alarm-quality figures are made of, read from real incidents on SQLite and PostgreSQL."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hazards.alarm_floods import PERIOD, floor_period
from hazards.alarm_quality import CHATTER_COUNT, CHATTER_WITHIN, STALE_AFTER, Actor, Standing
from hazards.errors import BadInput
from hazards.incidents import Acknowledge, Close
from hazards.messages import Signal
from hazards.scope import Scope
from hazards.zones import Device, Enterprise, Grade, Position, Site, Zone
from storage import alarm_quality, schema
from storage.alarm_quality import Selection, positions_of, read_annunciations, read_load, read_standing, selection_of
from storage.commands import command_incident
from storage.database import Database
from storage.incident_queries import list_incidents
from storage.incidents import apply_signals, wake_zones
from storage.site_store import apply_site
from tests.hazards.signals import NOON, SECOND, signal

MINUTE = 60 * SECOND
SITE = Site(
    id="park", name="园区", enterprises=[Enterprise("alu", "铝业"), Enterprise("chem", "化工")],
    zones=[Zone("smelter", "熔铸", Grade.RED, "alu"), Zone("tank", "储罐", Grade.RED, "chem"), Zone("gate", "大门", Grade.BLUE)],
    devices=[Device("CAM-1", "smelter", "camera"), Device("G-1", "tank", "sensor"), Device("CAM-9", "gate", "camera")],
)  # fmt: skip
ALL = Selection()


def at(seconds: float) -> int:
    return NOON + int(seconds * SECOND)


def tank(number: int, action: str = "raised", *, at: float) -> Signal:
    return signal(number, action, device="G-1", zone="tank", kind="gas_leak", at=at)


def happen(database: Database, *signals: Signal, until: float | None = None) -> None:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
        for one in signals:
            apply_signals(connection, [one], now=one.received_at)
        if until is not None:
            wake_zones(connection, now=at(until))


def say(database: Database, zone: str, command: Acknowledge | Close, seconds: float) -> None:
    with database.write() as connection:
        (incident,) = list_incidents(connection, scope=Scope(), zone=zone, states=["active", "cleared"])[0]
        command_incident(connection, incident.id, command, actor="li", now=at(seconds), scope=Scope())


def standing(database: Database, seconds: float, selection: Selection = ALL) -> Standing:
    with database.read() as connection:
        return read_standing(connection, selection, at(seconds))


def test_an_incident_sounds_when_it_opens_and_when_it_comes_back_and_waits_until_acknowledged(database: Database) -> None:
    happen(database, signal(1, at=0), signal(2, "cleared", at=20), signal(3, at=60), tank(4, at=90))
    say(database, "smelter", Acknowledge(), 75)
    happen(database, signal(5, "cleared", at=80), signal(6, at=100))
    with database.read() as connection:
        found = read_annunciations(connection, ALL, NOON, at(600))
        assert len(read_annunciations(connection, ALL, NOON, at(60)).at) == 1, "the end is not part of the window"
    assert ((found.at - NOON) / SECOND).tolist() == [0, 60, 90, 100]
    assert list(found.zone) == ["smelter", "smelter", "tank", "smelter"]
    assert found.called.tolist() == [True, True, True, False], "what comes back acknowledged calls nobody"
    assert found.waited[:2].tolist() == [75, 15] and np.isnan(found.waited[2])


def test_a_late_alarm_waits_from_its_receipt(database: Database) -> None:
    happen(database, signal(1, at=0, received=7200))
    say(database, "smelter", Acknowledge(), 7230)
    with database.read() as connection:
        assert read_annunciations(connection, ALL, NOON, at(9000)).waited.tolist() == [30]


def test_closing_by_hand_is_an_acknowledgement_and_what_became_graver_waits_anew(database: Database) -> None:
    happen(database, signal(1, at=0, severity=3))
    say(database, "smelter", Acknowledge(), 10)
    happen(database, signal(2, at=20, severity=1))
    assert standing(database, 30) == Standing(1, 0, 1)
    say(database, "smelter", Close(reason="extinguished"), 40)
    with database.read() as connection:
        found = read_annunciations(connection, ALL, NOON, at(600))
    assert found.waited.tolist() == [10] and standing(database, 50) == Standing(0, 0, 0)


def test_the_load_counts_what_was_raised_anew_and_who_chatters(database: Database) -> None:
    chatter = [signal(10 + n, "cleared" if n % 2 else "raised", at=10 * n) for n in range(10)]  # five raises, 20 s apart
    happen(database, *chatter, signal(30, at=200), signal(31, at=201), signal(40, device="CAM-9", zone="gate", kind="intrusion", at=300))
    with database.read() as connection:
        load = read_load(connection, ALL, NOON, at(600))
        assert read_load(connection, ALL, at(1000), at(2000)).alarms == 0
    assert (load.alarms, load.pairs, load.chattering) == (7, 2, 1), "31 repeats what stands"
    assert load.worst == [Actor("CAM-1", "flame", 6, 3), Actor("CAM-9", "intrusion", 1, 0)]
    assert load.fluttering == [Actor("CAM-1", "flame", 6, 3)]


def test_demonstrations_are_kept_apart_and_scope_and_position_hold(database: Database) -> None:
    happen(database, signal(1, at=0), tank(2, at=1), signal(3, device="?", zone="unassigned", at=2))
    with database.write() as connection:
        connection.execute(schema.incidents.update().where(schema.incidents.c.zone == "tank").values(synthetic=True))
    happen(database, signal(4, device="CAM-9", zone="gate", kind="intrusion", at=3))
    a, b = positions = [Position("a", "A", ["smelter"]), Position("b", "B", ["gate", "tank"])]
    cases: list[tuple[Selection, set[str]]] = [
        (ALL, {"smelter", "unassigned", "gate"}), (Selection(synthetic=True), {"tank"}), (Selection(Scope(enterprise="alu")), {"smelter"}),
        (Selection(Scope(enterprise="chem")), set()), (Selection(Scope(zones=frozenset({"gate", "tank"}))), {"gate"}),
        (selection_of(positions, None), {"smelter", "unassigned", "gate"}), (selection_of(positions, a), {"smelter", "unassigned"}),
        (selection_of(positions, b), {"gate"}), (selection_of(positions, b, scope=Scope(enterprise="alu")), set()),
    ]  # fmt: skip
    with database.read() as connection:
        for selection, zones in cases:
            assert set(read_annunciations(connection, selection, NOON, at(600)).zone) == zones, selection
            assert read_load(connection, selection, NOON, at(600)).pairs == len(zones), selection
            assert read_standing(connection, selection, at(600)).standing == len(zones), selection


def test_how_it_stood_is_the_same_whether_asked_then_or_later(database: Database) -> None:
    happen(database, signal(1, at=0), tank(2, at=30))
    story = [(40, standing(database, 40)), (STALE_AFTER / SECOND + 10, standing(database, STALE_AFTER / SECOND + 10))]
    assert [s for _, s in story] == [Standing(2, 0, 2), Standing(2, 1, 2)]
    late = STALE_AFTER / SECOND + 100
    say(database, "tank", Acknowledge(), late)
    story.append((late + 1, standing(database, late + 1)))
    happen(database, tank(3, "cleared", at=late + 2), until=late + 2)
    story.append((late + 3, standing(database, late + 3)))
    happen(database, until=late + 1000)
    happen(database, signal(4, "cleared", at=late + 1001), until=late + 1002)
    story.append((late + 1003, standing(database, late + 1003)))
    assert [s for _, s in story[2:]] == [Standing(2, 2, 1), Standing(1, 1, 1), Standing(0, 0, 1)]
    assert [standing(database, seconds) for seconds, _ in story] == [s for _, s in story]
    assert standing(database, -1) == Standing(0, 0, 0)


def test_too_much_for_one_answer_is_refused_with_what_to_do(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm_quality, "MOST", 1)
    happen(database, signal(1, at=0), tank(2, at=30))
    with database.read() as connection, pytest.raises(BadInput, match="more than 1 alarms") as refused:
        read_annunciations(connection, ALL, NOON, at(600))
    assert refused.value.hint == "ask for a shorter one"


def test_a_site_without_positions_has_one() -> None:
    (position,) = positions_of(SITE)
    assert (position.id, position.seats) == ("all", 1) and selection_of([position], position) == ALL


RAISES = st.lists(st.tuples(st.sampled_from(["A", "B"]), st.sampled_from([0, 5, 19, 20, 29, 30, 60])), max_size=25)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RAISES)
def test_chattering_is_what_a_plain_loop_finds(database: Database, raises: list[tuple[str, int]]) -> None:
    row = {"source": "s", "source_id": "s", "zone": "smelter", "kind": "flame", "action": "pulse", "body": b"", "reason": "joined",
           "explained": "{}", "applied_at": 1, "incident": "i"}  # fmt: skip
    incident = {"state_key": "k", "zone": "smelter", "family": "fire", "kinds": "[]", "devices": "[]", "state": "closed", "severity": 1,
                "opened_at": 1, "updated_at": 1, "alarm_count": 1, "reason": "opened", "version": 1, "synthetic": False}  # fmt: skip
    moments, plain = dict[str, list[int]](), dict[str, int]()
    with database.write() as connection:
        connection.execute(schema.alarms.delete())
        connection.execute(schema.incidents.delete())
        connection.execute(schema.incidents.insert().values(id="i", **incident))
        now = NOON
        for n, (device, gap) in enumerate(raises):
            now += gap * SECOND
            connection.execute(schema.alarms.insert().values(id=str(n), device=device, at=now, received_at=now, **row))
            moments.setdefault(device, []).append(now)
    for device, found in moments.items():
        plain[device] = sum(found[n] - found[n - CHATTER_COUNT + 1] < CHATTER_WITHIN for n in range(CHATTER_COUNT - 1, len(found)))
    with database.read() as connection:
        load = read_load(connection, ALL, floor_period(NOON), floor_period(now) + PERIOD)
    assert {a.device: a.chatters for a in load.actors} == plain
    assert load.chattering == sum(n > 0 for n in plain.values()) and load.alarms == len(raises)


def test_what_became_graver_within_a_day_still_stands_for_more_than_one(database: Database) -> None:
    happen(database, signal(1, at=0, severity=2))
    later = STALE_AFTER / SECOND + 100
    happen(database, signal(2, at=later, severity=1), until=later)
    assert standing(database, later + 1) == Standing(1, 1, 1)
