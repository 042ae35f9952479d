"""Acknowledging through HTTP while 100,000 incidents stand open: p50 and p99 of one operator's keystroke.

The incidents are made by the merge path itself, one a device, before the system starts. What must not go in: lists, the feed.
"""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, func, select

from benchmarks.client import Client
from benchmarks.figures import Figure, percentile, rounded
from benchmarks.park import write_park
from benchmarks.system import System
from hazards.admission import Report, admit
from hazards.errors import Unavailable
from hazards.messages import UNASSIGNED, Action
from storage.database import Database, sqlite_url
from storage.incidents import apply_signals
from storage.migrations import upgrade
from storage.schema import incidents, outbox

CHUNK = 1000


def seed(url: str, count: int) -> None:
    """``count`` open incidents, each of one alarm of one device that nobody registered, newest last."""
    database = Database(url)
    now = time.time_ns() // 1000
    try:
        upgrade(database)
        for first in range(0, count, CHUNK):
            signals = [
                admit(
                    Report(source="seed", source_id=str(n), device=f"S-{n}", kind="device_fault", action=Action.RAISED, at=now - count + n),
                    zone=UNASSIGNED, synthetic=False, received_at=now,
                )
                for n in range(first, min(first + CHUNK, count))
            ]  # fmt: skip
            with database.write() as connection:
                apply_signals(connection, signals, now=now)
    finally:
        database.close()


async def _settled(database: Database, seconds: float) -> None:
    """Return when the relay has sent out what the seeding left."""

    def waiting(connection: Connection) -> int:
        return connection.execute(select(func.count()).select_from(outbox).where(outbox.c.published_at.is_(None))).scalar_one()

    limit = time.monotonic() + seconds
    while await database.reading(waiting):
        if time.monotonic() > limit:
            raise Unavailable(f"the relay had not sent out the seeded incidents within {seconds:g} s")
        await asyncio.sleep(0.5)


async def measure(system: System, url: str, commands: int) -> list[float]:
    """Seconds of each of ``commands`` acknowledgements of incidents chosen at random, one after the other."""
    database = Database(url)
    try:
        await _settled(database, 600)
        ids = await database.reading(lambda c: list(c.scalars(select(incidents.c.id).order_by(incidents.c.id))))
    finally:
        database.close()
    chosen = random.Random(1).sample(ids, commands + 20)
    seconds = []
    async with Client(system.url, system.token("operator")) as client:
        for incident in chosen:
            began = time.perf_counter()
            answer = await client.command(incident, "acknowledge")
            seconds.append(time.perf_counter() - began)
            if answer.status != 200:
                raise Unavailable(f"acknowledge: {answer.status} {answer.text}")
    return seconds[20:]  # the first open connections and caches


def run(*, kafka: str = "", database: str = "", count: int = 100_000, commands: int = 500) -> Iterator[Figure]:
    """p50, p99 and the maximum in milliseconds on a system started for it: SQLite in its data folder, or ``database``."""
    with TemporaryDirectory(prefix="bihuan-bench-") as folder:
        data = Path(folder) / "data"
        data.mkdir()
        url = database or sqlite_url(data / "ledger.sqlite")
        began = time.perf_counter()
        seed(url, count)
        seeding = time.perf_counter() - began
        settings = {k: v for k, v in {"KAFKA": kafka, "DATABASE": database}.items() if v}
        site = write_park(Path(folder) / "site.yaml", 4)
        with System(data, site=site, settings=settings) as system:
            took = [1000 * s for s in asyncio.run(measure(system, url, commands))]
    where = "postgresql" if database else "sqlite"
    yield Figure(f"acknowledge.{where}.p50", rounded(percentile(took, 50)), "ms")
    yield Figure(f"acknowledge.{where}.p99", rounded(percentile(took, 99)), "ms", {"p99 allowed": 50.0})
    yield Figure(f"acknowledge.{where}.max", rounded(max(took)), "ms")
    yield Figure(f"acknowledge.{where}.seeding", rounded(count / seeding), "incidents/s")
