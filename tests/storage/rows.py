"""Whether a hazard's own row is what its newest entry left."""

from sqlalchemy import Connection, select

from hazards.ledger.record import read_entry
from storage import schema
from storage.hazard_rows import standing_of


def as_recorded(connection: Connection, hazard: str) -> bool:
    """By the digest that the newest entry holds, and by every column."""
    standing = standing_of(connection.execute(select(schema.hazards).where(schema.hazards.c.id == hazard)).one())
    events = schema.hazard_events
    newest = connection.scalars(select(events.c.body).where(events.c.hazard == hazard).order_by(events.c.number.desc())).first()
    return newest is not None and read_entry(newest).holds == standing.holds and not standing.unlike
