"""How cameras are over HTTP: who sees which, what of an address is not told, and when a red or orange zone is blind."""

import httpx

from hazards.cameras import CameraStatus, blind_zones
from storage.camera_statuses import note_cameras
from tests.api.conftest import System, bearer

URL = "/api/v1/cameras"


def note(system: System, *statuses: CameraStatus) -> None:
    with system.database.write() as connection:
        note_cameras(connection, statuses, now=system.now())


def status(system: System, camera: str, zone: str, **more: object) -> CameraStatus:
    return CameraStatus(**{"camera": camera, "zone": zone, "state": "live", "noted_at": system.now()} | more)  # type: ignore[arg-type]


async def test_everybody_sees_the_cameras_of_the_own_zones_with_state_and_figures(client: httpx.AsyncClient, system: System) -> None:
    figures = {"people_inside": 3.0}
    note(system, status(system, "CAM-1", "smelter", last_at=1_800_000_000_000_000, figures=figures), status(system, "CAM-2", "depot"))
    note(system, status(system, "CAM-2", "depot", state="lost", what="no answer in time", offline=True, reconnects=4))
    note(system, status(system, "CAM-9", "gone"))
    alu = (await client.get(URL, headers=bearer(system.token("enterprise", "alu")))).json()
    (one,) = alu["items"]
    assert (one["camera"], one["state_name"]["zh"], one["sees"], one["figures"]) == ("CAM-1", "正常", True, figures)
    assert one["last_frame_at"].startswith("2027-01-15T16:00:00")
    everything = (await client.get(URL, headers=bearer(system.token("operator")))).json()
    assert [(c["camera"], c["state"], c["sees"], c["reconnects"]) for c in everything["items"]] == [
        ("CAM-1", "live", True, 0), ("CAM-2", "lost", False, 4)
    ]  # fmt: skip
    assert everything["blind_zones"] == ["depot"]
    assert alu["blind_zones"] == []
    assert everything["unwatched_zones"] == ["tank"] and alu["unwatched_zones"] == []
    one_zone = (await client.get(URL, params={"zone": "depot"}, headers=bearer(system.token("operator")))).json()
    assert [c["camera"] for c in one_zone["items"]] == ["CAM-2"]


def test_a_zone_is_blind_when_all_of_its_cameras_see_nothing_and_only_if_it_must_be_seen(system: System) -> None:
    registry = system.registry
    cameras = [registry.devices["CAM-1"], registry.devices["CAM-2"]]
    covered = {"CAM-1": status(system, "CAM-1", "smelter", raised=["tamper"]), "CAM-2": status(system, "CAM-2", "depot", offline=True)}
    assert blind_zones(registry.zones, cameras, covered) == {"smelter": "CAM-1", "depot": "CAM-2"}
    assert blind_zones(registry.zones, cameras, {"CAM-1": covered["CAM-1"]}) == {"smelter": "CAM-1"}, "CAM-2 was not heard of yet"
    seeing = covered | {"CAM-1": status(system, "CAM-1", "smelter", raised=["flame"])}
    assert blind_zones(registry.zones, cameras, seeing) == {"depot": "CAM-2"}
    two = [*cameras, type(cameras[0])(id="CAM-3", zone="depot", type="camera")]
    assert "depot" not in blind_zones(registry.zones, two, covered | {"CAM-3": status(system, "CAM-3", "depot")})


async def test_what_a_camera_shows_is_for_those_who_see_its_zone(client: httpx.AsyncClient, system: System) -> None:
    own, other = bearer(system.token("enterprise", "alu")), bearer(system.token("enterprise", "chem"))
    url = f"{URL}/CAM-1/picture"
    assert (await client.get(url, headers=own)).status_code == 404, "nothing was seen yet"
    for picture in (b"first", b"second"):
        system.evidence.show("CAM-1", picture)
    shown = await client.get(url, headers=own)
    assert (shown.content, shown.headers["content-type"], shown.headers["cache-control"]) == (b"second", "image/jpeg", "no-store")
    assert shown.headers["last-modified"].endswith("GMT")
    for path, headers in ((url, other), (f"{URL}/T-101/picture", own), (f"{URL}/..%2Fx/picture", own)):
        assert (await client.get(path, headers=headers)).status_code == 404
