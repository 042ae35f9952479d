"""Looking at messages that were put aside, and sending them again (重发): through the journal, like everything that is accepted.

So a resent message is on disk before anybody is told, reaches whatever broker there is, and has its effect once: its ids are what they
were. What must not go in: putting aside (``dead_letters.py``), HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, select, tuple_, update

from bus.codecs import SignalPack, decode, encode
from bus.topics import ALARMS, ROLLUPS, TELEMETRY
from hazards.errors import BadInput, NotFound, NotInState, UnknownSchema
from hazards.pack_check import check_pack
from hazards.telemetry import RollupPack, TelemetryPack
from storage.database import Database
from storage.incident_queries import cursor_of, cursor_values, page
from storage.journal import Journal, JournalRow, Lane
from storage.schema import dead_letters

PARKED = UnknownSchema.__name__
"""How the reason of a message begins that a later version may be able to read."""


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """One message that was put aside at ``at`` (µs) and maybe sent again at ``resent_at``; since then nobody has put it aside once more."""

    id: str
    topic: str
    reason: str
    payload: bytes
    at: int
    resent_at: int | None

    @property
    def parked(self) -> bool:
        """Whether it waits for an upgrade: its major version was not known."""
        return self.reason.startswith(PARKED)


def list_letters(
    connection: Connection, *, topic: str | None = None, waiting: bool | None = None, cursor: str | None = None, limit: int = 50
) -> tuple[list[KeptLetter], str | None]:
    """Letters, newest first, and the cursor of the next page or None. ``waiting``: only those not sent again, or only the others."""
    table, limit = dead_letters, page(limit)
    query = select(table)
    if topic is not None:
        query = query.where(table.c.topic == topic)
    if waiting is not None:
        query = query.where(table.c.replayed_at.is_(None) if waiting else table.c.replayed_at.is_not(None))
    if cursor:
        query = query.where(tuple_(table.c.at, table.c.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(table.c.at.desc(), table.c.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].at, rows[limit - 1].id) if len(rows) > limit else None
    return [_letter(row) for row in rows[:limit]], following


def get_letter(connection: Connection, letter: str) -> KeptLetter:
    """One letter. Raises NotFound."""
    row = connection.execute(select(dead_letters).where(dead_letters.c.id == letter)).first()
    if row is None:
        raise NotFound("no such dead letter", where=letter)
    return _letter(row)


def _letter(row: Row[Any]) -> KeptLetter:
    return KeptLetter(row.id, row.topic, row.reason, row.payload, row.at, row.replayed_at)


async def resend(database: Database, journal: Journal, letter: str, *, now: int) -> KeptLetter:
    """Send the letter again, also one that was before; it is on disk when this returns.

    Raises NotFound, NotInState for what this version can't read or a topic that nothing goes on from, and like ``Journal.append``."""
    found = await database.reading(lambda c: get_letter(c, letter))
    lane, rows = rows_of(found)

    def note(at: int | None) -> Any:
        return database.writing(lambda c: c.execute(update(dead_letters).where(dead_letters.c.id == letter).values(replayed_at=at)))

    await note(now)  # first: while the letter stands as put aside the forwarder takes its signal for settled
    try:
        await journal.append(lane, rows)
    except BaseException:
        await note(found.resent_at)
        raise
    return await database.reading(lambda c: get_letter(c, letter))


def rows_of(letter: KeptLetter) -> tuple[Lane, Sequence[JournalRow]]:
    """What the journal has to hold for the letter's content to have its effect. Raises NotInState."""
    reader = _READERS.get(letter.topic)
    if reader is None:
        hint = "look at the payload, mend the cause and let the sender send it again"
        raise NotInState(f"messages of {letter.topic} can't be sent again from here", where=letter.id, hint=hint)
    try:
        return reader(letter.payload)
    except UnknownSchema as e:
        raise NotInState(f"this version can't read it either: {e.what}", where=letter.id, hint="upgrade first, then send it again") from e
    except BadInput as e:
        raise NotInState(f"it can't be read: {e.what}", where=letter.id, hint="it would only be put aside again") from e


def _alarms(payload: bytes) -> tuple[Lane, list[JournalRow]]:
    return Lane.ALARMS, [JournalRow(signal.id, signal.zone, encode(signal)) for signal in decode(SignalPack, payload).signals]


def _telemetry(payload: bytes) -> tuple[Lane, list[JournalRow]]:
    pack = decode(TelemetryPack, payload)
    check_pack(pack)
    return Lane.TELEMETRY, [JournalRow(pack.id, pack.zone, payload)]


def _rollups(payload: bytes) -> tuple[Lane, list[JournalRow]]:
    return Lane.TELEMETRY, [JournalRow(str(uuid4()), decode(RollupPack, payload).zone, payload)]


_READERS = {ALARMS.name: _alarms, TELEMETRY.name: _telemetry, ROLLUPS.name: _rollups}
