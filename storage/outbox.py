"""The outbox and its relay: what a transaction announces becomes a feed position, then a Kafka message.

Positions are given in order, without gaps: in PostgreSQL by the one relay, since ids from a sequence commit out of order;
in SQLite, where one transaction writes at a time, by that transaction. A position needs SQL only, so the feed goes on
while the broker is away or replaced; publishing catches up afterwards.
What must not go in: what the messages mean, HTTP.
"""

import asyncio
import fcntl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import structlog
from sqlalchemy import Connection, delete, func, select, text, update

from bus.codecs import decode, encode
from bus.topics import INCIDENTS
from hazards.errors import Unavailable
from hazards.messages import IncidentMessage
from storage import schema
from storage.bulk import insert_rows, update_rows
from storage.database import Database
from storage.doorbell import POSTGRES_CHANNEL, Doorbell

log = structlog.get_logger("relay")
BATCH = 500
LINGER = 0.02
"""Seconds that publishing waits for company: the feed does not wait for it, and every round costs a transaction."""
KEPT = 200_000
"""Published rows kept for resuming feeds; older ones are dropped, the incidents themselves stay."""
ADVISORY_LOCK = 0x6269_6875  # "bihu"
POSITIONS_LOCK = 0x706F_7369  # "posi"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row on its way to Kafka."""

    id: int
    topic: str
    key: str
    payload: bytes
    position: int


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One event of the feed. ``event``: opened, updated, closed or the name of a command's event."""

    position: int
    event: str
    zone: str
    enterprise: str | None
    message: IncidentMessage


Publish = Callable[[Sequence[OutboxRow]], Awaitable[None]]
"""Sends rows in order and returns when Kafka has acknowledged all. Raises Unavailable."""


def announce(connection: Connection, changes: Sequence[tuple[IncidentMessage, str]], *, now: int) -> None:
    """Put incidents and what happened to them into the outbox, in the caller's transaction."""
    if not changes:
        return
    rows = [
        {"topic": INCIDENTS.name, "key": m.zone, "zone": m.zone, "enterprise": m.enterprise, "subject": m.id, "event": event,
         "payload": encode(m), "created_at": now}
        for m, event in changes
    ]  # fmt: skip
    insert_rows(connection, schema.outbox, rows)
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": POSTGRES_CHANNEL})
    else:  # SQLite has one writer at a time: this transaction can't be overtaken, so the places are given at once
        while give_positions(connection) == BATCH:
            pass


def give_positions(connection: Connection) -> int:
    """Give the next rows their places in the feed; how many."""
    table = schema.outbox
    if connection.dialect.name == "postgresql":  # one at a time, also while two processes both believe that they lead
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": POSITIONS_LOCK})
    ids = list(connection.scalars(select(table.c.id).where(table.c.position.is_(None)).order_by(table.c.id).limit(BATCH)))
    if ids:
        newest = connection.execute(select(func.max(table.c.position))).scalar() or 0
        update_rows(connection, table, [{"id": row, "position": newest + n} for n, row in enumerate(ids, 1)], where=("id",))
    return len(ids)


def unpublished(connection: Connection) -> list[OutboxRow]:
    """The next rows that Kafka has not acknowledged, in feed order."""
    table = schema.outbox
    query = select(table).where(table.c.published_at.is_(None), table.c.position.is_not(None)).order_by(table.c.position).limit(BATCH)
    return [OutboxRow(r.id, r.topic, r.key, r.payload, r.position) for r in connection.execute(query)]


def mark_published(connection: Connection, rows: Sequence[OutboxRow], *, now: int) -> None:
    """Note that Kafka has acknowledged ``rows``."""
    table = schema.outbox
    connection.execute(update(table).where(table.c.id.in_([r.id for r in rows])).values(published_at=now))


def drop_old(connection: Connection, *, kept: int = KEPT) -> int:
    """Drop published rows beyond the newest ``kept``, at most a batch a call; how many."""
    table = schema.outbox
    newest = connection.execute(select(func.max(table.c.position))).scalar() or 0
    beyond = select(table.c.id).where(table.c.position <= newest - kept, table.c.published_at.is_not(None)).limit(BATCH)
    old = list(connection.scalars(beyond))
    if old:
        connection.execute(delete(table).where(table.c.id.in_(old)))
    return len(old)


def feed_bounds(connection: Connection) -> tuple[int, int]:
    """The oldest position still kept and the newest; (1, 0) for an empty feed."""
    row = connection.execute(select(func.min(schema.outbox.c.position), func.max(schema.outbox.c.position))).one()
    return (row[0] or 1, row[1] or 0)


def read_feed(connection: Connection, after: int, *, limit: int = BATCH, scope: str | None = None) -> list[FeedRow]:
    """Events after position ``after``, oldest first; ``scope``: only this enterprise's."""
    table = schema.outbox
    query = select(table).where(table.c.position > after, table.c.topic == INCIDENTS.name)
    if scope is not None:
        query = query.where(table.c.enterprise == scope)
    rows = connection.execute(query.order_by(table.c.position).limit(limit))
    return [FeedRow(r.position, r.event, r.zone, r.enterprise, decode(IncidentMessage, r.payload)) for r in rows]


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
        leadership = _Leadership(self.database)
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

    async def _position(self, leadership: "_Leadership") -> None:
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
                    dropped = await self.database.writing(drop_old)
            except Unavailable as e:
                log.warning("dropping old feed rows waits", error=str(e))


class _Leadership:
    """One leader a database: a lock file beside a SQLite file, an advisory lock in PostgreSQL. Both end with the process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._file: IO[str] | None = None
        self._connection: Any = None

    def take(self) -> bool:
        if self.holds():
            return True
        return self._take_file() if self._database.is_sqlite else self._take_advisory()

    def holds(self) -> bool:
        if self._file is not None:
            return True
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
            self._connection.commit()
        except Exception:
            self._connection = None
        return self._connection is not None

    def _take_file(self) -> bool:
        path = Path(f"{self._database.engine.url.database}.relay.lock")
        file = path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file = file
        return True

    def _take_advisory(self) -> bool:
        try:
            connection = self._database.engine.connect()
            if connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": ADVISORY_LOCK}).scalar():
                connection.commit()
                self._connection = connection
                return True
            connection.close()
        except Exception as e:
            log.warning("no leadership", error=str(e))
        return False

    def give_up(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._connection is not None:
            self._connection.invalidate()  # the lock ends with the session: it must not go back to the pool
            self._connection.close()
            self._connection = None
