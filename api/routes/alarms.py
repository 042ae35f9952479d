"""The door for alarms over HTTP: CloudEvents in, 202 when they are on disk. What must not go in: parsing, the journal."""

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Request
from msgspec import structs

from api.gate import GuardedRoute
from api.models import Accepted
from api.principals import Principal
from api.problems import RuledNotPermitted
from api.roles import OWN_DEVICES
from api.routes.common import Asking, With
from api.services import Services
from hazards.admission import Report
from hazards.messages import UNASSIGNED
from hazards.scope import Scope
from ingest import cloudevents

router = APIRouter(route_class=GuardedRoute)

_CLOUD_EVENT = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "data"],
    "properties": {
        "specversion": {"type": "string", "enum": ["1.0"]},
        "id": {"type": "string", "minLength": 1, "description": "with source the deduplication key"},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "enum": ["bihuan.alarm.raised", "bihuan.alarm.cleared", "bihuan.alarm.pulse"]},
        "time": {"type": "string", "format": "date-time", "description": "a time that can't be believed is replaced by that of receipt"},
        "subject": {"type": "string", "minLength": 1, "description": "device id; an unknown one is accepted"},
        "datacontenttype": {"type": "string"},
        "data": {
            "type": "object",
            "required": ["kind"],
            "properties": {
                "kind": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,63}$"},
                "severity": {"type": "integer", "minimum": 1, "maximum": 4},
                "score": {"type": "number", "minimum": 0, "maximum": 1},
                "box": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
                "message": {"type": "string"},
                "snapshot": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
        },
    },
    "example": {
        "specversion": "1.0", "id": "7c1b0f1e-9a51-4d0e-9a41-5b8f5f0a2f11", "source": "device/CAM-2", "type": "bihuan.alarm.raised",
        "time": "2026-11-22T10:15:30+08:00", "subject": "CAM-2", "datacontenttype": "application/json",
        "data": {"kind": "intrusion", "score": 0.91, "box": [412, 190, 60, 150], "message": "person in the waste depot"},
    },
}  # fmt: skip
_BATCH = {"type": "array", "items": _CLOUD_EVENT, "minItems": 1}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": _CLOUD_EVENT},
            "application/cloudevents-batch+json": {"schema": _BATCH},
            "application/json": {"schema": {"oneOf": [_CLOUD_EVENT, _BATCH]}},
        },
    }
}


@router.post("/api/v1/alarms", status_code=202, summary="Take one alarm or a batch", tags=["alarms"], openapi_extra=_BODY)
async def post_alarms(request: Request, asking: Asking, services: With) -> Accepted:
    """CloudEvents 1.0: structured, batched or binary. A batch is taken whole or not at all; 202 means that it is on disk.

    Sending the same source and id again has no second effect."""
    body = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    if len(body) > services.settings.parse_in_thread_from:
        reports = await asyncio.to_thread(_parse, headers, body)
    else:
        reports = _parse(headers, body)
    _refuse_foreign(reports, asking.scope, services)
    if (realm := _realm(asking)) is not None:
        reports = [structs.replace(report, realm=realm) for report in reports]
    signals = await services.door.accept(reports)
    services.metrics.alarms_accepted += len(signals)
    return Accepted(accepted=len(signals), ids=[signal.source_id for signal in signals])


def _parse(headers: dict[str, str], body: bytes) -> list[Report]:
    if cloudevents.is_binary(headers):
        return cloudevents.parse_binary(headers, body)
    return cloudevents.parse(body, headers.get("content-type", ""))


def _realm(asking: Principal) -> str | None:
    """Whose ids they are: those of one enterprise's or district's senders can't use up another's."""
    if asking.scope.enterprise is not None:
        return f"enterprise/{asking.scope.enterprise} "
    return None if asking.district is None else f"district/{asking.district} "


def _refuse_foreign(reports: Sequence[Report], scope: Scope, services: Services) -> None:
    """Who is bound speaks for the devices within its scope and for ones nobody registered, never for another's."""
    if scope.everything:
        return
    registry = services.registry()
    for n, report in enumerate(reports):
        zone = registry.zone_of(report.device)
        if zone != UNASSIGNED and not scope.sees(zone, registry.enterprise_of(zone)):
            raise RuledNotPermitted(
                f"event {n}: this device belongs to somebody else", rule=OWN_DEVICES,
                basis="platform_default", hint="nothing of the batch was taken",
            )  # fmt: skip
