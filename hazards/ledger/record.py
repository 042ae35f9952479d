"""The record of a hazard: one canonical entry an event, each chained to the one before by SHA-256.

Entries are stored as these bytes and never rewritten, so what is verified years later is what was written. The digest of an entry is
SHA-256 over the digest before it (64 hexadecimal digits in ASCII, ``GENESIS`` before the first) and the entry's bytes.
What must not go in: SQL, signatures.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

PACK = "policy:"
"""Before a pack's id: what the record of its changes is kept under, beside the hazards'."""
PACK_APPLIED, PACK_STATE = "policy_applied", "in_force"
GENESIS = "0" * 64
T = TypeVar("T")


class Entry(Struct, frozen=True, kw_only=True):
    """One event as recorded. ``number``: from 1 without gaps, the version it made; ``basis`` as ``policy.basis_of`` gives it."""

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


_decoder = msgspec.json.Decoder(Entry)


def decoded(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """What ``decoder`` finds in ``data``. Raises msgspec.DecodeError, also for bytes that are no UTF-8 (msgspec's own error there)."""
    try:
        return decoder.decode(data)
    except UnicodeDecodeError as e:
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
