"""What stands where: zones, devices, enterprises, the waiting list, and the site file. What must not go in: SQL, parsing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import APIRouter, Request

from api import present
from api import site_models as models
from api.gate import GuardedRoute
from api.present_declarations import DeclarationPresenter
from api.present_hazards import HazardPresenter, kind_name
from api.principals import Principal
from api.routes.common import Asking, Cursor, Id, Limit, With, clamp, page_by_id
from api.services import Services
from hazards.errors import NotFound
from hazards.ledger.limits import DAY
from hazards.ledger.policy import basis_of
from hazards.scope import Scope
from hazards.zones import Device, Enterprise, Site, Zone
from storage.declaration_queries import in_force_by_zone
from storage.hazard_facts import policy_of
from storage.hazard_queries import GradeCount, profile_of
from storage.incidents import waiting_devices
from storage.site_store import Registry, apply_site

router = APIRouter(route_class=GuardedRoute, tags=["site"])

_FILE: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/yaml": {"schema": {"type": "string", "description": "a site file"}}}}
}


def _zones(registry: Registry, scope: Scope) -> list[Zone]:
    return [z for z in registry.zones.values() if scope.sees_register(z.id, z.enterprise)]


def _devices(registry: Registry, scope: Scope) -> list[Device]:
    return [d for d in registry.devices.values() if scope.sees_register(d.zone, registry.enterprise_of(d.zone))]


def _enterprises(registry: Registry, scope: Scope) -> list[Enterprise]:
    """A district's are those that own a zone there."""
    owners = {z.enterprise for z in registry.zones.values() if scope.zones is None or z.id in scope.zones}
    return [e for e in registry.site.enterprises if scope.enterprise in (None, e.id) and (scope.zones is None or e.id in owners)]


async def _shown(zones: list[Zone], asking: Principal, services: Services) -> list[models.Zone]:
    """Each with what is declared of it."""
    seen = [z.id for z in zones if z.id not in asking.scope.shared]
    found = await services.database.reading(lambda c: in_force_by_zone(c, asking.scope, seen, now=services.now()))
    registry, facts = services.registry(), DeclarationPresenter(services.presenter()).facts
    return [
        present.zone(z, registry.district_of(z), [facts(d) for d in found.get(z.id, ())], shared=z.id in asking.scope.shared) for z in zones
    ]


def _shown_devices(devices: Sequence[Device], asking: Principal, services: Services) -> list[models.Device]:
    faults, presenter = {fault.device: fault for fault in services.clock_faults()}, services.presenter()
    clocks = {d.id: presenter.clock(faults[d.id]) for d in devices if d.id in faults}
    return [present.device(d, shared=d.zone in asking.scope.shared, clock=clocks.get(d.id)) for d in devices]


@router.get("/api/v1/zones", summary="Zones with their risk grade")
async def get_zones(asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100) -> models.ZonePage:
    """By id. An enterprise sees its own, a district what lies within it; ``shared``: a major hazard installation beside it."""
    found, following = page_by_id(_zones(services.registry(), asking.scope), lambda z: z.id, cursor=cursor, limit=limit)
    return models.ZonePage(items=await _shown(found, asking, services), next=following)


@router.get("/api/v1/zones/{id}", summary="One zone")
async def get_zone(zone_id: Id, asking: Asking, services: With) -> models.Zone:
    """Grade, risks, measures, geometry, and what is declared of it now."""
    found = next((z for z in _zones(services.registry(), asking.scope) if z.id == zone_id), None)
    if found is None:
        raise NotFound("no such zone")
    return (await _shown([found], asking, services))[0]


@router.get("/api/v1/devices", summary="Cameras, sensors, platforms")
async def get_devices(asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100) -> models.DevicePage:
    """By id. Those in the zones that the caller sees; of ``shared`` ones neither address nor settings."""
    found, following = page_by_id(_devices(services.registry(), asking.scope), lambda d: d.id, cursor=cursor, limit=limit)
    return models.DevicePage(items=_shown_devices(found, asking, services), next=following)


@router.get("/api/v1/devices/{id}", summary="One device")
async def get_device(device_id: Id, asking: Asking, services: With) -> models.Device:
    """Where it stands and how it is set."""
    found = next((d for d in _devices(services.registry(), asking.scope) if d.id == device_id), None)
    if found is None:
        raise NotFound("no such device")
    return _shown_devices([found], asking, services)[0]


@router.get("/api/v1/enterprises", summary="Enterprises of the park")
async def get_enterprises(asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 100) -> models.EnterprisePage:
    """By id. An enterprise sees itself, a district those that own a zone in it."""
    found, following = page_by_id(_enterprises(services.registry(), asking.scope), lambda e: e.id, cursor=cursor, limit=limit)
    return models.EnterprisePage(items=[present.enterprise(e) for e in found], next=following)


@router.get("/api/v1/enterprises/{id}", summary="One enterprise")
async def get_enterprise(enterprise_id: Id, asking: Asking, services: With) -> models.EnterpriseProfile:
    """With its contacts, its open hazards and its repeats."""
    found = next((e for e in _enterprises(services.registry(), asking.scope) if e.id == enterprise_id), None)
    if found is None:
        raise NotFound("no such enterprise")
    registry, now = services.registry(), services.now()
    policy = policy_of(registry)
    since = now - policy.repeats.days * DAY
    profile = await services.database.reading(
        lambda c: profile_of(c, enterprise_id, scope=asking.scope, synthetic=registry.synthetic, since=since, now=now)
    )
    shown, counts = HazardPresenter(services.presenter(), policy), profile.grades.values()
    ruling, gravest = shown.ruling(basis_of(policy.rule(policy.repeats.rule))), profile.grades.get(policy.grades[-1].name)
    graded = {grade.name: profile.grades.get(grade.name, GradeCount()) for grade in reversed(policy.grades)} | profile.grades
    zones = [z for z in registry.zones.values() if z.enterprise == found.id and asking.scope.sees(z.id, z.enterprise)]
    return models.EnterpriseProfile(
        **present.enterprise(found).model_dump(), open_hazards=sum(c.confirmed + c.proposed for c in counts),
        overdue_hazards=sum(c.overdue for c in counts), major_hazards=gravest.confirmed if gravest else 0, repeat_days=policy.repeats.days,
        zones=[models.OwnZone(id=z.id, name=z.name, grade=z.grade.value, major_hazard_level=z.major_hazard_level) for z in zones],
        grades=[
            models.GradeCount(grade=grade, name=shown.grade_name(grade), confirmed=c.confirmed, proposed=c.proposed, overdue=c.overdue)
            for grade, c in graded.items()
        ],
        repeats=[models.Repeats(kind=kind, name=kind_name(kind, policy), count=count) for kind, count in sorted(profile.repeated.items())],
        inspections=policy.repeats.inspections if profile.repeated else None, inspections_ruling=ruling if profile.repeated else None,
    )  # fmt: skip


@router.get("/api/v1/waiting", summary="Devices that nobody registered")
async def get_waiting(asking: Asking, services: With, limit: Limit = 100) -> models.WaitingPage:
    """They send alarms, which are accepted into the zone ``unassigned``; a person decides where they belong.

    They lie in no district, so one who is bound to a district sees none."""
    if not asking.scope.everything:
        return models.WaitingPage(items=[], next=None)
    found = await services.database.reading(lambda c: waiting_devices(c, limit=clamp(limit)))
    time = services.presenter().time
    items = [
        models.WaitingDevice(device=w["device"], alarms=w["alarms"], first_at=time(w["first_at"]), last_at=time(w["last_at"]))
        for w in found
    ]
    return models.WaitingPage(items=items, next=None)


@router.get("/api/v1/site", summary="The applied site")
async def get_site(asking: Asking, services: With) -> models.SiteInfo:
    """Passwords in addresses are hidden."""
    registry = services.registry()
    devices = [msgspec.structs.replace(d, url=present.without_password(d.url)) for d in registry.site.devices]
    body = msgspec.to_builtins(msgspec.structs.replace(registry.site, devices=devices))
    return models.SiteInfo(version=registry.version, synthetic=registry.synthetic, body=body)


async def _read(request: Request, services: With) -> Site:
    body = await request.body()
    return await asyncio.to_thread(services.read_site, body)


@router.post("/api/v1/site/check", summary="Check a site file", openapi_extra=_FILE)
async def check_site(request: Request, asking: Asking, services: With) -> models.SiteCheck:
    """Nothing changes. Each problem is named by its line."""
    site = await _read(request, services)
    return models.SiteCheck(site=site.id, enterprises=len(site.enterprises), zones=len(site.zones), devices=len(site.devices))


@router.put("/api/v1/site", summary="Apply a site file", openapi_extra=_FILE)
async def put_site(request: Request, asking: Asking, services: With) -> models.SiteApplied:
    """What is gone from the file is marked removed, never deleted. Applying the same file again changes nothing."""
    site = await _read(request, services)
    change = await services.database.writing(lambda c: apply_site(c, site, by=asking.id, role=asking.role.value, now=services.now()))
    await services.reload_site()
    return models.SiteApplied(version=change.version, added=change.added, changed=change.changed, removed=change.removed)
