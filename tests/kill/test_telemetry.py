"""kill -9 of the whole tree, of a random child, of the supervisor alone, in turn, while 2,000 readings/s come in.

Afterwards every accepted reading stands once in the time series, is counted once in the roll-ups, and what the rules had to raise
stands once in SQL.
"""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bihuan.configuration import Settings, load
from bihuan.time_series import open_time_series
from storage.database import Database
from storage.series.port import TimeSeries
from tests.kill.telemetry_accounts import Measuring, audit, sensors
from tests.kill.test_broker_replacement import MEMORY_ABOVE_START, BrokerWatch
from tests.kill.test_tree import kill_once
from tests.real.influx import Influx
from tests.real.system import RunningSystem

ZONES = 4
ROUNDS = int(os.environ.get("BIHUAN_TEST_KILL_ROUNDS", "20")) // 3
DISTRICT = "510800"
RECOVERY_SECONDS = 90.0
REPLACEMENTS = 3
LONGEST_POST = 5.0
"""Seconds that a POST may take while brokers are replaced; on a busy machine a POST of 50 readings alone may take one or two."""


@dataclass
class Books:
    """A running system with a sender, and where its readings and alarms end up."""

    system: RunningSystem
    measuring: Measuring
    series: TimeSeries
    database: Database
    since: int

    async def accepting(self, count: int) -> float:
        """Wait until ``count`` more readings got their 202; seconds it took."""
        began, before = time.monotonic(), len(self.measuring.accepted)
        while len(self.measuring.accepted) < before + count:
            assert time.monotonic() < began + RECOVERY_SECONDS, f"no reading accepted: {self.measuring.refused[-3:]}"
            await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def close(self, *, seconds: float = 90) -> str:
        """Stop measuring and check the account; a line about it."""
        self.measuring.stop()
        began = time.monotonic()
        kept = await audit(self.series, self.database, self.measuring, self.since, seconds=seconds)
        return (
            f"{len(self.measuring.accepted)} readings accepted of {len(self.measuring.sent)} sent, {len(kept.raw)} stand,"
            f" {self.measuring.unanswered} posts without an answer, settled in {time.monotonic() - began:.1f} s"
        )


@asynccontextmanager
async def measuring(start: Callable[..., RunningSystem], flavour: str, settings: dict[str, str]) -> AsyncIterator[Books]:
    """A system of ``flavour`` under 2,000 readings/s."""
    system = await asyncio.to_thread(start, flavour, zones=ZONES, cameras=sensors(ZONES), settings=settings)
    keys: Settings = load({k: v for k, v in system.environment.items() if k.startswith("BIHUAN_")}, data=str(system.folder))
    series, database = open_time_series(keys, DISTRICT, writing=False), Database(keys.database_url)
    async with system.client() as client:
        sender = Measuring(client, ZONES)
        sending = asyncio.create_task(sender.run())
        try:
            yield Books(system, sender, series, database, time.time_ns() // 1000)
        finally:
            sender.stop()
            await sending
            await series.close()
            database.close()
            await asyncio.to_thread(system.end)  # before what it stands on


def influx_settings(influx: Influx) -> dict[str, str]:
    """Settings that put the time series into ``influx``."""
    return {"INFLUX_URL": influx.url, "INFLUX_ORG": influx.org, "INFLUX_TOKEN": influx.token}


async def killed_at_random(books: Books, rounds: int) -> None:
    """``rounds`` kills, anywhere in the work, and the account afterwards."""
    chance, worst = random.Random(rounds), 0.0
    for number in range(rounds):
        await books.accepting(chance.randrange(1000, 8000))
        began = time.monotonic()
        what = await kill_once(books.system, ("child", "tree", "child", "supervisor")[number % 4], chance)
        await books.accepting(1)
        worst = max(worst, time.monotonic() - began)
        print(f"round {number + 1}: killed {what}, readings accepted again after {time.monotonic() - began:.2f} s")
    await books.accepting(2000)
    print(await books.close(), f"longest pause {worst:.2f} s")


@pytest.mark.timeout(900)
async def test_every_accepted_reading_stands_once_whatever_is_killed_on_the_embedded_broker(
    running_system: Callable[..., RunningSystem],
) -> None:
    async with measuring(running_system, "embedded", {"BROKER_BOUND": "4MB"}) as books:
        await killed_at_random(books, ROUNDS)


@pytest.mark.timeout(400)
async def test_the_embedded_broker_is_replaced_under_telemetry_unnoticed(running_system: Callable[..., RunningSystem]) -> None:
    async with measuring(running_system, "embedded", {"BROKER_BOUND": "2MB"}) as books:
        await books.accepting(10_000)  # imports, caches and the first connections are not a replacement's pause
        watch = BrokerWatch(books.system)
        watching = asyncio.create_task(watch.run())
        books.measuring.longest = 0.0
        while watch.replacements < REPLACEMENTS:
            await books.accepting(1000)
        watching.cancel()
        longest = books.measuring.longest
        gained = {pid: most - min(watch.first.values()) for pid, most in watch.most.items()}
        most = max(gained.values()) / 1e6
        print(f"{watch.replacements} replacements, most memory gained by a broker {most:.1f} MB, longest POST {longest:.2f} s")
        assert max(gained.values()) <= MEMORY_ABOVE_START, gained
        assert longest < LONGEST_POST and not books.measuring.unanswered
        print(await books.close())


@pytest.mark.timeout(900)
async def test_every_accepted_reading_stands_once_whatever_is_killed_on_kafka_and_influxdb(
    running_system: Callable[..., RunningSystem], influx: Influx
) -> None:
    async with measuring(running_system, "kafka", influx_settings(influx)) as books:
        await killed_at_random(books, max(3, ROUNDS // 2))
