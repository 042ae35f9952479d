"""`bihuan ledger verify`: the whole ledger against itself, its evidence files, its anchors, and the anchors that are kept outside.

Reads on a running system: page by page, each in a short snapshot; it holds the anchors' statements (one a day) and a page of heads.
What must not go in: what a fault is called and how a chain is walked (``hazards/ledger/verification.py``), SQL.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bihuan.ledger.verify_anchors import AnchorCheck, named
from hazards.ledger.record import PACK_APPLIED, RULE_CHANGED, Entry
from hazards.ledger.verification import AnchoredHead, ChainCheck, Fault, Finding, StoredEvent, where
from storage import ledger_reading as reading
from storage.database import Database
from storage.evidence import EvidenceStore

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass
class Tally:
    """What was looked at. ``unanchored``: events after the newest anchored head of their hazard."""

    events: int = 0
    hazards: int = 0
    files: int = 0
    anchors: int = 0
    outside: int = 0
    unanchored: int = 0
    notes: list[str] = field(default_factory=list)

    def line(self) -> str:
        """One line for people."""
        return (
            f"{self.events} events of {self.hazards} hazards, {self.files} evidence files, {self.anchors} anchors in the database, "
            f"{self.outside} outside; {self.unanchored} events are newer than the newest anchor"
        )


@dataclass
class Verification:
    """One run. ``keys``: public keys that are trusted; empty: the first anchor's is, which proves less. ``outside``: folder of anchors."""

    database: Database
    evidence: EvidenceStore
    keys: Sequence[str] = ()
    outside: Path | None = None
    progress: Callable[[int], None] = lambda events: None
    tally: Tally = field(default_factory=Tally)
    _at: str = ""  # the hazard that is being looked at, "" before the first of a page
    _accounted: dict[int, list[int]] = field(default_factory=dict)  # by anchor: events and hazards that its heads add
    _files: dict[str, str | None] = field(default_factory=dict)

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, each once. Raises Unavailable without the folder."""
        self._anchors = AnchorCheck(self.database, self.keys, self.outside)
        said = set[str]()
        for found in (self._anchors.stored(), self._records(), self._sums(), self._anchors.kept_outside()):
            for finding in found:
                if finding.line() not in said:
                    said.add(finding.line())
                    yield finding
        self.tally.anchors, self.tally.outside, self.tally.notes = len(self._anchors.anchors), self._anchors.outside, self._anchors.notes

    # --- the records ---
    def _records(self) -> Iterator[Finding]:
        after = ""
        while True:
            with self.database.read() as connection:
                page, self._at = reading.open_page(connection, after), ""
                try:
                    reading.fill_page(connection, page)
                    yield from self._page(page, reading.events_of(connection, page))
                except (TypeError, ValueError, AttributeError) as e:  # SQLite lets somebody put text where a number belongs
                    rest = f"hazards after it up to {page.upto or 'the last'} were not checked"
                    at = f"hazard {self._at}" if self._at else f"hazards from {after or 'the first'} on"
                    yield Finding(Fault.CHANGED, at, f"a row holds what is never written there ({e}); {rest}")
            self.progress(self.tally.events)
            if page.upto is None:
                return
            after = page.upto

    def _page(self, page: reading.LedgerPage, events: Iterable[tuple[str, StoredEvent]]) -> Iterator[Finding]:
        check: ChainCheck | None = None
        left = page.hazards()
        for hazard, row in events:
            if check is None or check.hazard != hazard:
                if check is not None:
                    yield from self._ended(page, check)
                check = self._check(page, hazard)
                left.discard(hazard)
            self.tally.events += 1
            yield from check.take(row)
            if b'sha256"' in row.data and check.entry is not None:
                yield from self._evidence_of(check.entry)
            if row.event in (PACK_APPLIED, RULE_CHANGED) and check.entry is not None:
                yield from _version_of(check.entry, page)
        if check is not None:
            yield from self._ended(page, check)
        for hazard in sorted(left):
            yield from self._ended(page, self._check(page, hazard))

    def _check(self, page: reading.LedgerPage, hazard: str) -> ChainCheck:
        self.tally.hazards += 1
        self._at = hazard
        anchored = page.anchored.get(hazard, ())
        return ChainCheck(hazard, [AnchoredHead(head.number, head.digest, self._anchors.day(n)) for n, head in anchored])

    def _ended(self, page: reading.LedgerPage, check: ChainCheck) -> Iterator[Finding]:
        yield from check.end(page.standing.get(check.hazard))
        counted = 0
        for number, head in sorted(page.anchored.get(check.hazard, ())):
            sums = self._accounted.setdefault(number, [0, 0])
            sums[0] += head.number - counted
            sums[1] += counted == 0
            counted = head.number
        self.tally.unanchored += max(check.last - counted, 0)

    def _evidence_of(self, entry: Entry) -> Iterator[Finding]:
        for sha256 in _files_in(entry.details):
            if sha256 not in self._files:
                self.tally.files += 1
                self._files[sha256] = self.evidence.trouble(sha256)
            trouble = self._files[sha256]
            if trouble is not None:
                text = "the file is missing" if trouble == "missing" else "the file is not the one that was recorded"
                yield Finding(Fault.EVIDENCE, f"{sha256}, named by {where(entry.hazard, entry.number)}", text)

    def _sums(self) -> Iterator[Finding]:
        """Nothing was left out of an anchor: what its heads and those before account for is what it counted."""
        events = hazards = 0
        for number, anchor in sorted(self._anchors.anchors.items()):
            more = self._accounted.get(number, [0, 0])
            events, hazards = events + more[0], hazards + more[1]
            if (events, hazards) != (anchor.events, anchor.hazards) and number not in self._anchors.loose:
                text = f"it counted {anchor.events} events of {anchor.hazards} hazards, the heads account for {events} of {hazards}"
                yield Finding(Fault.ANCHOR, named(anchor), text)
                events, hazards = anchor.events, anchor.hazards  # said once, not for every later anchor


def _version_of(entry: Entry, page: reading.LedgerPage) -> Iterator[Finding]:
    """What a version of a pack or of an alarm rule holds is what was applied."""
    version = str(entry.details.get("version"))
    held = page.versions.get((entry.hazard, version))
    if held != entry.details.get("digest"):
        fault, what = (Fault.MISSING, "is not there any more") if held is None else (Fault.CHANGED, "holds something else than was applied")
        yield Finding(fault, where(entry.hazard, entry.number), f"the version {version} {what}")


def _files_in(details: Any) -> Iterator[str]:
    """Every evidence file that is named anywhere in the particulars of an event."""
    if isinstance(details, dict):
        for name, value in details.items():
            if name.endswith("sha256") and isinstance(value, str) and _SHA256.fullmatch(value):
                yield value
            else:
                yield from _files_in(value)
    elif isinstance(details, list):
        for value in details:
            yield from _files_in(value)
