"""A flood of alarms (报警泛滥) over HTTP: how a whole system answers meanwhile, how soon methane is an incident, how soon all is merged.

The park's devices raise and clear in turn, in batches, at a steady rate whatever the answers take. Every tenth of a second somebody asks
for the list of incidents; in the middle a methane alarm is posted alone. What must not go in: latency at ordinary load (``latency``).
"""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import func, select

from benchmarks.client import Client, alarm_event
from benchmarks.figures import Figure, percentile, rounded
from benchmarks.park import Place, places, write_park
from benchmarks.system import System
from hazards.errors import Unavailable
from hazards.kinds import kind_of
from storage.database import Database, sqlite_url
from storage.schema import alarms

ZONES = 6
BATCH = 100
LOOK = 0.1
"""Seconds between looks at the list of incidents."""
METHANE = "methane_high"
METHANE_LOOK = 0.02


def flooding(zones: int = ZONES) -> list[Place]:
    """Devices that flood: none of them speaks of gas, so that methane is a condition of its own."""
    return [place for place in places(zones) if kind_of(place.kind).family != kind_of(METHANE).family]


@dataclass(slots=True)
class Flood:
    """What was seen. Times in seconds; ``applying``: from the first POST until SQL held all alarms; ``incidents``: open at the end."""

    posts: list[float] = field(default_factory=list)
    lists: list[float] = field(default_factory=list)
    methane: float = 0.0
    accepting: float = 0.0
    applying: float = 0.0
    incidents: list[dict[str, Any]] = field(default_factory=list)


async def flood(system: System, url: str, *, count: int, seconds: float) -> Flood:
    """``count`` alarms in ``seconds`` on ``system`` with its ledger at ``url``. Raises Unavailable when one is refused or missing."""
    found, database = Flood(), Database(url)
    try:
        async with Client(system.url, system.token(), timeout=60) as client:
            before, began = await _standing(database), time.perf_counter()
            looking = asyncio.create_task(_look(client, found))
            warning = asyncio.create_task(_methane(client, found, after=seconds / 2))
            await _post(client, found, count, seconds)
            found.accepting = time.perf_counter() - began
            looking.cancel()
            await warning
            await _wait_for(database, before + count + 1, seconds=120 + 3 * seconds)
            found.applying = time.perf_counter() - began
            found.incidents = [i for i in await client.incidents() if i["state"] != "closed"]
            return found
    finally:
        database.close()


async def _post(client: Client, found: Flood, count: int, seconds: float) -> None:
    park, began, posts = flooding(), time.perf_counter(), list[asyncio.Task[None]]()
    for first in range(0, count, BATCH):
        await asyncio.sleep(max(0.0, began + seconds * first / count - time.perf_counter()))
        events = [_event(park, n) for n in range(first, min(first + BATCH, count))]
        posts.append(asyncio.create_task(_post_one(client, found.posts, events)))
    await asyncio.gather(*posts)


def _event(park: list[Place], number: int) -> dict[str, Any]:
    place, action = park[number % len(park)], "cleared" if number // len(park) % 2 else "raised"
    return alarm_event(f"flood-{number}", place.device, place.kind, action, source="flood", message="flood")


async def _post_one(client: Client, times: list[float], events: list[dict[str, Any]] | dict[str, Any]) -> None:
    began = time.perf_counter()
    answer = await client.post_alarms(events)
    times.append(time.perf_counter() - began)
    if answer.status != 202:
        raise Unavailable(f"{answer.status} {answer.text}", where="/api/v1/alarms")


async def _look(client: Client, found: Flood) -> None:
    while True:
        began = time.perf_counter()
        await client.get("/api/v1/incidents", limit=100)
        found.lists.append(time.perf_counter() - began)
        await asyncio.sleep(LOOK)


async def _methane(client: Client, found: Flood, *, after: float) -> None:
    """Post one methane alarm and wait for its incident."""
    await asyncio.sleep(after)
    began = time.perf_counter()
    await _post_one(client, [], alarm_event("methane", "D-0-2", METHANE, "raised", source="flood"))
    while time.perf_counter() - began < 120:
        listed = (await client.get("/api/v1/incidents", limit=100))["items"]
        if any(METHANE in i["kinds"] for i in listed):
            found.methane = time.perf_counter() - began
            return
        await asyncio.sleep(METHANE_LOOK)
    raise Unavailable("the methane alarm is no incident after two minutes")


async def _standing(database: Database) -> int:
    return await database.reading(lambda c: c.execute(select(func.count()).select_from(alarms)).scalar_one())


async def _wait_for(database: Database, expected: int, *, seconds: float) -> None:
    limit = time.perf_counter() + seconds
    while (standing := await _standing(database)) < expected:
        if time.perf_counter() > limit:
            raise Unavailable(f"{standing} of {expected} alarms stand after {seconds:g} s")
        await asyncio.sleep(0.1)


def run(*, kafka: str = "", database: str = "", count: int = 100_000, seconds: float = 60.0) -> Iterator[Figure]:
    """A flood on a system started for it: embedded and SQLite, or on ``kafka`` and ``database``."""
    with TemporaryDirectory(prefix="bihuan-bench-") as name:
        folder = Path(name)
        settings = {k: v for k, v in {"KAFKA": kafka, "DATABASE": database}.items() if v}
        site = write_park(folder / "site.yaml", ZONES)
        with System(folder / "data", site=site, settings=settings) as system:
            url = database or sqlite_url(folder / "data" / "ledger.sqlite")
            found = asyncio.run(flood(system, url, count=count, seconds=seconds))
    bound = {"p99 allowed": 200.0}
    yield Figure("flood.post.p99", rounded(1000 * percentile(found.posts, 99)), "ms", bound)
    yield Figure("flood.list.p99", rounded(1000 * percentile(found.lists, 99)), "ms", bound)
    yield Figure("flood.methane", rounded(1000 * found.methane), "ms", {"allowed": 1000.0})
    yield Figure("flood.incidents", float(len(found.incidents)), "open incidents")
    yield Figure("flood.accepted", rounded(count / found.accepting), "alarms/s", {"posted": rounded(count / seconds)})
    yield Figure("flood.applied", rounded(count / found.applying), "alarms/s")
