"""What waits for a worker or a store, for the watchdog: how long, and whether the process is to blame.

What must not go in: judging (``bihuan.keeper``), the work.
"""

import asyncio
import time
from collections.abc import Callable

from sqlalchemy import Connection, select

from bus.embedded import is_up
from bus.partitions import partition_of
from bus.topics import ALARMS
from hazards.errors import StorageUnavailable
from storage import schema
from storage.database import Database
from streams.progress import WorkerProgress

LOOK_SECONDS = 2.0
JOINING = 45.0
"""Seconds that taking partitions up may last: members that died and members that are slow are waited for by the group."""


class BrokerWatch:
    """When a Kafka that is not ours last did not answer: what waited until then is nobody's fault, and a fresh process would not help.

    The embedded broker is never excused: one that hangs is replaced together with its readers, which is what helps there."""

    def __init__(self, broker: str, *, embedded: bool) -> None:
        self._broker, self._embedded = broker, embedded
        self._away_at = 0.0

    async def look(self) -> None:
        """Ask every few seconds, until cancelled."""
        while not self._embedded:
            if not await is_up(self._broker):
                self._away_at = time.time()
            await asyncio.sleep(LOOK_SECONDS)

    def blamed_for(self, since: float) -> float:
        """Seconds for which what waits since ``since`` (Unix time) could have been worked on."""
        return max(0.0, time.time() - max(since, self._away_at))


class Hearing:
    """What a consumer said of itself last (``latest``), and for how long it hears nothing, not even that there is nothing: also where
    nobody waits for what it would read. ``ready``: called whenever it has its partitions."""

    def __init__(self, broker: BrokerWatch, ready: Callable[[], None]) -> None:
        self.latest = WorkerProgress(ready=False, assigned=[])
        self._broker, self._ready, self._joining_since = broker, ready, time.time()

    def note(self, progress: WorkerProgress) -> None:
        """How it is now."""
        if progress.ready and not self.latest.ready:
            self._ready()
        if self.latest.ready and not progress.ready:
            self._joining_since = time.time()
        self.latest = progress

    def deaf_for(self) -> float:
        """Seconds for which the broker has not been heard, or the group not joined, though nothing that the process knows of is away."""
        if self.latest.trouble:
            return 0.0
        if not self.latest.ready:
            return max(0.0, self._broker.blamed_for(self._joining_since) - JOINING)
        return 0.0 if self.latest.last_fetch_at is None else self._broker.blamed_for(self.latest.last_fetch_at / 1e6)


class Waiting:
    """What the forwarders say in SQL of alarms that wait: a worker that gets nothing more can't know it from Kafka."""

    def __init__(self, database: Database, partitions: int, broker: BrokerWatch) -> None:
        self._database, self._partitions, self._broker = database, partitions, broker
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
        return self._broker.blamed_for(min(waiting) / 1e6) if waiting else 0.0
