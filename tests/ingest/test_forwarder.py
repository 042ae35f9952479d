"""The forwarder on a real broker: what the journal took reaches SQL, once, in order, whatever dies in between."""

import asyncio
import contextlib
import os
import random
import signal as signals
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, text

from bus.admin import ensure_topics
from bus.codecs import SignalPack, decode
from bus.embedded import embedded_broker_command, wait_until_up
from bus.producer import Outcome, Producer, Record
from hazards.errors import BrokerUnavailable, TooLarge
from hazards.messages import Signal
from ingest.bounds import HELD_ROWS, Bounds
from ingest.door import Door
from ingest.forwarder import Forwarder
from ingest.routes import alarm_routes
from storage import schema
from storage.database import Database
from storage.journal import Journal, JournalRow, Lane
from tests.ingest.applier import worker
from tests.ingest.flow import (
    FORWARD,
    REGISTRY,
    ZONES,
    Poster,
    assert_all_stand_once,
    assert_first_deliveries_in_order,
    drained,
    in_sql,
    noted_in,
    running,
    true,
    until,
)
from tests.real.kafka import EmbeddedBroker
from tests.real.ports import free_port


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def door(journal: Journal) -> Door:
    return Door(journal, lambda: REGISTRY)


@pytest.fixture(params=["embedded", "kafka"])
async def broker(request: pytest.FixtureRequest) -> str:
    """A broker with every topic, once the embedded one and once Apache Kafka."""
    kind = "embedded_broker" if request.param == "embedded" else "fresh_kafka"  # no message of another test
    broker = request.getfixturevalue(kind)
    address: str = broker.address if request.param == "embedded" else broker.addresses
    await ensure_topics(address, 8, 1)
    return address


async def test_what_is_accepted_reaches_sql_in_order_and_is_then_released(
    broker: str, journal: Journal, door: Door, sqlite_database: Database, tmp_path: Path
) -> None:
    poster = Poster(door, tmp_path.name)
    forwarder = Forwarder(journal, sqlite_database, Producer, broker)
    async with running(forwarder), worker(broker, sqlite_database) as log:
        await poster.post(600)
        await drained(journal)
        await until("the count to say so", lambda: true(forwarder.progress.released == 600))
        progress = forwarder.progress
    assert_all_stand_once(sqlite_database, poster)
    mine = [s for s in log if s.source == f"camera/{tmp_path.name}"]
    assert_first_deliveries_in_order(mine, poster)
    assert min(len(mine), progress.sent) >= 600 and progress.broker == broker
    assert 100 < progress.bytes_written / progress.sent < 2000


async def test_a_broker_that_dies_and_comes_back_empty_loses_nothing(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    address, poster = embedded_broker.address, Poster(door, "x")
    await ensure_topics(address, 8, 1)
    forwarder = Forwarder(journal, sqlite_database, lambda a: Producer(a, timeout=1.0), address, routes=alarm_routes(Bounds(patience=1.0)))
    second = None
    try:
        async with running(forwarder):
            async with worker(address, sqlite_database):
                await poster.post(100)
            await poster.post(300)  # sent, and read by nobody
            await until("the rows to be sent", lambda: true(forwarder.progress.sent >= 400))
            embedded_broker.kill()
            await poster.post(200)  # accepted while there is no broker
            second = await asyncio.create_subprocess_exec(*embedded_broker_command(embedded_broker.port), stdout=subprocess.DEVNULL)
            await wait_until_up(address, 60)
            await ensure_topics(address, 8, 1)
            async with worker(address, sqlite_database):
                await poster.post(100)
                await drained(journal)
    finally:
        if second is not None:
            second.kill()
            await second.wait()
    assert_all_stand_once(sqlite_database, poster)


async def test_switching_brokers_under_load_neither_loses_nor_pauses(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database, tmp_path: Path
) -> None:
    poster, log = Poster(door, "x"), list[Signal]()
    brokers = [embedded_broker, EmbeddedBroker(tmp_path), EmbeddedBroker(tmp_path)]
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded_broker.address)
    try:
        for each in brokers:
            await ensure_topics(each.address, 8, 1)
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(running(forwarder))
            for each in brokers:
                await stack.enter_async_context(worker(each.address, sqlite_database, log=log))
            posting = asyncio.create_task(poster.post(900))
            took = []
            for each in [*brokers[1:], *brokers]:
                began, before = time.monotonic(), forwarder.progress.sent
                await forwarder.switch_broker(each.address)
                took.append(time.monotonic() - began)
                assert forwarder.progress.broker == each.address and forwarder.progress.bytes_written < 600_000
                await until("rows to flow again", lambda b=before: true(posting.done() or forwarder.progress.sent > b))  # type: ignore[misc]
            await posting
            await drained(journal)
    finally:
        for each in brokers[1:]:
            each.stop()
    assert sorted(took)[len(took) // 2] < 5.0  # the middle one: a busy machine may hold up one or the other
    assert_all_stand_once(sqlite_database, poster)
    assert_first_deliveries_in_order(log, poster)


async def test_rows_on_a_broker_whose_worker_is_dead_are_sent_again_after_the_switch(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database, tmp_path: Path
) -> None:
    poster, other = Poster(door, "x"), EmbeddedBroker(tmp_path)
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded_broker.address)
    try:
        for each in (embedded_broker, other):
            await ensure_topics(each.address, 8, 1)
        async with running(forwarder), worker(other.address, sqlite_database):
            await poster.post(50)
            await until("the rows to be sent", lambda: true(forwarder.progress.sent >= 50))
            assert in_sql(sqlite_database) == []
            began = time.monotonic()
            await forwarder.switch_broker(other.address)
            assert time.monotonic() - began >= 0.4  # it waited for the drain first
            await drained(journal)
    finally:
        other.stop()
    assert_all_stand_once(sqlite_database, poster)


async def test_a_switch_to_nowhere_is_refused_and_changes_nothing(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database, free_port: int
) -> None:
    poster, address = Poster(door, "x"), embedded_broker.address
    await ensure_topics(address, 8, 1)
    forwarder = Forwarder(journal, sqlite_database, Producer, address)
    async with running(forwarder), worker(address, sqlite_database):
        with pytest.raises(BrokerUnavailable):
            await forwarder.switch_broker(f"127.0.0.1:{free_port}")
        await poster.post(20)
        await drained(journal)
    assert_all_stand_once(sqlite_database, poster)


async def test_what_a_worker_drops_is_sent_again(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    poster, dropped = Poster(door, "x"), set[str]()

    def drop_first(signal: Signal) -> bool:
        first = int(signal.source_id) % 10 == 0 and signal.id not in dropped
        dropped.add(signal.id)
        return first

    await ensure_topics(embedded_broker.address, 8, 1)
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded_broker.address, routes=alarm_routes(Bounds(patience=0.3)))
    async with running(forwarder), worker(embedded_broker.address, sqlite_database, skip=drop_first):
        await poster.post(200)
        await drained(journal)
    assert_all_stand_once(sqlite_database, poster)


async def test_sql_being_away_delays_and_loses_nothing(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    poster = Poster(door, "x")
    await ensure_topics(embedded_broker.address, 8, 1)
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded_broker.address)
    async with running(forwarder), worker(embedded_broker.address, sqlite_database):
        with sqlite_database.write() as connection:
            connection.execute(text("ALTER TABLE alarms RENAME TO away"))  # every query of both fails from here on
        await poster.post(100)
        await until("the rows to be sent", lambda: true(forwarder.progress.sent >= 100))
        assert (await journal.standing()).alarms == 100
        with sqlite_database.write() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO alarms"))
        await drained(journal)
    assert_all_stand_once(sqlite_database, poster)


async def test_while_the_broker_is_away_memory_stays_flat_and_sql_says_what_waits(
    journal: Journal, door: Door, sqlite_database: Database, free_port: int
) -> None:
    poster = Poster(door, "x")
    await journal.append(Lane.ALARMS, [JournalRow(f"{n}", ZONES[n % 12], b"not a signal") for n in range(6000)])
    await poster.post(10)
    forwarder = Forwarder(journal, sqlite_database, Producer, f"127.0.0.1:{free_port}")
    async with running(forwarder):
        await until("the forwarder to say what waits", lambda: true((n := noted_in(sqlite_database)) is not None and n.oldest_at))
        noted = noted_in(sqlite_database)
        assert noted is not None and (noted.journal, noted.unapplied, noted.oldest_zone) == (journal.id, 6010, ZONES[0])
        assert all(flow._flights.room == HELD_ROWS for flow in forwarder._flows), "rows were read for which there is no broker"
        assert not forwarder.progress.connected and forwarder.progress.unapplied == 6010


async def test_an_alarm_that_only_passes_by_while_the_forwarder_starts_is_not_noted_as_waiting(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    """Nothing would ever correct it, and the watchdog would end one worker after the other."""
    poster = Poster(door, "x")
    await ensure_topics(embedded_broker.address, 8, 1)
    await poster.post(5)
    async with running(Forwarder(journal, sqlite_database, Producer, embedded_broker.address)):
        await until("the first note", lambda: true(noted_in(sqlite_database) is not None))
        assert noted_in(sqlite_database).oldest_at is None


async def test_a_row_that_can_not_be_read_is_put_aside_and_stops_nobody(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    poster = Poster(door, "x")
    await ensure_topics(embedded_broker.address, 8, 1)
    await poster.post(20)
    await journal.append(Lane.ALARMS, [JournalRow("bad", ZONES[0], b"\x00\x01")])
    await poster.post(20)
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded_broker.address)
    async with running(forwarder), worker(embedded_broker.address, sqlite_database) as log:
        await drained(journal)
        await until("SQL to hear of it", lambda: true(noted_in(sqlite_database) is not None))
    assert_all_stand_once(sqlite_database, poster)
    assert_first_deliveries_in_order(log, poster)
    with sqlite_database.read() as connection:
        (letter,) = connection.execute(select(schema.dead_letters)).all()
    assert letter.payload == b"\x00\x01" and "bad" in letter.reason and letter.signal == "bad"


async def test_a_signal_that_the_broker_never_takes_is_put_aside_as_the_topic_would_have_held_it(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    class Narrow(Producer):
        async def send_records(self, key: str, records: Sequence[Record]) -> list[Outcome]:
            return [TooLarge(f"{len(record.value)} bytes") for record in records]

    poster = Poster(door, "x")
    await poster.post(1)
    async with running(Forwarder(journal, sqlite_database, Narrow, embedded_broker.address)):
        await drained(journal)
    with sqlite_database.read() as connection:
        (letter,) = connection.execute(select(schema.dead_letters)).all()
    assert decode(SignalPack, letter.payload) == SignalPack(ZONES[0], poster.accepted)
    assert letter.signal == poster.accepted[0].id


async def test_topics_that_nobody_made_are_waited_for_and_never_made_by_the_way(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    poster = Poster(door, "x")
    await poster.post(20)
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded_broker.address)
    async with running(forwarder):
        await until("a connection", lambda: true(forwarder.progress.connected))
        await until("it to be dropped", lambda: true(not forwarder.progress.connected))
        await ensure_topics(embedded_broker.address, 8, 1)  # refuses topics of another partition count
        async with worker(embedded_broker.address, sqlite_database):
            await drained(journal)
    assert_all_stand_once(sqlite_database, poster)


async def test_what_was_applied_before_a_crash_is_released_without_being_sent_again(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database
) -> None:
    from storage.incidents import apply_signals

    poster = Poster(door, "x")
    await ensure_topics(embedded_broker.address, 8, 1)
    await poster.post(700)
    await sqlite_database.writing(lambda c: apply_signals(c, poster.accepted[:650], now=1))
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded_broker.address)
    async with running(forwarder), worker(embedded_broker.address, sqlite_database) as log:
        await drained(journal)
        assert {s.id for s in log} == {s.id for s in poster.accepted[650:]}
    assert_all_stand_once(sqlite_database, poster)


async def test_killed_at_any_moment_it_loses_and_doubles_nothing(
    embedded_broker: EmbeddedBroker, journal: Journal, door: Door, sqlite_database: Database, tmp_path: Path
) -> None:
    poster, chance = Poster(door, "x"), random.Random(3)
    await ensure_topics(embedded_broker.address, 8, 1)
    command = [sys.executable, "-c", FORWARD, str(journal.path), str(sqlite_database.engine.url), embedded_broker.address]
    async with worker(embedded_broker.address, sqlite_database) as log:
        for life in range(7):
            process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            seen = len(log)
            await poster.post(150)
            await until("the new one to work", lambda s=seen: true(len(log) > s))  # type: ignore[misc]
            if life < 6:
                await asyncio.sleep(chance.uniform(0, 0.1))  # the moment of the kill is the random input of this test
                os.kill(process.pid, signals.SIGKILL)
            else:
                await drained(journal)
                process.terminate()
            await process.wait()
    assert_all_stand_once(sqlite_database, poster)
    assert_first_deliveries_in_order(log, poster)


async def test_more_waiting_than_it_may_hold_leaves_the_loop_to_others(journal: Journal, door: Door, sqlite_database: Database) -> None:
    poster = Poster(door, "away")
    await poster.post(2500)
    async with running(Forwarder(journal, sqlite_database, Producer, f"127.0.0.1:{free_port()}")):
        async with asyncio.timeout(60):  # a forwarder that, full and without a broker, keeps the event loop for itself lets nobody pass
            for _ in range(25):
                await poster.post(1)
                await asyncio.sleep(0.02)
