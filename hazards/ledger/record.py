"""The record of a hazard: one canonical entry an event, each chained to the one before by SHA-256.

Entries are stored as these bytes and never rewritten, so what is verified years later is what was written. The digest of an entry is
SHA-256 over the digest before it (64 hexadecimal digits in ASCII, ``GENESIS`` before the first) and the entry's bytes. An entry also
holds the digest of the hazard as it stood afterwards, so that the chain vouches for the hazard's own row.
What must not go in: SQL, signatures.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

PACK = "policy:"
"""Before a pack's id: what the record of its changes is kept under, beside the hazards'."""
PACK_APPLIED = "policy_applied"
DECLARATION = "declaration:"
"""Before a declaration's id, likewise."""
RULE = "rule:"
"""Before an alarm rule's id: what the record of its versions is kept under."""
RULE_CHANGED = "rule_changed"
IN_FORCE, WITHDRAWN = "in_force", "withdrawn"
"""How a pack or an alarm rule stands."""
GENESIS = "0" * 64
CLOCKED = ("fired", "wake_at")
"""Fields of a hazard that its clocks may change without an entry, as after a change of the time zone: no entry vouches for them."""
T = TypeVar("T")


class Entry(Struct, frozen=True, kw_only=True):
    """One event as recorded. ``number``: from 1 without gaps, the version it made; ``basis`` as ``policy.basis_of`` gives it.

    ``holds``: ``held`` of the hazard's bytes afterwards. Entries from before there was such a field, and those of packs and alarm
    rules, are without."""

    hazard: str
    number: int
    at: int
    actor: str
    role: str
    event: str
    state: str
    policy: str
    basis: dict[str, Any]
    details: dict[str, Any] = field(default_factory=dict)
    command_id: str | None = None
    request: str | None = None  # digest of what was asked for: the same name for something else is told
    holds: str | UnsetType = UNSET


_decoder = msgspec.json.Decoder(Entry)
_fields = msgspec.json.Decoder(dict[str, Raw])


def decoded(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """What ``decoder`` finds in ``data``. Raises msgspec.DecodeError, also where msgspec has other errors: no UTF-8, nested too deep."""
    try:
        return decoder.decode(data)
    except (UnicodeDecodeError, RecursionError) as e:
        raise msgspec.DecodeError(str(e)) from e


def canonical(entry: Entry) -> bytes:
    """The entry's bytes: JSON, UTF-8, keys sorted, no spaces. Made once and kept."""
    return msgspec.json.encode(entry, order="sorted")


def read_entry(data: bytes) -> Entry:
    """The entry in ``data``. Raises msgspec.DecodeError for bytes that are none."""
    return decoded(_decoder, data)


def chained(previous: str, data: bytes) -> str:
    """The digest of ``data`` after ``previous``."""
    return sha256(previous.encode() + data).hexdigest()


def held(body: bytes) -> str:
    """SHA-256 over a hazard's bytes without ``CLOCKED``. Raises msgspec.DecodeError for bytes that are no hazard's.

    Over the bytes as they were stored, never decoded and encoded again: a newer program that knows more fields finds the same."""
    fields = decoded(_fields, body)
    for name in CLOCKED:
        fields.pop(name, None)
    return sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()


def amended(body: bytes, before: bytes, after: bytes) -> bytes:
    """``body`` with those fields in which ``after`` differs from ``before``; the others stay as they were stored, byte by byte."""
    fields, old, new = (decoded(_fields, data) for data in (body, before, after))
    for name in old.keys() | new.keys():
        if old.get(name) != new.get(name):
            fields.pop(name, None)
            fields |= {name: new[name]} if name in new else {}
    return msgspec.json.encode(fields, order="sorted")


def first_broken(entries: Iterable[tuple[int, bytes, str]]) -> int | None:
    """The number at which a hazard's chain of (number, bytes, digest) is first wrong: changed, missing or out of order; None: it holds."""
    previous = GENESIS
    for expected, (number, data, digest) in enumerate(entries, 1):
        if number != expected or chained(previous, data) != digest or _number_in(data) != expected:
            return expected
        previous = digest
    return None


def _number_in(data: bytes) -> int | None:
    try:
        return read_entry(data).number
    except msgspec.DecodeError:
        return None
