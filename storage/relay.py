"""The relay: gives positions and publishes, in the one process that leads.

A position needs SQL only, so the feed goes on while the broker is away or replaced; publishing catches up afterwards.
What must not go in: the rows themselves (``storage/outbox.py``), who leads (``storage/leadership.py``), Kafka's client.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from hazards.errors import Unavailable
from storage.database import Database
from storage.doorbell import Doorbell
from storage.leadership import Leadership
from storage.outbox import BATCH, OutboxRow, drop_old, feed_bounds, give_positions, mark_published, unpublished

log = structlog.get_logger("relay")
LINGER = 0.02
"""Seconds that publishing waits for company: the feed does not wait for it, and every round costs a transaction."""

Publish = Callable[[Sequence[OutboxRow]], Awaitable[None]]
"""Sends rows in order and returns when Kafka has acknowledged all. Raises Unavailable."""


class Relay:
    """Gives positions and publishes, in the one process that leads.

    ``publish`` None: no broker yet (see ``switch``). ``on_positions`` is called on the loop after new positions."""

    def __init__(
        self, database: Database, doorbell: Doorbell, *, publish: Publish | None = None, on_positions: Callable[[], None] = lambda: None,
        poll: float = 0.25,
    ) -> None:  # fmt: skip
        self.database, self.doorbell, self.on_positions, self.poll = database, doorbell, on_positions, poll
        self._publish = publish
        self._to_publish = asyncio.Event()
        self.published = 0
        self.leading = False
        self._newest = 0

    async def switch(self, publish: Publish | None) -> None:
        """Publish to another broker from now on; what the old one did not acknowledge goes to the new one."""
        self._publish = publish
        self._to_publish.set()

    async def run(self) -> None:
        """Lead when nobody else does, until cancelled."""
        leadership = Leadership(self.database)
        try:
            while not await asyncio.to_thread(leadership.take):
                self.on_positions()  # another process leads: its positions are read here by polling
                await self.doorbell.wait(self.poll)
            self.leading = True
            async with asyncio.TaskGroup() as group:
                group.create_task(self._position(leadership))
                group.create_task(self._publish_all())
                group.create_task(self._drop())
        finally:
            self.leading = False
            await asyncio.to_thread(leadership.give_up)

    async def _position(self, leadership: Leadership) -> None:
        while True:
            if not self.database.is_sqlite and not await asyncio.to_thread(leadership.holds):
                raise Unavailable("the relay lost its leadership", where="sql", hint="it begins again as a follower")
            try:
                given = await self._new_positions()
            except Unavailable as e:
                log.warning("positions wait", error=str(e))
                await asyncio.sleep(0.5)
                continue
            if given:
                self._to_publish.set()
                self.on_positions()
            if given < BATCH or self.database.is_sqlite:
                await self.doorbell.wait(self.poll)

    async def _new_positions(self) -> int:
        """How many positions are new since the last call; with PostgreSQL they are given here."""
        if not self.database.is_sqlite:
            return await self.database.writing(give_positions)
        newest = (await self.database.reading(feed_bounds))[1]
        new, self._newest = newest - self._newest, newest
        return new

    async def _publish_all(self) -> None:
        while True:
            await self._to_publish.wait()
            await asyncio.sleep(LINGER)
            self._to_publish.clear()
            try:
                await self._publish_waiting()
            except Unavailable as e:
                log.warning("publishing waits", error=str(e))
                await asyncio.sleep(0.5)
                self._to_publish.set()

    async def _publish_waiting(self) -> None:
        while (publish := self._publish) is not None:
            rows = await self.database.reading(unpublished)
            if not rows:
                return
            await publish(rows)
            now = time.time_ns() // 1000
            await self.database.writing(lambda c: mark_published(c, rows, now=now))  # noqa: B023 (awaited in this round)
            self.published += len(rows)

    async def _drop(self) -> None:
        while True:
            await asyncio.sleep(30)
            self._to_publish.set()
            try:
                dropped = BATCH
                while dropped == BATCH:
                    dropped = await self.database.writing(lambda c: drop_old(c, now=time.time_ns() // 1000))
            except Unavailable as e:
                log.warning("dropping old feed rows waits", error=str(e))
