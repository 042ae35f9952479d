"""One part of bihuan as a process of its own, as in production, and how fast its consumer group gets on.

What is committed in Kafka counts, so a message counts only when its effect is durable.
What must not go in: filling topics, what a figure is compared with.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.children import Pace
from benchmarks.filled import Filled
from benchmarks.kafka import Group, distance
from benchmarks.system import System
from bus.topics import TELEMETRY
from hazards.errors import Unavailable
from hazards.zones import Site
from storage.database import Database, sqlite_url
from storage.migrations import upgrade
from storage.site_store import apply_site

LOOK = 0.05


def prepare(folder: Path, site: Site) -> None:
    """A ledger in ``folder`` with ``site`` applied."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database(sqlite_url(folder / "ledger.sqlite"))
    try:
        upgrade(database)
        with database.write() as connection:
            apply_site(connection, site, by="bench", now=time.time_ns() // 1000)
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


async def pace(addresses: str, group: str, filled: Filled, *, pid: int, seconds: float) -> Pace:
    """How fast ``group`` does what was filled: from the moment that it has its partitions until the last offset is committed.

    So the last checkpoint is waited for, and the start of the process does not count. Raises Unavailable when it takes longer
    than ``seconds``."""
    limit, total = time.perf_counter() + seconds, distance(filled.start, filled.end)
    began: tuple[float, float] | None = None
    async with Group(addresses, group, TELEMETRY.name) as reader:
        while True:
            if began is None:
                if await reader.is_assigned():
                    began = time.perf_counter(), processor_seconds(pid)
            else:
                committed = await reader.committed()
                done = distance(filled.start, {p: committed.get(p, at) for p, at in filled.start.items()})
                if done >= total:
                    return Pace(filled.readings, time.perf_counter() - began[0], processor_seconds(pid) - began[1])
            if time.perf_counter() > limit:
                raise Unavailable(f"{group} had not done {total} messages of {TELEMETRY.name} within {seconds:g} s")
            await asyncio.sleep(LOOK)
