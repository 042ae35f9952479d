"""The daily anchor over the whole ledger: what it says, its canonical bytes, which days it covers.

A chain alone does not convict whoever rewrites it to its end. An anchor pins every chain at once, is signed with a key that the database
does not hold and is kept outside it. It is made once a day and holds only the heads that changed since the anchor before it. That is
enough, by this argument. *Head*: (hazard, number, digest) of a hazard's newest event.

1. The digest of event n is SHA-256 over the digest of event n-1 and the bytes of event n. So a head pins the bytes, the order and the
   count of all events up to it: changed, missing and swapped ones give another digest, cut-off ones leave no event of that number.
2. ``heads`` pins the heads of this anchor in their order, ``previous`` the whole anchor before it, and so on to the first. The newest
   signed statement therefore pins every head that was ever anchored. A hazard that vanished is a head without events.
3. Nothing can be left out of an anchor unseen: ``events`` counts the events of the ledger, and the events that the anchored heads account
   for (the numbers of the latest heads, added up) must be the same count.

So verifying needs no state beside the anchors: each anchored head is looked up in its chain once. What it can't tell: events that came
after the newest anchor can still be cut off at the end of their chain, for at most the day until they are anchored; and who holds the
key, the database and every copy outside can make a new history.
What must not go in: SQL, keys, files, sending.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from hashlib import sha256

import msgspec
from msgspec import Struct

from hazards.ledger.record import GENESIS, decoded

FORMAT = "bihuan-ledger-anchor/1"
KEY_FORMAT = "bihuan-ledger-key/1"
_DAY = timedelta(days=1)
AHEAD = 3600 * 1_000_000
"""Microseconds: an anchor that was made this much after now was made by a clock that stood ahead, and covers no day."""


class Head(Struct, frozen=True, array_like=True):
    """The newest event of a hazard when an anchor was made."""

    hazard: str
    number: int
    digest: str


class Anchor(Struct, frozen=True, kw_only=True):
    """What is signed. Its bytes are ``canonical``; they are made once and kept.

    ``number``: from 1 without gaps. ``first_day`` to ``day``: the days it is for, in ``time_zone``; several when the system was off.
    ``created_at``: UTC µs; it pins what was there then. ``events``, ``hazards``: of the whole ledger. ``changed``: how many heads it
    holds. ``heads``: their digest. ``previous``: digest of the anchor before. ``key``: the public key, 64 hexadecimal digits."""

    site: str
    number: int
    first_day: str
    day: str
    time_zone: str
    created_at: int
    events: int
    hazards: int
    changed: int
    heads: str
    previous: str
    key: str
    format: str = FORMAT


class Handover(Struct, frozen=True, kw_only=True):
    """From one key to the next, both signing ``handover_bytes``. ``given``: by ``old``, "" where it was lost; ``taken``: by ``new``."""

    old: str
    new: str
    given: str
    taken: str


class Document(Struct, frozen=True, kw_only=True):
    """An anchor as it is kept outside: ``statement`` is the signed text. ``heads`` None: left out of a mail that would be too large."""

    statement: str
    signature: str
    handovers: list[Handover] = []
    heads: list[Head] | None = None


_anchors = msgspec.json.Decoder(Anchor)
_documents = msgspec.json.Decoder(Document)


def canonical(anchor: Anchor) -> bytes:
    """The bytes that are signed: JSON, UTF-8, keys sorted, no spaces."""
    return msgspec.json.encode(anchor, order="sorted")


def read_anchor(data: bytes) -> Anchor:
    """The anchor in ``data``. Raises msgspec.DecodeError for bytes that are none."""
    anchor = decoded(_anchors, data)
    if anchor.format != FORMAT:
        raise msgspec.ValidationError(f"format {anchor.format!r} is not known")
    return anchor


def read_document(data: bytes) -> Document:
    """The document in ``data``. Raises msgspec.DecodeError for bytes that are none."""
    return decoded(_documents, data)


def digest_of(statement: bytes) -> str:
    """The digest by which the next anchor names this one."""
    return sha256(statement).hexdigest()


def handover_bytes(old: str, new: str) -> bytes:
    """What both keys sign when the old one hands over to the new one."""
    return msgspec.json.encode({"format": KEY_FORMAT, "old": old, "new": new}, order="sorted")


class HeadsDigest:
    """SHA-256 over the lines ``HAZARD NUMBER DIGEST`` of heads in the order in which they are added."""

    def __init__(self) -> None:
        self._hash, self.count = sha256(), 0

    def add(self, heads: Iterable[Head]) -> None:
        """The next heads."""
        for head in heads:
            self._hash.update(f"{head.hazard} {head.number} {head.digest}\n".encode())
            self.count += 1

    def value(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def day_of(at: int, zone: tzinfo) -> date:
    """The day of ``at`` (UTC µs) in ``zone``."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)).astimezone(zone).date()


def days_due(now: int, zone: tzinfo, last: Anchor | None, first_event_at: int | None) -> tuple[date, date] | None:
    """The first and the last day that an anchor is due for at ``now``, or None.

    A day is due when it is over. Days without one, while the system was off, are made up for by one anchor. The very first is due at
    once, for yesterday or for all days since the first event, so that a wrong place of delivery is known on the first day."""
    yesterday = day_of(now, zone) - _DAY
    if last is None:
        return min(yesterday, day_of(first_event_at, zone) if first_event_at is not None else yesterday), yesterday
    if last.created_at > now + AHEAD:
        return yesterday, yesterday
    ended = date.fromisoformat(last.day)
    return (ended + _DAY, yesterday) if ended < yesterday else None


def next_anchor(
    last: tuple[Anchor, str] | None, days: tuple[date, date], heads: HeadsDigest, *, site: str, time_zone: str, created_at: int,
    events: int, hazards: int, key: str,
) -> Anchor:  # fmt: skip
    """The anchor after ``last`` (with its digest) for ``days``."""
    return Anchor(
        site=site, number=last[0].number + 1 if last else 1, first_day=days[0].isoformat(), day=days[1].isoformat(), time_zone=time_zone,
        created_at=created_at, events=events, hazards=hazards, changed=heads.count, heads=heads.value(),
        previous=last[1] if last else GENESIS, key=key,
    )  # fmt: skip
