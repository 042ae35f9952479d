"""Whether a hazard's record is what was written, event by event, and which event is not. The words of `bihuan ledger verify`.

What must not go in: SQL, files, keys, the order in which a ledger is read.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec
from msgspec import Struct

from hazards.ledger.record import GENESIS, PACK, Entry, chained, read_entry


class Fault(StrEnum):
    """What can be wrong; the first word of a line."""

    CHANGED = "changed"  # its bytes are not those that were recorded
    MISSING = "missing"  # an event between others is gone
    REORDERED = "reordered"  # it stands in another's place
    CUT_OFF = "cut off"  # events at the end are gone
    VANISHED = "vanished"  # the whole hazard is gone
    REWRITTEN = "rewritten"  # its chain holds and is not the one that was anchored
    EVIDENCE = "evidence"  # a file that a record names
    ANCHOR = "anchor"  # an anchor itself
    SIGNATURE = "signature"


class Finding(Struct, frozen=True):
    """One thing that is wrong. ``where``: the hazard and event, the file, the anchor."""

    fault: Fault
    where: str
    text: str

    def line(self) -> str:
        """For people and scripts."""
        return f"{self.fault.value}: {self.where}: {self.text}"


class StoredEvent(Struct, frozen=True):
    """A row of the record: its columns, the bytes and the digest."""

    number: int
    at: int
    actor: str
    event: str
    command_id: str | None
    data: bytes
    digest: str


class AnchoredHead(Struct, frozen=True):
    """What an anchor says of a hazard. ``day``: the anchor's."""

    number: int
    digest: str
    day: str


def subject(hazard: str) -> str:
    """How whatever a record is kept of is named: a hazard, or a policy pack."""
    return f"policy pack {hazard.removeprefix(PACK)}" if hazard.startswith(PACK) else f"hazard {hazard}"


def where(hazard: str, first: int, last: int | None = None) -> str:
    """How a place in the record is named."""
    return f"{subject(hazard)}, event {first}" if last is None or last == first else f"{subject(hazard)}, events {first} to {last}"


def rewritten(hazard: str, before: int, head: AnchoredHead) -> Finding:
    """The chain up to ``head`` is another one; ``before``: the number up to which it is known to be the anchored one."""
    return Finding(Fault.REWRITTEN, where(hazard, before + 1, head.number), f"not the record that was anchored for {head.day}")


def vanished(hazard: str, head: AnchoredHead) -> Finding:
    """Nothing is left of the hazard."""
    return Finding(Fault.VANISHED, subject(hazard), f"anchored for {head.day} with {head.number} events, nothing is left of it")


def cut_off(hazard: str, last: int, head: AnchoredHead) -> Finding:
    """The record ends before ``head``."""
    return Finding(Fault.CUT_OFF, where(hazard, last + 1, head.number), f"anchored for {head.day}, not in the record any more")


class ChainCheck:
    """Walks one hazard's record: ``take`` its rows by number, then ``end``. Holds a few digests, whatever its length."""

    def __init__(self, hazard: str, anchored: Sequence[AnchoredHead] = ()) -> None:
        self.hazard, self.last = hazard, 0
        self._anchored = {head.number: head for head in anchored}
        self._proven = 0  # the number of the last anchored head that was compared
        self._before: frozenset[str] = frozenset({GENESIS})  # digests that the row before may have
        self.entry: Entry | None = None  # the newest that could be read
        self._sound = True  # whether the row before was

    def take(self, row: StoredEvent) -> Iterator[Finding]:
        """The next row by number; what is wrong with it."""
        if row.number > self.last + 1:
            yield Finding(Fault.MISSING, where(self.hazard, self.last + 1, row.number - 1), "not in the record")
            self._before = frozenset()
        found = self._fault_of(row)
        self._sound = found is None
        if found is not None:
            yield found
        head = self._anchored.get(row.number)
        if head is not None:
            if head.digest != row.digest and found is None:
                yield rewritten(self.hazard, self._proven, head)
            self._proven = row.number
        self.last = row.number

    def _fault_of(self, row: StoredEvent) -> Finding | None:
        here, before = where(self.hazard, row.number), self._before
        made = {chained(digest, row.data) for digest in before}
        # the next row may follow the digest that is stored or the one that should be: whichever of the two was changed, it is named once
        self._before = frozenset({row.digest}) if row.digest in made else frozenset({row.digest, *made})
        try:
            self.entry = entry = read_entry(row.data)
        except msgspec.DecodeError:
            return Finding(Fault.CHANGED, here, "its bytes are no entry")
        if entry.hazard != self.hazard or entry.number != row.number:
            self._before = frozenset()  # what the next one follows stands somewhere else
            of = "" if entry.hazard == self.hazard else f" of hazard {entry.hazard}"
            return Finding(Fault.REORDERED, here, f"it holds what was recorded as event {entry.number}{of}")
        if before and row.digest not in made:
            return Finding(Fault.CHANGED, here, "its digest does not follow from the event before it and its own bytes")
        for name in ("at", "actor", "event", "command_id"):
            if getattr(row, name) != getattr(entry, name):
                return Finding(Fault.CHANGED, here, f"the column {name} is not what its bytes say")
        return None

    def end(self, version: int | None, state: str | None) -> Iterator[Finding]:
        """After the last row. ``version``, ``state``: of the hazard's own row, None where there is none."""
        newest = max(self._anchored.values(), key=lambda head: head.number, default=None)
        if version is None:
            if self.last:
                text = f"its row is gone, {self.last} events of its record are there"
                yield Finding(Fault.VANISHED, subject(self.hazard), text)
            elif newest is not None:
                yield vanished(self.hazard, newest)
                return
        if newest is not None and newest.number > self.last:
            yield cut_off(self.hazard, self.last, newest)
        elif version is not None and version > self.last:
            yield Finding(Fault.CUT_OFF, where(self.hazard, self.last + 1, version), f"it stands at version {version}")
        elif version is not None and version < self.last:
            yield Finding(Fault.CHANGED, subject(self.hazard), f"its row stands at version {version}, its record at {self.last}")
        elif version is not None and self._sound and self.entry is not None and state != self.entry.state:
            yield Finding(Fault.CHANGED, subject(self.hazard), f"its row says {state}, its record {self.entry.state}")
