"""Daily anchors in SQL: gathering the heads, sealing an anchor, reading it, what was delivered where.

Heads are gathered in one snapshot and written in short transactions; the anchor's own row comes last and seals them: from then on the
database refuses every change to either. What an interrupted attempt left is no anchor and is cleared before the next one.
What must not go in: keys, files, mail, what an anchor means (``hazards/ledger/anchors.py``).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, select, text, type_coerce, update
from sqlalchemy.types import NullType

from hazards.errors import Conflict, NotFound
from hazards.ledger.anchors import Anchor, Handover, Head, HeadsDigest, digest_of, read_anchor
from storage import schema
from storage.bulk import insert_into
from storage.database import Database
from storage.incident_queries import cursor_of, cursor_values, page

PORTION = 1000
"""Heads a transaction."""
_handovers = msgspec.json.Decoder(list[Handover])


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """An anchor as it is stored. ``statement``: the signed bytes."""

    number: int
    day: str
    statement: bytes
    digest: str
    signature: str
    handovers: list[Handover]
    created_at: int

    def anchor(self) -> Anchor:
        """What it says. Raises msgspec.DecodeError where the bytes were spoiled."""
        return read_anchor(self.statement)


@dataclass(frozen=True, slots=True)
class Totals:
    """Of the whole ledger in one snapshot. ``accounted``: what the heads' numbers add up to; with no event missing it is ``events``."""

    events: int
    hazards: int
    accounted: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """How the delivery of an anchor to a place stands. ``place``: ``folder:PATH`` or ``email:ADDRESS``."""

    anchor: int
    place: str
    attempts: int
    tried_at: int | None
    delivered_at: int | None
    trouble: str


def in_one_snapshot(connection: Connection) -> None:
    """All of this transaction sees the same state. SQLite's reading transactions are so anyway. Call it first."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))


# --- making one ---
def gather_heads(connection: Connection, take: Callable[[list[Head]], None]) -> Totals:
    """Hand every head that no anchor holds to ``take``, in portions, in order of hazard; what the ledger counts in the same snapshot."""
    in_one_snapshot(connection)
    events, held = schema.hazard_events, schema.anchor_heads
    newest = select(events.c.hazard, func.max(events.c.number).label("number")).group_by(events.c.hazard).subquery()
    hazards, accounted = connection.execute(select(func.count(), func.coalesce(func.sum(newest.c.number), 0)).select_from(newest)).one()
    count = connection.execute(select(func.count()).select_from(events)).scalar_one()
    changed = (
        select(newest.c.hazard, newest.c.number, events.c.digest)
        .join(events, and_(events.c.hazard == newest.c.hazard, events.c.number == newest.c.number))
        .outerjoin(held, and_(held.c.hazard == newest.c.hazard, held.c.number == newest.c.number))
        .where(held.c.hazard.is_(None))
        .order_by(newest.c.hazard)
    )
    for rows in connection.execute(changed, execution_options={"yield_per": PORTION}).partitions():
        take([Head(*row) for row in rows])
    return Totals(count, hazards, int(accounted))


def keep_heads(connection: Connection, number: int, place: int, heads: Sequence[Head]) -> None:
    """Heads of the anchor ``number``, which is not sealed yet; the first stands at ``place``."""
    rows = [
        {"anchor": number, "place": n, "hazard": h.hazard, "number": h.number, "digest": h.digest} for n, h in enumerate(heads, place)
    ]
    if rows:
        connection.execute(schema.anchor_heads.insert(), rows)


def clear_unsealed(connection: Connection, number: int) -> bool:
    """Clear a portion of what an interrupted attempt at the anchor ``number`` left; whether there may be more."""
    table = schema.anchor_heads
    places = list(connection.scalars(select(table.c.place).where(table.c.anchor == number).order_by(table.c.place).limit(PORTION)))
    if places:
        connection.execute(delete(table).where(table.c.anchor == number, table.c.place <= places[-1]))
    return len(places) == PORTION


def seal_anchor(
    connection: Connection, anchor: Anchor, statement: bytes, signature: str, handovers: Sequence[Handover], places: Sequence[str]
) -> None:
    """Write the anchor's row, and that it is to go to ``places``.

    Raises Conflict when the heads that are there are not its heads: somebody else made one meanwhile."""
    found = HeadsDigest()
    heads, last = heads_from(connection, anchor.number, -1)
    while heads:
        found.add(heads)
        heads, last = heads_from(connection, anchor.number, last)
    if (found.count, found.value()) != (anchor.changed, anchor.heads):
        raise Conflict("another process makes this anchor", where=f"anchor {anchor.number}")
    row = {"number": anchor.number, "day": anchor.day, "body": statement, "digest": digest_of(statement), "signature": signature,
           "handovers": msgspec.json.encode(list(handovers)).decode(), "created_at": anchor.created_at}  # fmt: skip
    connection.execute(schema.anchors.insert().values(**row))
    for each in places:
        connection.execute(schema.anchor_deliveries.insert().values(anchor=anchor.number, place=each, attempts=0, trouble=""))


# --- reading them ---
def as_stored(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Bytes as they are stored: SQLite lets somebody put text there, and verifying must be able to look at it."""
    return type_coerce(column, NullType()).label(column.key)


def as_bytes(value: bytes | str) -> bytes:
    """What ``as_stored`` found."""
    return value if isinstance(value, bytes) else str(value).encode()


def _anchors() -> Select[Any]:
    return select(*(as_stored(column) if column.key == "body" else column for column in schema.anchors.c))


def _row(row: Any) -> AnchorRow:
    try:
        handovers = _handovers.decode(row.handovers)
    except (msgspec.DecodeError, UnicodeDecodeError):
        handovers = []  # they are not signed as a whole; who verifies then trusts less, not more
    return AnchorRow(row.number, row.day, as_bytes(row.body), row.digest, row.signature, handovers, row.created_at)


def last_anchor(connection: Connection) -> AnchorRow | None:
    """The newest anchor."""
    row = connection.execute(_anchors().order_by(schema.anchors.c.number.desc()).limit(1)).first()
    return _row(row) if row is not None else None


def get_anchor(connection: Connection, number: int) -> AnchorRow:
    """One anchor. Raises NotFound."""
    row = connection.execute(_anchors().where(schema.anchors.c.number == number)).first()
    if row is None:
        raise NotFound("no such anchor", where=str(number))
    return _row(row)


def list_anchors(connection: Connection, *, cursor: str | None = None, limit: int = 50) -> tuple[list[AnchorRow], str | None]:
    """Anchors, newest first, and the cursor of the next page or None."""
    table, limit = schema.anchors, page(limit)
    query = _anchors()
    if cursor:
        query = query.where(table.c.number < cursor_values(cursor, (int,))[0])
    rows = connection.execute(query.order_by(table.c.number.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].number) if len(rows) > limit else None
    return [_row(row) for row in rows[:limit]], following


def all_anchors(connection: Connection) -> Iterator[AnchorRow]:
    """Every anchor by number."""
    for row in connection.execute(_anchors().order_by(schema.anchors.c.number)):
        yield _row(row)


def heads_from(connection: Connection, number: int, after: int) -> tuple[list[Head], int]:
    """The next portion of an anchor's heads behind the place ``after`` (-1 at first), and its last place; empty after the last."""
    table = schema.anchor_heads
    query = select(table.c.hazard, table.c.number, table.c.digest, table.c.place).where(table.c.anchor == number, table.c.place > after)
    rows = connection.execute(query.order_by(table.c.place).limit(PORTION)).all()
    return [Head(row.hazard, row.number, row.digest) for row in rows], rows[-1].place if rows else after


def heads_of(database: Database, number: int) -> Iterator[list[Head]]:
    """All heads of an anchor in their order, in portions, each in a snapshot of its own: sealed heads stay as they are. Blocks."""
    place = -1
    while True:
        with database.read() as connection:
            heads, place = heads_from(connection, number, place)
        if not heads:
            return
        yield heads


_BEGINNINGS = (schema.hazards.c.opened_at, schema.policies.c.applied_at, schema.alarm_rules.c.at)
"""When what is on the record came to be: one of these is the first."""


def first_event_at(connection: Connection) -> int | None:
    """When the record begins: with the oldest hazard, or the first policy pack."""
    first = (connection.execute(select(func.min(at))).scalar() for at in _BEGINNINGS)
    return min((at for at in first if at is not None), default=None)


# --- delivering them ---
def undelivered(connection: Connection, place: str, *, from_the_first: bool, limit: int) -> list[AnchorRow]:
    """Anchors that ``place`` has not, oldest first.

    A place that was configured later gets all of them (``from_the_first``), or the newest and what comes after it."""
    anchors, sent = schema.anchors, schema.anchor_deliveries
    query = _anchors().outerjoin(sent, and_(sent.c.anchor == anchors.c.number, sent.c.place == place)).where(sent.c.delivered_at.is_(None))
    if not from_the_first:
        known = select(func.min(sent.c.anchor)).where(sent.c.place == place).scalar_subquery()
        newest = select(func.max(anchors.c.number)).scalar_subquery()
        query = query.where(anchors.c.number >= func.coalesce(known, newest))
    return [_row(row) for row in connection.execute(query.order_by(anchors.c.number).limit(limit))]


def note_delivery(connection: Connection, number: int, place: str, *, now: int, trouble: str = "") -> None:
    """An attempt: delivered, or not because of ``trouble``. What was delivered stays so."""
    table = schema.anchor_deliveries
    connection.execute(insert_into(connection, table).values(anchor=number, place=place, attempts=0, trouble="").on_conflict_do_nothing())
    done = {} if trouble else {"delivered_at": now}
    connection.execute(
        update(table)
        .where(table.c.anchor == number, table.c.place == place, table.c.delivered_at.is_(None))
        .values(attempts=table.c.attempts + 1, tried_at=now, trouble=trouble, **done)
    )


def deliveries_of(connection: Connection, numbers: Sequence[int]) -> dict[int, list[DeliveryRow]]:
    """Where each of these anchors was or should be delivered."""
    table, found = schema.anchor_deliveries, dict[int, list[DeliveryRow]]()
    for row in connection.execute(select(table).where(table.c.anchor.in_(numbers)).order_by(table.c.anchor, table.c.place)):
        found.setdefault(row.anchor, []).append(
            DeliveryRow(row.anchor, row.place, row.attempts, row.tried_at, row.delivered_at, row.trouble)
        )
    return found
