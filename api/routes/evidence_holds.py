"""Holds (证据封存): files of a zone and a time that must not be thrown away. What must not go in: SQL, files."""

from datetime import datetime
from secrets import token_hex
from uuid import uuid5

from fastapi import APIRouter, Response

from api import evidence_models as models
from api.gate import GuardedRoute
from api.present import Presenter
from api.principals import Principal
from api.problems import responses
from api.routes.common import Asking, Cursor, Id, Limit, With, clamp
from api.services import Services
from hazards.errors import BadInput, NotFound
from hazards.identity import NAMESPACE
from hazards.ledger.limits import EPOCH, MICROSECOND
from storage import evidence_holds as storage

router = APIRouter(route_class=GuardedRoute, tags=["incidents"])


def _shown(hold: storage.Hold, presenter: Presenter) -> models.Hold:
    zone = presenter.registry.zones.get(hold.zone)
    return models.Hold(
        id=hold.id, zone=hold.zone, zone_name=zone.name if zone else hold.zone, begins=presenter.time(hold.begins),
        ends=presenter.time(hold.ends), reason=hold.reason, entered_by=hold.entered_by, entered_at=presenter.time(hold.entered_at),
        lifted_at=presenter.time_or_none(hold.lifted_at), lifted_by=hold.lifted_by, lifted_reason=hold.lifted_reason,
    )  # fmt: skip


def _sees(asking: Principal, services: Services, zone: str) -> bool:
    return asking.scope.sees(zone, services.registry().enterprise_of(zone))


@router.get("/api/v1/evidence-holds", summary="Holds on evidence, entered last first")
async def get_holds(
    asking: Asking, services: With, standing: bool | None = None, cursor: Cursor = None, limit: Limit = 50
) -> models.HoldPage:  # fmt: skip
    """``standing``: only those that stand, or only those that were lifted."""
    found, following = await services.database.reading(
        lambda c: storage.list_holds(c, scope=asking.scope, standing=standing, cursor=cursor, limit=clamp(limit))
    )
    presenter = services.presenter()
    return models.HoldPage(items=[_shown(hold, presenter) for hold in found], next=following)


@router.post("/api/v1/evidence-holds", status_code=201, summary="Hold the evidence of a zone", responses=responses(409))
async def post_hold(given: models.NewHold, asking: Asking, services: With, response: Response) -> models.Hold:
    """As after an accident: pictures and clips of the zone's cameras that show something of that time are kept until it is lifted."""
    if given.zone not in services.registry().zones or not _sees(asking, services, given.zone):
        raise BadInput("no such zone", where="/zone")
    begins, ends = _moment(given.begins, "/begins"), _moment(given.ends, "/ends")
    if begins > ends:
        raise BadInput("ends before it begins", where="/ends")
    hold = str(uuid5(NAMESPACE, f"hold/{asking.id}/{given.command_id or token_hex(16)}"))
    made, new = await services.database.writing(
        lambda c: storage.enter_hold(
            c, hold, zone=given.zone, begins=begins, ends=ends, reason=given.reason, by=asking.id, now=services.now()
        )
    )  # fmt: skip
    response.status_code = 201 if new else 200
    return _shown(made, services.presenter())


@router.post("/api/v1/evidence-holds/{id}/lift", summary="Lift a hold", responses=responses(409))
async def post_lift(hold_id: Id, given: models.LiftHold, asking: Asking, services: With) -> models.Hold:
    """From then on the files go when their time has come. 409: it was lifted before."""
    known = await services.database.reading(lambda c: storage.read_hold(c, hold_id))
    if not _sees(asking, services, known.zone):
        raise NotFound("no such hold", where=hold_id)
    lifted = await services.database.writing(lambda c: storage.lift_hold(c, hold_id, reason=given.reason, by=asking.id, now=services.now()))
    return _shown(lifted, services.presenter())


def _moment(time: datetime, where: str) -> int:
    try:
        return (time - EPOCH) // MICROSECOND
    except OverflowError as e:
        raise BadInput("not a time", where=where) from e
