"""The store agents: telemetry, roll-ups and what the outbox tells go to the time series. A process and a consumer group of their own.

Order of acts: read, write to the time series, note in SQL (marks, dead letters), acknowledge. A crash between any two of them only
means that the same points are written again, and a point is known by its series and time. While the time series or SQL is away the
agents wait and try again, and read no more than fits: what waits, waits in Kafka or in the journal.
What must not go in: compression (``streams/blocks.py``), formats and queries (``storage/series``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TypeVar, cast

import structlog
from faust.streams import Stream
from faust.types import EventT, StreamT
from sqlalchemy import Connection
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from bus.topics import ROLLUPS, TELEMETRY
from hazards.errors import BadInput, Unavailable
from hazards.telemetry import RollupPack, TelemetryPack
from storage.database import Database
from storage.dead_letters import DeadLetter, dead_letter, keep_dead_letters
from storage.doorbell import Doorbell
from storage.followers import advance, begin, follow, read_after, stay_alive
from storage.series.events import points_of
from storage.series.port import Rejected, Retention, TimeSeries
from storage.site_store import Registry
from storage.telemetry_marks import STORE, mark
from streams.app import AgentLine, WorkerSettings
from streams.batches import Batches
from streams.blocks import Roster, read_pack
from streams.progress import Tally
from streams.waiting_events import waiting_events
from streams.worker import Report, Run, micros

log = structlog.get_logger()

GROUP = "bihuan-store"
FOLLOWER = "store"
PUT_ASIDE = "time-series"
"""Topic of dead letters that hold lines which the time series refused."""
AT_MOST, HEAVIEST = 500, 512 * 1024
"""Messages and bytes of one batch: some 28,000 readings in full packs."""
LINGER = 0.2
"""Seconds after a small batch until the next: nobody waits for a stored point, and every write costs a sync to disk."""
LONGEST_PAUSE = 5.0
RETENTION_EVERY = 6 * 3600.0
_RETENTION_FIRST = 300.0
T = TypeVar("T")
P = TypeVar("P", TelemetryPack, RollupPack)


async def run_store(
    settings: WorkerSettings,
    database: Database,
    doorbell: Doorbell,
    series: TimeSeries,
    registry: Callable[[], Registry],
    report: Report,
    stop: asyncio.Event,
    *,
    marks: bool = False,
    retention: Retention | None = None,
) -> None:
    """Store until ``stop`` is set. ``doorbell``: of followers (``storage.doorbell.open_followers_bell``). ``registry``: the present site.

    ``marks``: leave a mark in SQL for every pack that is stored (the embedded broker). Waits for broker, SQL and time series as long
    as it takes. Raises Misconfigured when a topic has another partition count, and BrokerUnavailable when Faust gave up: end the
    process then and start it anew."""
    store = Store(database, series, registry, marks=marks)
    run = Run(replace(settings, group=GROUP), store.flow(), store.tally, report)
    store.publish = run.publish_dead_letter
    beside = [
        asyncio.create_task(store.ensure()),
        asyncio.create_task(store.follow(doorbell)),
        asyncio.create_task(stay_alive(database, FOLLOWER)),
        asyncio.create_task(drop_old(series, retention or Retention())),
    ]
    running = asyncio.create_task(run.until(stop))
    try:
        waiting = {running, *beside}
        while running in waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (running, *beside):
            task.cancel()
        await asyncio.gather(running, *beside, return_exceptions=True)


async def drop_old(series: TimeSeries, retention: Retention, *, first: float = _RETENTION_FIRST, every: float = RETENTION_EVERY) -> None:
    """Let the time series drop what is too old, every few hours, until cancelled."""
    await asyncio.sleep(first)
    while True:
        try:
            await series.drop_old(retention, now=micros())
        except Unavailable as e:
            log.warning("old points not dropped yet", error=str(e))
        await asyncio.sleep(every)


class Store:
    """What the agents and the follower share. ``publish``: sends a copy of a dead letter to its topic (the row in SQL is the record).

    Of the tally, ``applied`` counts points written, ``repeated`` readings that the compression dropped."""

    def __init__(
        self, database: Database, series: TimeSeries, registry: Callable[[], Registry], *, marks: bool = False, linger: float = LINGER
    ) -> None:  # fmt: skip
        self.database, self.series, self.marks, self.linger = database, series, marks, linger
        self.publish: Callable[[DeadLetter], Awaitable[None]] | None = None
        self.tally = Tally()
        self._registry = registry
        self._roster = Roster(registry())
        self._following = -1

    def flow(self) -> tuple[AgentLine, ...]:
        """Everything the store process does with what it reads from Kafka."""

        async def raw(stream: StreamT[bytes]) -> None:
            await self._drain(cast(Stream[bytes], stream), self.store_raw)

        async def rollups(stream: StreamT[bytes]) -> None:
            await self._drain(cast(Stream[bytes], stream), self.store_rollups)

        return AgentLine("store_raw", TELEMETRY, raw), AgentLine("store_rollups", ROLLUPS, rollups)

    async def _drain(self, stream: Stream[bytes], work: Callable[[Sequence[bytes]], Awaitable[None]]) -> None:
        """Everything that waits is one batch, one write; acknowledged after it."""

        async def store(events: Sequence[EventT[bytes]]) -> None:
            values = [e.message.value or b"" for e in events]
            await work(values)
            for event in events:
                event.ack()
            self.tally.messages += len(events)
            self.tally.batches += 1
            self.tally.last_batch_at = micros()
            if sum(map(len, values)) < HEAVIEST // 2:
                await asyncio.sleep(self.linger)

        async with Batches(store, at_most=AT_MOST, heaviest=HEAVIEST, weight=lambda e: len(e.message.value or b"")) as batches:
            async for events in waiting_events(stream):
                self.tally.waiting = len(batches) + len(events)
                for event in events:
                    await batches.add(event)

    async def ensure(self) -> None:
        """Make the bucket or the file, however long it takes."""
        await self._patiently(self.series.ensure)

    async def store_raw(self, values: Sequence[bytes]) -> None:
        """Store messages of topic telemetry; returns when every reading is written, dropped by compression, or put aside."""

        async def put(packs: Sequence[TelemetryPack]) -> list[DeadLetter]:
            block, dropped = self._present_roster().raw_block(packs)
            self.tally.repeated += dropped
            return await self._write(lambda: self.series.write_raw(block), len(block.at))

        await self._store(TelemetryPack, TELEMETRY.name, values, put)

    async def store_rollups(self, values: Sequence[bytes]) -> None:
        """Store messages of topic rollups; returns when every roll-up is written or put aside."""

        async def put(packs: Sequence[RollupPack]) -> list[DeadLetter]:
            letters: list[DeadLetter] = []
            for block in self._present_roster().rollup_blocks(packs):
                letters += await self._write(lambda: self.series.write_rollups(block), len(block.start))  # noqa: B023 (awaited here)
            return letters

        await self._store(RollupPack, ROLLUPS.name, values, put)

    async def _store(
        self, kind: type[P], topic: str, values: Sequence[bytes], put: Callable[[Sequence[P]], Awaitable[list[DeadLetter]]]
    ) -> None:
        packs: list[P] = []
        letters: list[DeadLetter] = []
        for value in values:
            try:
                packs.append(read_pack(kind, value))
            except BadInput as error:
                letters.append(_put_aside(topic, value, error))
        try:
            letters += await put(packs) if packs else []
        except Exception as error:  # content that nobody foresaw must not stop the stream
            log.exception("a batch can't be stored", topic=topic)
            letters = [_put_aside(topic, value, error) for value in values]
        await self._settle([p.id for p in packs], letters)

    async def follow(self, doorbell: Doorbell) -> None:
        """Store alarms, incidents and hazards as the outbox tells of them, from the oldest row it has; until cancelled."""

        async def find_place() -> None:
            self._following = await self.database.writing(lambda c: begin(c, FOLLOWER, at_end=False, now=micros()))

        await self._patiently(find_place)
        await follow(self.store_page, doorbell)

    async def store_page(self) -> bool:
        """Store the next rows of the outbox and move the cursor past them; whether there may be more. Raises Unavailable."""
        page = await self.database.reading(lambda c: read_after(c, self._following))
        if page.entries:
            points, letters = [], list[DeadLetter]()
            for entry in page.entries:
                try:
                    points += points_of(entry)
                except BadInput as e:
                    letters.append(_put_aside(entry.topic or "alarms", entry.payload, e))
            if points:
                letters += await self._write(lambda: self.series.write_points(points), len(points))

            def note(connection: Connection) -> None:
                keep_dead_letters(connection, letters, now=micros())
                advance(connection, FOLLOWER, page.reached, now=micros())

            await self.database.writing(note)
            await self._tell(letters)
            self._following = page.reached
            if not page.more:
                await asyncio.sleep(self.linger)
        return page.more

    def _present_roster(self) -> Roster:
        registry = self._registry()
        if registry.version != self._roster.version or self._roster.full:
            self._roster = Roster(registry)
        return self._roster

    async def _write(self, write: Callable[[], Awaitable[Sequence[Rejected]]], points: int) -> list[DeadLetter]:
        rejected = await self._patiently(write)
        lost = sum(r.lines.count(b"\n") + 1 for r in rejected)
        self.tally.applied += points - lost
        return [dead_letter(PUT_ASIDE, r.lines, r.reason) for r in rejected]

    async def _settle(self, ids: Sequence[str], letters: Sequence[DeadLetter]) -> None:
        """Note in SQL what the forwarder and people have to know."""
        if not letters and not (self.marks and ids):
            return

        def note(connection: Connection) -> None:
            keep_dead_letters(connection, letters, now=micros())
            if self.marks:
                mark(connection, STORE, ids)

        await self._patiently(lambda: self.database.writing(note))
        await self._tell(letters)

    async def _tell(self, letters: Sequence[DeadLetter]) -> None:
        self.tally.dead_lettered += len(letters)
        for letter in letters:
            log.warning("put aside", topic=letter.topic, reason=letter.reason, id=letter.id)
            if self.publish is not None:
                with suppress(Exception):
                    await self.publish(letter)

    async def _patiently(self, call: Callable[[], Awaitable[T]]) -> T:
        """``call`` again and again while what it needs is away."""

        def say(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            self.tally.trouble = str(error)
            if not state.attempt_number & (state.attempt_number - 1):  # at 1, 2, 4, 8, …: an outage of an hour is a dozen lines
                log.warning("not stored yet, tried again", error=str(error), tries=state.attempt_number)

        waiting = wait_random_exponential(multiplier=0.1, max=LONGEST_PAUSE)
        async for attempt in AsyncRetrying(retry=retry_if_exception_type(Unavailable), wait=waiting, before_sleep=say):
            with attempt:
                done = await call()
        self.tally.trouble = ""
        return done


def _put_aside(topic: str, payload: bytes, error: Exception) -> DeadLetter:
    return dead_letter(topic, payload, f"{type(error).__name__}: {error}")
