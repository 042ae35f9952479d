"""Waiting for what is away, for as long as the partitions are ours.

What must not go in: what is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from random import random
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DataError, DBAPIError

from hazards.errors import Unavailable
from streams.progress import Tally

log = structlog.get_logger()
T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 2.0


class Membership(Protocol):
    """What the agent asks of the consumer's group (``streams.worker.Run``)."""

    def generation(self) -> int:
        """Counts rebalances: what was read in an earlier one is somebody else's."""

    def flowing(self) -> bool:
        """Whether partitions are assigned and the broker answers."""

    def own_zones(self, zones: Iterable[str]) -> list[str]:
        """Those of ``zones`` whose telemetry comes to this worker."""

    def partition(self, zone: str) -> int:
        """The partition of ``zone``."""

    def end_read_at(self, partition: int, through: int | None) -> int | None:
        """When the broker last said (µs) that ``partition`` ends with ``through``, the offset of the last message that was evaluated (None:
        none yet). None: more of it waits, there or here, or nobody knows."""

    def fail(self, error: Exception) -> None:
        """End the worker; the process starts anew."""


class MovedOn(Exception):
    """The group rebalanced while something was waited for: all that is unsaved is dropped and read again by its new owner."""


class Patience:
    """That of one generation: tries again with back-off as long as it lasts. ``waited`` is called after a wait that ended well."""

    def __init__(self, group: Membership, tally: Tally, waited: Callable[[], None]) -> None:
        self._group, self._tally, self._waited = group, tally, waited
        self.generation = group.generation()

    def check(self) -> None:
        """Raises MovedOn when the group rebalanced."""
        if self._group.generation() != self.generation:
            raise MovedOn

    async def until_done(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """``work``, repeated while what it needs is away. Raises MovedOn when the group rebalanced meanwhile."""
        tries = 0
        while True:
            self.check()
            try:
                done = await work()
            except (Unavailable, DBAPIError) as error:
                if isinstance(error, DataError):
                    raise
                self._tally.telemetry_trouble = f"{what}: {error}"
                if not tries & (tries - 1):  # at 0, 1, 2, 4, 8, …: an outage of an hour is a dozen lines
                    log.warning("evaluate.waits", waits_for=what, error=str(error), tries=tries)
                await asyncio.sleep(min(_FIRST_PAUSE * 2 ** min(tries, 10), _LONGEST_PAUSE) * (0.5 + random() / 2))
                tries += 1
            else:
                if tries:
                    self._tally.telemetry_trouble = ""
                    self._waited()
                return done
