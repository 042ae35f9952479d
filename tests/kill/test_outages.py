"""The broker or the time series away under 2,000 readings/s: afterwards every reading stands once, alarms came first, memory stayed flat.

``BIHUAN_TEST_OUTAGE_SECONDS``: how long it is away, 20 by default; five minutes in the soak.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field

import psutil
import pytest
from sqlalchemy import func, select

from benchmarks.client import alarm_event
from storage import schema
from tests.kill.telemetry_accounts import PERIOD
from tests.kill.test_telemetry import Books, influx_settings, measuring
from tests.real.influx import Influx
from tests.real.kafka import KafkaCluster
from tests.real.system import RunningSystem

SECONDS = float(os.environ.get("BIHUAN_TEST_OUTAGE_SECONDS", "20"))
SOAK_SECONDS = 300.0
GROWTH = 60_000_000
"""Bytes that a process may gain during an outage, whatever its length: queues and windows fill, then no more."""
ALARM_RATE = 5
LAG_SECONDS = 30.0
"""How old an accepted alarm may be before it stands in SQL, from when it can: a busy machine's bound, not an operator's."""


def parts_of(system: RunningSystem) -> dict[str, int]:
    """Resident memory of each part of ours, by its name and process."""
    found = dict[str, int]()
    for process in system.children():
        try:
            words = process.cmdline()
            if "bihuan.parts" in words:
                found[f"{words[-1]}/{process.pid}"] = process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return found


@dataclass
class Alarms:
    """Alarms of people's devices beside the telemetry: when each was accepted."""

    books: Books
    accepted: dict[str, float] = field(default_factory=dict)

    async def run(self) -> None:
        """Some a second, until cancelled."""
        while True:
            identity = f"outage-{len(self.accepted)}"
            action = ("raised", "cleared")[len(self.accepted) % 2]
            event = alarm_event(identity, "D-0-0", "flame", action, source="outage-test")
            answer = await self.books.measuring.client.post_alarms(event)
            assert answer.status == 202, answer.text
            self.accepted[identity] = time.monotonic()
            await asyncio.sleep(1 / ALARM_RATE)

    async def standing(self) -> set[str]:
        """Those that stand in SQL."""
        query = select(schema.alarms.c.source_id).where(schema.alarms.c.source == "outage-test")
        return await self.books.database.reading(lambda c: set(c.scalars(query)))

    async def all_stand(self, seconds: float) -> float:
        """Wait until all accepted so far stand; seconds it took."""
        began, wanted = time.monotonic(), set(self.accepted)
        while not wanted <= await self.standing():
            assert time.monotonic() - began < seconds, f"{len(wanted - await self.standing())} of {len(wanted)} alarms don't stand"
            await asyncio.sleep(0.05)
        return time.monotonic() - began


async def waiting_packs(books: Books) -> int:
    """Rows in the journal's lane of telemetry."""
    def count() -> int:
        with closing(sqlite3.connect(books.system.folder / "journal.sqlite")) as journal:
            return int(journal.execute("SELECT count(*) FROM telemetry").fetchone()[0])

    return await asyncio.to_thread(count)


async def outage(books: Books, alarms: Alarms, stop: Callable[[], Awaitable[None]], *, seconds: float) -> None:
    """``stop`` something for ``seconds`` while readings and alarms come in; it is still away when this returns."""
    posting = asyncio.create_task(alarms.run())
    await books.accepting(10_000)
    await alarms.all_stand(90)
    await stop()
    await asyncio.sleep(min(5.0, seconds / 4))  # buffers fill first, and what is imported late is imported
    before = parts_of(books.system)
    await asyncio.sleep(seconds)
    after = parts_of(books.system)
    assert after.keys() == before.keys(), f"a part was started anew: {before.keys() ^ after.keys()}"
    grown = {part: after[part] - before[part] for part in before}
    print("memory gained in MB:", {part: round(size / 1e6, 1) for part, size in grown.items()})
    assert max(grown.values()) < GROWTH, grown
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)


async def kafka_away(books: Books, kafka: KafkaCluster, *, seconds: float) -> None:
    """All is accepted meanwhile, and once Kafka is back the alarms stand first."""
    alarms = Alarms(books)
    await outage(books, alarms, lambda: asyncio.to_thread(kafka.kill, 1), seconds=seconds)
    behind = await waiting_packs(books)
    await asyncio.to_thread(kafka.restart, 1)
    took = await alarms.all_stand(LAG_SECONDS)
    began = time.monotonic()
    while await waiting_packs(books) > behind / 10:
        assert time.monotonic() - began < 120 + seconds
        await asyncio.sleep(0.1)
    longer = time.monotonic() - began
    print(f"{len(alarms.accepted)} alarms stood {took:.1f} s after Kafka was back, {behind} packs waited {longer:.1f} s more")
    print(await books.close(seconds=120 + seconds))


async def series_away(books: Books, influx: Influx, *, seconds: float) -> None:
    """Alarms of devices and of rules stand as ever, and once InfluxDB is back every reading."""
    alarms, by_rules = Alarms(books), schema.alarms.c.source.startswith("rule/")

    async def raised() -> int:
        return await books.database.reading(lambda c: c.scalar(select(func.count()).select_from(schema.alarms).where(by_rules)) or 0)

    await outage(books, alarms, lambda: asyncio.to_thread(influx.kill), seconds=seconds)
    lag = await alarms.all_stand(LAG_SECONDS)
    wanted = 2 * len(books.measuring.accepted) // PERIOD  # each device is raised and cleared once a period
    found, began = await raised(), time.monotonic()
    while found < wanted * 0.9 and time.monotonic() - began < LAG_SECONDS:
        await asyncio.sleep(0.1)
        found = await raised()
    print(f"InfluxDB away for {seconds:.0f} s: alarms stood after {lag:.1f} s, {found} rule alarms of some {wanted}")
    assert found >= wanted * 0.9, "rule alarms waited for the time series"
    await asyncio.to_thread(influx.restart)
    print(await books.close(seconds=120 + seconds))


async def run_kafka_away(start: Callable[..., RunningSystem], kafka: KafkaCluster, database: str, influx: Influx, seconds: float) -> None:
    settings = {"KAFKA": kafka.addresses, "DATABASE": database} | influx_settings(influx)
    async with measuring(start, "embedded", settings) as books:
        await kafka_away(books, kafka, seconds=seconds)


async def run_series_away(start: Callable[..., RunningSystem], flavour: str, influx: Influx, seconds: float) -> None:
    async with measuring(start, flavour, influx_settings(influx)) as books:
        await series_away(books, influx, seconds=seconds)


@pytest.mark.timeout(600)
async def test_kafka_away_loses_and_doubles_no_reading_and_alarms_come_first(
    running_system: Callable[..., RunningSystem], fresh_kafka: KafkaCluster, postgres_url: str, influx: Influx
) -> None:
    await run_kafka_away(running_system, fresh_kafka, postgres_url, influx, SECONDS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("flavour", ["embedded", "kafka"])
async def test_influxdb_away_holds_up_no_alarm_and_loses_no_reading(
    running_system: Callable[..., RunningSystem], influx: Influx, flavour: str
) -> None:
    await run_series_away(running_system, flavour, influx, SECONDS)


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_kafka_away_for_five_minutes(
    running_system: Callable[..., RunningSystem], fresh_kafka: KafkaCluster, postgres_url: str, influx: Influx
) -> None:
    await run_kafka_away(running_system, fresh_kafka, postgres_url, influx, SOAK_SECONDS)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("flavour", ["embedded", "kafka"])
async def test_influxdb_away_for_five_minutes(running_system: Callable[..., RunningSystem], influx: Influx, flavour: str) -> None:
    await run_series_away(running_system, flavour, influx, SOAK_SECONDS)
