"""What is declared, as a part sees it: read at the start, again within a second of every change and once an hour, since what begins
later comes nearer. What must not go in: what a declaration means."""

import asyncio
import time
from collections.abc import Callable, Hashable

import structlog
from sqlalchemy import Connection

from bihuan.parts.sensor_watch import Declarations
from hazards.errors import StorageUnavailable
from hazards.ledger.limits import DAY, HOUR, MICROSECOND
from hazards.schedules import AHEAD
from storage.database import Database
from storage.declarations import declarations_in_force, declarations_revision
from storage.site_store import Registry

log = structlog.get_logger()

LOOK_SECONDS = 1.0


class DeclaredWatch:
    """Call it for what is declared of any zone, for the days that windows are worked out for. ``now``: UTC µs."""

    def __init__(
        self, database: Database, registry: Callable[[], Registry], now: Callable[[], int] = lambda: time.time_ns() // 1000
    ) -> None:
        self._database, self._registry, self._now = database, registry, now
        self._declared, self._read_at = Declarations(), 0
        self._known: Hashable = None

    def __call__(self) -> Declarations:
        """The present declarations."""
        return self._declared

    async def look(self) -> None:
        """Read what is declared, if that changed or was read an hour ago. Raises StorageUnavailable."""
        now = self._now()
        await self._database.reading(lambda connection: self._look(connection, now))

    def _look(self, connection: Connection, now: int) -> None:
        registry = self._registry()
        known = declarations_revision(connection), registry.revision  # the pack has key periods
        if known == self._known and now < self._read_at + HOUR:
            return
        found = declarations_in_force(connection, None, now=now, until=now + AHEAD // MICROSECOND + DAY, registry=registry)
        self._declared, self._known, self._read_at = Declarations((*known, now), tuple(found)), known, now

    async def run(self) -> None:
        """Follow until cancelled; while SQL is away the last known stays."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except StorageUnavailable:
                continue
            except Exception:
                log.exception("what is declared can't be read")
