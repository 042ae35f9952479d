"""One route at work: journal -> queue -> broker -> settled -> released. Three loops share one ``Flights``.

Neither a broker that loses its memory, nor a reader that drops a message, nor a kill of this process at any point loses a row:
it stays in the journal until what its route waits for is there; sending twice is harmless, since ids decide where the effect is.
What must not go in: which rows, which topic, what settles them (``ingest/routes.py``); rows in mind (``ingest/flights.py``).
"""

import asyncio
from collections.abc import Sequence
from time import monotonic

import structlog

from bus.producer import Producer
from hazards.errors import BrokerUnavailable, TooLarge, Unavailable
from ingest.broker_link import BrokerLink
from ingest.door import utc_now
from ingest.flights import Flights
from ingest.patience import patiently, wait_briefly
from ingest.routes import Look, Route, Shipment, as_on_the_topic
from storage.database import Database
from storage.dead_letters import dead_letter, keep_dead_letters, kept_letters
from storage.journal import Journal, JournalEntry

ASK_ROWS = 1000
AGAIN_EVERY, AGAIN_ROWS = 0.5, 500
READ_ROWS = 500

log = structlog.get_logger(__name__)


class Flow:
    """Carries the rows of ``route``. ``flowing`` is cleared while the broker is being switched. ``others``: routes of the same lane."""

    def __init__(
        self, route: Route, journal: Journal, database: Database, link: BrokerLink, flowing: asyncio.Event, *, partitions: int
    ) -> None:  # fmt: skip
        self.route = route
        self._journal, self._database, self._link, self._flowing, self._partitions = journal, database, link, flowing, partitions
        self._grown, self._queued, self._awaiting, self._arrived = (asyncio.Event() for _ in range(4))
        self.sent = self.released = 0
        self._done: list[int] = []  # rows acknowledged and settled by that alone, to be released
        self.others: Sequence[Flow] = ()
        self.begin_anew()

    @property
    def drained(self) -> bool:
        """Nothing is under way."""
        return self._flights.drained

    def begin_anew(self) -> None:
        """All that is not released is read and sent anew: what the former broker had in memory may be gone."""
        self._flights = Flights(self.route.bounds, partitions=self._partitions)
        self._cursor, self._old_until = 0, -1
        self._grown.set()

    def heard(self) -> None:
        """The journal has grown."""
        self._grown.set()

    def resume(self) -> None:
        """A switch is over."""
        self._queued.set()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            for work in (self._read, self._send, self._release_acknowledged if self.route.settled is None else self._settle):
                group.create_task(work())

    # --- journal to queue ---

    async def _read(self) -> None:
        while True:
            await self._link.connected.wait()  # each connection begins with the first row anyway
            self._grown.clear()  # also without room: waiting for an event that is set gives nobody else a turn
            flights = self._flights
            moved = await self._read_behind(flights)
            room = min(flights.room, READ_ROWS)
            if room:
                moved |= await self._read_on(flights, room)
            if not moved:
                await wait_briefly(self._grown, self.route.poll)

    async def _read_on(self, flights: Flights, room: int) -> bool:
        """The next rows; whether there were any that could be taken."""
        lane, cursor = self.route.lane, self._cursor
        if self._old_until < 0:
            newest = await patiently("journal.newest", lambda: self._journal.newest(lane))
            if flights is self._flights:
                self._old_until = newest
        entries = await patiently("journal.read", lambda: self._journal.read(lane, cursor, room))
        mine, watched = await self._sorted_out(entries)
        if flights is not self._flights or not entries:
            return bool(entries)  # a new connection came between: all is read anew
        dealt_with = flights.take(mine, monotonic(), watched=watched)
        self._cursor = entries[-1].seq if dealt_with == len(mine) else mine[dealt_with].seq - 1
        self._wake()
        return self._cursor > cursor

    async def _read_behind(self, flights: Flights) -> bool:
        """Rows left behind for which there is room now; whether there were any."""
        start = flights.left_behind()
        if start is None:
            return False
        entries = await patiently("journal.read", lambda: self._journal.read(self.route.lane, start - 1, READ_ROWS))
        mine, watched = await self._sorted_out(entries)
        if flights is self._flights:
            through = min(entries[-1].seq, self._cursor) if entries else self._cursor
            flights.take_behind(start, mine, through, self._cursor, monotonic(), watched=watched)
            self._wake()
        return True

    def _wake(self) -> None:
        self._queued.set()
        self._awaiting.set()

    async def _sorted_out(self, entries: Sequence[JournalEntry]) -> tuple[list[JournalEntry], set[int]]:
        """Those of ``entries`` that this route carries and that are not settled, and which of them others send.

        Only rows that were there when the connection was made can be settled, or owed, before anybody sent them."""
        mine = [entry for entry in entries if self.route.carries(entry)]
        old = [entry for entry in mine if entry.seq <= self._old_until]
        if (look := self.route.settled) is not None:
            try:
                settled = await self._known(look, old)
            except Unavailable as e:  # sent again, then: nothing is lost by that
                log.debug("forwarder.not_asked", error=str(e))
                settled = set()
            await patiently("journal.release", lambda: self._finish([e.seq for e in old if e.id in settled], list(settled)))
            mine = [entry for entry in mine if entry.id not in settled]
        if (owes := self.route.owed) is None:
            return mine, set()
        owed = await patiently("sql.owed", lambda: self._known(owes, old))
        return mine, {entry.seq for entry in mine if entry.id not in owed}

    async def _known(self, look: Look, entries: Sequence[JournalEntry]) -> set[str]:
        ids = [entry.id for entry in entries]
        return await self._database.reading(lambda c: look(c, ids)) if ids else set()

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
            await self._send_pack(flights, producer, zone, pack)
            pack = flights.next_pack(zone)

    async def _send_pack(self, flights: Flights, producer: Producer, zone: str, pack: list[JournalEntry]) -> None:
        began = monotonic()
        shipments, unreadable = self.route.ship(pack)
        for row, reason in unreadable:
            await self._put_aside(flights, row, reason)
        if not shipments:
            return
        outcomes = await producer.send_records(zone, [shipment.record for shipment in shipments])
        back = list[JournalEntry]()
        for shipment, outcome in zip(shipments, outcomes, strict=True):
            if isinstance(outcome, BrokerUnavailable):
                back += shipment.rows
            elif isinstance(outcome, TooLarge):
                back += await self._too_large(flights, shipment, outcome)
            else:
                self._acknowledged(flights, shipment)
        flights.put_back(back)
        if failure := next((o for o in outcomes if isinstance(o, BrokerUnavailable)), None):
            log.warning("forwarder.not_sent", route=self.route.name, zone=zone, rows=len(back), error=str(failure))
            if producer.last_acknowledged <= began:  # others got through meanwhile: only this partition has no leader
                self._link.lose(producer)

    def _acknowledged(self, flights: Flights, shipment: Shipment) -> None:
        self.sent += len(shipment.rows)
        if self.route.settled is not None:
            flights.acknowledged(shipment.rows, monotonic())
            self._awaiting.set()
            return
        flights.arrived(shipment.rows, monotonic())
        self._done += [row.seq for row in shipment.rows]
        self._arrived.set()

    async def _too_large(self, flights: Flights, shipment: Shipment, error: TooLarge) -> Sequence[JournalEntry]:
        """A single row that never will pass is put aside; of several the pack was too large, and they go again in smaller ones."""
        if len(shipment.rows) > 1:
            flights.pack_rows = max(1, len(shipment.rows) // 2)
            return shipment.rows
        await self._put_aside(flights, shipment.rows[0], str(error))
        return ()

    async def _put_aside(self, flights: Flights, row: JournalEntry, reason: str) -> None:
        where = f"journal {self._journal.id}, signal {row.id}: {reason}"
        letter = dead_letter(self.route.topic.name, as_on_the_topic(row), where, signal=row.id)
        log.error("forwarder.put_aside", id=row.id, zone=row.zone, reason=reason)
        await patiently("sql.dead_letters", lambda: self._database.writing(lambda c: keep_dead_letters(c, [letter], now=utc_now())))
        await patiently("journal.release", lambda: self._journal.release(self.route.lane, [row.seq]))
        flights.forget(row)

    # --- settled, and released ---

    async def _release_acknowledged(self) -> None:
        """For a broker that keeps what it has."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            done, self._done = self._done, []
            await patiently("journal.release", lambda: self._journal.release(self.route.lane, done))  # noqa: B023
            self.released += len(done)
            self._grown.set()

    async def _settle(self) -> None:
        first, last = self.route.ask
        delay, again_at = first, 0.0
        while True:
            if not self._flights.awaited:
                self._awaiting.clear()
                await self._awaiting.wait()
            await asyncio.sleep(delay)
            flights = self._flights
            asked = flights.ask(ASK_ROWS)
            found = await self._ask(flights, list(asked))
            seqs = [asked[i] for i in found]
            await patiently("journal.release", lambda: self._finish(seqs, list(found)))  # noqa: B023
            flights.settled(seqs, monotonic())
            self._grown.set()
            delay = first if seqs or not self._flowing.is_set() else min(delay * 1.5, last)
            if monotonic() >= again_at:
                again_at = monotonic() + AGAIN_EVERY
                await self._send_overdue(flights)

    async def _ask(self, flights: Flights, ids: Sequence[str]) -> set[str]:
        look = self.route.settled
        if not ids or look is None:
            return set()
        began = monotonic()
        found = await patiently("sql.settled", lambda: self._database.reading(lambda c: look(c, ids)))
        if monotonic() - began > 1.0:
            flights.excuse(monotonic())
        return found

    async def _finish(self, seqs: Sequence[int], ids: Sequence[str]) -> None:
        """Settled rows leave the journal, then what SQL keeps only for them goes. A crash between the two leaves that behind."""
        if not seqs or not self.route.releases:
            return
        await self._journal.release(self.route.lane, seqs)
        self.released += len(seqs)
        for other in self.others:  # what settled the row is forgotten next, and they could wait for it for ever
            other.released_by_another(seqs)
        if (forget := self.route.forget) is not None:
            await self._database.writing(lambda c: forget(c, ids))

    def released_by_another(self, seqs: Sequence[int]) -> None:
        """Another route of the lane has released these rows."""
        self._flights.settled(seqs, monotonic())
        self._grown.set()

    async def _send_overdue(self, flights: Flights) -> None:
        overdue = flights.overdue(monotonic(), AGAIN_ROWS)
        if not overdue:
            return
        lane = self.route.lane
        entries = await patiently("journal.read", lambda: self._journal.read_again(lane, overdue))
        entries = await self._without_put_aside(flights, entries)
        if (owes := self.route.owed) is not None:
            owed = await patiently("sql.owed", lambda: self._known(owes, entries))
            others = [entry.seq for entry in entries if entry.id not in owed]
            flights.wait_longer(others, monotonic())  # another route sends them again
            overdue = [seq for seq in overdue if seq not in others]
            entries = [entry for entry in entries if entry.id in owed]
        flights.send_again(overdue, entries)
        if entries:
            zones = sorted({e.zone for e in entries})[:5]
            log.warning("forwarder.sent_again", route=self.route.name, rows=len(entries), after=self.route.bounds.patience, zones=zones)
            self._queued.set()

    async def _without_put_aside(self, flights: Flights, entries: Sequence[JournalEntry]) -> list[JournalEntry]:
        """``entries`` without those that their reader could not read and put aside: it can't name them, but its letter has their bytes."""
        letters = {dead_letter(self.route.topic.name, entry.payload, "").id: entry for entry in entries}
        kept = await patiently("sql.dead_letters", lambda: self._database.reading(lambda c: kept_letters(c, list(letters))))
        gone = [letters[letter] for letter in kept]
        if gone:
            log.warning("forwarder.put_aside_by_its_reader", route=self.route.name, ids=[entry.id for entry in gone])
            await patiently("journal.release", lambda: self._finish([e.seq for e in gone], [e.id for e in gone]))
            flights.settled([entry.seq for entry in gone], monotonic())
        return [entry for entry in entries if entry not in gone]
