"""Carries what was accepted from the journal to Kafka, and releases a row only when SQL shows that it was applied.

So neither a broker that loses its memory, nor a worker that drops a message, nor a kill of this process at any point
loses an alarm; sending twice is harmless, since ids decide in SQL. Four loops share one ``Flights``:
journal -> queue, queue -> broker, SQL -> release, and the standing that others look at.
What must not go in: how rows are kept in mind (``ingest/flights.py``), Kafka's client (``bus/producer.py``).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential, wait_random

from bus.codecs import SignalPack, decode, encode
from bus.producer import Producer
from bus.topics import ALARMS
from hazards.errors import BadInput, BrokerUnavailable, TooLarge, Unavailable
from hazards.messages import Signal
from ingest.broker_link import BrokerLink
from ingest.door import utc_now
from ingest.flights import Flights
from storage.database import Database
from storage.dead_letters import dead_letter, keep_dead_letters, settled_ids
from storage.forwarders import note_standing
from storage.journal import Journal, JournalEntry, Lane, Standing

T = TypeVar("T")

READ_POLL = 0.02
"""Seconds between looks for rows that another process appended; this process's own appends wake at once."""
ASK_FIRST, ASK_LAST = 0.02, 0.1
"""Seconds between looks at SQL while rows wait: often while it moves, seldom while it stands still."""
ASK_ROWS = 1000
AGAIN_EVERY, AGAIN_ROWS = 0.5, 500
NOTE_EVERY = 1.0
LATE = 2_000_000
"""Microseconds after which an unapplied row is worth telling in SQL."""
DRAIN = 0.5
"""Seconds to wait for the old broker's rows before a switch; the rest is sent again on the new one."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a forwarder did so far. ``unapplied`` and ``oldest_at`` (UTC µs) are of the journal, at most a second old.

    ``bytes_written`` is what went to ``broker`` since it became the one."""

    sent: int
    released: int
    unapplied: int
    oldest_at: int | None
    bytes_written: int
    broker: str
    connected: bool


class Forwarder:
    """The one forwarder of a journal. ``producer_factory`` makes an unstarted Producer for an address.

    ``resend_after``: seconds after which a row that was sent and not applied is sent again."""

    def __init__(
        self, journal: Journal, database: Database, producer_factory: Callable[[str], Producer], broker: str, *,
        resend_after: float = 15.0, window: int = 20_000,
    ) -> None:  # fmt: skip
        self._journal, self._database, self._resend_after, self._window = journal, database, resend_after, window
        self._link = BrokerLink(producer_factory, broker, self._begin_anew)
        self._grown, self._queued, self._awaiting = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._sent = self._released = 0
        self._standing: Standing | None = None
        self._begin_anew()

    @property
    def progress(self) -> Progress:
        """Counts for a beat; cheap, no I/O."""
        standing = self._standing
        return Progress(
            self._sent, self._released, standing.alarms if standing else 0, standing.oldest_at if standing else None,
            self._link.bytes_written, self._link.address, self._link.producer is not None,
        )  # fmt: skip

    async def run(self) -> None:
        """Forward until cancelled. Outages of the broker, SQL and the journal's disk are waited out."""
        loop = asyncio.get_running_loop()
        self._journal.listen(lambda: loop.call_soon_threadsafe(self._grown.set))
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._link.run, self._read, self._send, self._release, self._note):
                    group.create_task(work())
        finally:
            await self._link.close()

    async def switch_broker(self, address: str) -> None:
        """Write to another broker from now on: connect, let the old one drain for up to 0.5 s, switch, send the rest again.

        Raises BrokerUnavailable, and stays with the old one, when the new one does not answer."""
        try:
            await self._link.switch(address, self._drain)
        finally:
            self._flowing.set()
            self._queued.set()

    async def _drain(self) -> None:
        self._flowing.clear()
        until = monotonic() + DRAIN
        while not self._flights.drained and monotonic() < until:  # noqa: ASYNC110 - two loops and SQL have a part in it
            await asyncio.sleep(0.01)

    def _begin_anew(self) -> None:
        """All that is not released is read and sent anew: what the former broker had in memory may be gone."""
        self._flights = Flights(window=self._window, patience=self._resend_after)
        self._cursor, self._may_be_applied = 0, True
        self._grown.set()

    # --- journal to queue ---

    async def _read(self) -> None:
        while True:
            self._grown.clear()  # also without room: waiting for an event that is set gives nobody else a turn
            flights = self._flights
            room = min(flights.room, 500)
            entries: list[JournalEntry] = []
            if room:
                entries = await self._patiently("journal.read", lambda: self._journal.read(Lane.ALARMS, self._cursor, room))  # noqa: B023
            if not entries:
                await _wait(self._grown, READ_POLL)
                continue
            fresh = await self._without_applied(entries) if self._may_be_applied else entries
            if flights is self._flights:  # else a switch happened meanwhile: all is read anew
                flights.take(fresh)
                self._cursor = entries[-1].seq
                self._may_be_applied = self._may_be_applied and len(entries) == room
                self._queued.set()

    async def _without_applied(self, entries: list[JournalEntry]) -> list[JournalEntry]:
        """After a start or a switch much of what is read was applied already: released without being sent again."""
        try:
            applied = await self._database.reading(lambda c: settled_ids(c, [e.id for e in entries]))
            await self._journal.release(Lane.ALARMS, [e.seq for e in entries if e.id in applied])
        except Unavailable:
            return entries
        self._released += len(applied)
        return [e for e in entries if e.id not in applied]

    # --- queue to broker ---

    async def _send(self) -> None:
        async with asyncio.TaskGroup() as group:
            while True:
                await self._queued.wait()
                await self._flowing.wait()
                self._queued.clear()
                for zone in self._flights.idle_zones():
                    if pack := self._flights.next_pack(zone):
                        group.create_task(self._send_zone(self._flights, zone, pack))

    async def _send_zone(self, flights: Flights, zone: str, pack: list[JournalEntry]) -> None:
        """All that waits for ``zone``, one pack after the other: the next only when the last was acknowledged."""
        while pack:
            await self._link.connected.wait()
            producer = self._link.producer
            if flights is not self._flights or producer is None or not self._flowing.is_set():
                flights.put_back(pack)
                flights.stop_sending(zone)
                return
            await self._send_pack(flights, producer, pack)
            pack = flights.next_pack(zone)

    async def _send_pack(self, flights: Flights, producer: Producer, pack: list[JournalEntry]) -> None:
        began = monotonic()
        readable, signals = await self._readable(flights, pack)
        if not readable:
            return
        try:
            value = encode(SignalPack(readable[0].zone, signals))
            partition = await producer.send_pack(ALARMS.name, readable[0].zone, value)
        except BrokerUnavailable as e:
            flights.put_back(readable)
            log.warning("forwarder.not_sent", zone=readable[0].zone, signals=len(readable), error=str(e))
            if producer.last_acknowledged <= began:  # others got through meanwhile: only this partition has no leader
                self._link.lose(producer)
        except TooLarge as e:
            if len(readable) == 1:
                await self._put_aside(flights, readable[0], str(e))
            else:
                flights.put_back(readable)
                flights.pack_signals = len(readable) // 2
        else:
            self._sent += len(readable)
            flights.acknowledged(readable, partition, monotonic())
            self._awaiting.set()

    async def _readable(self, flights: Flights, pack: list[JournalEntry]) -> tuple[list[JournalEntry], list[Signal]]:
        """The rows that can be decoded, and their signals; the others are put aside, so that they stop nobody."""
        readable, signals = list[JournalEntry](), list[Signal]()
        for entry in pack:
            try:
                signals.append(decode(Signal, entry.payload))
                readable.append(entry)
            except BadInput as e:
                await self._put_aside(flights, entry, str(e))
        return readable, signals

    async def _put_aside(self, flights: Flights, entry: JournalEntry, reason: str) -> None:
        letter = dead_letter(ALARMS.name, _as_sent(entry), f"journal {self._journal.id}, signal {entry.id}: {reason}", signal=entry.id)
        log.error("forwarder.put_aside", id=entry.id, zone=entry.zone, reason=reason)
        await self._patiently("sql.dead_letters", lambda: self._database.writing(lambda c: keep_dead_letters(c, [letter], now=utc_now())))
        await self._patiently("journal.release", lambda: self._journal.release(Lane.ALARMS, [entry.seq]))
        flights.forget(entry)

    # --- SQL to release ---

    async def _release(self) -> None:
        delay, again_at = ASK_FIRST, 0.0
        while True:
            if not self._flights.awaited:
                self._awaiting.clear()
                await self._awaiting.wait()
            await asyncio.sleep(delay)
            flights = self._flights
            asked = flights.ask(ASK_ROWS)
            found = await self._ask(flights, list(asked))
            seqs = [asked[i] for i in found]
            await self._patiently("journal.release", lambda: self._journal.release(Lane.ALARMS, seqs))  # noqa: B023
            flights.applied(seqs, monotonic())
            self._released += len(seqs)
            self._grown.set()
            delay = ASK_FIRST if seqs or not self._flowing.is_set() else min(delay * 1.5, ASK_LAST)
            if monotonic() >= again_at:
                again_at = monotonic() + AGAIN_EVERY
                await self._send_overdue(flights)

    async def _ask(self, flights: Flights, ids: Sequence[str]) -> set[str]:
        if not ids:
            return set()
        began = monotonic()
        found = await self._patiently("sql.applied", lambda: self._database.reading(lambda c: settled_ids(c, ids)))
        if monotonic() - began > 1.0:
            flights.excuse(monotonic())
        return found

    async def _send_overdue(self, flights: Flights) -> None:
        overdue = flights.overdue(monotonic(), AGAIN_ROWS)
        if overdue:
            entries = await self._patiently("journal.read", lambda: self._journal.read_again(Lane.ALARMS, overdue))
            flights.send_again(overdue, entries)
            log.warning("forwarder.sent_again", rows=len(entries), after=self._resend_after, zones=sorted({e.zone for e in entries})[:5])
            self._queued.set()

    # --- what others see ---

    async def _note(self) -> None:
        """Keep ``progress`` fresh, and the row in SQL while something is late and once more when nothing is any longer."""
        told_late = True  # a former life may have left a late row behind
        while True:
            standing = self._standing = await self._patiently("journal.standing", self._journal.standing)
            now = utc_now()
            late = standing.oldest_at is not None and now - standing.oldest_at > LATE
            if late or told_late:
                try:
                    await self._database.writing(lambda c: note_standing(c, self._journal.id, standing, now=now))  # noqa: B023
                    told_late = late
                except Unavailable as e:
                    log.debug("forwarder.not_noted", error=str(e))
            await asyncio.sleep(NOTE_EVERY)

    async def _patiently(self, what: str, work: Callable[[], Awaitable[T]]) -> T:
        """``work``, repeated with back-off while what it needs is away."""

        def waiting(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            log.warning("forwarder.waits", waits_for=what, tries=state.attempt_number, error=str(error))

        pause = wait_exponential(multiplier=0.05, max=2.0) + wait_random(0, 0.05)
        async for attempt in AsyncRetrying(retry=retry_if_exception_type(Unavailable), wait=pause, before_sleep=waiting):
            with attempt:
                return await work()
        raise AssertionError("tenacity ends only by return or raise")


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):  # not wait_for: on Python 3.11 it can swallow a cancellation
            await event.wait()
    except TimeoutError:
        pass


def _as_sent(entry: JournalEntry) -> bytes:
    """What the topic would have held: a letter is read and replayed like any other; a row that is no signal stays as it is."""
    try:
        return encode(SignalPack(entry.zone, [decode(Signal, entry.payload)]))
    except BadInput:
        return entry.payload
