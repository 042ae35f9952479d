"""A province with parks in several districts, something happening in every zone, and who is bound where: for the tests of districts."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from api.roles import Role
from hazards.cameras import CameraStatus
from hazards.identity import delivery_id, endpoint_id
from hazards.zones import Agreement, Contact, Device, Enterprise, Grade, Site, Zone
from storage.camera_statuses import note_cameras
from storage.deliveries import EndpointRow, put_deliveries, sync_endpoints
from tests.api.conftest import System, alarm, bearer

PLACES = [
    # zone, its district (empty: the site's), 重大危险源 level, enterprise
    ("home-tank", "510802", 1, "home"),
    ("home-town", "510802001", None, "group"),
    ("beside-tank", "510803002", 2, "beside"),
    ("beside-yard", "510803", None, "group"),
    ("treaty-tank", "510703", 1, "treaty"),
    ("treaty-yard", "510703", None, "treaty"),
    ("cousin-tank", "510722", 4, "cousin"),
    ("far-tank", "520102", 1, "far"),
    ("city-tank", "", 3, "city"),
]
ZONES = [place[0] for place in PLACES]
SENSOR = {"metric": "temperature", "unit": "Cel", "limits": {"high": 60}}
SITE = Site(
    id="province", name="示例省", district="510800",
    enterprises=[Enterprise(e, f"{e}公司", [Contact(f"{e}值班室", phone=f"{e}-110")])
                 for e in ("home", "group", "beside", "treaty", "cousin", "far", "city")],
    zones=[Zone(zone, f"{zone}区", Grade.RED, enterprise, major_hazard_level=level, district=district)
           for zone, district, level, enterprise in PLACES],
    devices=[device for zone in ZONES for device in (
        Device(f"CAM-{zone}", zone, "camera", url=f"rtsp://10.0.0.7/{zone}", settings={"note": f"{zone}-note"}),
        Device(f"T-{zone}", zone, "sensor", settings=SENSOR),
    )],
    agreements=[Agreement(["510802", "510703"])],
)  # fmt: skip
BOUND_ROLES = [role for role in Role if role not in (Role.ADMINISTRATOR, Role.ENTERPRISE)]
CITY_HOOK = "https://everybody.example/hook"


@dataclass
class Happened:
    """What there is of each zone: ids and other words by which it would be recognised, ``files`` of evidence and ``subjects`` included."""

    ids: dict[str, list[str]] = field(default_factory=lambda: {zone: [] for zone in ZONES})
    files: dict[str, list[str]] = field(default_factory=lambda: {zone: [] for zone in ZONES})

    def words(self, zone: str) -> set[str]:
        """Anything that would tell of ``zone``."""
        return {zone, *self.ids[zone], *self.files[zone]}


async def let_something_happen(client: httpx.AsyncClient, system: System) -> Happened:
    """In every zone: an incident with a picture, a hazard with a file; each told to its enterprise's endpoint and to the city's."""
    happened = Happened()
    everybody, department = bearer(system.token("operator")), bearer(system.token("department"))
    for zone in ZONES:
        picture = system.evidence.put(zone.encode(), media_type="image/jpeg", device=f"CAM-{zone}", zone=zone, taken_at=1)
        event = alarm(f"signal-{zone}", device=f"CAM-{zone}", snapshot=picture, message=f"seen in {zone}")
        assert (await client.post("/api/v1/alarms", json=event, headers=everybody)).status_code == 202
        happened.files[zone].append(picture)
    stranger = alarm("signal-of-a-stranger", device="unregistered-thing", kind="device_fault")
    assert (await client.post("/api/v1/alarms", json=stranger, headers=everybody)).status_code == 202
    await system.apply()
    for incident in await everything(client, "/incidents", everybody):
        if incident["zone"] in ZONES:
            happened.ids[incident["zone"]].append(incident["id"])
    for zone in ZONES:
        body = {"zone": zone, "kind": "training", "grade": "serious", "title": f"未持证 {zone}"}
        hazard = (await client.post("/api/v1/hazards", json=body, headers=department)).json()
        happened.ids[zone].append(hazard["id"])
        png = {"Content-Type": "image/png"} | everybody
        photo = b"\x89PNG\r\n\x1a\n" + f"photo of {zone}".encode()
        kept = await client.post(f"/api/v1/hazards/{hazard['id']}/evidence", content=photo, headers=png)
        happened.files[zone].append(kept.json()["sha256"])
    await system.position()
    _tell(system, happened)
    for zone in ZONES:
        body = {"kind": "shutdown", "zone": zone, "reason": f"停产 {zone}"}
        made = await client.post("/api/v1/declarations", json=body, headers=bearer(system.token("administrator")))
        happened.ids[zone].append(made.json()["id"])
        hold = {"zone": zone, "begins": "2026-01-01T00:00:00Z", "ends": "2026-01-02T00:00:00Z", "reason": f"封存 {zone}"}
        held = await client.post("/api/v1/evidence-holds", json=hold, headers=bearer(system.token("administrator")))
        happened.ids[zone].append(held.json()["id"])
        patrol = await client.post("/api/v1/patrol-rounds", json={"zones": [zone]}, headers=bearer(system.token("administrator")))
        happened.ids[zone].append(patrol.json()["id"])
    with system.database.write() as connection:
        statuses = [CameraStatus(camera=f"CAM-{zone}", zone=zone, state="lost", noted_at=system.now(), offline=True) for zone in ZONES]
        note_cameras(connection, statuses, now=system.now())
    return happened


def endpoints() -> dict[str, EndpointRow]:
    """The enterprises' webhooks, and under "" the one that everything goes to."""
    rows = {e.id: EndpointRow(endpoint_id(e.id, f"https://{e.id}.example/"), e.id, f"https://{e.id}.example/") for e in SITE.enterprises}
    return rows | {"": EndpointRow(endpoint_id(None, CITY_HOOK), None, CITY_HOOK)}


def _tell(system: System, happened: Happened) -> None:
    rows, told, position = endpoints(), list[dict[str, Any]](), 0
    for zone, _, _, enterprise in PLACES:
        for subject in list(happened.ids[zone]):
            for endpoint in (rows[enterprise], rows[""]):
                position += 1
                body = f'{{"type":"x","data":{{"zone":"{zone}"}}}}'.encode()
                told.append({
                    "id": delivery_id(endpoint.id, position), "endpoint": endpoint.id, "enterprise": endpoint.enterprise,
                    "position": position, "subject": subject, "event": "incident.opened", "severity": 1, "body": body, "told": "{}",
                    "state": "waiting", "next_at": 5, "created_at": position, "last_error": None,
                })  # fmt: skip
                happened.ids[zone].append(delivery_id(endpoint.id, position))
    with system.database.write() as connection:
        sync_endpoints(connection, list(rows.values()), now=1)
        put_deliveries(connection, told)


async def everything(client: httpx.AsyncClient, path: str, headers: dict[str, str], *, limit: int = 500) -> list[dict[str, Any]]:
    """All items of a list, ``limit`` a page."""
    found, cursor = list[dict[str, Any]](), None
    while True:
        parameters = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(f"/api/v1{path}", params=parameters, headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found
