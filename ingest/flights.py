"""What the forwarder keeps in mind of each row between the journal and SQL: waiting, being sent, sent, settled.

Pure bookkeeping in bounded memory; time is an argument (seconds of a steady clock). Order within a zone is kept by
sending one pack of a zone at a time. No partition can take all the room: each may hold as much as is still free, so that
any number of partitions that stand still leave a share for the others; their further rows are left behind in the journal
and read once there is room again. What must not go in: the journal, Kafka, SQL, tasks.
"""

from collections import deque
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from bus.partitions import partition_of
from bus.topics import DEFAULT_PARTITIONS
from ingest.bounds import HELD_BYTES, HELD_ROWS, PACK_BYTES, STUCK, Bounds
from storage.journal import JournalEntry


@dataclass(slots=True)
class _Flight:
    """A row that the broker acknowledged and SQL has not shown yet. ``number`` counts everything sent."""

    id: str
    zone: str
    partition: int
    size: int
    number: int
    sent_at: float
    overtaken_at: float | None = None


@dataclass(slots=True)
class _Partition:
    """What one partition has under way, its last sign of life, and the highest number it is known to have settled."""

    held: int = 0
    held_bytes: int = 0
    sent: int = 0
    sent_bytes: int = 0
    moved_at: float = 0.0
    settled_at: float = 0.0
    number: int = -1

    @property
    def bytes(self) -> int:
        """Payload that is or will be on the broker."""
        return self.held_bytes + self.sent_bytes


class Flights:
    """The rows between the journal and SQL. ``partitions``: how many the topic has."""

    def __init__(self, bounds: Bounds | None = None, *, partitions: int = DEFAULT_PARTITIONS) -> None:
        self.bounds, self._count = bounds or Bounds(), partitions
        self.pack_rows = self.bounds.pack_rows
        self._queues: dict[str, deque[JournalEntry]] = {}
        self._sending: set[str] = set()
        self._sent: dict[int, _Flight] = {}
        self._turn: deque[int] = deque()  # who is asked about next, so that rows that are stuck don't hide the others
        self._resent: dict[int, int] = {}
        self._behind: dict[str, int] = {}  # zone: from which row on the journal is still to be read for it
        self._partitions: dict[int, _Partition] = {}
        self._all = _Partition()
        self._number = 0
        self._excused_until = 0.0

    # --- waiting to be sent ---

    @property
    def room(self) -> int:
        """How many more rows may be read from the journal now."""
        limit = self.bounds.window_bytes
        if self._all.held_bytes >= HELD_BYTES or (limit is not None and self._all.bytes >= limit):
            return 0
        return max(0, min(HELD_ROWS - self._all.held, self.bounds.window - self._all.held - self._all.sent))

    def take(self, entries: Sequence[JournalEntry], now: float, *, watched: Container[int] = ()) -> int:
        """Take rows just read, in the order of the journal; how many of them were dealt with: taken, or left behind.

        The first row of a full partition that still moves ends it: what follows is read again in a moment.
        ``watched``: numbers of rows that somebody else sends; they are only waited for, the others queued."""
        for n, entry in enumerate(entries):
            if entry.zone in self._behind:
                continue
            if self._fits(entry):
                self._take(entry, now, watched)
            elif now - self._of(entry.zone).moved_at >= STUCK:
                self._behind[entry.zone] = entry.seq
            else:
                return n
        return len(entries)

    def left_behind(self) -> int | None:
        """The first row left behind for which there is room now."""
        return min((seq for zone, seq in self._behind.items() if self._is_open(self._of(zone))), default=None)

    def take_behind(
        self, start: int, entries: Sequence[JournalEntry], through: int, cursor: int, now: float, *, watched: Container[int] = ()
    ) -> None:  # fmt: skip
        """Take rows that were left behind: ``entries`` are all of the journal's from number ``start`` to ``through``.

        Rows after ``cursor`` were never read and are not for this call."""
        full = {zone for zone, seq in self._behind.items() if seq < start}
        for entry in entries:
            zone = entry.zone
            if entry.seq > cursor or zone in full or entry.seq < self._behind.get(zone, entry.seq + 1):
                continue
            if self._fits(entry):
                self._take(entry, now, watched)
                self._behind[zone] = entry.seq + 1
            else:
                full.add(zone)
        for zone in [z for z, seq in self._behind.items() if z not in full and seq <= through + 1]:
            self._behind[zone] = through + 1
            if through >= cursor:
                del self._behind[zone]

    def idle_zones(self) -> list[str]:
        """Zones with something to send and nothing being sent."""
        return [zone for zone in self._queues if zone not in self._sending]

    def next_pack(self, zone: str) -> list[JournalEntry]:
        """The next rows of ``zone``, which is then being sent; empty when there are none, and then it is not."""
        queue = self._queues.get(zone)
        pack: list[JournalEntry] = []
        size = 0
        while queue and len(pack) < self.pack_rows and (not pack or size + len(queue[0].payload) <= PACK_BYTES):
            pack.append(queue.popleft())
            size += len(pack[-1].payload)
        if not queue:
            self._queues.pop(zone, None)
        if pack:
            self._sending.add(zone)
        else:
            self._sending.discard(zone)
        return pack

    def put_back(self, pack: Sequence[JournalEntry]) -> None:
        """A pack that was not acknowledged goes first again."""
        if pack:
            self._queues.setdefault(pack[0].zone, deque()).extendleft(reversed(pack))

    def forget(self, entry: JournalEntry) -> None:
        """A row of a pack that will never be sent."""
        self._hold(entry, -1)

    def stop_sending(self, zone: str) -> None:
        """Nobody sends for ``zone`` any more, though it may have something to send."""
        self._sending.discard(zone)

    def _of(self, zone: str) -> _Partition:
        return self._partitions.setdefault(partition_of(zone, self._count), _Partition())

    def _is_open(self, one: _Partition) -> bool:
        """Whether a partition has less under way than is still free for all: n that stand still leave a share of 1 in n + 1."""
        under_way = one.held + one.sent < self.bounds.window - self._all.held - self._all.sent
        held = one.held < HELD_ROWS - self._all.held and one.held_bytes < HELD_BYTES - self._all.held_bytes
        limit = self.bounds.window_bytes
        return under_way and held and (limit is None or one.bytes < limit - self._all.bytes)

    def _fits(self, entry: JournalEntry) -> bool:
        return self._is_open(self._of(entry.zone))

    def _take(self, entry: JournalEntry, now: float, watched: Container[int]) -> None:
        one = self._of(entry.zone)
        if not one.held + one.sent:
            one.moved_at = now  # it was idle, which is not standing still
        if entry.seq in watched:
            self._wait_for(entry, now)
            return
        self._queues.setdefault(entry.zone, deque()).append(entry)
        self._hold(entry, 1)

    def _hold(self, entry: JournalEntry, sign: int) -> None:
        for each in (self._of(entry.zone), self._all):
            each.held += sign
            each.held_bytes += sign * len(entry.payload)

    # --- sent, waiting to be settled ---

    @property
    def awaited(self) -> int:
        """Rows sent and not known to be settled."""
        return len(self._sent)

    @property
    def drained(self) -> bool:
        """Nothing is being sent, and all that was sent is settled."""
        return not self._sending and not self._sent

    def acknowledged(self, pack: Sequence[JournalEntry], now: float) -> None:
        """The broker has ``pack``; SQL is to show its effect."""
        for entry in pack:
            self._hold(entry, -1)
            self._wait_for(entry, now)

    def arrived(self, pack: Sequence[JournalEntry], now: float) -> None:
        """The broker has ``pack``, and nothing more is waited for."""
        for entry in pack:
            self._hold(entry, -1)
            self._of(entry.zone).moved_at = now

    def _wait_for(self, entry: JournalEntry, now: float) -> None:
        self._number += 1
        flight = _Flight(entry.id, entry.zone, partition_of(entry.zone, self._count), len(entry.payload), self._number, now)
        self._sent[entry.seq] = flight
        self._turn.append(entry.seq)
        self._of(entry.zone).moved_at = now
        self._await(flight, 1)

    def _await(self, flight: _Flight, sign: int) -> None:
        for each in (self._partitions[flight.partition], self._all):
            each.sent += sign
            each.sent_bytes += sign * flight.size

    def ask(self, limit: int) -> dict[str, int]:
        """Up to ``limit`` rows, id to number in the journal, that SQL is to be asked about now; all get their turn."""
        asked: dict[str, int] = {}
        for _ in range(min(limit, len(self._turn))):
            seq = self._turn.popleft()
            if seq in self._sent:
                asked[self._sent[seq].id] = seq
                self._turn.append(seq)
        return asked

    def settled(self, seqs: Iterable[int], now: float) -> None:
        """SQL has these rows: forget them, and note the progress of their partitions. Rows that are not waited for are passed over."""
        for seq in seqs:
            flight = self._sent.pop(seq, None)
            self._resent.pop(seq, None)
            if flight is not None:
                self._await(flight, -1)
                one = self._partitions[flight.partition]
                one.moved_at = one.settled_at = now
                one.number = max(one.number, flight.number)

    def excuse(self, now: float) -> None:
        """SQL could not be asked until ``now``: nothing that waited meanwhile is anybody's fault."""
        self._excused_until = now

    def overdue(self, now: float, limit: int) -> list[int]:
        """Rows to send again, at most ``limit``, in order of sending.

        A row is overdue after ``patience`` seconds. A row behind which nothing was settled yet may only be waiting its
        turn, so it counts from its partition's last progress; one that was overtaken counts from its own sending, or, with
        ``overtaken_only``, from the first look that saw it."""
        found: list[int] = []
        for seq, flight in self._sent.items():
            since = self._waits_since(flight, now)
            patience = self.bounds.patience * min(2 ** self._resent.get(seq, 0), self.bounds.longest)
            if since is not None and now - max(since, self._excused_until) >= patience:
                found.append(seq)
                if len(found) >= limit:
                    break
        return found

    def _waits_since(self, flight: _Flight, now: float) -> float | None:
        one = self._partitions[flight.partition]
        overtaken = flight.number < one.number
        if not self.bounds.overtaken_only:
            return flight.sent_at if overtaken else max(flight.sent_at, one.settled_at)
        if overtaken and flight.overtaken_at is None:
            flight.overtaken_at = now
        return flight.overtaken_at

    def wait_longer(self, seqs: Iterable[int], now: float) -> None:
        """Rows that are overdue and not sent again by us: their patience begins anew."""
        for seq in seqs:
            if (flight := self._sent.get(seq)) is not None:
                flight.overtaken_at = flight.sent_at = now

    def send_again(self, overdue: Sequence[int], entries: Sequence[JournalEntry]) -> None:
        """Queue ``entries``, what the journal still holds of the ``overdue`` rows, before what waits in their zones."""
        for seq in overdue:
            flight = self._sent.pop(seq, None)
            if flight is not None:
                self._await(flight, -1)
            self._resent[seq] = self._resent.get(seq, 0) + 1
        for seq in set(overdue).difference(entry.seq for entry in entries):
            del self._resent[seq]  # released meanwhile
        for zone in {entry.zone for entry in entries}:
            waiting = self._queues.get(zone, deque())
            again = [entry for entry in entries if entry.zone == zone]
            self._queues[zone] = deque(sorted([*again, *waiting], key=lambda entry: entry.seq))
        for entry in entries:
            self._hold(entry, 1)
