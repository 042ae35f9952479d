"""Who follows the outbox: a named cursor over its rows, in the order of their positions.

Two ways to go on: ``follow_in_transaction`` moves the cursor in the transaction that holds the effect, so that the effect
happens exactly once; ``read_after`` and ``advance`` stand around an effect outside SQL, which then happens at least once.
What must not go in: what a follower does with a row.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, func, select, update

from hazards.errors import Unavailable
from storage import schema
from storage.bulk import insert_into
from storage.database import Database
from storage.doorbell import Doorbell

log = structlog.get_logger("followers")
PAGE = 500
SIGN_OF_LIFE = 600.0
"""Seconds between two signs of life of a follower that has nothing to do or can't: the outbox keeps its rows for it."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the outbox. ``topic``: incidents, hazards, or "" for alarm records; ``payload``: ``bus.codecs``; ``created_at``: µs."""

    position: int
    topic: str
    event: str
    subject: str
    zone: str
    enterprise: str | None
    payload: bytes
    created_at: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows in order. ``reached``: where the cursor stands once they had their effect; ``more``: there may be others already."""

    entries: Sequence[Entry]
    reached: int
    more: bool


Work = Callable[[Connection, Sequence[Entry]], None]


def begin(connection: Connection, name: str, *, at_end: bool, now: int) -> int:
    """Where follower ``name`` stands. A new one stands at the present end, or before the oldest row kept."""
    where = _position(connection, name)
    if where is None:
        newest = connection.execute(select(func.max(schema.outbox.c.position))).scalar() or 0
        insert = insert_into(connection, schema.followers)
        values = {"name": name, "position": newest if at_end else 0, "updated_at": now}
        connection.execute(insert.values(**values).on_conflict_do_nothing())  # another process of the same name was first
        where = _position(connection, name)
    return where or 0


def _position(connection: Connection, name: str, *, lock: bool = False) -> int | None:
    query = select(schema.followers.c.position).where(schema.followers.c.name == name)
    found: int | None = connection.execute(query.with_for_update() if lock else query).scalar()
    return found


def read_after(connection: Connection, position: int, *, limit: int = PAGE, topics: Sequence[str] | None = None) -> Page:
    """The next ``limit`` rows after ``position``, without those of other topics than ``topics``."""
    table = schema.outbox
    columns = (table.c.position, table.c.topic, table.c.event, table.c.subject, table.c.zone, table.c.enterprise, table.c.payload,
               table.c.created_at)  # fmt: skip
    rows = connection.execute(select(*columns).where(table.c.position > position).order_by(table.c.position).limit(limit)).all()
    return Page(
        [_entry(row) for row in rows if topics is None or row.topic in topics],
        rows[-1].position if rows else position,
        len(rows) == limit,
    )


def _entry(row: Any) -> Entry:
    return Entry(row.position, row.topic, row.event, row.subject, row.zone, row.enterprise, row.payload, row.created_at)


def advance(connection: Connection, name: str, position: int, *, now: int) -> None:
    """Follower ``name`` is done with every row up to ``position``. Never goes back: a slower process of that name changes nothing."""
    table = schema.followers
    further = update(table).where(table.c.name == name, table.c.position <= position)
    connection.execute(further.values(position=position, updated_at=now))


def follow_in_transaction(
    connection: Connection, name: str, work: Work, *, now: int, limit: int = PAGE, topics: Sequence[str] | None = None, at_end: bool = False
) -> bool:
    """Give ``work`` the next rows and move the cursor past them, all in the caller's transaction; whether there may be more.

    Two processes of one name wait for each other here, so each row goes to one of them."""
    begin(connection, name, at_end=at_end, now=now)
    page = read_after(connection, _position(connection, name, lock=True) or 0, limit=limit, topics=topics)
    if page.entries:
        work(connection, page.entries)
    if page.reached:
        advance(connection, name, page.reached, now=now)
    return page.more


async def follow(take: Callable[[], Awaitable[bool]], bell: Doorbell, *, poll: float = 1.0) -> None:
    """Call ``take`` until it says that there is no more, then wait for the bell (``poll`` seconds at most); until cancelled.

    A part that is away (Unavailable) is waited for."""
    pause = _FIRST_PAUSE
    while True:
        try:
            more = await take()
        except Unavailable as e:
            log.warning("following waits", error=str(e))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            continue
        pause = _FIRST_PAUSE
        if not more:
            await bell.wait(poll)


async def stay_alive(database: Database, name: str) -> None:
    """Say now and then that follower ``name`` lives, though it may have nothing to do or wait for what is away; until cancelled."""
    table = schema.followers
    while True:
        await asyncio.sleep(SIGN_OF_LIFE)
        now = time.time_ns() // 1000
        try:
            await database.writing(lambda c: c.execute(update(table).where(table.c.name == name).values(updated_at=now)) and None)  # noqa: B023
        except Unavailable as e:
            log.warning("no sign of life", follower=name, error=str(e))
