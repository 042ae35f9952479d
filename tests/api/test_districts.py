"""Who of which district sees what, and commands what: a parent its children, departments each other's 重大危险源, nothing else sideways."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from api.roles import ROUTES, Role
from hazards.zones import Site
from storage.database import sqlite_url
from storage.site_store import apply_site
from tests.api.conftest import Server, System, alarm, bearer, run_server
from tests.api.districts import BOUND_ROLES, PLACES, SITE, ZONES, Happened, endpoints, everything, let_something_happen
from tests.api.test_feed import Listener, listening


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    postgres: str = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return postgres or sqlite_url(tmp_path / "of-both.sqlite")


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = System(tmp_path, site=SITE)
    yield made
    made.close()


@pytest.fixture
async def happened(client: httpx.AsyncClient, system: System) -> Happened:
    return await let_something_happen(client, system)


@pytest.fixture
async def on_both(tmp_path: Path, url: str) -> AsyncIterator[tuple[httpx.AsyncClient, System]]:
    """A client of a system on either database."""
    system = System(tmp_path, site=SITE, database_url=url)
    async with (
        system.app.router.lifespan_context(system.app),
        httpx.AsyncClient(transport=httpx.ASGITransport(system.app), base_url="http://bihuan.test") as client,
    ):
        yield client, system
    system.close()


HOME, BESIDE, TREATY = {"home-tank", "home-town"}, {"beside-tank", "beside-yard"}, {"treaty-tank", "treaty-yard"}
SIDEWAYS = (Role.DEPARTMENT, Role.BUREAU, Role.PARK_COMMAND, Role.SAFETY_OFFICE)
TABLE: list[tuple[str | None, set[str], set[str]]] = [
    # district, the zones of which all is seen, the zones that a department finds in the register besides
    ("510802", HOME, {"beside-tank", "treaty-tank"}),
    ("510802000", HOME, {"beside-tank", "treaty-tank"}),
    ("510802001", {"home-town"}, set()),
    ("510802002", set(), set()),
    ("510803", BESIDE, {"home-tank"}),
    ("510800", {*HOME, *BESIDE, "city-tank"}, {"treaty-tank", "cousin-tank"}),
    ("510703", TREATY, {"cousin-tank", "home-tank"}),
    ("510722", {"cousin-tank"}, {"treaty-tank"}),
    ("510000", set(ZONES) - {"far-tank"}, {"far-tank"}),
    ("520000", {"far-tank"}, {z for z, _, level, _ in PLACES if level and z != "far-tank"}),
    (None, set(ZONES), set()),
]


async def test_who_sees_what(on_both: tuple[httpx.AsyncClient, System]) -> None:
    client, system = on_both
    happened = await let_something_happen(client, system)
    for row, (district, own, beside) in enumerate(TABLE):
        for role in BOUND_ROLES if row == 0 else (Role.OPERATOR, Role.DEPARTMENT):
            shared = beside if role in SIDEWAYS else set()
            headers = bearer(system.token(role.value, district=district))
            assert (await client.get("/api/v1/session", headers=headers)).json()["district"] == district
            for path, zones in (("/incidents", own), ("/alarm-states", own), ("/hazards", own), ("/declarations", own),
                                ("/zones", own | shared), ("/devices", own | shared), ("/series", own | shared)):  # fmt: skip
                found = await everything(client, path, headers, limit=2 if role is Role.BUREAU else 500)
                told = {item["zone"] if path != "/zones" else item["id"] for item in found} - {"unassigned"}
                assert told == zones, (district, role, path)
                if path in ("/zones", "/devices", "/series"):
                    flagged = {item["zone"] if path != "/zones" else item["id"] for item in found if item["shared"]}
                    assert flagged == shared, (district, role, path)
            owners = {enterprise for zone, _, _, enterprise in PLACES if zone in own}
            assert {e["id"] for e in await everything(client, "/enterprises", headers)} == owners
    headers = bearer(system.token("operator", district="510802"))
    assert {d["subject"] for d in await everything(client, "/deliveries", headers)} == {i for z in HOME for i in happened.ids[z][:2]}
    hooks = endpoints()
    assert {w["id"] for w in await everything(client, "/webhooks", headers)} == {hooks["home"].id}, "group has a yard elsewhere"
    parent = bearer(system.token("operator", district="510800"))
    assert {w["id"] for w in await everything(client, "/webhooks", parent)} == {hooks[e].id for e in ("home", "group", "beside", "city")}


LISTS = {
    "/api/v1/alarm-quality",  # bad actors by their device
    "/api/v1/incidents", "/api/v1/alarm-states", "/api/v1/hazards", "/api/v1/zones", "/api/v1/devices", "/api/v1/enterprises",
    "/api/v1/series",
    "/api/v1/deliveries", "/api/v1/webhooks", "/api/v1/waiting", "/api/v1/hazards/export",
    "/api/v1/declarations", "/api/v1/evidence-holds", "/api/v1/cameras", "/api/v1/patrol-rounds",
}  # fmt: skip
"""Lists that tell of the park: somebody who sees all finds the foreign there, so the walk would, too."""
RULES = {"/api/v1/alarm-rules", "/api/v1/alarm-rules/{id}", "/api/v1/alarm-rules/{id}/withdraw", "/api/v1/alarm-rules/{id}/restore"}
"""Who of a district sees and changes which: ``tests/api/test_alarm_rules.py``."""
TELL_NOTHING = {
    "/api/v1/alarm-rules",  # those of the pack, which name no zone
    "/api/v1/works",
    "/api/v1/policy", "/api/v1/policy/versions", "/api/v1/duties", "/api/v1/ledger/anchors",  # digests of the whole, no word of it
    "/api/v1/session", "/healthz", "/readyz", "/metrics", "/openapi.json", "/",
    "/api/v1/users", "/api/v1/tokens", "/api/v1/site", "/api/v1/dead-letters",  # the administrator's alone, who is bound to nothing
}  # fmt: skip
REGISTER = {"/api/v1/zones", "/api/v1/zones/{id}", "/api/v1/devices", "/api/v1/devices/{id}", "/api/v1/series"}
ENDLESS = "/api/v1/feed"  # has tests of its own below
GETS = [path for method, path in ROUTES if method == "GET" and path not in (ENDLESS, "/console/{path:path}")]


def most_of(path: str) -> dict[str, str]:
    """The parameters with which a list tells the most, as text."""
    return {"limit": "500"} | ({"format": "csv"} if path.endswith("/export") else {})


def test_every_list_is_known_to_tell_of_the_park_or_not_to() -> None:
    assert {path for path in GETS if "{" not in path} == LISTS | TELL_NOTHING


def foreign_words(happened: Happened, own: set[str]) -> set[str]:
    """What would tell of zones other than ``own``: names, ids, enterprises that own nothing here."""
    foreign = [place for place in PLACES if place[0] not in own]
    owners = {enterprise for zone, _, _, enterprise in PLACES if zone in own}
    words = {f"{e}公司" for _, _, _, e in foreign if e not in owners} | {f"{e}.example" for _, _, _, e in foreign if e not in owners}
    return words.union({"unregistered-thing", "signal-of-a-stranger"}, *(happened.words(zone) for zone, *_ in foreign))


async def answers(
    client: httpx.AsyncClient, path: str, happened: Happened, headers: dict[str, str]
) -> AsyncIterator[tuple[str, dict[str, str], httpx.Response]]:
    """What a GET route says, to every foreign id when it takes one, and to the filters that name a zone: id, query, answer."""
    ids = [word for zone in LOOKED_FOR for word in (*happened.words(zone), f"CAM-{zone}", f"T-{zone}")]
    ids += ["beside", "group", "far", *(row.id for e, row in endpoints().items() if e in ("beside", "group", "far", "")), "1"]
    asked: list[tuple[str, dict[str, str]]] = [(i, {}) for i in ids] if "{" in path else [("", {})]
    if "{" not in path:
        asked += [("", {"zone": zone}) for zone in LOOKED_FOR]
        asked += [("", {"device": f"T-{zone}", "metric": "temperature"}) for zone in LOOKED_FOR]
    for name, query in asked:
        full = re.sub(r"\{[^}]*\}", name, path)
        yield name, query, await client.get(full, params=most_of(path) | query, headers=headers)


WALKERS = (Role.OPERATOR, Role.DEPARTMENT)
"""One who reads the register sideways and one who does not."""
LOOKED_FOR = ("beside-tank", "beside-yard", "far-tank")
"""Foreign zones whose every id is tried: a shared one, one beside it that is not, one far away."""


def test_the_walkers_may_call_whatever_anybody_of_a_district_may() -> None:
    for (method, path), row in ROUTES.items():
        if path in RULES and method != "GET":  # a bureau's and a safety office's alone
            continue
        assert row.roles is None or not row.roles & set(BOUND_ROLES) or row.roles & set(WALKERS), (method, path)


@pytest.mark.parametrize("role", WALKERS)
async def test_no_get_route_tells_a_district_of_another(client: httpx.AsyncClient, system: System, happened: Happened, role: Role) -> None:
    headers, all_seeing = bearer(system.token(role.value, district="510802")), bearer(system.token("operator"))
    shared = {"beside-tank", "treaty-tank"} if role in SIDEWAYS else set()
    words = foreign_words(happened, HOME)
    system.later(minutes=10)  # the period in which it happened is over
    for path in GETS:
        if path in LISTS:
            text = (await client.get(path, params=most_of(path), headers=all_seeing)).text
            assert any(word in text for word in words), path
        async for name, query, answer in answers(client, path, happened, headers):
            text = answer.text
            if answer.status_code >= 400:  # a refusal may repeat what was asked for
                for given in (name, *query.values()):
                    text = text.replace(given, "") if given else text
            told = {word for word in words if word in text}
            if path in REGISTER:
                told -= shared
                assert not any(f"{zone}-note" in text or f"10.0.0.7/{zone}" in text for zone in shared), "neither address nor settings"
            assert not told, (role, path, name, query, told)


async def test_points_of_a_shared_sensor_and_its_pictures_are_not_shared(
    client: httpx.AsyncClient, system: System, happened: Happened
) -> None:
    headers = bearer(system.token("bureau", district="510802"))
    for zone, status in (("home-tank", 200), ("beside-tank", 404), ("far-tank", 404)):
        query = {"device": f"T-{zone}", "metric": "temperature"}
        assert (await client.get("/api/v1/series", params=query, headers=headers)).status_code == status
        for file in happened.files[zone]:
            assert (await client.get(f"/api/v1/evidence/{file}", headers=headers)).status_code == status
    picture = happened.files["far-tank"][0]
    quoting = alarm("quoting", device="CAM-home-tank", snapshot=picture)
    assert (await client.post("/api/v1/alarms", json=quoting, headers=headers)).status_code == 202
    await system.apply()
    assert (await client.get(f"/api/v1/evidence/{picture}", headers=headers)).status_code == 404, "quoting a foreign hash opens nothing"
    zone = (await client.get("/api/v1/zones/beside-tank", headers=headers)).json()
    assert (zone["shared"], zone["major_hazard_level"], zone["district"]) == (True, 2, "510803002")
    device = (await client.get("/api/v1/devices/CAM-beside-tank", headers=headers)).json()
    assert (device["shared"], device["url"], device["settings"], device["areas"]) == (True, "", {}, {})
    assert (await client.get("/api/v1/zones/beside-yard", headers=headers)).status_code == 404


TRIED = ("/incidents", "/hazards", "/declarations", "/evidence-holds", "/patrol-rounds", "/deliveries", "/webhooks")
POSTS = [
    ("/incidents/{id}/commands", {"command": "comment", "text": "越界"}),
    ("/hazards/{id}/commands", {"command": "comment", "text": "越界"}),
    ("/hazards/{id}/evidence", None),
    ("/declarations/{id}/end", {"reason": "越界"}),
    ("/evidence-holds/{id}/lift", {"reason": "越界"}),
    ("/patrol-rounds/{id}/looks", {"camera": "CAM-beside-tank", "judgement": "normal", "pictured": True}),
    ("/patrol-rounds/{id}/end", None),
    ("/deliveries/{id}/replay", None),
    ("/webhooks/{id}/commands", {"command": "turn_off", "reason": "x"}),
]  # fmt: skip


def test_every_command_on_something_that_happens_in_a_zone_is_tried() -> None:
    others = {"/users/{id}", "/tokens/{id}", "/dead-letters/{id}/resend", "/duties/{id}/commands"}  # of no zone
    written = {path.removeprefix("/api/v1") for method, path in ROUTES if method != "GET" and "{" in path}
    assert written == {path for path, _ in POSTS} | others | {path.removeprefix("/api/v1") for path in RULES if "{" in path}


@pytest.mark.parametrize("role", WALKERS)
async def test_nobody_commands_outside_of_the_own_district(
    client: httpx.AsyncClient, system: System, happened: Happened, role: Role
) -> None:
    headers, all_seeing = bearer(system.token(role.value, district="510802")), bearer(system.token("operator"))
    before = [await everything(client, path, all_seeing) for path in TRIED]
    hooks = [row.id for e, row in endpoints().items() if e != "home"]
    for path, body in POSTS:
        allowed = ROUTES["POST", f"/api/v1{path}"].roles or set()
        for name in [*(i for zone in LOOKED_FOR for i in happened.ids[zone]), *hooks]:
            sent: dict[str, Any] = {"json": body} if body else {"content": b"x", "headers": {"Content-Type": "image/png"}}
            answer = await client.post(f"/api/v1{path.replace('{id}', name)}", **(sent | {"headers": sent.get("headers", {}) | headers}))
            assert answer.status_code == (404 if role in allowed else 403), (path, answer.text)
    for zone in LOOKED_FOR:
        by_hand = {"zone": zone, "kind": "training", "grade": "general", "title": "越界"}
        answer = await client.post("/api/v1/hazards", json=by_hand, headers=headers)
        assert answer.status_code == 422 and "no zone" in answer.text
        shutdown = {"kind": "shutdown", "zone": zone, "reason": "越界"}
        answer = await client.post("/api/v1/declarations", json=shutdown, headers=headers)
        assert answer.status_code == (422 if role is Role.DEPARTMENT else 403), "an operator declares no shutdown"
        answer = await client.post("/api/v1/hazards", json={"incident": happened.ids[zone][0]}, headers=headers)
        assert answer.status_code == 404
    assert before == [await everything(client, path, all_seeing) for path in TRIED]
    own = await client.post(
        f"/api/v1/incidents/{happened.ids['home-town'][0]}/commands", json={"command": "comment", "text": "收到"}, headers=headers
    )
    assert own.status_code == 200


async def test_a_parent_commands_in_its_children(client: httpx.AsyncClient, system: System, happened: Happened) -> None:
    headers = system.person("zhao", "department", district="510800")
    for zone in ("home-town", "beside-yard", "city-tank"):
        command = {"command": "confirm", "grade": "serious"}
        answer = await client.post(f"/api/v1/hazards/{happened.ids[zone][1]}/commands", json=command, headers=headers)
        assert answer.status_code == 200, answer.text


async def test_a_bound_token_speaks_for_devices_of_its_district_and_for_unknown_ones(client: httpx.AsyncClient, system: System) -> None:
    headers = bearer(system.token("department", district="510802"))
    for device, status in (("CAM-home-town", 202), ("nobody-knows", 202), ("CAM-beside-tank", 403), ("CAM-far-tank", 403)):
        answer = await client.post("/api/v1/alarms", json=alarm("one", device=device), headers=headers)
        assert answer.status_code == status, answer.text
        pack = [{"n": f"{device.replace('CAM', 'T')}/temperature", "v": 20}]
        answer = await client.post("/api/v1/telemetry", json=pack, headers=headers)
        assert answer.status_code == status, answer.text
        assert status == 202 or answer.json()["basis"] == "platform_default"


async def test_a_bound_token_can_not_use_up_the_ids_of_another_districts_senders(client: httpx.AsyncClient, system: System) -> None:
    for district, device in (("510802", "CAM-home-tank"), ("510803", "CAM-beside-tank"), (None, "CAM-far-tank")):
        headers = bearer(system.token("department", district=district))
        same = alarm("same id", device=device) | {"source": "one source"}
        assert (await client.post("/api/v1/alarms", json=same, headers=headers)).status_code == 202
    assert await system.apply() == 3


async def test_a_zone_that_is_gone_from_the_site_still_belongs_to_its_district(
    client: httpx.AsyncClient, system: System, happened: Happened
) -> None:
    without = msgspec.structs.replace(SITE, zones=[z for z in SITE.zones if z.id not in ("home-town", "beside-tank")],
                                      devices=[d for d in SITE.devices if d.zone not in ("home-town", "beside-tank")])  # fmt: skip
    await apply(system, without)
    headers = bearer(system.token("department", district="510802"))
    assert {h["zone"] for h in await everything(client, "/hazards", headers)} == HOME
    assert {z["id"] for z in await everything(client, "/zones", headers)} == {"home-tank", "treaty-tank"}
    answer = await client.get(f"/api/v1/evidence/{happened.files['home-town'][0]}", headers=headers)
    assert answer.status_code == 200


async def apply(system: System, site: Site) -> None:
    with system.database.write() as connection:
        apply_site(connection, site, by="test", now=2)
    await system.reload_site()


# --- the feed ---
@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Server]:
    from api.settings import ApiSettings

    made = System(tmp_path, site=SITE, settings=ApiSettings(principal_freshness=0.0, feed_heartbeat=0.2, feed_kept=3))
    yield from run_server(made)
    made.close()


def flame(zone: str, name: str = "") -> dict[str, Any]:
    return alarm(f"{zone}{name}", device=f"CAM-{zone}")


def test_a_district_hears_its_own_from_the_window_and_from_sql(quick: Server) -> None:
    token = quick.system.token("department", district="510802")
    with listening(quick, token, after=0) as live:
        quick.post(*(flame(zone) for zone in ("beside-tank", "far-tank", "treaty-tank", "home-town")))
        assert live.incident()[1]["zone"] == "home-town"
        quick.post(flame("beside-yard"), flame("home-tank"))
        assert live.incident()[1]["zone"] == "home-tank"
    with listening(quick, token, after=0) as late:  # the window keeps three: these come from SQL
        assert [late.incident()[1]["zone"] for _ in range(2)] == ["home-town", "home-tank"]


def until_reset(feed: Listener) -> None:
    while feed.next()[0] != "reset":
        pass


def test_a_living_feed_takes_up_a_change_of_the_site(quick: Server) -> None:
    moved = {"beside-yard": "510802", "home-town": "510803"}
    zones = [msgspec.structs.replace(z, district=moved.get(z.id, z.district)) for z in SITE.zones]
    with listening(quick, quick.system.token("operator", district="510802"), after=0) as feed:
        quick.post(flame("home-town"), flame("beside-yard"))
        assert feed.incident()[1]["zone"] == "home-town"
        quick.run(apply(quick.system, msgspec.structs.replace(SITE, zones=zones)))
        until_reset(feed)
        quick.post(alarm("later", device="CAM-home-town", kind="intrusion"), alarm("later", device="CAM-beside-yard", kind="intrusion"))
        assert feed.incident()[1]["zone"] == "beside-yard"


def test_a_feed_ends_when_its_person_is_bound_anew(quick: Server) -> None:
    quick.system.user("wang", "department")
    url, administrator = quick.url, quick.system.person("root", "administrator")
    with httpx.Client(base_url=url) as client:
        assert client.post("/api/v1/session", json={"name": "wang", "password": "correct horse battery"}).status_code == 200
        with client.stream("GET", "/api/v1/feed?after=0", timeout=20) as answer:
            feed = Listener(answer)
            assert feed.next()[0] == "status"
            bound = httpx.patch(f"{url}/api/v1/users/wang", json={"district": "510802"}, headers=administrator)
            assert (bound.status_code, bound.json()["district"]) == (200, "510802")
            quick.post(flame("far-tank"))
            with pytest.raises(EOFError):
                while True:
                    feed.next()
        me = client.get("/api/v1/session").json()
        assert me["district"] == "510802"
        assert client.get("/api/v1/incidents").json()["items"] == []


# --- binding people and machines ---
@pytest.mark.parametrize(
    ("role", "district", "said"),
    [
        ("administrator", "510802", "takes no district"), ("enterprise", "510802", "takes no district"),
        ("department", "510002", "no district"), ("bureau", "000000", "no district"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("what", ["tokens", "users"])
async def test_a_district_that_does_not_fit_is_refused(
    client: httpx.AsyncClient, system: System, what: str, role: str, district: str, said: str
) -> None:
    body: dict[str, Any] = {"role": role, "district": district} | ({"enterprise": "home"} if role == "enterprise" else {})
    body |= {"id": "li", "name": "李", "password": "correct horse battery"} if what == "users" else {}
    answer = await client.post(f"/api/v1/{what}", json=body, headers=system.person("root", "administrator"))
    assert answer.status_code == 422 and said in answer.text and "/district" in answer.text


@pytest.mark.parametrize("district", ["51", "5108 2", "510802x", 510802, "51080200"])
async def test_what_is_no_code_at_all_is_refused_at_its_field(client: httpx.AsyncClient, system: System, district: Any) -> None:
    answer = await client.post(
        "/api/v1/tokens", json={"role": "bureau", "district": district}, headers=bearer(system.token("administrator"))
    )
    assert answer.status_code == 422 and "/district" in answer.text


async def test_people_and_tokens_are_made_with_a_district_and_people_get_another(client: httpx.AsyncClient, system: System) -> None:
    root = system.person("root", "administrator")
    made = await client.post("/api/v1/tokens", json={"role": "bureau", "district": "510802"}, headers=root)
    assert (made.status_code, made.json()["district"]) == (201, "510802")
    assert [t["district"] for t in await everything(client, "/tokens", root)] == ["510802"]
    person = {"id": "li", "name": "李", "role": "department", "password": "correct horse battery", "district": "510802001"}
    assert (await client.post("/api/v1/users", json=person, headers=root)).json()["district"] == "510802001"
    for change, district in (({"disabled": False}, "510802001"), ({"district": "510803"}, "510803"), ({"district": None}, None)):
        answer = await client.patch("/api/v1/users/li", json=change, headers=root)
        assert (answer.status_code, answer.json()["district"]) == (200, district)
    assert (await client.patch("/api/v1/users/nobody", json={"district": "510803"}, headers=root)).status_code == 404
    answer = await client.patch("/api/v1/users/li", json={"district": "000000"}, headers=root)
    assert answer.status_code == 422
