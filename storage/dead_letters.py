"""Messages that could not be understood, kept with the reason so that a person can look at them and send them again.

A letter that was sent again counts as gone, until its reader puts it aside once more.
What must not go in: deciding what is a dead letter (``streams/merge.py``), looking at them and sending again (``dead_letter_queries.py``).
"""

import hashlib
from collections.abc import Sequence
from uuid import uuid5

from msgspec import Struct
from sqlalchemy import Connection, update

from hazards.identity import NAMESPACE
from storage.bulk import select_rows
from storage.incidents import applied_ids
from storage.schema import dead_letters


class DeadLetter(Struct, frozen=True, kw_only=True):
    """One message of ``topic`` and why it was put aside. ``payload`` as it came, byte for byte."""

    id: str
    topic: str
    reason: str
    payload: bytes
    signal: str | None = None  # id of the one signal that it holds, when it is known


def dead_letter(topic: str, payload: bytes, reason: str, *, signal: str | None = None) -> DeadLetter:
    """A dead letter. Its id is a function of topic and payload: read again, or sent again elsewhere, it is the same one.

    NUL, which PostgreSQL's text can't hold, is replaced in the reason; a signal with one in its id can't be named."""
    named = uuid5(NAMESPACE, f"dead-letter/{topic}/{hashlib.sha256(payload).hexdigest()}")
    named_signal = None if signal is None or "\0" in signal else signal
    return DeadLetter(id=str(named), topic=topic, reason=reason.replace("\0", "\ufffd"), payload=payload, signal=named_signal)


def keep_dead_letters(connection: Connection, letters: Sequence[DeadLetter], *, now: int) -> int:
    """Keep those of ``letters`` that are not kept yet, or were sent again since; ``now`` in µs. Returns how many were new."""
    fresh = {letter.id: letter for letter in letters}
    for row in select_rows(connection, dead_letters, ("id", "replayed_at"), "id", fresh):
        letter = fresh.pop(row.id)
        if row.replayed_at is not None:
            again = update(dead_letters).where(dead_letters.c.id == row.id)
            connection.execute(again.values(reason=letter.reason, at=now, replayed_at=None))
    if fresh:
        rows = [
            {"id": x.id, "topic": x.topic, "reason": x.reason, "signal": x.signal, "payload": x.payload, "at": now} for x in fresh.values()
        ]
        connection.execute(dead_letters.insert(), rows)
    return len(fresh)


def kept_letters(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` (of letters) that are kept and were not sent again."""
    return {row.id for row in select_rows(connection, dead_letters, ("id", "replayed_at"), "id", ids) if row.replayed_at is None}


def settled_ids(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those of ``ids`` that need no more sending: applied as alarms, or put aside with a reason."""
    put_aside = select_rows(connection, dead_letters, ("signal", "replayed_at"), "signal", ids)
    return applied_ids(connection, ids) | {row.signal for row in put_aside if row.replayed_at is None}
