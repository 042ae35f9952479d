"""What each forwarder says of its journal, in SQL, so that the watchdog and the health page of any process can see it.

What must not go in: judging it (the supervisor), the journal itself.
"""

from sqlalchemy import Connection

from storage.journal import Standing
from storage.schema import forwarders


def note_standing(connection: Connection, journal: str, standing: Standing, *, now: int) -> None:
    """Write what waits too long in ``journal`` (its id); ``now`` is UTC microseconds. No oldest row: nothing does."""
    values = {
        "unapplied": standing.alarms, "oldest_at": standing.oldest_at, "oldest_zone": standing.oldest_zone, "updated_at": now,
    }  # fmt: skip
    if not connection.execute(forwarders.update().where(forwarders.c.journal == journal).values(values)).rowcount:
        connection.execute(forwarders.insert().values(journal=journal, **values))
