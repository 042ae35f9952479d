"""The trunk's SQL on SQLite and PostgreSQL: an effect happens once, whoever repeats it."""

import threading
import time
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from hazards.errors import BadInput, Conflict, NotFound
from hazards.incidents import Acknowledge, Assign, Close, Comment, Shelve, is_acknowledged
from hazards.merging import REGROUP_WINDOW
from hazards.messages import Certainty, IncidentState, Signal
from hazards.scope import EVERYTHING, Scope
from hazards.zones import AlarmTiming, Device, Enterprise, Grade, Site, Zone
from storage import schema
from storage.commands import command_incident
from storage.database import Database
from storage.dead_letters import dead_letter, keep_dead_letters, settled_ids
from storage.incident_queries import get_incident, incident_alarms, incident_events, list_incidents
from storage.incidents import StaleState, applied_ids, apply_signals, waiting_devices, wake_zones
from storage.outbox import drop_old, feed_bounds, give_positions, mark_published, read_feed, unpublished
from storage.site_store import apply_site
from tests.hazards.signals import NOON, SECOND, histories, signal

SITE = Site(
    id="park", name="园区", enterprises=[Enterprise("alu", "铝业"), Enterprise("chem", "化工")],
    zones=[Zone("smelter", "熔铸", Grade.RED, "alu"), Zone("depot", "危废库", Grade.ORANGE, "chem")],
    devices=[Device("CAM-1", "smelter", "camera"), Device("T-1", "smelter", "sensor"),
             Device("G-1", "depot", "sensor", timing=AlarmTiming(on_delay=5 * SECOND)),
             Device("L-1", "depot", "sensor", timing=AlarmTiming(latching=True))],
)  # fmt: skip


def take(database: Database, *signals: Signal, now: int = NOON) -> None:
    with database.write() as connection:
        apply_signals(connection, signals, now=now)


def stands(database: Database) -> list[tuple[str, str]]:
    """(incident, signal) of everything, read as people read it."""
    with database.read() as connection:
        found, cursor = [], None
        while True:
            incidents, cursor = list_incidents(connection, scope=EVERYTHING, cursor=cursor, limit=3)
            for incident in incidents:
                position = None
                while True:
                    rows, position = incident_alarms(connection, incident.id, scope=EVERYTHING, cursor=position, limit=2)
                    found += [(incident.id, r.signal.id) for r in rows]
                    if position is None:
                        break
            if cursor is None:
                return found


def test_the_same_signal_a_second_time_has_no_effect(database: Database) -> None:
    take(database, signal(1), signal(2, "cleared", at=1), signal(1))
    before = stands(database)
    with database.write() as connection:
        repeated = apply_signals(connection, [signal(1), signal(2, "cleared", at=1)], now=NOON)
    assert (repeated.new, repeated.duplicates) == ([], 2)
    assert stands(database) == before and len(before) == 2


def test_a_transaction_that_dies_leaves_nothing(database: Database) -> None:
    class Killed(Exception):
        pass

    with pytest.raises(Killed), database.write() as connection:
        apply_signals(connection, [signal(1)], now=NOON)
        raise Killed
    assert stands(database) == []
    with database.read() as connection:
        assert applied_ids(connection, [signal(1).id]) == set()
        assert feed_bounds(connection) == (1, 0)
    take(database, signal(1))
    assert len(stands(database)) == 1


def test_two_workers_on_one_zone_lose_nothing_and_double_nothing(database: Database) -> None:
    signals = [signal(n, "raised" if n % 3 else "cleared", device=f"D{n % 4}", at=n) for n in range(60)]
    stale = []

    def work(mine: list[Signal]) -> None:
        for start in range(0, len(mine), 5):
            while True:
                try:
                    take(database, *mine[start : start + 5])
                    break
                except StaleState:
                    stale.append(1)

    threads = [threading.Thread(target=work, args=(part,)) for part in (signals, signals[::-1], signals[::2])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(s for _, s in stands(database)) == Counter(s.id for s in signals)
    with database.read() as connection:
        counts = {i.id: i.alarm_count for i in list_incidents(connection, scope=EVERYTHING)[0]}
    assert counts == Counter(i for i, _ in stands(database))


@given(histories(most=15), st.lists(st.integers(1, 15), max_size=4))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_histories_with_repeats_stand_once(database: Database, signals: list[Signal], cuts: list[int]) -> None:
    with database.write() as connection:
        for table in (schema.alarms, schema.incidents, schema.incident_events, schema.zone_states, schema.outbox):
            connection.execute(table.delete())
    for cut in [*cuts, len(signals)]:
        take(database, *signals[:cut], now=signals[-1].received_at)
    assert Counter(s for _, s in stands(database)) == Counter(s.id for s in signals)


def test_time_moves_delays_latches_and_closing(database: Database) -> None:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    take(database, signal(1, device="G-1", kind="flammable_gas_high", zone="depot"),
         signal(2, device="L-1", kind="pressure_high", zone="depot"),
         signal(3, "cleared", device="L-1", kind="pressure_high", zone="depot"))  # fmt: skip

    def states() -> dict[str, str]:
        with database.read() as connection:
            return {i.family: i.state.value for i in list_incidents(connection, scope=EVERYTHING)[0]}

    assert states() == {"gas": "pending", "process": "active"}
    with database.write() as connection:
        assert wake_zones(connection, now=NOON + 5 * SECOND) == 1
    assert states() == {"gas": "active", "process": "active"}
    with database.write() as connection:
        latched = next(i for i in list_incidents(connection, scope=EVERYTHING)[0] if i.family == "process")
        command_incident(connection, latched.id, Acknowledge(), actor="li", scope=EVERYTHING, now=NOON + 6 * SECOND)
    with database.write() as connection:
        wake_zones(connection, now=NOON + 7 * SECOND)
    assert states() == {"gas": "active", "process": "cleared"}
    with database.write() as connection:
        wake_zones(connection, now=NOON + 7 * SECOND + REGROUP_WINDOW)
    assert states() == {"gas": "active", "process": "closed"}
    with database.read() as connection:
        events = [e.event for e in incident_events(connection, latched.id, scope=EVERYTHING)[0]]
        assert events == ["opened", "acknowledged", "cleared", "closed"]


def test_the_scope_of_an_enterprise_holds_on_every_query(database: Database) -> None:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    take(database, signal(1), signal(2, device="L-1", kind="pressure_high", zone="depot"))
    with database.write() as connection:
        give_positions(connection)
        ours = list_incidents(connection, scope=Scope(enterprise="alu"))[0]
        theirs = list_incidents(connection, scope=Scope(enterprise="chem"))[0]
        assert [i.zone for i in ours] == ["smelter"] and [i.zone for i in theirs] == ["depot"]
        assert {row.zone for row in read_feed(connection, 0, scope=Scope(enterprise="alu"))} == {"smelter"}
        for call in (
            lambda: get_incident(connection, theirs[0].id, scope=Scope(enterprise="alu")),
            lambda: incident_alarms(connection, theirs[0].id, scope=Scope(enterprise="alu")),
            lambda: incident_events(connection, theirs[0].id, scope=Scope(enterprise="alu")),
            lambda: command_incident(connection, theirs[0].id, Acknowledge(), actor="x", scope=Scope(enterprise="alu"), now=NOON),
        ):
            with pytest.raises(NotFound):
                call()


def test_people_and_the_worker_own_their_fields(database: Database) -> None:
    take(database, signal(1))
    with database.write() as connection:
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
        seen = command_incident(connection, incident.id, Acknowledge(version=incident.version), actor="li", scope=EVERYTHING, now=NOON)
        command_incident(connection, incident.id, Comment(text="顾"), actor="li", scope=EVERYTHING, now=NOON)
        with pytest.raises(BadInput, match="no user 'ghost'"):
            command_incident(connection, incident.id, Assign(to="ghost"), actor="li", scope=EVERYTHING, now=NOON)
    take(database, signal(2, "cleared", at=4))
    with database.write() as connection:
        cleared = get_incident(connection, incident.id, scope=EVERYTHING)
        assert (cleared.state, cleared.acknowledged_by, cleared.version) == (IncidentState.CLEARED, "li", seen.version + 2)
        with pytest.raises(Conflict, match="version 3, you looked at 2"):
            command_incident(connection, incident.id, Assign(to=None, version=seen.version), actor="wang", scope=EVERYTHING, now=NOON)


def test_a_second_source_makes_an_incident_graver_and_an_acknowledgement_of_before_no_longer_counts(database: Database) -> None:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    take(database, signal(1, device="T-1", kind="temperature_high"))
    with database.write() as connection:
        (heat,) = list_incidents(connection, scope=EVERYTHING)[0]
        command_incident(connection, heat.id, Acknowledge(), actor="li", scope=EVERYTHING, now=NOON)
        assert (heat.family, heat.severity, heat.certainty, heat.corroboration) == ("heat", 2, Certainty.POSSIBLE, {})
    take(database, signal(2, at=1))
    with database.read() as connection:
        (fire,) = list_incidents(connection, scope=EVERYTHING, family="fire")[0]
        assert (fire.id, fire.severity, fire.certainty, fire.acknowledged_severity) == (heat.id, 1, Certainty.OBSERVED, 2)
        assert not is_acknowledged(fire) and list_incidents(connection, scope=EVERYTHING, acknowledged=True)[0] == []
        assert [s["device"] for s in fire.corroboration["sources"]] == ["T-1", "CAM-1"]
        events = {e.event: e.body for e in incident_events(connection, fire.id, scope=EVERYTHING)[0]}
    assert (events["severity_raised"]["from"], events["severity_raised"]["to"], events["severity_raised"]["rule"]) == (2, 1, "fire")
    assert events["certainty_raised"]["basis"] == "platform_default"
    long_after = NOON + SECOND + 2 * REGROUP_WINDOW  # all of it arrives at once, after an outage: still nobody has seen severity 1
    take(database, signal(3, "cleared", at=2), signal(4, "cleared", device="T-1", kind="temperature_high", at=2), now=long_after)
    assert state_of(database) == ["cleared"]


def test_shelving_ends_by_time_and_is_announced(database: Database) -> None:
    take(database, signal(1))
    with database.write() as connection:
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
        command_incident(connection, incident.id, Shelve(minutes=1, reason="test"), actor="li", scope=EVERYTHING, now=NOON)
    with database.write() as connection:
        assert wake_zones(connection, now=NOON + 59 * SECOND) == 0
        assert wake_zones(connection, now=NOON + 60 * SECOND) == 1
        assert get_incident(connection, incident.id, scope=EVERYTHING).shelved_until is None
        give_positions(connection)
        assert [row.event for row in read_feed(connection, 0)] == ["opened", "shelved", "updated"]


def test_positions_have_no_gaps_and_the_outbox_is_published_in_order(database: Database) -> None:
    for n in range(20):
        take(database, signal(n, device=f"D{n}", at=5 * n), now=NOON + 5 * n * SECOND)  # told every two seconds at most
    with database.write() as connection:
        assert give_positions(connection) == (0 if database.is_sqlite else 40) and give_positions(connection) == 0
        assert sorted(connection.scalars(select(schema.outbox.c.position))) == list(range(1, 41))
        rows = unpublished(connection)
        assert [r.position for r in rows] == list(range(1, 41, 2)), "an alarm record behind each incident is not published"
        mark_published(connection, rows[:15], now=NOON)
        assert [r.position for r in unpublished(connection)] == list(range(31, 41, 2))
        assert drop_old(connection, now=NOON, kept=16) == 24
        assert feed_bounds(connection) == (25, 40)


def test_devices_that_nobody_registered_wait(database: Database) -> None:
    take(database, signal(1, zone="unassigned", device="NEW"), signal(2, zone="unassigned", device="NEW", at=9), signal(3))
    with database.read() as connection:
        (waiting,) = waiting_devices(connection)
    assert (waiting["device"], waiting["alarms"], waiting["last_at"]) == ("NEW", 2, NOON + 9 * SECOND)


@pytest.mark.parametrize("cursor", ["x", "W10", "WyJhIiwgMV0", "WzEsIDFd", "A" * 2000])
def test_a_cursor_of_another_list_is_refused(database: Database, cursor: str) -> None:
    with database.read() as connection, pytest.raises(BadInput):
        list_incidents(connection, scope=EVERYTHING, cursor=cursor)


def test_filters(database: Database) -> None:
    take(database, signal(1), signal(2, kind="intrusion", at=1), signal(3, "cleared", kind="intrusion", at=2))
    take(database, signal(4, device="Z", zone="z", severity=1))
    with database.write() as connection:
        first = list_incidents(connection, scope=EVERYTHING)[0][0]
        command_incident(connection, first.id, Acknowledge(), actor="li", scope=EVERYTHING, now=NOON)

        def count(**filters: object) -> int:
            return len(list_incidents(connection, scope=EVERYTHING, **filters)[0])  # type: ignore[arg-type]

        assert count() == 3
        assert (count(states=["cleared"]), count(states=["active", "cleared"]), count(zone="z"), count(family="fire")) == (1, 3, 1, 2)
        assert (count(severities=[2]), count(acknowledged=True), count(acknowledged=False), count(limit=-5)) == (2, 1, 2, 1)


def test_a_page_among_many_is_quick(database: Database) -> None:
    for start in range(0, 4000, 500):
        take(database, *[signal(n, device=f"D{n}", zone="unassigned", at=n / 1000) for n in range(start, start + 500)])
    with database.read() as connection:
        took = []
        for _ in range(5):
            started = time.perf_counter()
            _, cursor = list_incidents(connection, scope=EVERYTHING, limit=50)
            list_incidents(connection, scope=EVERYTHING, limit=50, cursor=cursor)
            took.append(time.perf_counter() - started)
        assert min(took) < 0.25, "the quickest: a busy machine may hold up the others"
        newest = select(schema.incidents.c.id).order_by(schema.incidents.c.opened_at.desc(), schema.incidents.c.id.desc())
        plan = connection.execute(newest.limit(1))
        assert plan.first() is not None


def test_what_was_put_aside_needs_no_more_sending_but_may_still_be_applied(database: Database) -> None:
    letter = dead_letter("alarms", b"poison", "can't be applied", signal=signal(1).id)
    with database.write() as connection:
        assert keep_dead_letters(connection, [letter], now=NOON) == 1 and keep_dead_letters(connection, [letter], now=NOON) == 0
        assert settled_ids(connection, [signal(1).id, signal(2).id]) == {signal(1).id}
        assert apply_signals(connection, [signal(1)], now=NOON).new == [signal(1).id]


def state_of(database: Database) -> list[str]:
    with database.read() as connection:
        return [i.state.value for i in list_incidents(connection, scope=EVERYTHING)[0]]


def test_what_an_acknowledgement_closed_is_not_brought_back_by_a_repeated_end(database: Database) -> None:
    take(database, signal(1), signal(2, "cleared", at=1))
    late = NOON + SECOND + REGROUP_WINDOW
    with database.write() as connection:
        wake_zones(connection, now=late)
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
        assert incident.state is IncidentState.CLEARED, "nobody acknowledged it: it waits"
        command_incident(connection, incident.id, Acknowledge(), actor="li", scope=EVERYTHING, now=late + 1)
    assert state_of(database) == ["closed"]
    take(database, signal(3, "cleared", at=700), now=late + 2)
    assert state_of(database) == ["closed"]
    take(database, signal(4, at=800), now=late + 3)
    assert state_of(database) == ["active", "closed"], "a new raise opens a new incident"


def test_closing_by_hand_ends_the_alarms_and_the_next_raise_opens_anew(database: Database) -> None:
    take(database, signal(1))
    with database.write() as connection:
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
        closed = command_incident(connection, incident.id, Close(reason="探测器故障"), actor="li", scope=EVERYTHING, now=NOON + SECOND)
    assert (closed.state, closed.reason, closed.acknowledged_by) == (IncidentState.CLOSED, "closed_by_hand", "li")
    take(database, signal(2, "cleared", at=2))
    assert state_of(database) == ["closed"]
    take(database, signal(3, at=3))
    assert state_of(database) == ["active", "closed"]
    assert len(stands(database)) == 3


def test_a_batch_of_many_incidents_gets_all_its_positions(database: Database) -> None:
    take(database, *[signal(n, device=f"D{n}", zone="unassigned", at=n / 1000) for n in range(1100)])
    with database.write() as connection:
        while give_positions(connection):
            pass
        assert feed_bounds(connection) == (1, 1101), "and one record of the alarms"


def test_another_s_overdue_zones_do_not_hold_up_ours(database: Database) -> None:
    with database.write() as connection:
        apply_site(connection, SITE, by="test", now=NOON)
    take(database, *[signal(n, "pulse", device=f"D{n}", zone="unassigned", at=-600) for n in range(20)], now=NOON - 600 * SECOND)
    take(database, signal(99, device="G-1", kind="flammable_gas_high", zone="depot"))
    with database.write() as connection:
        assert wake_zones(connection, now=NOON + 5 * SECOND, limit=5, mine=lambda zone: zone == "depot") == 1


def test_an_acknowledgement_of_something_else_does_not_count_for_methane(database: Database) -> None:
    gas = [signal(1, kind="toxic_gas_high", device="G-1", severity=1), signal(2, kind="methane_high", device="G-1", at=5)]
    with database.write() as connection:
        apply_signals(connection, gas[:1], now=NOON)
    with database.write() as connection:
        (incident,) = list_incidents(connection, scope=EVERYTHING)[0]
        connection.execute(update(schema.incidents).values(acknowledged_by="an", acknowledged_at=NOON, acknowledged_severity=1))
    with database.write() as connection:
        apply_signals(connection, gas[1:], now=NOON + 5 * SECOND)
    with database.read() as connection:
        waiting, _ = list_incidents(connection, scope=EVERYTHING, acknowledged=False)
    assert [(i.id, i.kinds, i.acknowledged_severity) for i in waiting] == [(incident.id, ["toxic_gas_high", "methane_high"], 2)]
