"""Worker processes that evaluate, on the embedded broker and on Apache Kafka: killed and stopped at any time, the results are the same."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from sqlalchemy import func, select

from bus.admin import ensure_topics
from bus.topics import TELEMETRY
from hazards.telemetry import TelemetryPack
from storage import schema
from storage.database import Database
from storage.telemetry_marks import marked
from streams.worker import micros
from tests.hazards.telemetry_histories import SECOND
from tests.real.kafka import EmbeddedBroker, KafkaCluster
from tests.real.processes import tail
from tests.streams.signals import producing, send
from tests.streams.telemetry import Results, emitted, messages, packs, uninterrupted, write_sensors
from tests.streams.workers import WorkerProcess

LIFE = 40
"""Seconds of the park's life, all of it over when it is sent."""


class Park:
    """A park's telemetry on a broker, and the workers that evaluate it."""

    def __init__(self, folder: Path, broker: str, database_url: str, *options: str) -> None:
        self.folder, self.broker, self.url, self.options = folder, broker, database_url, options
        self.stream = packs(LIFE, (micros() // SECOND - LIFE - 5) * SECOND)
        self.expected = uninterrupted(self.stream)
        self.workers: list[WorkerProcess] = []

    def worker(self) -> WorkerProcess:
        """One more worker, with an output of its own."""
        out = self.folder / f"out-{len(self.workers)}"
        write_sensors(out)
        worker = WorkerProcess(self.folder / f"{out.name}.log", self.broker, self.url, "--telemetry", str(out), *self.options)
        self.workers.append(worker)
        return worker

    def results(self) -> Results:
        """What all workers emitted."""
        results = Results()
        for n in range(len(self.workers)):
            found = emitted(self.folder / f"out-{n}")
            results.alarms |= found.alarms
            results.rollups |= found.rollups
        return results

    async def done(self, seconds: float = 120) -> None:
        """Wait until every alarm and every roll-up of a second is there as an uninterrupted run gives it."""
        until, finest = time.monotonic() + seconds, self.expected.of_resolution(1)
        while time.monotonic() < until:
            results = self.results()
            if len(results.alarms) >= len(self.expected.alarms) and results.of_resolution(1) == finest:
                break
            await asyncio.sleep(0.2)
        assert self.results().alarms.keys() == self.expected.alarms.keys(), tail(self.workers[-1].log)
        assert {i: (a.action, a.at, a.details) for i, a in self.results().alarms.items()} == {
            i: (a.action, a.at, a.details) for i, a in self.expected.alarms.items()
        }
        assert self.results().of_resolution(1) == finest


@asynccontextmanager
async def sending(park: Park, of: list[TelemetryPack], *, pause: float = 0.0) -> AsyncIterator[AIOKafkaProducer]:
    """Send ``of`` slowly for the length of the block and to their end; the producer is there for more."""
    async with producing(park.broker) as producer:

        async def slowly() -> None:
            for start in range(0, len(of), 10):
                await send(producer, messages(of[start : start + 10]), TELEMETRY.name)
                await asyncio.sleep(pause)

        task = asyncio.create_task(slowly())
        try:
            yield producer
        finally:
            await task


@pytest.fixture
def park_on(tmp_path: Path) -> AsyncIterator[Callable[..., Park]]:
    """``park_on(broker, database_url, options…)``; its workers end with the test."""
    made = list[Park]()

    def make(broker: str, url: str, *options: str) -> Park:
        made.append(Park(tmp_path, broker, url, *options))
        return made[-1]

    yield make  # type: ignore[misc]
    for worker in (w for park in made for w in park.workers):
        worker.stop()


async def test_a_worker_that_is_killed_again_and_again_gives_what_an_uninterrupted_one_gives(
    park_on: Callable[..., Park], embedded_broker: EmbeddedBroker, database: Database, database_url: str
) -> None:
    park = park_on(embedded_broker.address, database_url, "--alone")
    worker = park.worker()
    await asyncio.to_thread(worker.wait_until_ready)
    async with sending(park, park.stream, pause=0.2) as producer:
        for pause in (1.0, 2.5, 0.7):
            await asyncio.sleep(pause)
            await asyncio.to_thread(worker.kill)
            worker.start()
        await send(producer, messages(park.stream[:100]), TELEMETRY.name)  # a forwarder that was not sure sends again
    await park.done()
    ids = list({pack.id for pack in park.stream})
    async with asyncio.timeout(60):
        while await database.reading(lambda c: len(marked(c, ids, ["evaluate"]))) < len(ids):
            await asyncio.sleep(0.1)


async def test_a_worker_that_is_stopped_saves_and_the_next_one_reads_nothing_again(
    park_on: Callable[..., Park], embedded_broker: EmbeddedBroker, database: Database, database_url: str
) -> None:
    park = park_on(embedded_broker.address, database_url, "--alone")
    worker = park.worker()
    await asyncio.to_thread(worker.wait_until_ready)
    async with sending(park, park.stream[:200]):
        pass
    async with asyncio.timeout(60):
        while (worker.progress() or worker.progress()).readings < 4000:  # type: ignore[union-attr]
            await asyncio.sleep(0.05)
    assert await asyncio.to_thread(worker.stop) == 0
    async with sending(park, park.stream[200:]):  # before the next one works: who has nothing to read for seconds lets time pass
        pass
    worker.start()
    await park.done()
    wanted = 20 * (len(park.stream) - 200)
    async with asyncio.timeout(60):
        while (progress := worker.progress()) is None or progress.readings < wanted:
            await asyncio.sleep(0.05)
    assert progress.readings == wanted
    assert (progress.late, progress.early, progress.telemetry_trouble) == (0, 0, "")


async def test_bad_packs_stop_nothing_and_are_kept_with_their_reason(
    park_on: Callable[..., Park], embedded_broker: EmbeddedBroker, database: Database, database_url: str
) -> None:
    park = park_on(embedded_broker.address, database_url, "--alone")
    await asyncio.to_thread(park.worker().wait_until_ready)
    good = messages(park.stream)
    bad = [(b"zone-1", value) for value in (b"", b"\xff" * 5000, good[0][1][:-9], good[0][1].replace(b"telemetry/1", b"telemetry/9"))]
    async with producing(park.broker) as producer:
        await send(producer, [*bad, *good[:200], *bad, *good[200:]], TELEMETRY.name)
    await park.done()
    async with asyncio.timeout(60):
        while await database.reading(lambda c: c.scalar(select(func.count()).select_from(schema.dead_letters))) != len(bad):
            await asyncio.sleep(0.1)


async def test_workers_of_a_group_that_come_and_die_give_what_one_gives(
    park_on: Callable[..., Park], fresh_kafka: KafkaCluster, database: Database, database_url: str
) -> None:
    await ensure_topics(fresh_kafka.addresses, 8, 1)
    park = park_on(fresh_kafka.addresses, database_url)
    first = park.worker()
    await asyncio.to_thread(first.wait_until_ready)
    async with sending(park, park.stream, pause=0.4):
        await asyncio.sleep(1)
        second = park.worker()
        await asyncio.to_thread(second.wait_until_ready)
        await asyncio.sleep(2)
        first.kill()
        await asyncio.sleep(8)  # its partitions go to the second after the session's end
        first.start()
        await asyncio.to_thread(first.wait_until_ready)
        await asyncio.to_thread(second.stop)
    await park.done()
