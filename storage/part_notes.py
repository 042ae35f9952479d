"""What each process says of itself in SQL every few seconds, so that any API can tell it, on whichever machine the process is.

What must not go in: judging it, names and places of the park.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, delete, select

from storage.schema import part_notes

FORGOTTEN_AFTER = 24 * 3600 * 1_000_000
"""µs after which the note of a process that does not come back is dropped."""
_figures = msgspec.json.Decoder(dict[str, float])


class PartNote(Struct, frozen=True):
    """The latest note of one process. ``noted_at`` is UTC µs."""

    part: str
    instance: str
    noted_at: int
    figures: Mapping[str, float]


def note_part(connection: Connection, part: str, instance: str, figures: Mapping[str, float], *, now: int) -> None:
    """Write the note of process ``instance`` of ``part``."""
    table, body = part_notes, msgspec.json.encode(dict(figures)).decode()
    mine = table.update().where(table.c.part == part, table.c.instance == instance).values(noted_at=now, figures=body)
    if not connection.execute(mine).rowcount:
        connection.execute(table.insert().values(part=part, instance=instance, noted_at=now, figures=body))
        connection.execute(delete(table).where(table.c.noted_at < now - FORGOTTEN_AFTER))


def notes_since(connection: Connection, since: int) -> list[PartNote]:
    """The notes that are not older than ``since``."""
    rows = connection.execute(select(part_notes).where(part_notes.c.noted_at >= since).order_by(part_notes.c.part, part_notes.c.instance))
    return [PartNote(row.part, row.instance, row.noted_at, _figures.decode(row.figures)) for row in rows]
