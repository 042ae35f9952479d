"""The outbox: what a transaction announces becomes a feed position, then a Kafka message, then a follower's effect.

Positions are given in order, without gaps: in PostgreSQL by the one relay, since ids from a sequence commit out of order;
in SQLite, where one transaction writes at a time, by that transaction. Rows of topic "" are for followers only
(``storage/followers.py``): they have a position, and are neither on the feed nor published.
What must not go in: what the messages mean, HTTP, publishing (``storage/relay.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, func, select, text, update

from bus.codecs import decode, encode
from bus.topics import DECLARATIONS, DUTIES, HAZARDS, INCIDENTS
from hazards.declarations import DeclarationMessage
from hazards.messages import AlarmRecords, DutyMessage, HazardMessage, IncidentMessage
from hazards.scope import EVERYTHING, Scope
from storage import schema
from storage.bulk import insert_rows, update_rows
from storage.doorbell import POSITIONS_CHANNEL, POSTGRES_CHANNEL
from storage.scoping import within

BATCH = 500
KEPT = 200_000
"""Published rows kept for resuming feeds; older ones are dropped, the incidents themselves stay."""
KEPT_FOR_FOLLOWERS = 2_000_000
"""Rows kept at most for a follower that is behind: then it misses the oldest, which the alarms and incidents in SQL still hold."""
FOLLOWED_FOR = 7 * 24 * 3600 * 1_000_000
"""Microseconds after which a follower that said nothing is taken to be gone for good."""
INTERNAL = ""
"""Topic of rows that only followers read."""
News = IncidentMessage | HazardMessage | DutyMessage | DeclarationMessage
"""What the feed shows."""
NEWS: dict[str, type[News]] = {
    INCIDENTS.name: IncidentMessage, HAZARDS.name: HazardMessage, DUTIES.name: DutyMessage, DECLARATIONS.name: DeclarationMessage,
}  # fmt: skip
"""Topics that people are told of, on the feed and by pushes, and what their rows hold."""
_NEWEST = "SELECT max(position) FROM outbox"
POSITIONS_LOCK = 0x706F_7369  # "posi"


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One row on its way to Kafka."""

    id: int
    topic: str
    key: str
    payload: bytes
    position: int


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One event of the feed. ``event``: opened, updated, closed, the name of a command's event, or a hazard's or duty's own."""

    position: int
    event: str
    zone: str
    enterprise: str | None
    message: News


def announce(
    connection: Connection, changes: Sequence[tuple[IncidentMessage, str]], *, now: int, records: Sequence[AlarmRecords] = ()
) -> None:  # fmt: skip
    """Put incidents and what happened to them into the outbox, in the caller's transaction; ``records`` go to followers only."""
    rows = [_row(INCIDENTS.name, m, event, now) for m, event in changes]
    rows += [
        {"topic": INTERNAL, "key": r.zone, "zone": r.zone, "enterprise": r.enterprise, "subject": "", "event": "alarms",
         "payload": encode(r), "created_at": now, "published_at": now}
        for r in records
    ]  # fmt: skip
    _put(connection, rows)


def announce_hazard(connection: Connection, changes: Sequence[tuple[HazardMessage, str]], *, now: int) -> None:
    """Put hazards (隐患) and what happened to them into the outbox, in the caller's transaction."""
    _put(connection, [_row(HAZARDS.name, m, event, now) for m, event in changes])


def announce_duty(connection: Connection, message: DutyMessage, *, now: int) -> None:
    """Put a duty (履职) of which a point has passed into the outbox, in the caller's transaction."""
    _put(connection, [_row(DUTIES.name, message, message.event, now) | {"key": message.body}])


def announce_declaration(connection: Connection, message: DeclarationMessage, *, now: int) -> None:
    """Put what was declared, ended or withdrawn into the outbox, in the caller's transaction."""
    _put(connection, [_row(DECLARATIONS.name, message, message.event, now)])


def _row(topic: str, message: News, event: str, now: int) -> dict[str, Any]:
    return {"topic": topic, "key": message.zone, "zone": message.zone, "enterprise": message.enterprise, "subject": message.id,
            "event": event, "payload": encode(message), "created_at": now, "published_at": None}  # fmt: skip


def _put(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        insert_rows(connection, schema.outbox, rows)
        _notify(connection, POSTGRES_CHANNEL)
    else:  # SQLite has one writer at a time: this transaction can't be overtaken, so the places are given at once
        newest = connection.exec_driver_sql(_NEWEST).scalar() or 0
        insert_rows(connection, schema.outbox, [row | {"position": newest + n} for n, row in enumerate(rows, 1)])


def wake_followers(connection: Connection) -> None:
    """Let followers look again once this transaction is committed. With SQLite the caller rings."""
    if connection.dialect.name == "postgresql":
        _notify(connection, POSITIONS_CHANNEL)


def _notify(connection: Connection, channel: str) -> None:
    connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": channel})


def give_positions(connection: Connection) -> int:
    """Give the next rows their places in the feed; how many."""
    table = schema.outbox
    if connection.dialect.name == "postgresql":  # one at a time, also while two processes both believe that they lead
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": POSITIONS_LOCK})
    ids = list(connection.scalars(select(table.c.id).where(table.c.position.is_(None)).order_by(table.c.id).limit(BATCH)))
    if ids:
        newest = connection.execute(select(func.max(table.c.position))).scalar() or 0
        update_rows(connection, table, [{"id": row, "position": newest + n} for n, row in enumerate(ids, 1)], where=("id",))
        if connection.dialect.name == "postgresql":
            _notify(connection, POSITIONS_CHANNEL)
    return len(ids)


def unpublished(connection: Connection) -> list[OutboxRow]:
    """The next rows that Kafka has not acknowledged, in feed order."""
    table = schema.outbox
    query = select(table).where(table.c.published_at.is_(None), table.c.position.is_not(None)).order_by(table.c.position).limit(BATCH)
    return [OutboxRow(r.id, r.topic, r.key, r.payload, r.position) for r in connection.execute(query)]


def mark_published(connection: Connection, rows: Sequence[OutboxRow], *, now: int) -> None:
    """Note that Kafka has acknowledged ``rows``."""
    table = schema.outbox
    connection.execute(update(table).where(table.c.id.in_([r.id for r in rows])).values(published_at=now))


def drop_old(connection: Connection, *, now: int, kept: int = KEPT, bound: int = KEPT_FOR_FOLLOWERS) -> int:
    """Drop published rows beyond the newest ``kept``, at most a batch a call; how many.

    What a living follower has not passed stays, up to the newest ``bound`` rows."""
    table, followers = schema.outbox, schema.followers
    newest = connection.execute(select(func.max(table.c.position))).scalar() or 0
    living = select(func.min(followers.c.position)).where(followers.c.updated_at >= now - FOLLOWED_FOR)
    passed = connection.execute(living).scalar()
    upto = newest - kept if passed is None else max(min(newest - kept, passed), newest - bound)
    beyond = select(table.c.id).where(table.c.position <= upto, table.c.published_at.is_not(None)).order_by(table.c.position).limit(BATCH)
    old = list(connection.scalars(beyond))
    if old:
        connection.execute(delete(table).where(table.c.id.in_(old)))
    return len(old)


def feed_bounds(connection: Connection) -> tuple[int, int]:
    """The oldest position still kept and the newest; (1, 0) for an empty feed."""
    row = connection.execute(select(func.min(schema.outbox.c.position), func.max(schema.outbox.c.position))).one()
    return (row[0] or 1, row[1] or 0)


def read_feed(connection: Connection, after: int, *, limit: int = BATCH, scope: Scope = EVERYTHING) -> list[FeedRow]:
    """Events after position ``after``, oldest first."""
    table = schema.outbox
    query = within(select(table).where(table.c.position > after, table.c.topic.in_(NEWS)), table, scope)
    rows = connection.execute(query.order_by(table.c.position).limit(limit))
    return [FeedRow(r.position, r.event, r.zone, r.enterprise, decode(NEWS[r.topic], r.payload)) for r in rows]
