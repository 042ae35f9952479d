"""Patrol rounds over cameras (在线远程巡查): starting, judging, ending, reading one. What must not go in: SQL."""

from collections.abc import Mapping
from secrets import token_hex
from typing import Any
from uuid import uuid5

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from api import patrol_models as models
from api.gate import GuardedRoute
from api.present import Presenter
from api.principals import Principal
from api.problems import responses
from api.routes.common import Asking, Cursor, Id, Limit, With, clamp
from api.services import Services
from hazards.errors import BadInput
from hazards.identity import NAMESPACE
from storage import patrols as storage

router = APIRouter(route_class=GuardedRoute, tags=["site"])


@router.get("/api/v1/patrol-rounds", summary="Patrol rounds, begun last first")
async def get_rounds(asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 50) -> models.RoundPage:
    """With how many cameras were judged how; those alone that the caller sees."""
    found, following = await services.database.reading(
        lambda c: storage.list_rounds(c, scope=asking.scope, cursor=cursor, limit=clamp(limit))
    )
    presenter = services.presenter()
    return models.RoundPage(items=[models.Round(**_facts(each, presenter)) for each in found], next=following)


@router.get("/api/v1/patrol-rounds/{id}", summary="A patrol round")
async def get_round(round_id: Id, asking: Asking, services: With) -> models.WholeRound:
    """Who looked at which camera when, and what they judged."""
    return _whole(*await services.database.reading(lambda c: storage.read_round(c, round_id, scope=asking.scope)), services.presenter())


@router.post("/api/v1/patrol-rounds", status_code=201, summary="Start a patrol round")
async def post_round(given: models.NewRound, asking: Asking, services: With, response: Response) -> models.WholeRound:
    """Over the cameras of these zones, zone by zone."""
    cameras = _cameras(given.zones, asking, services)
    name = str(uuid5(NAMESPACE, f"patrol/{asking.id}/{given.command_id or token_hex(16)}"))

    def work(connection: Connection) -> tuple[bool, tuple[storage.Round, list[storage.Look]]]:
        new = storage.start_round(connection, name, cameras, seconds=given.seconds, by=asking.id, now=services.now())
        return new, storage.read_round(connection, name, scope=asking.scope)

    new, found = await services.database.writing(work)
    response.status_code = 201 if new else 200
    return _whole(*found, services.presenter())


@router.post("/api/v1/patrol-rounds/{id}/looks", summary="Judge a camera of a round", responses=responses(409))
async def post_look(round_id: Id, given: models.NewLook, asking: Asking, services: With) -> models.WholeRound:
    """What was judged stays as it is. 409: the round is over, or somebody has judged the camera before."""
    if given.judgement == "abnormal" and not given.note.strip():
        raise BadInput("needed for what is not normal", where="/note")

    def work(connection: Connection) -> tuple[storage.Round, list[storage.Look]]:
        _, seen = storage.read_round(connection, round_id, scope=asking.scope)
        if given.camera not in {look.camera for look in seen}:
            raise BadInput("no such camera in this round", where="/camera")
        storage.judge(connection, round_id, given.camera, judgement=given.judgement, note=given.note.strip(), pictured=given.pictured,
                      by=asking.id, now=services.now())  # fmt: skip
        return storage.read_round(connection, round_id, scope=asking.scope)

    return _whole(*await services.database.writing(work), services.presenter())


@router.post("/api/v1/patrol-rounds/{id}/end", summary="End a patrol round")
async def post_end(round_id: Id, asking: Asking, services: With) -> models.WholeRound:
    """Cameras that nobody has judged stay so. One that is over stays as it is."""

    def work(connection: Connection) -> tuple[storage.Round, list[storage.Look]]:
        storage.read_round(connection, round_id, scope=asking.scope)
        storage.end_round(connection, round_id, by=asking.id, now=services.now())
        return storage.read_round(connection, round_id, scope=asking.scope)

    return _whole(*await services.database.writing(work), services.presenter())


def _cameras(zones: list[str], asking: Principal, services: Services) -> list[tuple[str, str]]:
    """The cameras of ``zones``, or of every zone that the caller sees. Raises BadInput."""
    registry = services.registry()
    seen = [z.id for z in registry.zones.values() if asking.scope.sees(z.id, z.enterprise)]
    for n, zone in enumerate(zones):
        if zone not in seen:
            raise BadInput("no such zone", where=f"/zones/{n}")
    order = {zone: n for n, zone in enumerate(dict.fromkeys(zones) if zones else seen)}
    found = [(d.id, d.zone) for d in registry.devices.values() if d.type == "camera" and d.zone in order]
    if not found:
        raise BadInput("no camera in these zones", where="/zones")
    return sorted(found, key=lambda camera: (order[camera[1]], camera[0]))


def _facts(found: storage.Round, presenter: Presenter) -> Mapping[str, Any]:
    counts = found.counts
    return {
        "id": found.id, "seconds": found.seconds, "started_by": found.started_by, "started_at": presenter.time(found.started_at),
        "ended_by": found.ended_by, "ended_at": presenter.time_or_none(found.ended_at), "cameras": sum(counts.values()),
        "unjudged": counts.get("", 0), **{name: counts.get(name, 0) for name in storage.JUDGEMENTS},
    }  # fmt: skip


def _whole(found: storage.Round, looks: list[storage.Look], presenter: Presenter) -> models.WholeRound:
    names = {zone.id: zone.name for zone in presenter.registry.zones.values()}
    return models.WholeRound(**_facts(found, presenter), looks=[
        models.Look.model_validate({
            "camera": look.camera, "zone": look.zone, "zone_name": names.get(look.zone, look.zone), "judgement": look.judgement,
            "note": look.note, "pictured": look.pictured, "judged_by": look.judged_by,
            "judged_at": presenter.time_or_none(look.judged_at),
        })
        for look in looks
    ])  # fmt: skip
