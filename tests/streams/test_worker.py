"""The worker as a process on the embedded broker: alarms become incidents in SQL, whatever is killed or sent."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, select

from bus.admin import ensure_topics
from bus.codecs import SignalPack, encode
from bus.embedded import embedded_broker_command, wait_until_up
from bus.topics import ALARMS, DEAD_LETTERS
from hazards.messages import Action
from storage import schema
from storage.database import Database
from tests.real.kafka import EmbeddedBroker
from tests.real.processes import start, tail
from tests.streams.signals import alarm, packs_of, producing, send
from tests.streams.workers import WorkerProcess


@pytest.fixture
def worker(embedded_broker: EmbeddedBroker, database: Database, database_url: str, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker alone on an embedded broker, ready."""
    process = WorkerProcess(tmp_path / "worker.log", embedded_broker.address, database_url, "--alone")
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.stop()


async def applied(database: Database, wanted: int, *, seconds: float = 60, log: Path | None = None) -> None:
    """Wait until ``wanted`` alarms stand in SQL."""
    until, count = time.monotonic() + seconds, -1
    while count < wanted and time.monotonic() < until:
        count = await database.reading(lambda c: c.scalar(select(func.count()).select_from(schema.alarms)) or 0)
        await asyncio.sleep(0.02)
    assert count == wanted, f"{count} of {wanted} applied" + (f": {tail(log)}" if log else "")


async def test_alarms_become_one_incident_for_each_zone(worker: WorkerProcess, embedded_broker: EmbeddedBroker, database: Database) -> None:
    signals = [alarm(n, f"zone-{n % 5}", action=Action.RAISED if n < 5 else (Action.RAISED, Action.CLEARED)[n % 2]) for n in range(500)]
    async with producing(embedded_broker.address) as producer:
        await send(producer, packs_of(signals))
        await send(producer, packs_of(signals[100:300]))  # a forwarder that was not sure sends again
    await applied(database, 500, log=worker.log)
    rows = await database.reading(lambda c: c.execute(select(schema.incidents.c.zone, schema.incidents.c.alarm_count)).all())
    assert sorted(tuple(r) for r in rows) == [(f"zone-{n}", 100) for n in range(5)]


async def test_what_cant_be_understood_is_put_aside_and_the_stream_goes_on(
    worker: WorkerProcess, embedded_broker: EmbeddedBroker, database: Database
) -> None:
    good = packs_of([alarm(1, "zone-1")])[0][1]
    bad = {
        "garbage": b"\xff\x00garbage",
        "nothing": b"",
        "half a message": good[: len(good) // 2],
        "another schema": msgspec.msgpack.encode(("incident/1", {})),
        "an unknown major version": msgspec.msgpack.encode(("signals/9", {"zone": "zone-1"})),
        "wrong types": msgspec.msgpack.encode(("signals/1", {"zone": 7, "signals": "none"})),
        "a signal without an id": msgspec.msgpack.encode(("signals/1", {"zone": "zone-1", "signals": [{"kind": "flame"}]})),
        "a time that nobody can hold": encode(SignalPack("zone-1", [msgspec.structs.replace(alarm(3, "zone-1"), at=2**63)])),
    }
    async with producing(embedded_broker.address) as producer:
        await send(producer, [(b"zone-1", value) for value in bad.values()])
        await send(producer, [(b"zone-1", good), *packs_of([alarm(2, "zone-1")])])
        await send(producer, [(b"zone-1", value) for value in bad.values()])  # again: kept once
        await send(producer, packs_of([alarm(4, "zone-1")]))
    await applied(database, 3, log=worker.log)
    letters = await database.reading(lambda c: c.execute(select(schema.dead_letters)).all())
    assert {bytes(row.payload) for row in letters} >= {v for k, v in bad.items() if k != "a time that nobody can hold"}
    assert len(letters) == len(bad)
    assert all(row.topic == ALARMS.name and row.reason for row in letters)
    assert sum("UnknownSchema" in row.reason for row in letters) == 1
    assert sum("a time that is none" in row.reason for row in letters) == 1


async def test_dead_letters_are_copied_to_their_topic(worker: WorkerProcess, embedded_broker: EmbeddedBroker, database: Database) -> None:
    from aiokafka import AIOKafkaConsumer

    async with producing(embedded_broker.address) as producer:
        await send(producer, [(b"zone-1", b"not a message")])
    consumer = AIOKafkaConsumer(DEAD_LETTERS.name, bootstrap_servers=embedded_broker.address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await asyncio.wait_for(consumer.getone(), 60)
    finally:
        await consumer.stop()
    assert (record.key, record.value) == (ALARMS.name.encode(), b"not a message")
    assert b"MalformedMessage" in dict(record.headers)["reason"]


async def test_a_killed_worker_goes_on_where_it_was(worker: WorkerProcess, embedded_broker: EmbeddedBroker, database: Database) -> None:
    async with producing(embedded_broker.address) as producer:
        for turn in range(4):
            sending = asyncio.create_task(send(producer, packs_of(alarm(turn * 300 + n, f"zone-{n % 7}") for n in range(300))))
            await asyncio.to_thread(worker.kill)
            worker.start()
            await sending
        await applied(database, 1200, log=worker.log)
    counts = await database.reading(lambda c: c.execute(select(schema.incidents.c.zone, schema.incidents.c.alarm_count)).all())
    assert len(counts) == 7
    assert sum(n for _, n in counts) == 1200


async def test_a_broker_that_comes_back_empty_is_read_from_its_beginning(
    worker: WorkerProcess, embedded_broker: EmbeddedBroker, database: Database, tmp_path: Path
) -> None:
    async with producing(embedded_broker.address) as producer:
        await send(producer, packs_of(alarm(n, f"zone-{n % 7}") for n in range(400)))
        await applied(database, 400)
    embedded_broker.kill()
    again = start(embedded_broker_command(embedded_broker.port), tmp_path / "again.log")
    try:
        await wait_until_up(embedded_broker.address, 60)
        await ensure_topics(embedded_broker.address, 8, 1)
        async with producing(embedded_broker.address) as producer:
            await send(producer, packs_of(alarm(1000 + n, f"zone-{n % 7}") for n in range(70)))
            await applied(database, 470, log=worker.log)
            await send(producer, packs_of(alarm(2000 + n, f"zone-{n % 7}") for n in range(700)))
            await applied(database, 1170, log=worker.log)
    finally:
        again.kill()
        again.wait()


async def test_it_stops_by_itself_and_says_what_it_did(
    worker: WorkerProcess, embedded_broker: EmbeddedBroker, database: Database
) -> None:
    async with producing(embedded_broker.address) as producer:
        await send(producer, packs_of(alarm(n, "zone-1") for n in range(10)))
    await applied(database, 10)
    began = time.monotonic()
    assert await asyncio.to_thread(worker.stop) == 0
    assert time.monotonic() - began < 8
    progress = worker.progress()
    assert progress is not None
    assert progress.assigned == [f"alarms/{n}" for n in range(8)]


async def test_it_waits_for_a_broker_that_is_not_there_yet(tmp_path: Path, sqlite_database: Database, free_port: int) -> None:
    worker = WorkerProcess(tmp_path / "worker.log", f"127.0.0.1:{free_port}", sqlite_database.engine.url.render_as_string(False), "--alone")
    broker = None
    try:
        async with asyncio.timeout(60):
            while not ((p := worker.progress()) and p.trouble):
                await asyncio.sleep(0.05)
        broker = start(embedded_broker_command(free_port), tmp_path / "broker.log")
        await asyncio.to_thread(worker.wait_until_ready)
    finally:
        worker.stop()
        if broker is not None:
            broker.kill()
            broker.wait()


async def test_it_stops_by_itself_when_the_broker_is_away(
    worker: WorkerProcess, embedded_broker: EmbeddedBroker, database: Database
) -> None:
    async with producing(embedded_broker.address) as producer:
        await send(producer, packs_of(alarm(n, "zone-1") for n in range(10)))
    embedded_broker.kill()
    began = time.monotonic()
    assert await asyncio.to_thread(worker.stop) == 0
    assert time.monotonic() - began < 8
