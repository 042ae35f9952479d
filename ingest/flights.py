"""What the forwarder keeps in mind of each row between the journal and SQL: waiting, being sent, sent, applied.

Pure bookkeeping in bounded memory; time is an argument (seconds of a steady clock). Order within a zone is kept by
sending one pack of a zone at a time. What must not go in: the journal, Kafka, SQL, tasks.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.journal import JournalEntry

PACK_SIGNALS = 200
PACK_BYTES = 512 * 1024
HELD_ROWS, HELD_BYTES = 2000, 8 * 2**20
"""Rows and payload bytes held in memory: waiting to be sent, or being sent."""
LONGEST_PATIENCE = 8
"""Patience doubles with each time a row is sent again, up to this many times the first."""


@dataclass(slots=True)
class _Flight:
    """A row that the broker acknowledged and SQL has not shown yet. ``number`` counts everything sent."""

    id: str
    zone: str
    partition: int
    number: int
    sent_at: float


@dataclass(slots=True)
class _Progress:
    """The last sign of life of a partition's worker, and the highest number it is known to have applied."""

    at: float = 0.0
    number: int = -1


class Flights:
    """The rows between the journal and SQL. ``window`` bounds them; ``patience`` is seconds until one is sent again."""

    def __init__(self, *, window: int = 20_000, patience: float = 15.0) -> None:
        self.window, self.patience, self.pack_signals = window, patience, PACK_SIGNALS
        self._queues: dict[str, deque[JournalEntry]] = {}
        self._sending: set[str] = set()
        self._sent: dict[int, _Flight] = {}
        self._turn: deque[int] = deque()  # who is asked about next, so that rows that are stuck don't hide the others
        self._resent: dict[int, int] = {}
        self._progress: dict[int, _Progress] = {}
        self._held_rows = self._held_bytes = self._number = 0
        self._excused_until = 0.0

    # --- waiting to be sent ---

    @property
    def room(self) -> int:
        """How many more rows may be read from the journal now."""
        if self._held_bytes >= HELD_BYTES:
            return 0
        return max(0, min(HELD_ROWS - self._held_rows, self.window - self._held_rows - len(self._sent)))

    def take(self, entries: Iterable[JournalEntry]) -> None:
        """Queue rows just read; they come in the order of the journal."""
        for entry in entries:
            self._queues.setdefault(entry.zone, deque()).append(entry)
            self._count(entry, 1)

    def idle_zones(self) -> list[str]:
        """Zones with something to send and nothing being sent."""
        return [zone for zone in self._queues if zone not in self._sending]

    def next_pack(self, zone: str) -> list[JournalEntry]:
        """The next rows of ``zone``, which is then being sent; empty when there are none, and then it is not."""
        queue = self._queues.get(zone)
        pack: list[JournalEntry] = []
        size = 0
        while queue and len(pack) < self.pack_signals and (not pack or size + len(queue[0].payload) <= PACK_BYTES):
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
        self._count(entry, -1)

    def stop_sending(self, zone: str) -> None:
        """Nobody sends for ``zone`` any more, though it may have something to send."""
        self._sending.discard(zone)

    def _count(self, entry: JournalEntry, sign: int) -> None:
        self._held_rows += sign
        self._held_bytes += sign * len(entry.payload)

    # --- sent, waiting to be applied ---

    @property
    def awaited(self) -> int:
        """Rows sent and not known to be applied."""
        return len(self._sent)

    @property
    def drained(self) -> bool:
        """Nothing is being sent, and all that was sent is applied."""
        return not self._sending and not self._sent

    def acknowledged(self, pack: Sequence[JournalEntry], partition: int, now: float) -> None:
        """The broker has ``pack``."""
        for entry in pack:
            self._count(entry, -1)
            self._number += 1
            self._sent[entry.seq] = _Flight(entry.id, entry.zone, partition, self._number, now)
            self._turn.append(entry.seq)

    def ask(self, limit: int) -> dict[str, int]:
        """Up to ``limit`` rows, id to number in the journal, that SQL is to be asked about now; all get their turn."""
        asked: dict[str, int] = {}
        for _ in range(min(limit, len(self._turn))):
            seq = self._turn.popleft()
            if seq in self._sent:
                asked[self._sent[seq].id] = seq
                self._turn.append(seq)
        return asked

    def applied(self, seqs: Iterable[int], now: float) -> None:
        """SQL has these rows: forget them, and note the progress of their partitions."""
        for seq in seqs:
            flight = self._sent.pop(seq, None)
            self._resent.pop(seq, None)
            if flight is not None:
                progress = self._progress.setdefault(flight.partition, _Progress())
                progress.at, progress.number = now, max(progress.number, flight.number)

    def excuse(self, now: float) -> None:
        """SQL could not be asked until ``now``: nothing that waited meanwhile is anybody's fault."""
        self._excused_until = now

    def overdue(self, now: float, limit: int) -> list[int]:
        """Rows to send again, at most ``limit``, in order of sending.

        A row is overdue after ``patience`` seconds. A row behind which nothing was applied yet may only be waiting its
        turn, so it counts from its partition's last progress; one that was overtaken counts from its own sending."""
        found: list[int] = []
        for seq, flight in self._sent.items():
            progress = self._progress.get(flight.partition, _Progress())
            since = flight.sent_at if flight.number < progress.number else max(flight.sent_at, progress.at)
            patience = self.patience * min(2 ** self._resent.get(seq, 0), LONGEST_PATIENCE)
            if now - max(since, self._excused_until) >= patience:
                found.append(seq)
                if len(found) >= limit:
                    break
        return found

    def send_again(self, overdue: Sequence[int], entries: Sequence[JournalEntry]) -> None:
        """Queue ``entries``, what the journal still holds of the ``overdue`` rows, before what waits in their zones."""
        for seq in overdue:
            self._sent.pop(seq, None)
            self._resent[seq] = self._resent.get(seq, 0) + 1
        for seq in set(overdue).difference(entry.seq for entry in entries):
            del self._resent[seq]  # released meanwhile
        for zone in {entry.zone for entry in entries}:
            waiting = self._queues.get(zone, deque())
            again = [entry for entry in entries if entry.zone == zone]
            self._queues[zone] = deque(sorted([*again, *waiting], key=lambda entry: entry.seq))
        for entry in entries:
            self._count(entry, 1)
