"""Deliveries (推送) in SQL, the sender's side: endpoints, what they are to be told, what is due, what came of each attempt.

Times are UTC µs. An endpoint's row outlives its place in the site file; a delivery's id is its webhook-id. What must not go in: HTTP,
decisions (``push``), reading for people (``storage/delivery_queries.py``).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from storage import schema
from storage.bulk import insert_rows

CHUNK = 500


class State(StrEnum):
    """Of a delivery."""

    WAITING = "waiting"  # for its next attempt, or for its endpoint
    DELIVERED = "delivered"
    DEAD = "dead"  # given up; a person can replay it
    CANCELLED = "cancelled"  # its endpoint was turned off or left the site; a person can replay it


NO_ENDPOINT = "the endpoint is no longer in the site file"
TURNED_OFF = "the endpoint is turned off"


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """An endpoint as SQL keeps it. ``trouble``: why nothing can be sent there, or ""; ``slowed``, ``failures``: in a row."""

    id: str
    enterprise: str | None
    url: str
    trouble: str = ""
    turned_off: bool = False
    paused_until: int | None = None
    slowed: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come. ``failed``: attempts since it was made or last replayed."""

    id: str
    endpoint: str
    subject: str
    severity: int
    position: int
    attempts: int
    failed: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be done. ``next_at``: when there is more at the earliest, or None."""

    due: Sequence[Due]
    endpoints: Mapping[str, EndpointRow]
    next_at: int | None


@dataclass(frozen=True, slots=True)
class Attempted:
    """What came of one attempt and what follows: for the delivery, and for its endpoint (``turned_off``, ``paused_until``)."""

    due: Due
    at: int
    took_ms: int
    status: int | None
    error: str
    state: State
    next_at: int | None
    slow_down: bool = False
    paused_until: int | None = None
    gone: bool = False


# --- endpoints ---
def known_endpoints(connection: Connection) -> dict[str, EndpointRow]:
    """Every endpoint that the site has."""
    table = schema.endpoints
    return {row.id: _endpoint(row) for row in connection.execute(select(table).where(table.c.removed_at.is_(None)))}


def _endpoint(row: Row[Any]) -> EndpointRow:
    return EndpointRow(row.id, row.enterprise, row.url, row.trouble, row.turned_off_at is not None, row.paused_until, row.slowed,
                       row.failures)  # fmt: skip


def sync_endpoints(connection: Connection, present: Sequence[EndpointRow], *, now: int) -> None:
    """Bring the table in line with the site: what is gone is marked, and what waits for it is cancelled with the reason."""
    table, deliveries = schema.endpoints, schema.deliveries
    known = {row.id: row for row in connection.execute(select(table))}
    new = [{"id": e.id, "enterprise": e.enterprise, "url": e.url, "trouble": e.trouble} for e in present if e.id not in known]
    insert_rows(connection, table, new)
    for e in present:
        if e.id in known and (known[e.id].trouble != e.trouble or known[e.id].removed_at is not None):
            connection.execute(update(table).where(table.c.id == e.id).values(trouble=e.trouble, removed_at=None))
            untried = (deliveries.c.endpoint == e.id, deliveries.c.state == State.WAITING, deliveries.c.attempts == 0)
            connection.execute(update(deliveries).where(*untried).values(last_error=e.trouble or None))
    gone = [identity for identity, row in known.items() if row.removed_at is None and identity not in {e.id for e in present}]
    for identity in gone:
        connection.execute(update(table).where(table.c.id == identity).values(removed_at=now))
        _cancel(connection, identity, NO_ENDPOINT)


def _cancel(connection: Connection, endpoint: str, why: str) -> None:
    table = schema.deliveries
    waiting = update(table).where(table.c.endpoint == endpoint, table.c.state == State.WAITING)
    connection.execute(waiting.values(state=State.CANCELLED.value, next_at=None, last_error=why))


# --- what is to be told ---
def told_before(connection: Connection, subjects: Collection[str]) -> dict[tuple[str, str], str]:
    """What each endpoint was told last of each of ``subjects``: (endpoint, subject) to the JSON kept with it."""
    table, found, wanted = schema.deliveries, {}, sorted(subjects)
    for start in range(0, len(wanted), CHUNK):
        latest = (
            select(table.c.endpoint, table.c.subject, func.max(table.c.position).label("position"))
            .where(table.c.subject.in_(wanted[start : start + CHUNK])).group_by(table.c.endpoint, table.c.subject).subquery()
        )  # fmt: skip
        same = (table.c.endpoint == latest.c.endpoint) & (table.c.subject == latest.c.subject) & (table.c.position == latest.c.position)
        for row in connection.execute(select(table.c.endpoint, table.c.subject, table.c.told).join(latest, same)):
            found[row.endpoint, row.subject] = row.told
    return found


def ever_annunciated(connection: Connection, incidents: Collection[str]) -> set[str]:
    """Those of ``incidents`` that ever stood for people."""
    table, wanted = schema.incident_events, sorted(incidents)
    found: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        query = select(table.c.incident).where(table.c.incident.in_(wanted[start : start + CHUNK]), table.c.event == "opened")
        found.update(connection.scalars(query.distinct()))
    return found


def put_deliveries(connection: Connection, rows: Sequence[dict[str, Any]]) -> int:
    """Add deliveries that are not there yet; how many. Columns: id, endpoint, enterprise, position, subject, event, severity, body, told,
    state, next_at, created_at, last_error."""
    table, known = schema.deliveries, set[str]()
    ids = [row["id"] for row in rows]
    for start in range(0, len(ids), CHUNK):
        known.update(connection.scalars(select(table.c.id).where(table.c.id.in_(ids[start : start + CHUNK]))))
    fresh = [{**row, "attempts": 0, "attempts_before": 0} for row in rows if row["id"] not in known]
    insert_rows(connection, table, fresh)
    return len(fresh)


# --- what is due ---
def look(connection: Connection, sendable: Collection[str], *, now: int, most: int, in_flight: Collection[str] = ()) -> Look:
    """What is due for the endpoints ``sendable``, ``most`` a piece without those ``in_flight``: the gravest first, then the oldest.

    Of one subject at one endpoint only the earliest that is due is given, so that it is told in order."""
    table, known = schema.deliveries, known_endpoints(connection)
    first = select(func.min(table.c.next_at)).where(table.c.state == State.WAITING, table.c.endpoint == schema.endpoints.c.id)
    due, later = list[Due](), list[int]()
    for row in connection.execute(select(schema.endpoints.c.id, first.scalar_subquery().label("next_at"))):
        endpoint = known.get(row.id)
        if row.next_at is None or endpoint is None or endpoint.turned_off or row.id not in sendable:
            continue
        begins = max(row.next_at, endpoint.paused_until or 0)
        if begins <= now:
            due += _due_at(connection, row.id, now=now, most=most, in_flight=in_flight)
        later.append(begins if begins > now else _next_after(connection, row.id, now))
    return Look(sorted(due, key=lambda d: (d.severity, d.position)), known, min((at for at in later if at), default=None))


def _due_at(connection: Connection, endpoint: str, *, now: int, most: int, in_flight: Collection[str]) -> list[Due]:
    table = schema.deliveries
    waits = (table.c.endpoint == endpoint, table.c.state == State.WAITING, table.c.next_at <= now)
    first = select(table.c.subject).where(*waits).order_by(table.c.severity, table.c.position).limit(4 * (most + len(in_flight)))
    subjects = list(dict.fromkeys(connection.scalars(first)))
    earliest = (
        select(table.c.subject, func.min(table.c.position).label("position"))
        .where(*waits, table.c.subject.in_(subjects)).group_by(table.c.subject).subquery()
    )  # fmt: skip
    query = select(table).join(earliest, (table.c.subject == earliest.c.subject) & (table.c.position == earliest.c.position)).where(*waits)
    rows = sorted(connection.execute(query), key=lambda r: subjects.index(r.subject))
    return [
        Due(r.id, r.endpoint, r.subject, r.severity, r.position, r.attempts, r.attempts - r.attempts_before, r.body)
        for r in rows if r.id not in in_flight
    ][:most]  # fmt: skip


def _next_after(connection: Connection, endpoint: str, now: int) -> int:
    table = schema.deliveries
    query = select(func.min(table.c.next_at)).where(
        table.c.endpoint == endpoint, table.c.state == State.WAITING, table.c.next_at > now
    )
    return connection.execute(query).scalar() or 0


# --- what came of it ---
def record_attempts(connection: Connection, done: Sequence[Attempted], *, down_from: int) -> None:
    """Write attempts and what follows. One that another process has recorded meanwhile changes nothing.

    A success after ``down_from`` failures in a row brings forward what waits for that endpoint: it is back."""
    for attempt in done:
        if _record(connection, attempt):
            _tell_endpoint(connection, attempt, down_from)


def _record(connection: Connection, a: Attempted) -> bool:
    table, number = schema.deliveries, a.due.attempts + 1
    values: dict[str, Any] = {"attempts": number, "state": a.state.value, "next_at": a.next_at, "last_status": a.status,
                              "last_error": a.error or None}  # fmt: skip
    if a.state is State.DELIVERED:
        values["delivered_at"] = a.at
    mine = update(table).where(table.c.id == a.due.id, table.c.attempts == a.due.attempts)
    if connection.execute(mine.values(**values)).rowcount != 1:
        return False
    row = {"delivery": a.due.id, "number": number, "at": a.at, "took_ms": a.took_ms, "status": a.status, "error": a.error or None}
    connection.execute(schema.delivery_attempts.insert().values(**row))
    return True


def _tell_endpoint(connection: Connection, a: Attempted, down_from: int) -> None:
    table = schema.endpoints
    mine = update(table).where(table.c.id == a.due.endpoint)
    if a.state is State.DELIVERED:
        down = connection.execute(select(table.c.failures).where(table.c.id == a.due.endpoint)).scalar() or 0
        connection.execute(mine.values(failures=0, slowed=0, paused_until=None, delivered_at=a.at))
        if down >= down_from:
            _bring_forward(connection, a.due.endpoint, a.at)
        return
    values: dict[str, Any] = {"failures": table.c.failures + 1}
    if a.slow_down:
        values |= {"slowed": table.c.slowed + 1, "paused_until": a.paused_until}
    if a.gone:
        values |= {"turned_off_at": a.at, "turned_off_by": "endpoint", "turned_off_why": a.error}
    connection.execute(mine.values(**values))
    if a.gone:
        _cancel(connection, a.due.endpoint, f"{TURNED_OFF}: it answered {a.error}")


def _bring_forward(connection: Connection, endpoint: str, now: int) -> None:
    table = schema.deliveries
    waiting = update(table).where(table.c.endpoint == endpoint, table.c.state == State.WAITING, table.c.next_at > now)
    connection.execute(waiting.values(next_at=now))
