"""The evaluate agent: packs of topic ``telemetry`` become rule alarms and roll-ups.

Order of acts: evaluate, make the alarms durable, later the roll-ups, then the checkpoint, then acknowledge. A crash between
any two only means that packs are read and evaluated again from the checkpoint: the same alarms under the same ids, the same
roll-ups as absolute values. What a tick discovers depends on the clock, so that is saved before it is sent.
What must not go in: rules and roll-ups (``hazards/``), SQL statements, which zones to save (``streams/saving.py``).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from random import random
from time import monotonic
from typing import Protocol, TypeVar

import structlog
from faust.streams import Stream
from faust.types import EventT
from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError

from bus.codecs import decode
from bus.headers import done_with
from hazards.admission import Report
from hazards.errors import BadInput, Unavailable
from hazards.evaluation import Evaluation, check_pack
from hazards.sensors import Sensor
from hazards.telemetry import RollupPack, TelemetryPack
from storage.checkpoints import Checkpoint, StaleCheckpoint, checkpoint_versions, keys_saved_since, load_checkpoints
from storage.database import Database
from storage.dead_letters import DeadLetter, dead_letter
from storage.telemetry_marks import EVALUATE
from streams.batches import Batches
from streams.emit import Emitter
from streams.lag import Lag
from streams.progress import Tally
from streams.saving import EVERY, EVERY_IDLE, SHARE, Save, Unsaved

log = structlog.get_logger()
T = TypeVar("T")

TICK = 0.25
FLUSH = 0.5
"""Seconds between sendings of roll-ups."""
GATHER = 0.01
"""Seconds after a batch until the next: a batch of one pack costs nearly as much as one of a hundred, and while one is worked on
nothing gathers, since the loop is busy with it."""
LOOK = 0.05
"""Seconds between looks for something to save."""
MOST_UNSAVED = 50_000
"""Messages that may wait for their checkpoint; reading pauses there."""
BUSY = 8
"""Messages that wait when saving is to be kept to its share of the time."""
LATELY = 24 * 3600 * 1_000_000
"""µs: zones whose state changed within are taken up at the start."""
_RESTORED_AT_ONCE = 200
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 2.0


async def evaluate(stream: Stream[bytes], evaluator: "Evaluator") -> None:
    """Everything that waits is one batch, as far as it is bounded; acknowledged when a checkpoint holds it."""
    batching = Batches(evaluator.apply, at_most=evaluator.at_most, heaviest=evaluator.heaviest, weight=_size)
    async with evaluator.running(), batching as batches:
        evaluator.waiting = batches.__len__
        async for event in stream.noack().events():
            evaluator.tally.telemetry_waiting = len(batches) + 1
            await batches.add(event)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the worker's process gives the agent. ``sensors``: the registry as it is now, None until it was read for the first time.

    ``marks``: leave marks in SQL for the forwarder (the embedded broker). ``in_charge``: whether no other worker is at its last
    checkpoints; until then time stands still, so that nothing is judged on a state that is about to change."""

    emitter: Emitter
    sensors: Callable[[], Mapping[str, Sensor] | None]
    marks: bool = False
    in_charge: Callable[[], bool] = lambda: True


class Membership(Protocol):
    """What the agent asks of the consumer's group (``streams.worker.Run``)."""

    def generation(self) -> int:
        """Counts rebalances: what was read in an earlier one is somebody else's."""

    def flowing(self) -> bool:
        """Whether partitions are assigned and the broker answers."""

    def own_zones(self, zones: Iterable[str]) -> list[str]:
        """Those of ``zones`` whose telemetry comes to this worker."""

    def fail(self, error: Exception) -> None:
        """End the worker; the process starts anew."""


class MovedOn(Exception):
    """The group rebalanced while something was waited for: all that is unsaved is dropped and read again by its new owner."""


class Evaluator:
    """One for each worker process. Batches and ticks take turns; sending roll-ups and saving go on beside them."""

    def __init__(
        self, database: Database, telemetry: Telemetry, group: Membership, tally: Tally, now: Callable[[], int], *,
        at_most: int = 200, heaviest: int = 384 * 1024, publish: Callable[[DeadLetter], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self.database, self.telemetry, self.group, self.tally, self.now = database, telemetry, group, tally, now
        self.at_most, self.heaviest, self.publish = at_most, heaviest, publish
        self.evaluation = Evaluation({})
        self.unsaved = Unsaved()
        self.waiting: Callable[[], int] = lambda: 0
        self._turn, self._flushing, self._saving, self._room = asyncio.Lock(), asyncio.Lock(), asyncio.Lock(), asyncio.Event()
        self._room.set()
        self._generation = group.generation()
        self._confirmed: set[str] = set()  # zones whose state was compared with SQL in this generation, at their first message
        self._to_watch: list[str] | None = None
        self._lag, self._last_batch = Lag(now()), 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ticks, roll-ups and checkpoints for the length of the block."""
        work = ((self.tick, TICK), (self._flush_now, FLUSH), (self._save_now, 0.0))
        tasks = [asyncio.create_task(self._repeat(*repeated)) for repeated in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, work: Callable[[], Awaitable[float | None]], pause: float) -> None:
        while True:
            try:
                longer = await work()
            except MovedOn:
                longer = None
            except Exception as error:
                log.exception("evaluate.failed", work=getattr(work, "__name__", ""))
                self.group.fail(error)
                raise
            await asyncio.sleep(max(pause, longer or 0.0))

    # --- packs ---

    async def apply(self, events: Sequence[EventT[bytes]]) -> None:
        """One batch, in order. Returns when its alarms are durable; it is acknowledged later."""
        try:
            async with self._turn:
                await self._apply(events)
            await asyncio.sleep(GATHER)
            await self._wait_for_room()
        except MovedOn:
            log.info("evaluate.moved_on", messages=len(events))
        except Exception as error:
            log.exception("evaluate.failed", messages=len(events))
            self.group.fail(error)
            raise

    async def _apply(self, events: Sequence[EventT[bytes]]) -> None:
        self._follow_group()
        await self._know_sensors()
        mine = [event for event in events if event.message.generation_id == self._generation]
        packs = self._read(mine)
        await self._take_up(list(dict.fromkeys(pack.zone for _, pack in packs)))
        reports = self.evaluation.take([pack for _, pack in packs])
        for event, pack in packs:
            self.unsaved.wait(pack.zone, event, pack.id)
        if packs:
            self._last_batch = monotonic()
            self._lag.read(min(pack.received_at for _, pack in packs), self.now())
        await self._emit(self._in_order(reports))
        self._count()

    def _in_order(self, reports: Sequence[Report]) -> list[Report]:
        """Those of ``reports`` that may go at once; in a zone where some wait for its checkpoint all others wait behind them."""
        at_once = list[Report]()
        for report in reports:
            waiting = self.evaluation.zones[report.zone].outgoing
            (waiting if waiting else at_once).append(report)
        return at_once

    def _read(self, events: Sequence[EventT[bytes]]) -> list[tuple[EventT[bytes], TelemetryPack]]:
        """The packs of ``events``; the bytes are let go. What can't be read is put aside with the reason."""
        packs = []
        for event in events:
            if EVALUATE in done_with(event.message.headers):  # it was sent again for the store alone, maybe hours later
                event.ack()
                continue
            value = event.message.value or b""
            try:
                pack = decode(TelemetryPack, value)
                check_pack(pack)
                packs.append((event, pack))
            except BadInput as error:
                self.unsaved.put_aside(dead_letter(event.message.topic, value, f"{type(error).__name__}: {error}"), event)
            event.message.value = event.value = None
        return packs

    async def _know_sensors(self) -> None:
        """Readings wait until it is known what limits they have."""
        while (sensors := self.telemetry.sensors()) is None:
            self._check_generation()
            await asyncio.sleep(LOOK)
        self._change_sensors(sensors)

    def _change_sensors(self, sensors: Mapping[str, Sensor]) -> None:
        if sensors is not self.evaluation.sensors:
            self.evaluation.change_sensors(sensors, self.now())
            self._to_watch = None

    async def _take_up(self, zones: Sequence[str]) -> None:
        """The states of ``zones`` as SQL has them. One that was taken up for its silence may be another worker's since."""
        fresh = [zone for zone in zones if zone not in self._confirmed]
        if known := [zone for zone in fresh if zone in self.evaluation.zones]:
            read = partial(self.database.reading, lambda c: checkpoint_versions(c, EVALUATE, known))
            versions = await self._patiently("checkpoints", read)
            for zone in known:
                if versions[zone] != self.unsaved.versions.get(zone, 0):
                    self._drop(zone)
        await self._restore([zone for zone in fresh if zone not in self.evaluation.zones])
        self._confirmed.update(fresh)

    async def _restore(self, zones: Sequence[str]) -> None:
        for start in range(0, len(zones), _RESTORED_AT_ONCE):
            some = zones[start : start + _RESTORED_AT_ONCE]
            read = partial(self.database.reading, partial(load_checkpoints, agent=EVALUATE, keys=some))
            found = await self._patiently("checkpoints", read)
            for zone in some:
                self._take_up_one(zone, found.get(zone))

    def _take_up_one(self, zone: str, checkpoint: Checkpoint | None) -> None:
        try:
            self.evaluation.restore(zone, checkpoint.body if checkpoint else None, self.now())
        except BadInput as error:
            log.error("evaluate.state_unreadable", zone=zone, error=str(error))  # noqa: TRY400 - better begun anew than no alarms from it
            self.evaluation.restore(zone, None, self.now())
        self.unsaved.versions[zone] = checkpoint.version if checkpoint else 0

    def _drop(self, zone: str) -> None:
        self.evaluation.drop(zone)
        self.unsaved.forget(zone)
        self._confirmed.discard(zone)

    # --- time ---

    async def tick(self) -> None:
        """Let time pass: delays, silence, buckets. It stands still while nothing can come, and waits for what is under way."""
        async with self._turn:
            self._follow_group()
            now, sensors = self.now(), self.telemetry.sensors()
            if not self.group.flowing() or sensors is None or not self.telemetry.in_charge():
                self._lag.listen_from(now)
                return
            self._change_sensors(sensors)
            await self._watch()
            if (heard_until := self._lag.heard_until(now)) is not None:
                self.evaluation.tick(heard_until, silent_from=self._lag.listening_since)
            self._count()

    async def _watch(self) -> None:
        """Take up zones whose silence is an alarm, and those that were at work lately, some at a time: delays and buckets end without a
        reading, too."""
        if self._to_watch is None:
            since = self.now() - LATELY
            read = partial(self.database.reading, lambda c: keys_saved_since(c, EVALUATE, since))
            lately = await self._patiently("checkpoints", read)
            self._to_watch = self.group.own_zones(dict.fromkeys([*self.evaluation.watched_zones(), *lately]))
        if self._to_watch:
            some, self._to_watch = self._to_watch[:_RESTORED_AT_ONCE], self._to_watch[_RESTORED_AT_ONCE:]
            await self._restore([zone for zone in some if zone not in self.evaluation.zones])

    def _follow_group(self) -> None:
        """After a rebalance everything unsaved is dropped: it is read again, here or elsewhere."""
        if (generation := self.group.generation()) != self._generation:
            counts = self.evaluation.counts
            self.evaluation = Evaluation(self.evaluation.sensors)
            self.evaluation.counts = counts
            self.unsaved.clear()
            self._confirmed.clear()
            self._generation, self._to_watch = generation, None
            self._lag.listen_from(self.now())
            self._room.set()

    def _check_generation(self) -> None:
        if self.group.generation() != self._generation:
            raise MovedOn

    # --- results ---

    async def _emit(self, reports: Sequence[Report]) -> None:
        if not reports:
            return
        try:
            await self._patiently("alarms", lambda: self.telemetry.emitter.emit_alarms(reports))
        except BadInput as error:
            if len(reports) == 1:
                log.error("evaluate.alarm_not_sendable", alarm=reports[0].source_id, error=str(error))  # noqa: TRY400
                return
            for report in reports:
                await self._emit([report])

    async def _flush_now(self) -> None:
        """Send the roll-ups that are closed."""
        async with self._flushing:
            while packs := await self._next_rollups():
                await self._emit_rollups(packs)

    async def _next_rollups(self) -> list[RollupPack]:
        async with self._turn:
            self._follow_group()
            return self.evaluation.rollups()

    async def _emit_rollups(self, packs: Sequence[RollupPack]) -> None:
        try:
            await self._patiently("rollups", lambda: self.telemetry.emitter.emit_rollups(packs))
        except BadInput as error:
            if len(packs) == 1:
                log.error("evaluate.rollups_not_sendable", zone=packs[0].zone, error=str(error))  # noqa: TRY400
                return
            for pack in packs:
                await self._emit_rollups([pack])

    async def _save_now(self, *, every: float | None = None) -> float:
        """One transaction, if one is due (changes older than ``every``); seconds to rest after it."""
        if every is None:
            every = EVERY if self.waiting() or monotonic() - self._last_batch < EVERY_IDLE else EVERY_IDLE
        async with self._saving:
            async with self._turn:
                self._follow_group()
                began = monotonic()
                save = self.unsaved.take(self.evaluation, every=every)
                outgoing = {c.key: list(reports) for c in save.checkpoints if (reports := self.evaluation.zones[c.key].outgoing)}
                took = monotonic() - began
            if save.empty:
                return LOOK
            await self._flush_now()
            began = monotonic()
            written = await self._write(save)
            took += monotonic() - began
            for checkpoint in written.checkpoints:
                if checkpoint.key in outgoing:
                    await self._send_saved(checkpoint.key, outgoing[checkpoint.key])
        busy = self.waiting() >= BUSY and self._room.is_set()
        return took / SHARE - took if busy else 0.0

    async def _send_saved(self, zone: str, reports: Sequence[Report]) -> None:
        """``reports`` stand in the checkpoint of ``zone``: send them, and let the next checkpoint be without them."""
        await self._emit(reports)
        async with self._turn:
            self._check_generation()
            if (series := self.evaluation.zones.get(zone)) is not None:
                del series.outgoing[: len(reports)]
                series.dirty = True

    async def finish(self) -> None:
        """Save what is unsaved, so that the next life has less to read again."""
        with suppress(MovedOn):
            while self.unsaved.messages:
                await self._save_now(every=0.0)

    def _write_in(self, save: Save, connection: Connection) -> None:
        save.write(connection, marks=self.telemetry.marks, now=self.now())

    async def _write(self, save: Save) -> Save:
        """Commit ``save`` and acknowledge; what of it was committed. A zone that somebody else wrote is left out and read again.

        If a message of it waits, what it was evaluated on was not the truth: the process ends and reads all of it again."""
        while True:
            try:
                await self._patiently("checkpoints", partial(self.database.writing, partial(self._write_in, save)))
                break
            except StaleCheckpoint as error:
                async with self._turn:
                    self._check_generation()
                    if save.has_messages(error.keys) or self.unsaved.has_messages(error.keys):
                        self.group.fail(error)
                        raise
                    for zone in error.keys:
                        self._drop(zone)
                save = save.without(error.keys)
        self._check_generation()
        self.unsaved.saved(save)
        self.tally.dead_lettered += len(save.letters)
        self._room.set()
        await self._publish(save.letters)
        return save

    async def _publish(self, letters: Sequence[DeadLetter]) -> None:
        """Copies for whoever listens; the rows in SQL are the record."""
        for letter in letters:
            log.warning("message put aside", topic=letter.topic, reason=letter.reason, id=letter.id)
            if self.publish is not None:
                with suppress(Exception):
                    await self.publish(letter)

    async def _wait_for_room(self) -> None:
        while self.unsaved.messages >= MOST_UNSAVED:
            self._check_generation()
            self._room.clear()
            await self._room.wait()

    async def _patiently(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """``work``, repeated with back-off while what it needs is away. Raises MovedOn when the group rebalanced meanwhile."""
        tries = 0
        while True:
            self._check_generation()
            try:
                done = await work()
            except (Unavailable, DBAPIError) as error:
                if isinstance(error, DataError):
                    raise
                self.tally.telemetry_trouble = f"{what}: {error}"
                if not tries & (tries - 1):  # at 0, 1, 2, 4, 8, …: an outage of an hour is a dozen lines
                    log.warning("evaluate.waits", waits_for=what, error=str(error), tries=tries)
                await asyncio.sleep(min(_FIRST_PAUSE * 2 ** min(tries, 10), _LONGEST_PAUSE) * (0.5 + random() / 2))
                tries += 1
            else:
                if tries:
                    self.tally.telemetry_trouble = ""
                    self._lag.listen_from(self.now())  # what came meanwhile has yet to be read
                return done

    def _count(self) -> None:
        counts, tally = self.evaluation.counts, self.tally
        tally.readings, tally.late, tally.too_late, tally.early = counts.readings, counts.late, counts.too_late, counts.early
        tally.rule_alarms, tally.telemetry_unsaved = counts.alarms, self.unsaved.messages


def _size(event: EventT[bytes]) -> int:
    return len(event.message.value or b"")
