"""The part of `bihuan ledger verify` about anchors: those in the database, and those outside against it.

What must not go in: records of hazards (``bihuan/ledger/verify.py``), SQL, making anchors.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bihuan.ledger.key import is_signed, trusted_with
from hazards.errors import NotFound
from hazards.ledger.anchors import Anchor, Document, Handover, Head, HeadsDigest, digest_of, read_anchor
from hazards.ledger.record import GENESIS
from hazards.ledger.verification import AnchoredHead, Fault, Finding, cut_off, vanished, where
from storage import anchors as store
from storage import ledger_reading as reading
from storage.anchor_files import documents_in, read_file
from storage.anchors import AnchorRow
from storage.database import Database


@dataclass
class AnchorCheck:
    """``keys``: public keys that are trusted; empty: the first anchor's is. ``folder``: of anchors outside, None for none."""

    database: Database
    keys: Sequence[str]
    folder: Path | None
    notes: list[str] = field(default_factory=list)
    outside: int = 0
    anchors: dict[int, Anchor] = field(default_factory=dict)
    loose: set[int] = field(default_factory=set)
    """Anchors whose heads in the database are not those that were signed."""
    _statements: dict[int, bytes] = field(default_factory=dict)
    _documents: list[Path] = field(default_factory=list)
    _trusted: set[str] = field(default_factory=set)

    def day(self, number: int) -> str:
        """The day that an anchor is for."""
        anchor = self.anchors.get(number)
        return anchor.day if anchor is not None else f"anchor {number}"

    # --- in the database ---
    def stored(self) -> Iterator[Finding]:
        """What is wrong with the anchors in the database. Raises Unavailable without the folder."""
        self._documents = documents_in(self.folder) if self.folder is not None else []
        with self.database.read() as connection:
            rows = list(store.all_anchors(connection))
        self._trust(rows)
        expected, previous = 1, GENESIS
        for row in rows:
            if row.number > expected:
                yield Finding(Fault.ANCHOR, _anchors(expected, row.number - 1), "missing from the database")
            follows = row.number == expected and bool(previous)
            expected, name = row.number + 1, f"anchor {row.number} ({row.day})"
            try:
                anchor = row.anchor()
            except msgspec.DecodeError:
                yield Finding(Fault.ANCHOR, name, "its bytes are no anchor")
                previous = ""
                continue
            self.anchors[row.number], self._statements[row.number] = anchor, row.statement
            yield from self._signed(row.statement, row.signature, anchor, name)
            if (anchor.number, anchor.day) != (row.number, row.day) or digest_of(row.statement) != row.digest:
                yield Finding(Fault.ANCHOR, name, "the columns of its row are not what its bytes say")
            if follows and anchor.previous != previous:
                yield Finding(Fault.ANCHOR, name, "it does not follow from the anchor before it")
            previous = digest_of(row.statement)
            yield from self._stored_heads(anchor)

    def _trust(self, rows: Sequence[AnchorRow]) -> None:
        keys, handovers = list(self.keys), [h for row in rows for h in row.handovers]
        for path in self._documents:
            handovers += _handovers_in(path)
        if not keys and rows:
            self.notes.append("no public key was given: the key that the first anchor names is taken for true")
            try:
                keys = [rows[0].anchor().key]
            except msgspec.DecodeError:
                pass
        self._trusted = trusted_with(keys, list(dict.fromkeys(handovers)))

    def _stored_heads(self, anchor: Anchor) -> Iterator[Finding]:
        digest = HeadsDigest()
        for heads in store.heads_of(self.database, anchor.number):
            digest.add(heads)
        if (digest.count, digest.value()) != (anchor.changed, anchor.heads):
            self.loose.add(anchor.number)
            text = f"its heads in the database ({digest.count}) are not those that were signed ({anchor.changed})"
            yield Finding(Fault.ANCHOR, named(anchor), text)

    def _signed(self, statement: bytes, signature: str, anchor: Anchor, name: str) -> Iterator[Finding]:
        if not is_signed(statement, signature, anchor.key):
            yield Finding(Fault.SIGNATURE, name, "it is not signed by the key that it names: its bytes were changed")
        elif anchor.key not in self._trusted:
            yield Finding(Fault.SIGNATURE, name, f"signed by the key {anchor.key}, which is not the one to trust")

    # --- outside ---
    def kept_outside(self) -> Iterator[Finding]:
        """What is wrong with the anchors outside, and what they say of the database. After ``stored``."""
        seen: dict[int, tuple[str, str]] = {}
        for path in self._documents:
            document = read_file(path)
            if document is None:
                yield Finding(Fault.ANCHOR, path.name, "is no anchor, or was damaged")
                continue
            statement = document.statement.encode()
            try:
                anchor = read_anchor(statement)
            except msgspec.DecodeError:
                yield Finding(Fault.ANCHOR, path.name, "its statement is no anchor")
                continue
            self.outside += 1
            yield from self._signed(statement, document.signature, anchor, path.name)
            twin = seen.setdefault(anchor.number, (digest_of(statement), path.name))
            if twin[0] != digest_of(statement):
                yield Finding(Fault.ANCHOR, path.name, f"it is another anchor {anchor.number} than {twin[1]}")
            before = seen.get(anchor.number - 1)
            if before is not None and before[0] != anchor.previous:
                yield Finding(Fault.ANCHOR, path.name, f"it does not follow from {before[1]}")
            yield from self._against_the_database(path.name, anchor, statement, document)
        absent = sorted(n for n in self.anchors if n not in seen and n < max(seen, default=0))
        if absent:
            self.notes.append(f"{len(absent)} anchors of the database are not in the folder, the first is anchor {absent[0]}")

    def _against_the_database(self, name: str, anchor: Anchor, statement: bytes, document: Document) -> Iterator[Finding]:
        stored = self._statement_of(anchor.number)
        if stored is None:
            yield Finding(Fault.ANCHOR, f"{name} ({anchor.day})", "missing from the database")
        elif stored != statement:
            yield Finding(Fault.ANCHOR, f"{name} ({anchor.day})", "the database holds another anchor of this number: it was rewritten")
        heads = document.heads
        if heads is None:
            return
        digest = HeadsDigest()
        digest.add(heads)
        if (digest.count, digest.value()) != (anchor.changed, anchor.heads):
            yield Finding(Fault.ANCHOR, f"{name} ({anchor.day})", "its heads are not those that were signed")
        elif stored != statement or anchor.number in self.loose:
            yield from self._heads_outside(anchor, heads)

    def _heads_outside(self, anchor: Anchor, heads: Sequence[Head]) -> Iterator[Finding]:
        """Each head of an anchor that the database does not hold as it is: looked up in the record itself."""
        for n in range(0, len(heads), store.PORTION):
            portion = heads[n : n + store.PORTION]
            with self.database.read() as connection:
                stored = reading.digests_of(connection, portion)
                for head in portion:
                    digest, anchored = stored.get((head.hazard, head.number)), AnchoredHead(head.number, head.digest, anchor.day)
                    if digest is None:
                        last = reading.last_number(connection, head.hazard)
                        yield cut_off(head.hazard, last, anchored) if last else vanished(head.hazard, anchored)
                    elif digest != head.digest:
                        text = f"the record up to this event is not the one that was anchored for {anchor.day}"
                        yield Finding(Fault.REWRITTEN, where(head.hazard, head.number), text)

    def _statement_of(self, number: int) -> bytes | None:
        if number in self._statements:
            return self._statements[number]
        try:  # it may have been made and delivered while this runs
            with self.database.read() as connection:
                return store.get_anchor(connection, number).statement
        except NotFound:
            return None


def named(anchor: Anchor) -> str:
    """How an anchor is named."""
    return f"anchor {anchor.number} ({anchor.day})"


def _anchors(first: int, last: int) -> str:
    return f"anchor {first}" if first == last else f"anchors {first} to {last}"


def _handovers_in(path: Path) -> list[Handover]:
    document = read_file(path)
    return document.handovers if document is not None else []
