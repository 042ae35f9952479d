"""The evaluate agent: packs of topic ``telemetry`` become rule alarms and roll-ups.

Order of acts: evaluate, make the alarms durable, later the roll-ups, then the checkpoint, then acknowledge. A crash between
any two only means that packs are read and evaluated again from the checkpoint: the same alarms under the same ids, the same
roll-ups as absolute values. What a tick discovers depends on the clock, so that is saved before it is sent.
What must not go in: rules and roll-ups (``hazards/``), SQL statements, which zones to save (``streams/saving.py``).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog
from faust.streams import Stream
from faust.types import EventT
from sqlalchemy import Connection

from bus.codecs import decode
from bus.headers import done_with
from hazards.admission import Report
from hazards.errors import BadInput
from hazards.evaluation import Evaluation
from hazards.pack_check import check_pack
from hazards.sensors import Sensor
from hazards.telemetry import TelemetryPack
from storage.checkpoints import StaleCheckpoint
from storage.database import Database
from storage.dead_letters import DeadLetter, dead_letter
from storage.telemetry_marks import EVALUATE
from streams.batches import Batches
from streams.emit import Emitter
from streams.lag import Lag
from streams.outlet import Outlet
from streams.patience import Membership, MovedOn, Patience
from streams.progress import Tally
from streams.saving import EVERY, EVERY_IDLE, SHARE, Save, Unsaved
from streams.waiting_events import waiting_events
from streams.zone_states import ZoneStates

log = structlog.get_logger()

TICK = 0.25
FLUSH = 0.5
"""Seconds between sendings of roll-ups."""
GATHER, GATHER_BUSY = 0.01, 0.03
"""Seconds after a batch until the next, and after one of ``MANY``, unless a whole one waits already: a batch of one pack costs nearly as
much as one of a hundred, and while one is worked on nothing gathers, since the loop is busy with it."""
MANY = 8
LOOK = 0.05
"""Seconds between looks for something to save."""
MOST_UNSAVED = 50_000
"""Messages that may wait for their checkpoint; reading pauses there."""
BUSY = 8
"""Messages that wait when saving is to be kept to its share of the time."""


async def evaluate(stream: Stream[bytes], evaluator: "Evaluator") -> None:
    """Everything that waits is one batch, as far as it is bounded; acknowledged when a checkpoint holds it."""
    batching = Batches(evaluator.apply, at_most=evaluator.at_most, heaviest=evaluator.heaviest, weight=_size)
    async with evaluator.running(), batching as batches:
        evaluator.waiting, evaluator.full = batches.__len__, lambda: batches.full
        async for events in waiting_events(stream):
            evaluator.tally.telemetry_waiting = len(batches) + len(events)
            for event in events:
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


class Evaluator:
    """One for each worker process. Batches and ticks take turns; sending roll-ups and saving go on beside them."""

    def __init__(
        self, database: Database, telemetry: Telemetry, group: Membership, tally: Tally, now: Callable[[], int], *,
        at_most: int = 400, heaviest: int = 4 * 1024 * 1024, publish: Callable[[DeadLetter], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        self.database, self.telemetry, self.group, self.tally, self.now = database, telemetry, group, tally, now
        self.at_most, self.heaviest, self.publish = at_most, heaviest, publish
        self._states = ZoneStates(database, group, now)
        self.waiting: Callable[[], int] = lambda: 0
        self.full: Callable[[], bool] = lambda: False
        self._turn, self._flushing, self._saving, self._room = asyncio.Lock(), asyncio.Lock(), asyncio.Lock(), asyncio.Event()
        self._room.set()
        self._patience, self._outlet = self._new_patience(), Outlet(telemetry.emitter)
        self._lag, self._last_batch = Lag(now()), 0.0
        self._through: dict[int, int] = {}  # partition: offset of the last message that was evaluated since the last rebalance

    @property
    def evaluation(self) -> Evaluation:
        """The zones of this worker; another one after each rebalance."""
        return self._states.evaluation

    @property
    def unsaved(self) -> Unsaved:
        """What no checkpoint holds yet."""
        return self._states.unsaved

    def _new_patience(self) -> Patience:
        return Patience(self.group, self.tally, lambda: self._lag.listen_from(self.now()))  # what came while it waited has yet to be read

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
            await asyncio.sleep(0.0 if self.full() else GATHER_BUSY if len(events) >= MANY else GATHER)
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
        mine = [event for event in events if event.message.generation_id == self._patience.generation]
        packs = self._read(mine)
        await self._states.take_up(list(dict.fromkeys(pack.zone for _, pack in packs)), self._patience)
        reports = self.evaluation.take([pack for _, pack in packs])
        self._through.update((event.message.partition, event.message.offset) for event in mine)
        for event, pack in packs:
            self.unsaved.wait(pack.zone, event, pack.id)
        if packs:
            self._last_batch = monotonic()
            self._lag.read([(self.group.partition(pack.zone), pack.received_at) for _, pack in packs], self.now())
        await self._outlet.alarms(self._in_order(reports), self._patience)
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
            self._patience.check()
            await asyncio.sleep(LOOK)
        self._states.change_sensors(sensors)

    # --- time ---

    async def tick(self) -> None:
        """Let time pass: delays, silence, buckets. It stands still while nothing can come, and waits for what is under way."""
        async with self._turn:
            self._follow_group()
            now, sensors = self.now(), self.telemetry.sensors()
            if not self.group.flowing() or sensors is None or not self.telemetry.in_charge():
                self._lag.listen_from(now)
                return
            self._states.change_sensors(sensors)
            await self._states.watch(self._patience)
            partitions = {self.group.partition(zone) for zone in self.evaluation.zones}
            heard = {n: self._lag.heard_until(n, self.group.end_read_at(n, self._through.get(n))) for n in partitions}
            self.evaluation.tick(lambda zone: heard[self.group.partition(zone)], silent_from=self._lag.listening_since)
            self._count()

    def _follow_group(self) -> None:
        """After a rebalance everything unsaved is dropped: it is read again, here or elsewhere."""
        if self.group.generation() != self._patience.generation:
            self._patience = self._new_patience()
            self._states.begin_anew()
            self._lag.listen_from(self.now())
            self._through.clear()
            self._room.set()

    # --- results ---

    async def _flush_now(self) -> None:
        """Send the roll-ups that are closed."""
        async with self._flushing:
            while True:
                async with self._turn:
                    self._follow_group()
                    packs, patience = self.evaluation.rollups(), self._patience
                if not packs:
                    return
                await self._outlet.rollups(packs, patience)

    async def _save_now(self, *, every: float | None = None) -> float:
        """One transaction, if one is due (changes older than ``every``); seconds to rest after it."""
        if every is None:
            every = EVERY if self.waiting() or monotonic() - self._last_batch < EVERY_IDLE else EVERY_IDLE
        async with self._saving:
            async with self._turn:
                self._follow_group()
                began = monotonic()
                save, patience = self.unsaved.take(self.evaluation, every=every), self._patience
                outgoing = {c.key: list(reports) for c in save.checkpoints if (reports := self.evaluation.zones[c.key].outgoing)}
                took = monotonic() - began
            if save.empty:
                return LOOK
            await self._flush_now()
            began = monotonic()
            written = await self._write(save, patience)
            took += monotonic() - began
            for checkpoint in written.checkpoints:
                if checkpoint.key in outgoing:
                    await self._send_saved(checkpoint.key, outgoing[checkpoint.key], patience)
        busy = self.waiting() >= BUSY and self._room.is_set()
        return took / SHARE - took if busy else 0.0

    async def _send_saved(self, zone: str, reports: Sequence[Report], patience: Patience) -> None:
        """``reports`` stand in the checkpoint of ``zone``: send them, and let the next checkpoint be without them."""
        await self._outlet.alarms(reports, patience)
        async with self._turn:
            patience.check()
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

    async def _write(self, save: Save, patience: Patience) -> Save:
        """Commit ``save`` and acknowledge; what of it was committed. A zone that somebody else wrote is left out and read again.

        If a message of it waits, what it was evaluated on was not the truth: the process ends and reads all of it again."""
        while True:
            try:
                await patience.until_done("checkpoints", partial(self.database.writing, partial(self._write_in, save)))
                break
            except StaleCheckpoint as error:
                async with self._turn:
                    patience.check()
                    if save.has_messages(error.keys) or self.unsaved.has_messages(error.keys):
                        self.group.fail(error)
                        raise
                    for zone in error.keys:
                        self._states.drop(zone)
                save = save.without(error.keys)
        async with self._turn:
            patience.check()
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
            self._patience.check()
            self._room.clear()
            await self._room.wait()

    def _count(self) -> None:
        counts, tally = self.evaluation.counts, self.tally
        tally.readings, tally.late, tally.too_late, tally.early = counts.readings, counts.late, counts.too_late, counts.early
        tally.rule_alarms, tally.telemetry_unsaved = counts.alarms, self.unsaved.messages


def _size(event: EventT[bytes]) -> int:
    return len(event.message.value or b"")
