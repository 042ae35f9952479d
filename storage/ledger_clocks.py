"""The clocks of the ledger at work: what wants to be looked at is looked at, each in a transaction of its own.

Event, outbox row and the points that were told are one transaction with the hazard's version, so that every point is told once, on
any number of workers, after any time of being away, and wherever a process is killed. Nobody leads: locks decide, and each worker
goes through what waits in an order of its own. What must not go in: what a tick does (``hazards/ledger/ticks.py``), duties' periods.
"""

import asyncio
import random
import time
from collections.abc import Callable

import structlog
from sqlalchemy import Connection, func, select

from hazards.errors import BihuanError, Misconfigured, Unavailable
from hazards.ledger.clocks import woken
from hazards.ledger.hazard import PLATFORM
from hazards.ledger.lifecycle import OPEN
from hazards.ledger.ticks import on_tick
from storage import schema
from storage.checkpoints import Checkpoint, StaleCheckpoint, load_checkpoints, save_checkpoints
from storage.database import Database
from storage.doorbell import Doorbell
from storage.duties import look_over_duties, make_duties, missing_duties, next_duty_wake, tick_duty, waking_duties
from storage.hazard_facts import facts_of
from storage.hazard_rows import hazard_of
from storage.hazard_writing import apply_decision, keep_woken
from storage.site_store import current_registry

log = structlog.get_logger("clocks")
BATCH = 100
LONGEST_WAIT = 30.0
"""Seconds after which everybody looks again, whatever it was that they waited for: clocks of machines jump, commands set earlier dates."""
SHORTEST_WAIT = 0.05
"""Seconds: what is still waiting then is in another worker's hand."""
AGENT, ZONE = "clocks", "time_zone"
"""The checkpoint that says for which time zone the hazards' ``wake_at`` were worked out."""


def waking_hazards(connection: Connection, *, now: int, limit: int = BATCH) -> list[str]:
    """Hazards that want to be looked at, those that have waited longest first."""
    table = schema.hazards
    return list(connection.scalars(select(table.c.id).where(table.c.wake_at <= now).order_by(table.c.wake_at).limit(limit)))


def tick_hazard(connection: Connection, hazard_id: str, *, now: int) -> int:
    """Look at one hazard; how many events its clocks made. None for one that another worker has, or had, in hand."""
    table = schema.hazards
    query = select(table.c.body).where(table.c.id == hazard_id, table.c.wake_at <= now).with_for_update(skip_locked=True)
    row = connection.execute(query).first()
    if row is None:
        return 0
    hazard = hazard_of(row)
    facts = facts_of(connection, current_registry(connection), hazard)
    decisions = on_tick(hazard, now, facts)
    for decision in decisions:
        apply_decision(connection, decision, PLATFORM, now=now)
    if not decisions:  # it was woken for nothing, as after a change of the time zone
        keep_woken(connection, row.body, woken(hazard, facts.policy, facts.time_zone))
    return len(decisions)


def next_wake(connection: Connection) -> int | None:
    """When a hazard or a duty wants to be looked at next, UTC µs; None: none does."""
    wakes = (connection.execute(select(func.min(schema.hazards.c.wake_at))).scalar(), next_duty_wake(connection))
    return min((wake for wake in wakes if wake is not None), default=None)


def known_zone(connection: Connection) -> Checkpoint:
    """The time zone for which the hazards were last woken, as it was noted; version 0 when it never was."""
    return load_checkpoints(connection, AGENT, [ZONE]).get(ZONE, Checkpoint(ZONE, 0, b""))


def look_over(connection: Connection, after: str, *, limit: int = BATCH) -> str | None:
    """Work out anew when the next open hazards after id ``after`` want to be looked at; the last id, None at the end."""
    table, registry = schema.hazards, current_registry(connection)
    query = select(table.c.id, table.c.body).where(table.c.state.in_([state.value for state in OPEN]), table.c.id > after)
    rows = connection.execute(query.order_by(table.c.id).limit(limit).with_for_update()).all()
    for row in rows:
        facts = facts_of(connection, registry, hazard := hazard_of(row))
        if (anew := woken(hazard, facts.policy, facts.time_zone)) is not hazard:
            keep_woken(connection, row.body, anew)
    return rows[-1].id if len(rows) == limit else None


async def run_clocks(
    database: Database, doorbell: Doorbell, stop: asyncio.Event, *, now: Callable[[], int] = lambda: time.time_ns() // 1000,
    poll: float = LONGEST_WAIT,
) -> None:  # fmt: skip
    """Look at what wants to be looked at until ``stop``; wait for the earliest of the rest, ``poll`` seconds at most."""
    keeper = Keeper(database, doorbell, now)
    while not stop.is_set():
        try:
            await keeper.round(stop)
            wake = await database.reading(next_wake)
            wait = poll if wake is None else min(poll, max(SHORTEST_WAIT, (wake - now()) / 1e6))
            wait = max(wait, 1.0) if keeper.stuck else wait
        except (Unavailable, Misconfigured) as e:  # SQL is away, or no pack was applied yet
            log.warning("clocks wait", error=str(e))
            wait = 1.0
        try:
            async with asyncio.timeout(wait):  # not wait_for, which can swallow a cancellation before Python 3.12
                await stop.wait()
        except TimeoutError:
            continue


class Keeper:
    """One worker's rounds. ``stuck``: what could not be looked at in this round; the next one tries again."""

    def __init__(self, database: Database, doorbell: Doorbell, now: Callable[[], int]) -> None:
        self.database, self.doorbell, self.now, self.stuck = database, doorbell, now, set[str]()
        self._duties_of = ""  # version of the pack by which this worker has looked the duties over

    async def round(self, stop: asyncio.Event) -> None:
        """Everything that wants to be looked at now, until ``stop``. Raises Unavailable, Misconfigured."""
        self.stuck.clear()
        await self._follow_the_time_zone()
        await self._begin_duties()
        for waking, tick in ((waking_hazards, self._hazard), (waking_duties, self._duty)):
            while not stop.is_set():
                now, limit = self.now(), BATCH + len(self.stuck)
                found = await self.database.reading(lambda c: waking(c, now=now, limit=limit))  # noqa: B023 (awaited in this round)
                ids = [each for each in found if each not in self.stuck]
                if not ids:
                    break
                random.shuffle(ids)  # workers that wake at the same moment begin at different ends
                if not any([await self._look(each, tick) for each in ids if not stop.is_set()]):
                    break  # others have them in hand

    async def _look(self, subject: str, tick: Callable[[Connection, str], int]) -> bool:
        """One transaction; whether it did something. What can't be looked at must not keep the others from it."""
        try:
            if await self.database.writing(lambda c: tick(c, subject)):
                self.doorbell.ring()
                return True
        except Unavailable:
            raise
        except BihuanError as e:  # somebody else was faster
            log.warning("a clock is looked at again", subject=subject, error=str(e))
            self.stuck.add(subject)
        except Exception:
            log.exception("a clock can't be looked at", subject=subject)
            self.stuck.add(subject)
        return False

    def _hazard(self, connection: Connection, hazard_id: str) -> int:
        return tick_hazard(connection, hazard_id, now=self.now())

    def _duty(self, connection: Connection, duty_id: str) -> int:
        facts = facts_of(connection, current_registry(connection), None)
        return tick_duty(connection, duty_id, facts.policy, now=self.now(), zone=facts.time_zone)

    async def _begin_duties(self) -> None:
        """The duties of periods that have begun; those that are not done are looked over when the pack is another one."""

        def standing(connection: Connection) -> tuple[str, bool]:
            facts = facts_of(connection, current_registry(connection), None)
            return facts.policy.version, missing_duties(connection, facts.policy, now=self.now(), zone=facts.time_zone)

        def bring_up(connection: Connection) -> str:
            facts = facts_of(connection, current_registry(connection), None)
            if facts.policy.version != self._duties_of:
                look_over_duties(connection, facts.policy, zone=facts.time_zone)
            make_duties(connection, facts.policy, now=self.now(), zone=facts.time_zone)
            return facts.policy.version

        version, missing = await self.database.reading(standing)
        if missing or version != self._duties_of:
            self._duties_of = await self.database.writing(bring_up)

    async def _follow_the_time_zone(self) -> None:
        """When the site's time zone is another one than the hazards were woken for, all open ones are looked over."""

        def standing(connection: Connection) -> tuple[Checkpoint, bytes]:
            return known_zone(connection), current_registry(connection).site.time_zone.encode()

        known, zone = await self.database.reading(standing)
        if known.body == zone:
            return
        after: str | None = ""
        while after is not None:
            after = await self.database.writing(lambda c: look_over(c, after or ""))  # noqa: B023 (awaited in this round)
        try:
            noted = [Checkpoint(ZONE, known.version, zone)]
            await self.database.writing(lambda c: save_checkpoints(c, AGENT, noted, now=self.now()))
        except StaleCheckpoint:
            log.info("another worker noted the time zone")
