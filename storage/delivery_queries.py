"""Deliveries and endpoints for people: lists, one with its attempts, replay, turning an endpoint on and off.

An enterprise sees what goes to its own endpoints; a district what tells of its own zones, and the endpoints of enterprises that have
all their zones there. Times are UTC µs.
What must not go in: sending (``push``), what the sender writes (``storage/deliveries.py``).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, exists, func, or_, select, tuple_, update

from hazards.errors import NotFound, NotInState
from hazards.scope import Scope
from storage import schema
from storage.deliveries import TURNED_OFF, State
from storage.incident_queries import cursor_of, cursor_values, page
from storage.outbox import wake_followers
from storage.scoping import is_one_of


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message to one endpoint."""

    id: str
    endpoint: str
    url: str
    enterprise: str | None
    subject: str
    event: str
    severity: int
    state: str
    attempts: int
    next_at: int | None
    created_at: int
    delivered_at: int | None
    replayed_at: int | None
    replayed_by: str | None
    last_status: int | None
    last_error: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """One attempt: when it began, how long it took, and what came of it."""

    number: int
    at: int
    took_ms: int
    status: int | None
    error: str | None


@dataclass(frozen=True, slots=True)
class EndpointStanding:
    """How an endpoint is doing. ``trouble``: why nothing can be sent there, or ""; ``failures``: in a row."""

    id: str
    enterprise: str | None
    url: str
    trouble: str
    turned_off_at: int | None
    turned_off_by: str | None
    turned_off_why: str | None
    paused_until: int | None
    failures: int
    delivered_at: int | None
    waiting: int
    dead: int
    cancelled: int


def _deliveries(scope: Scope) -> Select[Any]:
    table = schema.deliveries
    query = select(table, schema.endpoints.c.url).join(schema.endpoints, schema.endpoints.c.id == table.c.endpoint)
    if scope.enterprise is not None:
        query = query.where(table.c.enterprise == scope.enterprise)
    if scope.zones is not None:
        told_of = [
            exists(select(t.c.id).where(t.c.id == table.c.subject, is_one_of(t.c.zone, scope.zones)))
            for t in (schema.incidents, schema.hazards)
        ]
        query = query.where(or_(*told_of))
    return query


def _delivery(row: Row[Any]) -> DeliveryRow:
    return DeliveryRow(
        row.id, row.endpoint, row.url, row.enterprise, row.subject, row.event, row.severity, row.state, row.attempts, row.next_at,
        row.created_at, row.delivered_at, row.replayed_at, row.replayed_by, row.last_status, row.last_error, row.body,
    )  # fmt: skip


def list_deliveries(
    connection: Connection, *, scope: Scope, state: str | None = None, endpoint: str | None = None, subject: str | None = None,
    cursor: str | None = None, limit: int = 50,
) -> tuple[list[DeliveryRow], str | None]:  # fmt: skip
    """Deliveries, newest first, and the cursor of the next page or None."""
    table, limit = schema.deliveries, page(limit)
    query = _deliveries(scope)
    for column, value in ((table.c.state, state), (table.c.endpoint, endpoint), (table.c.subject, subject)):
        if value is not None:
            query = query.where(column == value)
    if cursor:
        query = query.where(tuple_(table.c.created_at, table.c.id) < tuple_(*cursor_values(cursor, (int, str))))
    rows = connection.execute(query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit + 1)).all()
    following = cursor_of(rows[limit - 1].created_at, rows[limit - 1].id) if len(rows) > limit else None
    return [_delivery(row) for row in rows[:limit]], following


def get_delivery(connection: Connection, delivery: str, *, scope: Scope) -> tuple[DeliveryRow, list[AttemptRow]]:
    """One delivery and its attempts, the first first. Raises NotFound, also for one outside ``scope``."""
    row = connection.execute(_deliveries(scope).where(schema.deliveries.c.id == delivery)).first()
    if row is None:
        raise NotFound("no such delivery", where=delivery)
    table = schema.delivery_attempts
    tried = connection.execute(select(table).where(table.c.delivery == delivery).order_by(table.c.number))
    return _delivery(row), [AttemptRow(a.number, a.at, a.took_ms, a.status, a.error) for a in tried]


def replay_delivery(connection: Connection, delivery: str, *, scope: Scope, actor: str, now: int) -> None:
    """Send it once more, now, with the plan from its beginning and the same webhook-id. Raises NotFound, NotInState."""
    found, _ = get_delivery(connection, delivery, scope=scope)
    endpoints, table = schema.endpoints, schema.deliveries
    endpoint = connection.execute(select(endpoints).where(endpoints.c.id == found.endpoint).with_for_update()).one()
    if endpoint.removed_at is not None:
        raise NotInState("the endpoint is no longer in the site file")
    if endpoint.turned_off_at is not None:
        raise NotInState("the endpoint is turned off", hint="turn it on first")
    again = {"state": State.WAITING.value, "next_at": now, "attempts_before": table.c.attempts, "replayed_at": now, "replayed_by": actor}
    connection.execute(update(table).where(table.c.id == delivery).values(**again))
    wake_followers(connection)


def list_endpoints(connection: Connection, *, scope: Scope) -> list[EndpointStanding]:
    """The site's endpoints, in the order of their addresses."""
    table = schema.endpoints
    query = select(table).where(table.c.removed_at.is_(None)).order_by(table.c.url, table.c.id)
    if scope.enterprise is not None:
        query = query.where(table.c.enterprise == scope.enterprise)
    if scope.zones is not None:
        zones = schema.zones
        standing = select(zones.c.id).where(zones.c.enterprise == table.c.enterprise, zones.c.removed_at.is_(None))
        query = query.where(exists(standing), ~exists(standing.where(~is_one_of(zones.c.id, scope.zones))))
    rows = connection.execute(query).all()
    counts = _counts(connection)
    return [_standing(row, counts) for row in rows]


def get_endpoint(connection: Connection, endpoint: str, *, scope: Scope) -> EndpointStanding:
    """One endpoint. Raises NotFound, also for one outside ``scope``."""
    found = next((e for e in list_endpoints(connection, scope=scope) if e.id == endpoint), None)
    if found is None:
        raise NotFound("no such endpoint", where=endpoint)
    return found


def _counts(connection: Connection) -> dict[tuple[str, str], int]:
    table = schema.deliveries
    unfinished = table.c.state.in_([State.WAITING, State.DEAD, State.CANCELLED])
    query = select(table.c.endpoint, table.c.state, func.count()).where(unfinished).group_by(table.c.endpoint, table.c.state)
    return {(endpoint, state): count for endpoint, state, count in connection.execute(query)}


def _standing(row: Row[Any], counts: dict[tuple[str, str], int]) -> EndpointStanding:
    return EndpointStanding(
        row.id, row.enterprise, row.url, row.trouble, row.turned_off_at, row.turned_off_by, row.turned_off_why, row.paused_until,
        row.failures, row.delivered_at, *(counts.get((row.id, s.value), 0) for s in (State.WAITING, State.DEAD, State.CANCELLED)),
    )  # fmt: skip


def turn_endpoint(
    connection: Connection, endpoint: str, *, on: bool, why: str = "", scope: Scope, actor: str, now: int
) -> EndpointStanding:  # fmt: skip
    """Turn an endpoint on or off; afterwards. Off cancels what waits for it. Raises NotFound, NotInState when it is so already."""
    found = get_endpoint(connection, endpoint, scope=scope)
    if on == (found.turned_off_at is None):
        raise NotInState(f"the endpoint is {'on' if on else 'off'} already", where="/command")
    table, deliveries = schema.endpoints, schema.deliveries
    if on:
        values: dict[str, Any] = {"turned_off_at": None, "turned_off_by": None, "turned_off_why": None, "paused_until": None, "slowed": 0,
                                  "failures": 0}  # fmt: skip
    else:
        values = {"turned_off_at": now, "turned_off_by": actor, "turned_off_why": why}
        waiting = update(deliveries).where(deliveries.c.endpoint == endpoint, deliveries.c.state == State.WAITING)
        connection.execute(waiting.values(state=State.CANCELLED.value, next_at=None, last_error=f"{TURNED_OFF} by {actor}"))
    connection.execute(update(table).where(table.c.id == endpoint).values(**values))
    wake_followers(connection)
    return get_endpoint(connection, endpoint, scope=scope)
