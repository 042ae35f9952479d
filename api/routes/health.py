"""Alive, ready, figures, and the description of the API: open to everybody. What must not go in: anything of the park."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api.gate import GuardedRoute
from api.metrics import CONTENT_TYPE
from api.models import Health
from api.problems import MEDIA_TYPE, Problem, answer
from api.routes.common import With
from api.standing import clock_gauges, gauges_of, read_standing
from hazards.device_clock import count_by_state
from hazards.errors import Unavailable

router = APIRouter(route_class=GuardedRoute, tags=["health"])

_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "alarms can't be taken durably now", "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
}
_STRING = {"schema": {"type": "string"}}
_TEXT: dict[int | str, dict[str, Any]] = {200: {"description": "Prometheus text format", "content": {"text/plain": _STRING}}}


@router.get("/healthz", summary="Alive")
async def get_healthz() -> Health:
    """The process answers."""
    return Health(status="ok")


@router.get("/readyz", summary="Ready: can accept durably", responses=_NOT_READY, response_model=Health)
async def get_readyz(services: With) -> Health | Response:
    """True also while the broker or SQL is away or being replaced: what is accepted then is on disk and goes on later."""
    try:
        await services.can_accept()
    except Unavailable as e:
        problem = Problem(type="urn:bihuan:problem:unavailable", title="Not ready", status=503, detail=e.what, retryable=True)
        return answer(problem, {"Retry-After": "2"})
    return Health(status="ok")


@router.get("/metrics", summary="Figures for Prometheus", response_class=Response, responses=_TEXT)
async def get_metrics(services: With) -> Response:
    """Of the API itself, and what the other processes noted in SQL; no names, no places."""
    feed = services.feed
    behind = (services.now() - feed.behind_since) / 1e6 if feed.behind_since is not None else 0.0
    gauges = {
        "bihuan_feed_position": ("Newest position of the feed.", float(feed.newest)),
        "bihuan_feed_listeners": ("Open feed streams.", float(feed.listeners)),
        "bihuan_feed_behind_seconds": ("Age of the oldest accepted alarm that waits too long to be applied.", behind),
    }
    now, reachable = services.now(), 1.0
    try:
        gauges |= gauges_of(await services.database.reading(lambda c: read_standing(c, now)), now)
    except Unavailable:
        reachable = 0.0
    gauges |= clock_gauges("http", count_by_state(services.clock_faults()))  # beside those of mqtt: one name's stand together
    gauges["bihuan_sql_up"] = ("1 while the database answers.", reachable)
    return Response(services.metrics.text(gauges), headers={"Content-Type": CONTENT_TYPE})


@router.get("/openapi.json", include_in_schema=False)
async def get_openapi(request: Request) -> JSONResponse:
    """The description of this API."""
    return JSONResponse(request.app.openapi())
