"""Keeping an entry of the ledger's record: its canonical bytes, chained to the entry before it. The only way in, for hazards and packs.

What must not go in: what an entry says, reading the record.
"""

from sqlalchemy import Connection, bindparam, insert, select

from hazards.ledger.record import GENESIS, Entry, canonical, chained
from storage import schema

# Statements of every command, made once: SQLAlchemy spends more on making one than SQLite on running it.
_events = schema.hazard_events
_DIGEST = select(_events.c.digest).where(_events.c.hazard == bindparam("b_hazard"), _events.c.number == bindparam("b_number"))
_KEEP = insert(_events)


def keep_entry(connection: Connection, entry: Entry) -> None:
    """Keep ``entry`` after the one before it, in the caller's transaction, which holds the lock on its hazard or pack."""
    previous = GENESIS
    if entry.number > 1:
        previous = connection.execute(_DIGEST, {"b_hazard": entry.hazard, "b_number": entry.number - 1}).scalar_one()
    data = canonical(entry)
    row = {"hazard": entry.hazard, "number": entry.number, "at": entry.at, "actor": entry.actor, "event": entry.event, "body": data,
           "digest": chained(previous, data), "command_id": entry.command_id}  # fmt: skip
    connection.execute(_KEEP, row)
