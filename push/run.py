"""The push process' work: lead, follow the outbox, deliver, say how it goes. What must not go in: processes, settings of the machine.

One process of a database does it; others wait to take over. A leader that does not know yet that it lost its office may send what the
new one sends too, with the same webhook-id: that is what at-least-once allows.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from msgspec import Struct, field
from sqlalchemy import Connection, select

from hazards.errors import Unavailable
from push.bodies import Present
from push.deliverer import Deliverer, DeliverySettings
from push.endpoints import Endpoint, endpoints_of
from push.sending import Sender
from push.webhooks import NAME, TOPICS, Webhooks
from storage import schema
from storage.database import Database
from storage.deliveries import EndpointRow, State, sync_endpoints
from storage.doorbell import Doorbell
from storage.followers import Entry, advance, begin, follow, follow_in_transaction, read_after, stay_alive
from storage.leadership import PUSH, Leadership
from storage.site_store import Registry, current_registry

log = structlog.get_logger("push")

PAGE = 25
"""Outbox rows a transaction: short transactions, since SQLite has one writer."""
HISTORY = 3600 * 1_000_000
"""Microseconds: what is older than this when push runs for the very first time is no news any more."""
CURSOR_SECONDS = 5.0
"""How often the cursor is written when nothing that passed was worth a push."""


class PushSettings(Struct, frozen=True, kw_only=True):
    """Settings of the push process. ``public_url``: this system's address as receivers reach it, for links; "": paths alone."""

    public_url: str = ""
    delivery: DeliverySettings = field(default_factory=DeliverySettings)
    poll: float = 0.5
    report_interval: float = 1.0


@dataclass(frozen=True, slots=True)
class PushProgress:
    """How it goes. Counts since the start; ``position``: how far the outbox was followed; ``trouble``: endpoints that can't be served."""

    leading: bool
    position: int = 0
    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    trouble: str = ""


Report = Callable[[PushProgress], None]


def micros() -> int:
    """Now, UTC µs."""
    return time.time_ns() // 1000


async def run_push(
    database: Database, doorbell: Doorbell, settings: PushSettings, report: Report, stop: asyncio.Event, *, present: Present,
    environment: Mapping[str, str] = os.environ,
) -> None:  # fmt: skip
    """Push until ``stop`` is set. ``report`` is called at least once a ``report_interval``. The site is the one in SQL.

    ``environment`` holds the secrets, ``present`` makes the data of messages. Waits for SQL as long as it takes."""
    leadership = Leadership(database, PUSH)
    stopping = asyncio.create_task(stop.wait())
    try:
        while not stopping.done():
            if not await asyncio.to_thread(leadership.take):
                report(PushProgress(leading=False))
                await asyncio.wait([stopping], timeout=settings.report_interval)
                continue
            pusher = _Pusher(database, doorbell, settings, report, present, environment)
            working = asyncio.create_task(pusher.run(leadership))
            await asyncio.wait([stopping, working], return_when=asyncio.FIRST_COMPLETED)
            working.cancel()
            outcome = (await asyncio.gather(working, return_exceptions=True))[0]
            if isinstance(outcome, Exception):
                log.error("push failed and begins again", error=str(outcome), kind=type(outcome).__name__)
                await asyncio.wait([stopping], timeout=settings.report_interval)
    finally:
        stopping.cancel()
        await asyncio.to_thread(leadership.give_up)


class _Pusher:
    """One term of office."""

    def __init__(
        self, database: Database, doorbell: Doorbell, settings: PushSettings, report: Report, present: Present,
        environment: Mapping[str, str],
    ) -> None:  # fmt: skip
        self._database, self._doorbell, self._settings, self._report = database, doorbell, settings, report
        self._environment = environment
        self._endpoints: dict[str, Endpoint] = {}
        self._registry: Registry | None = None
        self._reached, self._written_at = 0, 0.0
        self._webhooks = Webhooks(lambda: self._endpoints, present, base=settings.public_url, now=micros)
        self._deliverer: Deliverer | None = None

    async def run(self, leadership: Leadership) -> None:
        """Work until cancelled, or until the leadership is lost."""
        await self._begin()
        async with Sender(timeout=self._settings.delivery.timeout, lookups=self._settings.delivery.parallel) as sender:
            self._deliverer = Deliverer(self._database, sender, lambda: self._endpoints, self._settings.delivery, now=micros)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._deliverer.run())
                group.create_task(follow(self._take, self._doorbell, poll=self._settings.poll))
                group.create_task(stay_alive(self._database, NAME))
                await self._watch(leadership)

    async def _begin(self) -> None:
        while True:
            try:
                self._reached = await self._database.writing(_first_position)
                await self._refresh(await self._database.reading(current_registry))
                return
            except Unavailable as e:
                log.warning("push waits for SQL", error=str(e))
                await asyncio.sleep(self._settings.report_interval)

    async def _watch(self, leadership: Leadership) -> None:
        """Report, and look whether this process still leads."""
        while True:
            self._report(self._progress())
            await asyncio.sleep(self._settings.report_interval)
            if not await asyncio.to_thread(leadership.holds):
                raise Unavailable("push lost its leadership", where="sql", hint="it begins again when nobody else leads")

    async def _refresh(self, registry: Registry) -> None:
        """Take the endpoints of a site that changed."""
        if self._registry is not None and registry.version == self._registry.version:
            return
        endpoints = endpoints_of(registry.site, self._environment)
        rows = [EndpointRow(e.id, e.enterprise, e.url, e.trouble) for e in endpoints.values()]
        await self._database.writing(lambda c: sync_endpoints(c, rows, now=micros()))
        for endpoint in endpoints.values():
            if endpoint.trouble:
                log.warning("nothing is sent to an endpoint", endpoint=endpoint.id, enterprise=endpoint.enterprise, why=endpoint.trouble)
        self._endpoints, self._registry = endpoints, registry
        if self._deliverer is not None:
            self._deliverer.wake()

    async def _take(self) -> bool:
        """Follow one page, with the endpoints of the site as it then is; whether there may be more."""
        page, registry = await self._database.reading(
            lambda c: (read_after(c, self._reached, limit=PAGE, topics=TOPICS), current_registry(c))
        )
        await self._refresh(registry)
        if page.entries:
            before = self._reached
            try:
                more = await self._database.writing(self._follow)
            except Exception:
                self._reached = before
                raise
        else:
            more = page.more
            await self._pass_by(page.reached)
        if self._deliverer is not None:
            self._deliverer.wake()  # a replay rings, too
        return more

    def _follow(self, connection: Connection) -> bool:
        advance(connection, NAME, self._reached, now=micros())  # what passed by without an effect
        return follow_in_transaction(connection, NAME, self._effect, now=micros(), limit=PAGE, topics=TOPICS)

    def _effect(self, connection: Connection, entries: Sequence[Entry]) -> None:
        self._webhooks.take(connection, entries, current_registry(connection))
        self._reached = entries[-1].position

    async def _pass_by(self, reached: int) -> None:
        moved, self._reached = reached > self._reached, max(reached, self._reached)
        if moved and time.monotonic() - self._written_at > CURSOR_SECONDS:
            self._written_at = time.monotonic()
            await self._database.writing(lambda c: advance(c, NAME, reached, now=micros()))

    def _progress(self) -> PushProgress:
        counts = self._deliverer.counts if self._deliverer is not None else {}
        given_up = counts.get(State.DEAD, 0) + counts.get(State.CANCELLED, 0)
        return PushProgress(
            leading=True, position=self._reached, delivered=counts.get(State.DELIVERED, 0), failed=counts.get(State.WAITING, 0),
            given_up=given_up, trouble="; ".join(f"{e.url}: {e.trouble}" for e in self._endpoints.values() if e.trouble),
        )  # fmt: skip


def _first_position(connection: Connection) -> int:
    """Where to go on; a system that pushes for the first time does not tell its history."""
    followers, outbox, now = schema.followers, schema.outbox, micros()
    new = connection.execute(select(followers.c.name).where(followers.c.name == NAME)).first() is None
    where = begin(connection, NAME, at_end=False, now=now)
    if new:
        old = select(outbox.c.position).where(outbox.c.created_at < now - HISTORY, outbox.c.position.is_not(None))
        where = connection.execute(old.order_by(outbox.c.position.desc()).limit(1)).scalar() or 0
        advance(connection, NAME, where, now=now)
    return where
