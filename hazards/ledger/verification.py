"""Whether a hazard's record is what was written, event by event, which event is not, and whether the hazard's own row is what the newest
event left. The words of `bihuan ledger verify`.

What must not go in: SQL, files, keys, the order in which a ledger is read.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec import UNSET, Struct

from hazards.ledger.record import DECLARATION, GENESIS, PACK, RULE, Entry, chained, read_entry


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


class Standing(Struct, frozen=True):
    """What a hazard's own row says, or the rows of a policy pack or alarm rule: version and state of its columns.

    ``says``: what its body says that the newest event says, too (``RECORDED``); ``holds``: the digest of that body (``record.held``), None
    for a pack's. ``unlike``: columns that are not what the body says, as (column, what it says, what the body says). ``spoiled``: the
    body is no hazard."""

    version: int
    state: str
    says: Mapping[str, object]
    holds: str | None = None
    unlike: Sequence[tuple[str, object, object]] = ()
    spoiled: bool = False


RECORDED = {"version": "number", "state": "state", "updated_at": "at", "last_event": "event", "last_actor": "actor", "policy": "policy"}
"""Fields of a hazard that its newest entry has as well, and what they are called there."""


class AnchoredHead(Struct, frozen=True):
    """What an anchor says of a hazard. ``day``: the anchor's."""

    number: int
    digest: str
    day: str


def subject(hazard: str) -> str:
    """How whatever a record is kept of is named: a hazard, a policy pack, an alarm rule, a declaration."""
    if hazard.startswith(DECLARATION):
        return f"declaration {hazard.removeprefix(DECLARATION)}"
    if hazard.startswith(RULE):
        return f"alarm rule {hazard.removeprefix(RULE)}"
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

    def end(self, row: Standing | None) -> Iterator[Finding]:
        """After the last event. ``row``: the hazard's own, None where there is none."""
        newest = max(self._anchored.values(), key=lambda head: head.number, default=None)
        if row is None:
            if self.last:
                text = f"its row is gone, {self.last} events of its record are there"
                yield Finding(Fault.VANISHED, subject(self.hazard), text)
            elif newest is not None:
                yield vanished(self.hazard, newest)
                return
        if newest is not None and newest.number > self.last:
            yield cut_off(self.hazard, self.last, newest)
        elif row is not None and row.version > self.last:
            yield Finding(Fault.CUT_OFF, where(self.hazard, self.last + 1, row.version), f"it stands at version {row.version}")
        elif row is not None and row.version < max(self.last, 1):
            yield self._changed(f"its row stands at version {row.version}, its record at {self.last}")
        elif row is not None and self._sound and self.entry is not None:
            yield from self._not_as_recorded(row, self.entry)
        if row is not None:
            yield from self._in_itself(row)

    def _not_as_recorded(self, row: Standing, entry: Entry) -> Iterator[Finding]:
        """What the row says and the newest entry does not."""
        for name, said in row.says.items():
            recorded = getattr(entry, RECORDED[name])
            if said != recorded:
                yield self._changed(f"its row says {name} {_shown(name, said)}, its record {_shown(name, recorded)}")
        if entry.holds is not UNSET and row.holds != entry.holds and not row.spoiled:
            yield self._changed(f"its body is not the one that event {entry.number} left")

    def _in_itself(self, row: Standing) -> Iterator[Finding]:
        """In what the columns of the row are not what its body says."""
        if row.spoiled:
            yield self._changed("its body is no hazard")
        for name, column, body in row.unlike:
            if name != "version" or row.version == self.last:  # else it was said
                yield self._changed(f"its column {name} says {_shown(name, column)}, its body {_shown(name, body)}")

    def _changed(self, text: str) -> Finding:
        return Finding(Fault.CHANGED, subject(self.hazard), text)


_LONGEST = 80


def _shown(name: str, value: object) -> str:
    """A value for people: times as times."""
    if value is None:
        return "nothing"
    if name.endswith("_at") and isinstance(value, int):
        try:
            return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value):%Y-%m-%dT%H:%M:%S.%fZ}"
        except OverflowError:
            return str(value)
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
