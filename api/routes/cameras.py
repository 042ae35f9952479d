"""How the cameras are. What must not go in: SQL, judging them (``hazards/cameras.py``)."""

import asyncio
from email.utils import formatdate
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from api import camera_models as models
from api.gate import GuardedRoute
from api.present import Presenter
from api.routes.common import Asking, Cursor, Filter, Id, Limit, With, page_by_id
from hazards.cameras import CameraStatus, blind_zones, unwatched_zones
from hazards.errors import NotFound
from storage.camera_statuses import read_cameras

router = APIRouter(route_class=GuardedRoute, tags=["site"])

_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}, "description": "JPEG"}
}


@router.get("/api/v1/cameras", summary="How each camera is")
async def get_cameras(
    asking: Asking, services: With, zone: Filter = None, cursor: Cursor = None, limit: Limit = 100
) -> models.CameraPage:  # fmt: skip
    """Written down every two seconds by whoever watches them. Cameras of the site that nobody watches yet are not among them."""
    registry = services.registry()
    known = await services.database.reading(read_cameras)
    seen = [s for s in known if s.camera in registry.devices and _sees(asking, services, registry.devices[s.camera].zone)]
    found, following = page_by_id(
        [s for s in seen if zone is None or registry.devices[s.camera].zone == zone], lambda s: s.camera, cursor=cursor, limit=limit
    )
    presenter = services.presenter()
    cameras = [registry.devices[s.camera] for s in seen]
    blind = sorted(blind_zones(registry.zones, cameras, {s.camera: s for s in seen}))
    zones = [z for z in registry.zones.values() if _sees(asking, services, z.id)]
    unwatched = unwatched_zones(zones, (d for d in registry.devices.values() if d.type == "camera"))
    return models.CameraPage(items=[_shown(s, presenter) for s in found], next=following, blind_zones=blind, unwatched_zones=unwatched)


@router.get("/api/v1/cameras/{id}/picture", summary="What a camera shows", response_class=Response, responses=_PICTURE)
async def get_picture(camera_id: Id, asking: Asking, services: With) -> Response:
    """A small picture of the last seconds (about ten); 404 while there is none. ``Last-Modified`` tells when."""
    device = services.registry().devices.get(camera_id)
    if device is None or device.type != "camera" or not _sees(asking, services, device.zone):
        raise NotFound("no such camera", where=camera_id[:64])
    picture, at = await asyncio.to_thread(services.pictures.latest, camera_id)
    headers = {"Cache-Control": "no-store", "Last-Modified": formatdate(at / 1e6, usegmt=True)}
    return Response(picture, media_type="image/jpeg", headers=headers)


def _sees(asking: Asking, services: With, zone: str) -> bool:
    return asking.scope.sees(zone, services.registry().enterprise_of(zone))


def _shown(status: CameraStatus, presenter: Presenter) -> models.CameraStatus:
    same = {name: getattr(status, name) for name in models.CameraStatus.model_fields if hasattr(status, name)}
    return models.CameraStatus(**same | {
        "state_name": presenter.text(f"camera.state.{status.state}"), "noted_at": presenter.time(status.noted_at),
        "last_frame_at": presenter.time_or_none(status.last_at or None), "raised_kinds": [presenter.kind(kind) for kind in status.raised],
    })  # fmt: skip
