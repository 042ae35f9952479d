"""Pictures by content hash, to those who may see the zone. What must not go in: files, writing."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from api.gate import GuardedRoute
from api.routes.common import Asking, With
from hazards.errors import NotFound
from storage.incident_queries import snapshot_zones
from storage.uploads import upload_zones

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])

_BYTES = {"schema": {"type": "string", "format": "binary"}}
_PICTURE: dict[int | str, dict[str, Any]] = {200: {"content": {"image/jpeg": _BYTES}, "description": "the file as it was stored"}}
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/webp"})


@router.get("/api/v1/evidence/{sha256}", summary="An evidence file", response_class=Response, responses=_PICTURE)
async def get_evidence(
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], request: Request, asking: Asking, services: With
) -> Response:
    """Content under its own hash never changes, so a browser may keep it for the session's person."""
    data, media_type, _ = await asyncio.to_thread(services.pictures.read, sha256)
    if not asking.scope.everything:
        registry = services.registry()
        taken_in = await asyncio.to_thread(services.pictures.zones, sha256)
        quoted, uploaded = await services.database.reading(lambda c: (snapshot_zones(c, sha256), upload_zones(c, sha256)))

        def theirs(*zones: str) -> bool:
            return any(asking.scope.sees(zone, registry.enterprise_of(zone)) for zone in zones)

        # an upload brought the bytes; an alarm only quotes a hash, so the file must also have been taken in a zone of theirs
        if not theirs(*uploaded) and not (theirs(*quoted) and theirs(*taken_in)):
            raise NotFound("no such evidence")
    etag = f'"{sha256}"'
    headers = {"Cache-Control": "private, max-age=86400, immutable", "ETag": etag, "Vary": "Cookie, Authorization"}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    if media_type not in SHOWN_INLINE:
        headers["Content-Disposition"] = f'attachment; filename="{sha256[:16]}"'
    return Response(data, media_type=media_type, headers=headers)
