"""What tests of the forwarder share: alarms posted at a door, the forwarder running, and what must stand in SQL."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from sqlalchemy import func, select

from hazards.admission import Report
from hazards.messages import Action, Signal
from hazards.zones import Device, Site
from ingest.door import Door
from ingest.forwarder import Forwarder
from storage import schema
from storage.database import Database
from storage.journal import Journal
from storage.site_store import Registry

ZONES = [f"zone-{n}" for n in range(12)]
REGISTRY = Registry(1, Site(id="park", name="Park"), {}, {f"CAM-{z}": Device(id=f"CAM-{z}", zone=z, type="camera") for z in ZONES})

FORWARD = """
import asyncio, pathlib, sys
from bus.producer import Producer
from ingest.bounds import Bounds
from ingest.forwarder import Forwarder
from ingest.routes import alarm_routes
from storage.database import Database
from storage.journal import Journal
routes = alarm_routes(Bounds(patience=1.0))
forwarder = Forwarder(Journal(pathlib.Path(sys.argv[1])), Database(sys.argv[2]), Producer, sys.argv[3], routes=routes)
asyncio.run(forwarder.run())
"""
"""A forwarder in a process of its own: journal, SQL and broker as arguments."""


class Poster:
    """Posts alarms, raised and cleared in turn for each zone's camera, and knows what must stand in SQL."""

    def __init__(self, door: Door, name: str) -> None:
        self.door, self.name, self.accepted = door, name, list[Signal]()

    async def post(self, count: int) -> None:
        for _ in range(count):
            n = len(self.accepted)
            zone = ZONES[n % len(ZONES)]
            action = (Action.RAISED, Action.CLEARED)[n // len(ZONES) % 2]
            report = Report(source=f"camera/{self.name}", source_id=str(n), device=f"CAM-{zone}", kind="flame", action=action, at=None)
            self.accepted += await self.door.accept([report])


@contextlib.asynccontextmanager
async def running(forwarder: Forwarder) -> AsyncIterator[Forwarder]:
    task = asyncio.create_task(forwarder.run())
    try:
        yield forwarder
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(what: str, condition: Callable[[], Awaitable[object]], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.01)


async def drained(journal: Journal) -> None:
    async def empty() -> bool:
        return (await journal.standing()).alarms == 0

    await until("the journal to drain", empty)


def in_sql(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(schema.alarms.c.id)))


def assert_all_stand_once(database: Database, poster: Poster) -> None:
    stand = in_sql(database)
    wanted = [s.id for s in poster.accepted]
    assert sorted(stand) == sorted(wanted)


def assert_first_deliveries_in_order(log: list[Signal], poster: Poster) -> None:
    for zone in ZONES:
        first = list(dict.fromkeys(s.id for s in log if s.zone == zone))
        wanted = [s.id for s in poster.accepted if s.zone == zone]
        assert first == wanted, zone


async def true(value: object) -> object:
    return value


def noted_in(database: Database) -> Any:
    with database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(schema.forwarders)) in {0, 1}
        return connection.execute(select(schema.forwarders)).first()
