"""Dead letters for the command line: listed, sent again; on a running or a stopped system.

What must not go in: SQL (``storage.dead_letter_queries``), printing.
"""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from bihuan.accounts import ledger
from bihuan.configuration import Settings
from bihuan.preparation import now_us
from hazards.errors import Refused
from storage.database import Database
from storage.dead_letter_queries import KeptLetter, list_letters, resend
from storage.journal import Journal


def letter_lines(settings: Settings, *, every: bool) -> Iterator[str]:
    """A line a letter, newest first; without ``every`` only those that were not sent again."""
    with ledger(settings) as database:
        for letter in _letters(database, waiting=None if every else True):
            at = datetime.fromtimestamp(letter.at / 1e6, UTC).isoformat(timespec="seconds")
            standing = "sent again" if letter.resent_at is not None else "parked" if letter.parked else "put aside"
            yield f"{letter.id}  {at}  {letter.topic}  {len(letter.payload)} bytes  {standing}  {letter.reason}"


def resend_letters(settings: Settings, ids: Sequence[str], *, parked: bool) -> Iterator[str]:
    """Send letters again, with ``parked`` all that wait for an upgrade: a line a letter. Raises NotFound and NotInState for one that was
    named; of the parked ones what can't be sent is said and left."""
    with ledger(settings) as database:
        waiting = [letter.id for letter in _letters(database, waiting=True) if letter.parked] if parked else []
        journal = Journal(settings.journal_path, max_rows=settings.journal_rows)
        try:
            for letter in ids:
                yield _sent(database, journal, letter)
            for letter in waiting:
                try:
                    yield _sent(database, journal, letter)
                except Refused as e:
                    yield f"{letter}  not sent: {e}"
        finally:
            journal.close()


def _sent(database: Database, journal: Journal, letter: str) -> str:
    sent = asyncio.run(resend(database, journal, letter, now=now_us()))
    return f"{letter}  sent again to {sent.topic}"


def _letters(database: Database, *, waiting: bool | None) -> Iterator[KeptLetter]:
    cursor = None
    while True:
        with database.read() as connection:
            found, cursor = list_letters(connection, waiting=waiting, cursor=cursor, limit=500)
        yield from found
        if cursor is None:
            return
