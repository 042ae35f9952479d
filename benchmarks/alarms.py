"""Accepted to incident in SQL: alarms/s of one worker, posted in batches of 100, beside the plain way of storing the same alarms.

What must not go in: latency (``latency``).
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Column, MetaData, String, Table, func, select

from benchmarks.client import Client, alarm_event
from benchmarks.figures import Figure, rounded
from benchmarks.park import places, write_park
from benchmarks.system import System
from hazards.errors import Unavailable
from storage.database import Database, sqlite_url
from storage.schema import alarms

ZONES = 40
BATCH = 100
SENDERS = 4


def batches(count: int, source: str) -> list[list[dict[str, Any]]]:
    """``count`` alarms in batches of 100: every device of a park of 40 zones raised and cleared in turn."""
    park, events = places(ZONES), []
    for n in range(count):
        place = park[n % len(park)]
        action = "cleared" if n // len(park) % 2 else "raised"
        events.append(alarm_event(f"{source}-{n}", place.device, place.kind, action, source=source, score=0.9, message="bench"))
    return [events[n : n + BATCH] for n in range(0, count, BATCH)]


async def _post(client: Client, work: list[list[dict[str, Any]]]) -> float:
    """Post all batches with several senders; seconds until the last was accepted."""
    began, left = time.perf_counter(), iter(work)

    async def send() -> None:
        for batch in left:
            answer = await client.post_alarms(batch)
            if answer.status != 202:
                raise Unavailable(f"{answer.status} {answer.text}")

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    return time.perf_counter() - began


async def _applied(database: Database, expected: int, seconds: float) -> None:
    """Return when SQL holds ``expected`` alarms with their incidents."""
    limit = time.perf_counter() + seconds
    while await database.reading(lambda c: c.execute(select(func.count()).select_from(alarms)).scalar_one()) < expected:
        if time.perf_counter() > limit:
            raise Unavailable(f"not all {expected} alarms applied within {seconds:g} s")
        await asyncio.sleep(0.02)


async def measure(system: System, url: str, count: int) -> tuple[float, float]:
    """Alarms/s from the first POST until SQL shows them all, and alarms/s accepted at the door."""
    database = Database(url)
    try:
        async with Client(system.url, system.token()) as client:
            warm = batches(1000, "warm-up")
            await _post(client, warm)
            await _applied(database, 1000, 60)
            work = batches(count, "bench")
            began = time.perf_counter()
            accepting = await _post(client, work)
            await _applied(database, 1000 + count, 300)
            return count / (time.perf_counter() - began), count / accepting
    finally:
        database.close()


def plain(url: str, count: int) -> float:
    """Alarms/s of a plain loop: the same alarms inserted one by one, each committed as durably, and nothing merged."""
    database, table = Database(url), Table("bench_plain", MetaData(), Column("id", String, primary_key=True), *_text_columns())
    try:
        table.create(database.engine)
        events = [e for batch in batches(count, "plain") for e in batch]
        rows = [{"id": e["id"], "device": e["subject"], "action": e["type"], "at": e["time"], **e["data"]} for e in events]
        began = time.perf_counter()
        for row in rows:
            with database.write() as connection:
                connection.execute(table.insert(), row)
        return count / (time.perf_counter() - began)
    finally:
        table.drop(database.engine)
        database.close()


def _text_columns() -> list[Column[str]]:
    return [Column(name, String) for name in ("device", "kind", "action", "at", "message", "score")]


def run(*, kafka: str = "", database: str = "", count: int = 20_000) -> Iterator[Figure]:
    """Alarms/s on a system started for it: SQLite in its data folder, or ``database``."""
    with TemporaryDirectory(prefix="bihuan-bench-") as folder:
        url = database or sqlite_url(Path(folder) / "data" / "ledger.sqlite")
        settings = {k: v for k, v in {"KAFKA": kafka, "DATABASE": database}.items() if v}
        site = write_park(Path(folder) / "site.yaml", ZONES)
        with System(Path(folder) / "data", site=site, settings=settings) as system:
            applied, accepted = asyncio.run(measure(system, url, count))
        loop = plain(database or sqlite_url(Path(folder) / "plain.sqlite"), min(count, 5000))
    where = "postgresql" if database else "sqlite"
    compared = {"required": 1000.0, "plain loop of single inserts, no merging": rounded(loop)}
    yield Figure(f"alarms.{where}.applied", rounded(applied), "alarms/s", compared)
    yield Figure(f"alarms.{where}.accepted", rounded(accepted), "alarms/s")
