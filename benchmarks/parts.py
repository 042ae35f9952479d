"""One part of bihuan as a process of its own, as in production, and how fast its consumer group gets on.

What is committed in Kafka counts, so a message counts only when its effect is durable.
What must not go in: filling topics, what a figure is compared with.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from benchmarks.children import Pace
from benchmarks.filled import Span
from benchmarks.kafka import Group, distance
from benchmarks.system import System
from bihuan.preparation import ensure_packs
from bus.topics import Topic
from hazards.errors import Unavailable
from hazards.zones import Site
from storage.database import Database, sqlite_url
from storage.migrations import upgrade
from storage.site_store import Registry, apply_site, load_registry

LOOK = 0.05


Seed = Callable[[Connection, Registry, int], None]
"""Puts something into a ledger that has a site, at a time (µs)."""


def prepare(folder: Path, site: Site, seeds: Iterable[Seed] = ()) -> None:
    """A ledger in ``folder`` with ``site`` applied and what ``seeds`` put in."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(sqlite_url(folder / "ledger.sqlite"))
    try:
        upgrade(database)
        ensure_packs(database)
        now = time.time_ns() // 1000
        with database.write() as connection:
            apply_site(connection, site, by="bench", now=now)
            registry = load_registry(connection)
            for seed in seeds:
                seed(connection, registry, now)
    finally:
        database.close()


@contextmanager
def part(name: str, folder: Path, settings: Mapping[str, str]) -> Iterator[int]:
    """``bihuan NAME`` on the data folder ``folder`` for the length of the block; its process id. Its log is NAME.log there."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BIHUAN_")}
    with (folder / f"{name}.log").open("ab") as out:
        process = subprocess.Popen(
            System.command(name, "--data", str(folder)), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**inherited, **{f"BIHUAN_{k}": v for k, v in settings.items()}}, start_new_session=True,
        )  # fmt: skip
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def processor_seconds(pid: int) -> float:
    """Processor time of a process and everything that stems from it, as far as it still runs."""
    parents, spent = {}, {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(file.parent.name)
        parents[number], spent[number] = int(fields[1]), int(fields[11]) + int(fields[12])
    family, found = {pid}, 0
    while len(family) > found:
        found = len(family)
        family |= {child for child, parent in parents.items() if parent in family}
    return sum(spent.get(p, 0) for p in family) / os.sysconf("SC_CLK_TCK")


async def pace(addresses: str, group: str, span: Span, *, pids: Sequence[int], seconds: float) -> Pace:
    """How fast ``group``, which is the processes ``pids``, does ``span``: from the moment that they have their partitions until the last
    offset is committed.

    So the last checkpoint is waited for, and the start of the processes does not count. Raises Unavailable when it takes longer
    than ``seconds``."""
    limit = time.perf_counter() + seconds
    async with Group(addresses, group, span.topic.name) as reader:
        await _assigned(reader, len(pids), limit)
        return await _done(reader, span, _Began(pids), limit)


async def pace_of_coming(
    addresses: str, group: str, topic: Topic, fill: Callable[[], Awaitable[Span]], *, pids: Sequence[int], seconds: float
) -> Pace:
    """The same for what ``fill`` puts on ``topic`` when all of ``pids`` have their partitions: whoever starts first does no more than
    its share."""
    limit = time.perf_counter() + seconds
    async with Group(addresses, group, topic.name) as reader:
        await _assigned(reader, len(pids), limit)
        began = _Began(pids)
        return await _done(reader, await fill(), began, limit)


class _Began:
    """A moment, and how much processor time ``pids`` had spent by then."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._pids, self._at = pids, time.perf_counter()
        self._spent = self._processor()

    def _processor(self) -> float:
        return sum(map(processor_seconds, self._pids))

    def pace(self, count: int) -> Pace:
        """Of ``count`` since then."""
        return Pace(count, time.perf_counter() - self._at, self._processor() - self._spent)


async def _assigned(reader: Group, members: int, limit: float) -> None:
    while not await reader.is_assigned(members):
        if time.perf_counter() > limit:
            raise Unavailable(f"group {reader.name} had no {members} members with partitions in time")
        await asyncio.sleep(LOOK)


async def _done(reader: Group, span: Span, began: _Began, limit: float) -> Pace:
    total = distance(span.start, span.end)
    while True:
        committed = await reader.committed()
        if distance(span.start, {p: committed.get(p, at) for p, at in span.start.items()}) >= total:
            return began.pace(span.count)
        if time.perf_counter() > limit:
            raise Unavailable(f"group {reader.name} had not done {total} messages of {span.topic.name} in time")
        await asyncio.sleep(LOOK)
