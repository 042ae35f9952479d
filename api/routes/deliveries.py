"""What was pushed to whom, and what became of it; sending again; endpoints on and off. What must not go in: SQL, sending."""

from typing import Any

import msgspec
from fastapi import APIRouter
from structlog import get_logger

from api import delivery_models as models
from api.gate import GuardedRoute
from api.present import Presenter, without_password
from api.problems import responses
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, clamp
from hazards.scope import Scope
from storage.delivery_queries import (
    AttemptRow,
    DeliveryRow,
    EndpointStanding,
    get_delivery,
    get_endpoint,
    list_deliveries,
    list_endpoints,
    replay_delivery,
    turn_endpoint,
)

router = APIRouter(route_class=GuardedRoute, tags=["deliveries"])
log = get_logger(__name__)


def _fields(row: DeliveryRow, presenter: Presenter) -> dict[str, Any]:
    step = row.event.rpartition(".")[2]
    return {
        "id": row.id, "endpoint": row.endpoint, "url": without_password(row.url), "enterprise": row.enterprise, "subject": row.subject,
        "event": row.event, "event_name": presenter.text(presenter.words.first(f"push.{row.event}", f"hazard.event.{step}", row.event)),
        "severity": row.severity, "state": row.state, "state_name": presenter.text(f"delivery.{row.state}"), "attempts": row.attempts,
        "next_at": presenter.time_or_none(row.next_at), "created_at": presenter.time(row.created_at),
        "delivered_at": presenter.time_or_none(row.delivered_at), "replayed_at": presenter.time_or_none(row.replayed_at),
        "replayed_by": row.replayed_by, "last_status": row.last_status, "last_error": row.last_error,
    }  # fmt: skip


def _attempt(row: AttemptRow, presenter: Presenter) -> models.Attempt:
    return models.Attempt(number=row.number, at=presenter.time(row.at), took_ms=row.took_ms, status=row.status, error=row.error)


def _webhook(row: EndpointStanding, presenter: Presenter) -> models.Webhook:
    return models.Webhook(
        id=row.id, url=without_password(row.url), enterprise=row.enterprise, on=row.turned_off_at is None, trouble=row.trouble,
        turned_off_at=presenter.time_or_none(row.turned_off_at), turned_off_by=row.turned_off_by, turned_off_why=row.turned_off_why,
        paused_until=presenter.time_or_none(row.paused_until), failures=row.failures,
        delivered_at=presenter.time_or_none(row.delivered_at), waiting=row.waiting, dead=row.dead, cancelled=row.cancelled,
    )  # fmt: skip


async def _detail(delivery: str, scope: Scope, services: With) -> models.DeliveryDetail:
    row, tried = await services.database.reading(lambda c: get_delivery(c, delivery, scope=scope))
    presenter = services.presenter()
    return models.DeliveryDetail(
        **_fields(row, presenter), tried=[_attempt(a, presenter) for a in tried], body=msgspec.json.decode(row.body)
    )


@router.get("/api/v1/deliveries", summary="What was pushed, newest first")
async def get_deliveries(
    asking: Asking, services: With, state: models.State | None = None, endpoint: Filter = None, subject: Filter = None,
    cursor: Cursor = None, limit: Limit = 50,
) -> models.DeliveryPage:  # fmt: skip
    """All states unless filtered. An enterprise sees what goes to its own endpoints."""
    rows, following = await services.database.reading(
        lambda c: list_deliveries(
            c, scope=asking.scope, state=state, endpoint=endpoint, subject=subject, cursor=cursor, limit=clamp(limit)
        )
    )
    presenter = services.presenter()
    return models.DeliveryPage(items=[models.Delivery(**_fields(r, presenter)) for r in rows], next=following)


@router.get("/api/v1/deliveries/{id}", summary="One delivery with its attempts")
async def get_one_delivery(delivery_id: Id, asking: Asking, services: With) -> models.DeliveryDetail:
    """And with what is sent."""
    return await _detail(delivery_id, asking.scope, services)


@router.post("/api/v1/deliveries/{id}/replay", summary="Send it again", responses=responses(409))
async def post_replay(delivery_id: Id, asking: Asking, services: With) -> models.DeliveryDetail:
    """Now, and with the retry plan from its beginning. The webhook-id stays: who has it already may know that."""
    await services.database.writing(
        lambda c: replay_delivery(c, delivery_id, scope=asking.scope, actor=asking.id, now=services.now())
    )
    services.ring()
    log.info("a delivery is replayed", delivery=delivery_id, by=asking.id)
    return await _detail(delivery_id, asking.scope, services)


@router.get("/api/v1/webhooks", summary="Endpoints and how they are doing")
async def get_webhooks(asking: Asking, services: With) -> models.WebhookPage:
    """Those of the site file. An enterprise sees its own."""
    rows = await services.database.reading(lambda c: list_endpoints(c, scope=asking.scope))
    presenter = services.presenter()
    return models.WebhookPage(items=[_webhook(r, presenter) for r in rows], next=None)


@router.get("/api/v1/webhooks/{id}", summary="One endpoint")
async def get_webhook(endpoint_id: Id, asking: Asking, services: With) -> models.Webhook:
    """With what waits for it."""
    row = await services.database.reading(lambda c: get_endpoint(c, endpoint_id, scope=asking.scope))
    return _webhook(row, services.presenter())


@router.post("/api/v1/webhooks/{id}/commands", summary="Turn an endpoint on or off", responses=responses(409))
async def post_webhook_command(endpoint_id: Id, command: models.WebhookCommand, asking: Asking, services: With) -> models.Webhook:
    """One that answered 410 is off until somebody turns it on."""
    on = isinstance(command, models.TurnOn)
    why = "" if isinstance(command, models.TurnOn) else command.reason
    row = await services.database.writing(
        lambda c: turn_endpoint(c, endpoint_id, on=on, why=why, scope=asking.scope, actor=asking.id, now=services.now())
    )
    services.ring()
    log.info("an endpoint was turned", endpoint=endpoint_id, on=on, by=asking.id)
    return _webhook(row, services.presenter())
