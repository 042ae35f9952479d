"""How the cameras are. What must not go in: SQL, judging them (``hazards/cameras.py``)."""

from fastapi import APIRouter

from api import camera_models as models
from api.gate import GuardedRoute
from api.present import Presenter
from api.routes.common import Asking, Cursor, Filter, Limit, With, page_by_id
from hazards.cameras import CameraStatus, blind_zones
from storage.camera_statuses import read_cameras

router = APIRouter(route_class=GuardedRoute, tags=["site"])


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
    return models.CameraPage(items=[_shown(s, presenter) for s in found], next=following, blind_zones=blind)


def _sees(asking: Asking, services: With, zone: str) -> bool:
    return asking.scope.sees(zone, services.registry().enterprise_of(zone))


def _shown(status: CameraStatus, presenter: Presenter) -> models.CameraStatus:
    same = {name: getattr(status, name) for name in models.CameraStatus.model_fields if hasattr(status, name)}
    return models.CameraStatus(**same | {
        "state_name": presenter.text(f"camera.state.{status.state}"), "noted_at": presenter.time(status.noted_at),
        "last_frame_at": presenter.time_or_none(status.last_at or None),
    })  # fmt: skip
