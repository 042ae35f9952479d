"""Wakes zone states whose time has come: on-delays that end, conditions that stayed quiet, shelving that runs out.

Each worker wakes only zones of its own partitions, so that two never race for one; if they do for a moment during a
rebalance, the zone's version in SQL lets one win. What must not go in: what happens at a wake (``storage/incidents.py``).
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bus.partitions import partition_of
from hazards.errors import Conflict, Unavailable
from storage.database import Database
from streams.progress import Tally

log = structlog.get_logger()

_MICROS = 1_000_000
_LIMIT = 200


class Wake(Protocol):
    """``storage.incidents.wake_zones``: due timers of the zones for which ``mine`` is true; how many were woken."""

    def __call__(self, connection: Connection, *, now: int, limit: int, mine: Callable[[str], bool]) -> int:
        """Raises Unavailable when it may be tried again."""


class Timers:
    """Runs until cancelled. ``owned``: partitions of topic alarms that this worker has now."""

    def __init__(
        self, database: Database, wake: Wake, now: Callable[[], int], *, partitions: int, owned: Callable[[], frozenset[int]], tally: Tally,
        ring: Callable[[], None], interval: float = 1.0,
    ) -> None:
        self._database, self._wake, self._now, self._ring = database, wake, now, ring
        self._partitions, self._owned, self._tally, self._interval = partitions, owned, tally, interval
        self._sooner = asyncio.Event()
        self._next: int | None = None

    def wake_at(self, at: int) -> None:
        """A zone wants to be woken at ``at`` (µs); the usual round is soon enough if that is later."""
        if self._next is None or at < self._next:
            self._next = at
            self._sooner.set()

    async def run(self) -> None:
        """A round each interval, or sooner when a zone asked for it; more rounds at once while much is due."""
        while True:
            self._next = None
            woken = await self._round() if self._owned() else 0
            if woken >= _LIMIT:
                continue
            await self._rest()

    async def _rest(self) -> None:
        """Until the interval is over, or sooner when the wake that a zone asked for is due."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._interval
        while True:
            due = float("inf") if self._next is None else (self._next - self._now()) / _MICROS
            seconds = min(end - loop.time(), due)
            if seconds <= 0:
                return
            self._sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # not wait_for: before Python 3.12 that may swallow a cancellation
                    await self._sooner.wait()

    async def _round(self) -> int:
        owned, count, now = self._owned(), self._partitions, self._now()

        def mine(zone: str) -> bool:
            return partition_of(zone, count) in owned

        try:
            woken = await self._database.writing(lambda connection: self._wake(connection, now=now, limit=_LIMIT, mine=mine))
        except (Unavailable, Conflict, DBAPIError) as error:
            log.warning("timers not run, tried again", error=str(error))
            return 0
        except Exception:  # whatever it is, delays and reminders of all other zones must go on
            log.exception("timers not run, tried again")
            return 0
        if woken:
            self._tally.woken += woken
            self._ring()
        return woken
