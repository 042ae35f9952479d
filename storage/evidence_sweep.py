"""The bound of what cameras' alarms leave on disk: what is too old goes, and when room is needed the oldest goes first.

What a hazard or a hold refers to never goes. The bytes go before the commit that says so: a crash between the two is mended by the next
sweep.
What must not go in: when it runs, who is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hazards.camera_evidence import Statement
from storage.camera_evidence import kept_bytes, mark_removed, needed_elsewhere, oldest_free
from storage.database import Database
from storage.evidence import EvidenceStore

AGE, SPACE = "age", "space"
_AT_ONCE = 100
_DAY = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """``days`` that files are kept; ``most`` bytes of them; ``free`` bytes that must stay free on their disk."""

    days: float
    most: int
    free: int


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: files that went for their age and for room, bytes that are kept, bytes that are still wanted (0: none):
    everything that is left is held."""

    aged: int = 0
    crowded: int = 0
    kept: int = 0
    short: int = 0


class EvidenceSweep:
    """Sweeps ``store`` by what ``database`` says of it. Blocks: call it in a thread."""

    def __init__(self, database: Database, store: EvidenceStore, bounds: Bounds) -> None:
        self._database, self._store, self._bounds = database, store, bounds

    def sweep(self, now: int) -> Swept:
        """Once over everything. Raises StorageUnavailable."""
        aged = self._sweep_aged(now)
        kept, crowded = self._kept(), 0
        while (wanted := self._wanted(kept)) > 0:
            oldest = self._oldest()
            if not oldest:
                return Swept(aged, crowded, kept, wanted)
            going = _enough(oldest, wanted)
            self._remove(going, SPACE, now)
            crowded += len(going)
            kept = self._kept()
        return Swept(aged, crowded, kept)

    def _sweep_aged(self, now: int) -> int:
        aged = 0
        while old := self._oldest(before=now - round(self._bounds.days * _DAY)):
            self._remove(old, AGE, now)
            aged += len(old)
        return aged

    def _oldest(self, before: int | None = None) -> list[Statement]:
        with self._database.read() as connection:
            return oldest_free(connection, before=before, limit=_AT_ONCE)

    def _kept(self) -> int:
        with self._database.read() as connection:
            return kept_bytes(connection)

    def _wanted(self, kept: int) -> int:
        """Bytes that must go."""
        return max(kept - self._bounds.most, self._bounds.free - self._store.free_bytes())

    def _remove(self, files: Sequence[Statement], why: str, now: int) -> None:
        """In one transaction, so that nobody comes to refer to a file while it goes."""
        with self._database.write() as connection:
            for name in mark_removed(connection, files, why=why, now=now):
                if not needed_elsewhere(connection, name):
                    self._store.remove(name)


def _enough(files: Sequence[Statement], wanted: int) -> list[Statement]:
    """The first of ``files`` that make ``wanted`` bytes together."""
    taken, size = list[Statement](), 0
    for file in files:
        if size >= wanted:
            break
        taken.append(file)
        size += file.size
    return taken
