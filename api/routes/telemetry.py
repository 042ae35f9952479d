"""The door for telemetry over HTTP: SenML in, 202 when it is on disk. What must not go in: parsing, judging, the journal."""

import asyncio

from fastapi import APIRouter, Request

from api.gate import GuardedRoute
from api.models import TelemetryAccepted
from api.problems import RuledNotPermitted, responses
from api.roles import OWN_DEVICES
from api.routes.common import Asking, With
from hazards.errors import NotPermitted
from ingest import senml

router = APIRouter(route_class=GuardedRoute)

_NUMBER = {"type": "number"}
_TEXT = {"type": "string"}
_RECORD = {
    "type": "object",
    "properties": {
        "bn": {"type": "string", "description": "goes before every name until it is replaced"},
        "bt": {"type": "number", "description": "added to every time, seconds"},
        "bu": {"type": "string", "description": "unit of records that give none"},
        "bv": _NUMBER, "bs": _NUMBER, "bver": {"type": "integer"},
        "n": {"type": "string", "description": 'with bn: device id + "/" + metric'},
        "u": {"type": "string", "description": "converted to the sensor's own unit; left out: it is that"},
        "v": _NUMBER, "vb": {"type": "boolean", "description": "kept as 1 and 0"}, "vs": _TEXT, "vd": _TEXT,
        "s": {"type": "number", "description": "sum over time, a series of its own: METRIC.sum"},
        "t": {"type": "number", "description": "seconds since 1970; below 2^28: relative to now"}, "ut": _NUMBER,
    },
}  # fmt: skip
_PACK = {
    "type": "array", "items": _RECORD, "minItems": 1, "maxItems": senml.MAX_RECORDS,
    "example": [{"bn": "T-101/", "n": "temperature", "u": "Cel", "v": 58.4}, {"n": "temperature", "t": -1, "v": 57.9}],
}  # fmt: skip
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/senml+json": {"schema": _PACK}, "application/json": {"schema": _PACK}},
    }
}


@router.post(
    "/api/v1/telemetry", status_code=202, summary="Take a pack of readings", tags=["telemetry"], openapi_extra=_BODY,
    responses=responses(429),
)  # fmt: skip
async def post_telemetry(request: Request, asking: Asking, services: With) -> TelemetryAccepted:
    """SenML (RFC 8428) in JSON. A pack is taken whole or not at all; 202 means that it is on disk.

    A reading is known by its series and time: sending it again has no second effect. More than five minutes ahead or 30 days
    behind is 422. 429: too many series wait that nobody registered."""
    body, content_type = await request.body(), request.headers.get("content-type", "")
    if len(body) > services.settings.parse_in_thread_from:
        found = await asyncio.to_thread(senml.parse, body, now=services.now(), content_type=content_type)
    else:
        found = senml.parse(body, now=services.now(), content_type=content_type)
    try:
        taken = await services.telemetry.accept(found, scope=asking.scope)
    except NotPermitted as e:
        raise RuledNotPermitted(
            e.what, rule=OWN_DEVICES, basis="platform_default",
            hint="nothing of the pack was taken",
        ) from e  # fmt: skip
    services.metrics.readings_accepted += taken.accepted
    services.metrics.readings_out_of_range += taken.out_of_range
    services.metrics.readings_unregistered += taken.unregistered
    return TelemetryAccepted(
        accepted=taken.accepted, ids=taken.ids, out_of_range=taken.out_of_range, unregistered=taken.unregistered, ignored=found.ignored
    )
