"""Messages that could not be understood, kept with the reason so that a person can look at them and send them again.

What must not go in: deciding what is a dead letter (``streams/merge.py``), sending again.
"""

import hashlib
from collections.abc import Sequence
from uuid import uuid5

from msgspec import Struct
from sqlalchemy import Connection, select

from hazards.identity import NAMESPACE
from storage.incidents import applied_ids
from storage.schema import dead_letters

_ID_CHUNK = 500


class DeadLetter(Struct, frozen=True, kw_only=True):
    """One message of ``topic`` and why it was put aside. ``payload`` as it came, byte for byte."""

    id: str
    topic: str
    reason: str
    payload: bytes
    signal: str | None = None  # id of the one signal that it holds, when it is known


def dead_letter(topic: str, payload: bytes, reason: str, *, signal: str | None = None) -> DeadLetter:
    """A dead letter. Its id is a function of topic and payload: read again, or sent again elsewhere, it is the same one."""
    named = uuid5(NAMESPACE, f"dead-letter/{topic}/{hashlib.sha256(payload).hexdigest()}")
    return DeadLetter(id=str(named), topic=topic, reason=reason, payload=payload, signal=signal)


def keep_dead_letters(connection: Connection, letters: Sequence[DeadLetter], *, now: int) -> int:
    """Keep those of ``letters`` that are not kept yet; ``now`` in µs. Returns how many were new."""
    fresh = {letter.id: letter for letter in letters}
    ids = list(fresh)
    for start in range(0, len(ids), _ID_CHUNK):
        chunk = ids[start : start + _ID_CHUNK]
        for known in connection.scalars(select(dead_letters.c.id).where(dead_letters.c.id.in_(chunk))):
            del fresh[known]
    if fresh:
        rows = [
            {"id": x.id, "topic": x.topic, "reason": x.reason, "signal": x.signal, "payload": x.payload, "at": now} for x in fresh.values()
        ]
        connection.execute(dead_letters.insert(), rows)
    return len(fresh)


def kept_letters(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` (of letters) that are kept."""
    found: set[str] = set()
    for start in range(0, len(ids), _ID_CHUNK):
        found.update(connection.scalars(select(dead_letters.c.id).where(dead_letters.c.id.in_(ids[start : start + _ID_CHUNK]))))
    return found


def settled_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` that need no more sending: applied as alarms, or put aside with a reason."""
    settled = applied_ids(connection, ids)
    for start in range(0, len(ids), _ID_CHUNK):
        chunk = ids[start : start + _ID_CHUNK]
        settled.update(i for i in connection.scalars(select(dead_letters.c.signal).where(dead_letters.c.signal.in_(chunk))) if i)
    return settled
