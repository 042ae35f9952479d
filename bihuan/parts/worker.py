"""The worker part: alarms from Kafka to incidents in SQL, by the Faust app of ``streams``.

What must not go in: what an agent does, how an alarm is merged.
"""

import asyncio
import socket
import time
from uuid import NAMESPACE_URL, uuid5

import structlog
from sqlalchemy import Connection, select

from bihuan.configuration import Settings
from bihuan.control import Beat
from bihuan.parts.part import Part, run
from bus.partitions import partition_of
from bus.topics import ALARMS
from hazards.errors import StorageUnavailable
from storage import schema
from storage.database import Database
from storage.doorbell import open_doorbell
from streams.app import WorkerSettings
from streams.progress import WorkerProgress
from streams.worker import run_worker

log = structlog.get_logger()

LOOK_SECONDS = 2.0


class Waiting:
    """What the forwarders say in SQL of alarms that wait: a worker that gets nothing more can't know it from Kafka."""

    def __init__(self, database: Database, partitions: int) -> None:
        self._database, self._partitions = database, partitions
        self._oldest: list[tuple[int, int]] = []  # receipt in µs, partition

    def _read(self, connection: Connection) -> list[tuple[int, int]]:
        table = schema.forwarders
        rows = connection.execute(select(table.c.oldest_at, table.c.oldest_zone).where(table.c.oldest_at.is_not(None)))
        return [(r.oldest_at, partition_of(r.oldest_zone or "", self._partitions)) for r in rows]

    async def look(self) -> None:
        """Read the table every few seconds; while SQL is away nothing is known, and nobody is to blame."""
        while True:
            try:
                self._oldest = await self._database.reading(self._read)
            except StorageUnavailable:
                self._oldest = []
            await asyncio.sleep(LOOK_SECONDS)

    def behind(self, progress: WorkerProgress) -> float:
        """Age in seconds of the oldest alarm that waits for one of this worker's partitions (any, when it has none)."""
        mine = {int(p.rpartition("/")[2]) for p in progress.assigned if p.startswith(f"{ALARMS.name}/")}
        waiting = [at for at, partition in self._oldest if not mine or partition in mine]
        return max(0.0, time.time() - min(waiting) / 1e6) if waiting else 0.0


def instance_of(name: str, settings: Settings) -> str:
    """A name for this member of a group that stays over restarts and is no other's: machine, data folder, number."""
    return f"bihuan-{uuid5(NAMESPACE_URL, f'{socket.gethostname()}{settings.folder.absolute()}')}-{name}"


async def work(part: Part) -> None:
    """Run the worker until it is told to stop."""
    settings = part.settings
    database = Database(settings.database_url)
    doorbell = open_doorbell(settings.database_url, part.start.doorbell, part.start.followers)
    waiting = Waiting(database, settings.partitions)
    latest = WorkerProgress(ready=False, assigned=[])

    def report(progress: WorkerProgress) -> None:
        nonlocal latest
        if progress.ready and not latest.ready:
            part.ready()
        latest = progress

    def beat() -> Beat:
        return Beat(
            broker=part.start.broker,
            broker_bytes=latest.bytes_written,
            applied=latest.applied + latest.repeated,
            behind=waiting.behind(latest),
            note={"assigned": len(latest.assigned), "trouble": latest.trouble},
        )

    part.progress = beat
    looking = asyncio.create_task(waiting.look())
    worker = WorkerSettings(
        broker=part.start.broker,
        alone=not settings.kafka,  # a lane of the embedded broker has exactly one worker
        instance=instance_of(part.start.name, settings) if settings.kafka else None,
        partitions=settings.partitions,
        replication=settings.replication,
        fetch_max_wait_ms=settings.fetch_wait_ms,
    )
    try:
        await run_worker(worker, database, doorbell, report, part.stopping)
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await doorbell.close()
        await asyncio.to_thread(database.close)


def main() -> None:
    """Be the worker part."""
    run(work)
