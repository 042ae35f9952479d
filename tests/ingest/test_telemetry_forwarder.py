"""The lane of telemetry on real brokers: nothing lost, in order, alarms not behind it, and an agent that is away costs disk, not memory."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import func, select

from bus.admin import ensure_topics
from bus.codecs import decode
from bus.producer import Producer
from bus.topics import ROLLUPS, TELEMETRY
from hazards.telemetry import RollupPack, TelemetryPack
from ingest.forwarder import Forwarder
from ingest.mark_sweep import sweep_once
from ingest.routes import telemetry_routes
from storage import schema
from storage.database import Database
from storage.dead_letters import dead_letter, keep_dead_letters
from storage.journal import Journal, JournalRow, Lane
from storage.telemetry_marks import EVALUATE, STORE, mark
from tests.ingest.agents import ZONES, Agent, Feeder, both, working
from tests.ingest.flow import running, true, until
from tests.real.kafka import EmbeddedBroker, KafkaCluster


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def feeder(journal: Journal) -> Feeder:
    return Feeder(journal)


@pytest.fixture
async def embedded(embedded_broker: EmbeddedBroker) -> str:
    await ensure_topics(embedded_broker.address, 8, 1)
    return embedded_broker.address


def forwarding(journal: Journal, database: Database, address: str, *, durable: bool = False, bound: int = 256_000_000) -> Forwarder:
    return Forwarder(journal, database, Producer, address, routes=telemetry_routes(durable=durable, broker_bound=bound))


async def drained(journal: Journal) -> None:
    async def empty() -> bool:
        return (await journal.standing()).telemetry == 0

    await until("the lane of telemetry to drain", empty)


def marks_in(database: Database) -> int:
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(schema.telemetry_marks)) or 0


def in_order(seen: list[str], feeder: Feeder) -> bool:
    """Whether the first time each pack came was in the order of its zone."""
    first = {identity: n for n, identity in reversed(list(enumerate(seen)))}
    lines = [[first[p.id] for p in feeder.packs if p.zone == zone] for zone in ZONES]
    return all(line == sorted(line) for line in lines)


async def on_topics(address: str, count: int) -> list[str]:
    """Ids of the first ``count`` records of both topics."""
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    consumer.assign([TopicPartition(t.name, p) for t in (TELEMETRY, ROLLUPS) for p in range(8)])
    ids = list[str]()
    try:
        async with asyncio.timeout(60):
            while len(ids) < count:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    for r in records:
                        kind: type[TelemetryPack] | type[RollupPack] = TelemetryPack if r.topic == TELEMETRY.name else RollupPack
                        ids.append(decode(kind, r.value).id)
    finally:
        await consumer.stop()
    return ids


async def test_on_a_kafka_that_keeps_it_a_pack_is_released_when_it_is_acknowledged(
    fresh_kafka: KafkaCluster, journal: Journal, feeder: Feeder, sqlite_database: Database
) -> None:
    await ensure_topics(fresh_kafka.addresses, 8, 1)
    forwarder = forwarding(journal, sqlite_database, fresh_kafka.addresses, durable=True)
    async with running(forwarder):
        await feeder.feed(500, rolled=100)
        await drained(journal)
        began = time.monotonic()
        await feeder.feed(3000)
        await drained(journal)
        rate = 3000 / (time.monotonic() - began)
        assert rate > 100, f"{rate:.0f} packs/s"
        ids = await on_topics(fresh_kafka.addresses, 3600)
    assert sorted(ids) == sorted(p.id for p in [*feeder.packs, *feeder.rolled])
    assert in_order(ids, feeder) and forwarder.progress.sent == forwarder.progress.released == 3600


async def test_on_the_embedded_broker_a_pack_is_released_when_both_agents_marked_it_and_marks_go_with_it(
    embedded: str, journal: Journal, feeder: Feeder, sqlite_database: Database
) -> None:
    evaluate, store = both(embedded, sqlite_database)
    forwarder = forwarding(journal, sqlite_database, embedded)
    async with running(forwarder), working(evaluate, store):
        await feeder.feed(1000, rolled=200)
        await drained(journal)
        await until("the marks to go", lambda: true(marks_in(sqlite_database) == 0))
    assert evaluate.seen.count(feeder.packs[0].id) == 1 and in_order(evaluate.seen, feeder)
    assert sorted(evaluate.seen) == sorted(p.id for p in feeder.packs), "each once: nothing was sent twice"
    assert sorted(store.seen) == sorted(p.id for p in [*feeder.packs, *feeder.rolled])


async def test_one_agent_alone_releases_nothing(embedded: str, journal: Journal, feeder: Feeder, sqlite_database: Database) -> None:
    for agent in both(embedded, sqlite_database):
        forwarder = forwarding(journal, sqlite_database, embedded)
        await feeder.feed(24)
        async with running(forwarder), working(agent):
            await until("all to be marked", lambda: true(marks_in(sqlite_database) >= len(feeder.packs)))
            await asyncio.sleep(2)
            assert (await journal.standing()).telemetry == len(feeder.packs)
        with sqlite_database.write() as connection:
            connection.execute(schema.telemetry_marks.delete())


async def test_while_the_store_is_away_evaluate_goes_on_and_the_broker_gets_nothing_twice(
    embedded: str, journal: Journal, feeder: Feeder, sqlite_database: Database
) -> None:
    evaluate, store = both(embedded, sqlite_database)
    forwarder = forwarding(journal, sqlite_database, embedded, bound=1_200_000)
    async with running(forwarder):
        # a route that looks for the first time at rows another has sent already takes them for those of a former broker
        await until("both routes to have seen the empty lane", lambda: true(all(flow._old_until == 0 for flow in forwarder._flows)))
        async with working(evaluate):
            for n in range(10):  # far more than the window of what waits for the store
                await feeder.feed(600, rolled=20)
                await until("evaluate to have seen it", lambda n=n: true(len(evaluate.seen) >= 600 * (n + 1)))  # type: ignore[misc]
            written = forwarder.progress.bytes_written
            await asyncio.sleep(3)
            assert forwarder.progress.bytes_written == written, "it was sent again although nobody lost it"
            assert (await journal.standing()).telemetry == 6200
        assert len(evaluate.seen) == 6000
        async with working(store):
            await drained(journal)
    assert len(store.seen) == len(set(store.seen)) == 6200


async def test_after_a_change_of_brokers_the_store_gets_what_it_missed_and_evaluate_passes_it_over(
    embedded: str, journal: Journal, feeder: Feeder, sqlite_database: Database, tmp_path: Path
) -> None:
    other = EmbeddedBroker(tmp_path)
    try:
        await ensure_topics(other.address, 8, 1)
        forwarder = forwarding(journal, sqlite_database, embedded, bound=1_200_000)
        async with running(forwarder):
            async with working(Agent(EVALUATE, embedded, sqlite_database)):
                await feeder.feed(4000, rolled=40)
                await until("evaluate to be done", lambda: true(marks_in(sqlite_database) >= 4000))
            await forwarder.switch_broker(other.address)
            evaluate, store = both(other.address, sqlite_database)
            async with working(evaluate):
                await feeder.feed(600)
                await until("evaluate to go on at once", lambda: true(len(evaluate.seen) >= 600))
                await asyncio.sleep(2)
                assert forwarder.progress.bytes_written < 1_200_000 / 2, "all that the store missed was sent at once"
                async with working(store):
                    await drained(journal)
    finally:
        other.stop()
    assert set(evaluate.seen) == {p.id for p in feeder.packs[4000:]}
    assert set(evaluate.passed_over) == {p.id for p in feeder.packs[:4000]}
    assert set(store.seen) == {p.id for p in [*feeder.packs, *feeder.rolled]}


async def test_what_an_agent_drops_is_sent_again_once_others_overtook_it(
    embedded: str, journal: Journal, feeder: Feeder, sqlite_database: Database
) -> None:
    evaluate, store = both(embedded, sqlite_database)
    for agent in (evaluate, store):
        dropped = set[str]()

        def first_time(identity: str, dropped: set[str] = dropped) -> bool:
            new = identity in odd and identity not in dropped
            dropped.add(identity)
            return new

        agent.skip = first_time
    routes = [replace(route, bounds=replace(route.bounds, patience=0.5)) for route in telemetry_routes(durable=False)]
    forwarder = Forwarder(journal, sqlite_database, Producer, embedded, routes=routes)
    odd = set[str]()
    async with running(forwarder), working(evaluate, store):
        await feeder.feed(240)
        odd |= {p.id for p in feeder.packs[::7]}
        await feeder.feed(240)
        odd |= {p.id for p in feeder.packs[240::7]}
        await feeder.feed(240)
        await drained(journal)
        await until("nobody to wait for a row that is gone", lambda: true(all(flow.drained for flow in forwarder._flows)))


async def test_a_row_that_nobody_knows_is_put_aside_with_the_reason(
    embedded: str, journal: Journal, feeder: Feeder, sqlite_database: Database
) -> None:
    evaluate, store = both(embedded, sqlite_database)
    await feeder.feed(12)
    unknown = [JournalRow("bad", ZONES[0], b"\x00\x01"), JournalRow("later", ZONES[1], b"\x92\xabtelemetry/9\x90")]
    await journal.append(Lane.TELEMETRY, unknown)
    await feeder.feed(12)
    async with running(forwarding(journal, sqlite_database, embedded)), working(evaluate, store):
        await drained(journal)
    with sqlite_database.read() as connection:
        letters = {row.signal: row for row in connection.execute(select(schema.dead_letters))}
    assert letters["bad"].payload == b"\x00\x01" and "not a bihuan message" in letters["bad"].reason
    assert "telemetry/9" in letters["later"].reason
    assert set(store.seen) == {p.id for p in feeder.packs}


async def test_a_pack_that_its_readers_put_aside_is_released_although_nobody_can_name_it(
    embedded: str, journal: Journal, feeder: Feeder, sqlite_database: Database
) -> None:
    evaluate, store = both(embedded, sqlite_database)
    routes = [replace(route, bounds=replace(route.bounds, patience=0.5)) for route in telemetry_routes(durable=False)]
    broken = b"\x92\xabtelemetry/1\x81\xa1x\x01"
    await journal.append(Lane.TELEMETRY, [JournalRow("broken", ZONES[0], broken)])
    await feeder.feed(24)
    with sqlite_database.write() as connection:  # what both agents do with what they can't read
        keep_dead_letters(connection, [dead_letter(TELEMETRY.name, broken, "no such field")], now=1)
    evaluate.unreadable = store.unreadable = broken
    async with running(Forwarder(journal, sqlite_database, Producer, embedded, routes=routes)), working(evaluate, store):
        await feeder.feed(240)
        await drained(journal)


async def test_marks_of_packs_that_are_gone_are_swept_and_others_stay(journal: Journal, feeder: Feeder, sqlite_database: Database) -> None:
    await feeder.feed(20)
    with sqlite_database.write() as connection:
        mark(connection, STORE, [f"gone-{n}" for n in range(2500)])
        mark(connection, EVALUATE, [p.id for p in feeder.packs])
    assert await sweep_once(journal, sqlite_database) == 2500
    assert marks_in(sqlite_database) == 20
