"""Timers wake only the zones of owned partitions, at the moment asked for, and go on after an outage."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from sqlalchemy import Connection

from bus.partitions import partition_of
from hazards.errors import StorageUnavailable
from storage.database import Database
from streams.progress import Tally
from streams.timers import Timers
from streams.worker import micros

ZONES = [f"zone-{n}" for n in range(30)]


class Waking:
    """``wake_zones`` that notes which zones it was let wake."""

    def __init__(self, *, failures: int = 0) -> None:
        self.rounds: list[list[str]] = []
        self.failures, self.happened = failures, asyncio.Event()

    def __call__(self, connection: Connection, *, now: int, limit: int, mine: Callable[[str], bool]) -> int:
        if self.failures:
            self.failures -= 1
            raise StorageUnavailable("away")
        self.rounds.append([z for z in ZONES if mine(z)])
        loop.call_soon_threadsafe(self.happened.set)
        return len(self.rounds[-1])


loop: asyncio.AbstractEventLoop


@asynccontextmanager
async def running(database: Database, waking: Waking, owned: set[int], interval: float) -> AsyncIterator[tuple[Timers, asyncio.Event]]:
    global loop
    loop, rang = asyncio.get_running_loop(), asyncio.Event()
    owns = frozenset(owned)
    timers = Timers(database, waking, micros, partitions=8, owned=lambda: owns, tally=Tally(), ring=rang.set, interval=interval)
    task = asyncio.create_task(timers.run())
    try:
        yield timers, rang
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_only_zones_of_owned_partitions(sqlite_database: Database) -> None:
    waking = Waking()
    async with running(sqlite_database, waking, {1, 5}, 0.01) as (_, rang):
        await asyncio.wait_for(rang.wait(), 50)
    assert waking.rounds[0] == [z for z in ZONES if partition_of(z, 8) in {1, 5}]


async def test_sooner_when_a_zone_asks_for_it(sqlite_database: Database) -> None:
    waking = Waking()
    async with running(sqlite_database, waking, {1}, 60) as (timers, _):
        await asyncio.wait_for(waking.happened.wait(), 50)
        waking.happened.clear()
        asked = micros() + 150_000
        timers.wake_at(asked + 30_000_000)
        timers.wake_at(asked)
        await asyncio.wait_for(waking.happened.wait(), 50)
        assert micros() >= asked


async def test_an_outage_is_waited_out(sqlite_database: Database) -> None:
    waking = Waking(failures=3)
    async with running(sqlite_database, waking, {1}, 0.01):
        await asyncio.wait_for(waking.happened.wait(), 50)
