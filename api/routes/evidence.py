"""Evidence files by content hash and by incident, to those who may see the zone. What must not go in: files, writing."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from api import evidence_models as models
from api.gate import GuardedRoute
from api.present import Presenter, evidence_url
from api.ranges import OutOfRange, part_of
from api.routes.common import Asking, Id, With
from hazards.camera_evidence import statement_bytes
from hazards.errors import NotFound
from storage.camera_evidence import KeptEvidence, incident_evidence, zones_of
from storage.incident_queries import get_incident, snapshot_zones
from storage.uploads import upload_zones

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": _BYTES}, "description": "the file as it was stored"},
    206: {"content": {"video/mp4": _BYTES}, "description": "the part that was asked for with Range"},
    416: {"description": "the part lies beyond the end of the file"},
}
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/webp", "video/mp4"})


@router.get("/api/v1/evidence/{sha256}", summary="An evidence file", response_class=Response, responses=_PICTURE)
async def get_evidence(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], request: Request, asking: Asking, services: With
) -> Response:
    """Content under its own hash never changes, so a browser may keep it for the session's person. One part of it for one Range."""
    data, media_type, _ = await asyncio.to_thread(services.pictures.read, sha256)
    if not asking.scope.everything:
        registry = services.registry()
        taken_in = await asyncio.to_thread(services.pictures.zones, sha256)
        quoted, uploaded, filmed = await services.database.reading(
            lambda c: (snapshot_zones(c, sha256), upload_zones(c, sha256), zones_of(c, sha256))
        )

        def theirs(*zones: str) -> bool:
            return any(asking.scope.sees(zone, registry.enterprise_of(zone)) for zone in zones)

        # an upload brought the bytes; an alarm only quotes a hash, so the file must also have been taken in a zone of theirs
        if not theirs(*uploaded) and not theirs(*filmed) and not (theirs(*quoted) and theirs(*taken_in)):
            raise NotFound("no such evidence")
    etag = f'"{sha256}"'
    headers = {"Cache-Control": "private, max-age=86400, immutable", "ETag": etag, "Vary": "Cookie, Authorization"}
    headers["Accept-Ranges"] = "bytes"
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if media_type not in SHOWN_INLINE:
        headers["Content-Disposition"] = f'attachment; filename="{sha256[:16]}"'
    return _whole_or_part(data, media_type, headers, request)


def _whole_or_part(data: bytes, media_type: str, headers: dict[str, str], request: Request) -> Response:
    try:
        part = part_of(len(data), request.headers, headers["ETag"])
    except OutOfRange:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
    if part is None:
        return Response(data, media_type=media_type, headers=headers)
    begins, ends = part
    headers["Content-Range"] = f"bytes {begins}-{ends - 1}/{len(data)}"
    return Response(data[begins:ends], status_code=206, media_type=media_type, headers=headers)


@router.get("/api/v1/incidents/{id}/evidence", summary="Pictures and clips of an incident")
async def get_incident_evidence(incident_id: Id, asking: Asking, services: With) -> models.EvidenceList:
    """Of its cameras' alarms, each with the signed statement of what it is. A clip comes some seconds after its alarm."""

    def work(connection: Connection) -> list[KeptEvidence]:
        get_incident(connection, incident_id, scope=asking.scope)
        return incident_evidence(connection, incident_id)

    presenter = services.presenter()
    return models.EvidenceList(items=[_shown(kept, presenter) for kept in await services.database.reading(work)])


def _shown(kept: KeptEvidence, presenter: Presenter) -> models.EvidenceFile:
    said = kept.signed.statement
    return models.EvidenceFile(
        device=said.device, zone=said.zone, kind=said.kind, role=said.role, onset=presenter.time(said.onset),
        begins=presenter.time(said.begins), ends=presenter.time(said.ends), media_type=said.media_type, size=said.size,
        sha256=said.sha256, url=evidence_url(said.sha256) if kept.removed_at is None else None, held=kept.held,
        removed_at=presenter.time_or_none(kept.removed_at), removed_for=kept.removed_for, statement=statement_bytes(said).decode(),
        signature=kept.signed.signature, public_key=kept.signed.public_key,
    )  # fmt: skip
