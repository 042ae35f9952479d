"""Declarations at the API: who enters and ends which, what is refused where, who sees what, what the feed and the zones show."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.roles import DECLARING, Role
from hazards.declarations import Declared
from hazards.declaring import TERMS
from hazards.works import WORKS
from tests.api.conftest import Server, System, alarm, bearer
from tests.api.ledger import BY_HAND
from tests.api.test_duties import until_incident
from tests.api.test_feed import listening

PATH = "/api/v1/declarations"


def of(system: System, role: str) -> dict[str, str]:
    """Headers; "enterprise" is the aluminium works'."""
    return bearer(system.token(role, "alu" if role == "enterprise" else None))


def at(system: System, *, hours: float = 0) -> str:
    moment = datetime.fromtimestamp(system.now() / 1_000_000).astimezone() + timedelta(hours=hours)
    return moment.isoformat()


def body(system: System, kind: str = "permit", **changed: Any) -> dict[str, Any]:
    """A declaration that can be entered."""
    own: dict[str, dict[str, Any]] = {
        "permit": {"work": "hot_work", "guardian": "王五"}, "calibration": {"devices": ["T-101"]}, "shutdown": {"reason": "检修"},
        "key_period": {"zone": "", "reason": "防汛"}, "shelved": {"devices": ["T-101"], "alarms": ["temperature_high"], "reason": "抖动"},
        "out_of_service": {"devices": ["CAM-1"], "reason": "维修"},
    }  # fmt: skip
    return {"kind": kind, "zone": "smelter", "ends_at": at(system, hours=2), **own[kind], **changed}


async def enter(client: httpx.AsyncClient, system: System, role: str = "enterprise", **fields: Any) -> dict[str, Any]:
    answer = await client.post(PATH, json=body(system, **fields), headers=of(system, role))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_permit_is_entered_shown_with_its_names_and_ended_with_a_reason(client: httpx.AsyncClient, system: System) -> None:
    made = await enter(client, system, level="first")
    named = [made[name]["zh"] for name in ("kind_name", "work_name", "level_name", "zone_name")]
    assert named == ["作业票", "动火", "一级", "熔铸车间"] and made["guardian"] == "王五"
    assert (made["enterprise_name"], made["standing"], made["may_end"]) == ("示例铝业", "in_force", True)
    assert made["starts_at"].endswith("+08:00")
    ended = await client.post(f"{PATH}/{made['id']}/end", json={"reason": "完工", "version": 1}, headers=of(system, "enterprise"))
    assert ended.status_code == 200 and ended.json()["standing"] == "ended" and ended.json()["ended_why"] == "完工"
    assert ended.json()["planned_end"] == made["ends_at"] and ended.json()["may_end"] is False
    again = await client.post(f"{PATH}/{made['id']}/end", json={"reason": "完工"}, headers=of(system, "enterprise"))
    assert again.status_code == 409 and again.json()["pointer"] == "/command"
    assert (await client.get(f"{PATH}/{made['id']}", headers=of(system, "operator"))).json()["standing_name"]["zh"] == "已提前结束"


async def test_a_request_of_one_name_is_one_declaration(client: httpx.AsyncClient, system: System) -> None:
    headers, wanted = of(system, "enterprise"), body(system, command_id="票-7")
    first, second = [await client.post(PATH, json=wanted, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200) and first.json()["id"] == second.json()["id"]
    other = await client.post(PATH, json=wanted | {"guardian": "赵六"}, headers=headers)
    assert other.status_code == 409 and other.json()["pointer"] == "/command_id"


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_enters_and_ends_what_its_row_says(client: httpx.AsyncClient, system: System, role: Role) -> None:
    headers = of(system, role.value)
    me = (await client.get("/api/v1/session", headers=headers)).json()
    assert set(me["declares"]) == {kind.value for kind, row in DECLARING.items() if role in row.enters}
    for kind, row in DECLARING.items():
        answer = await client.post(PATH, json=body(system, kind.value), headers=headers)
        may = role in row.enters and role is not Role.DEPARTMENT  # the zone belongs to an enterprise
        assert answer.status_code == (201 if may else 403), (kind, answer.text)
        if answer.status_code == 403 and role not in (Role.ANALYST, Role.DISTRICT_LEADER):
            assert answer.json()["rule"] == f"declaration {kind.value}" and answer.json()["basis"] == "platform_default"
        made = await enter(client, system, "administrator", kind=kind.value)
        seen = (await client.get(f"{PATH}/{made['id']}", headers=headers)).json()
        ended = await client.post(f"{PATH}/{made['id']}/end", json={"reason": "r"}, headers=headers)
        assert ended.status_code == (200 if role in row.ends else 403), (kind, ended.text)
        assert seen["may_end"] == (role in row.ends)


async def test_a_department_enters_for_a_zone_that_belongs_to_no_enterprise(client: httpx.AsyncClient, system: System) -> None:
    headers = of(system, "department")
    refused = await client.post(PATH, json=body(system, "permit"), headers=headers)
    assert refused.status_code == 403 and "that enters it itself" in refused.json()["detail"]
    zone = next(z.id for z in system.registry.site.zones if z.enterprise is None)
    assert (await client.post(PATH, json=body(system, "permit") | {"zone": zone}, headers=headers)).status_code == 201


def test_every_kind_that_can_be_entered_has_its_roles_and_its_terms() -> None:
    assert set(DECLARING) == set(TERMS) == set(Declared) - {Declared.STOP_ORDER, Declared.MEASURE}


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"zone": "nowhere"}, "/zone"), ({"zone": "tank"}, "/zone"), ({"zone": ""}, "/zone"), ({"work": ""}, "/work"),
        ({"work": "cooking"}, "/work"), ({"guardian": " "}, "/guardian"), ({"ends_at": None}, "/ends_at"),
        ({"level": "fourth"}, "/level"), ({"devices": ["G-201"]}, "/devices/0"), ({"kind": "stop_order"}, "/kind"),
        ({"ends_at": "2000-01-01T00:00:00+08:00"}, "/ends_at"), ({"starts_at": "2000-01-01T00:00:00+08:00"}, "/starts_at"),
        ({"alarms": ["Flame!"]}, "/alarms/0"), ({"surplus": 1}, "/surplus"), ({"starts_at": "2026-01-01T00:00:00"}, "/starts_at"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_pointed_at(client: httpx.AsyncClient, system: System, changed: dict[str, Any], pointer: str) -> None:
    answer = await client.post(PATH, json=body(system) | changed, headers=of(system, "enterprise"))
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert pointer == problem.get("pointer") or pointer in [e["pointer"] for e in problem.get("errors") or []], problem


async def test_an_enterprise_sees_its_own_and_what_is_of_the_whole_site(client: httpx.AsyncClient, system: System) -> None:
    own = await enter(client, system)
    other = await client.post(PATH, json=body(system, zone="tank"), headers=bearer(system.token("enterprise", "chem")))
    period = await enter(client, system, "bureau", kind="key_period")
    headers = of(system, "enterprise")
    assert [d["id"] for d in (await client.get(PATH, headers=headers)).json()["items"]] == [period["id"], own["id"]]
    assert len((await client.get(PATH, headers=of(system, "analyst"))).json()["items"]) == 3
    foreign = f"{PATH}/{other.json()['id']}"
    assert (await client.get(foreign, headers=headers)).status_code == 404
    assert (await client.post(f"{foreign}/end", json={"reason": "r"}, headers=headers)).status_code == 404
    query = {"kind": "permit", "state": "in_force", "zone": "tank"}
    assert [d["id"] for d in (await client.get(PATH, params=query, headers=of(system, "operator"))).json()["items"]] == [other.json()["id"]]
    tomorrow = {"at": at(system, hours=24)}
    assert (await client.get(PATH, params=tomorrow, headers=headers)).json()["items"] == []


async def test_a_zone_shows_what_is_in_force_on_it_and_its_stop_orders(client: httpx.AsyncClient, system: System) -> None:
    permit = await enter(client, system)
    department, headers = of(system, "department"), of(system, "enterprise")
    hazard = (await client.post("/api/v1/hazards", json=BY_HAND | {"zone": "smelter"}, headers=department)).json()
    measure = {"command": "measure", "kind": "stop_production", "authority": "应急局"}
    taken = await client.post(f"/api/v1/hazards/{hazard['id']}/commands", json=measure, headers=department)
    assert taken.status_code == 200, taken.text
    shown = (await client.get("/api/v1/zones/smelter", headers=headers)).json()["in_force"]
    assert [(d["kind"], d["hazard"]) for d in shown] == [("permit", None), ("stop_order", hazard["id"])]
    assert shown[1]["measure_name"]["zh"] == "停产停业整顿" and shown[1]["reason"]["zh"] == "应急局"
    zones = (await client.get("/api/v1/zones", headers=of(system, "operator"))).json()["items"]
    assert {z["id"]: len(z["in_force"]) for z in zones} == {"smelter": 2, "tank": 0, "depot": 0, "pipeline": 0}
    refused = await client.post(f"{PATH}/{shown[1]['id']}/end", json={"reason": "r"}, headers=of(system, "administrator"))
    assert refused.status_code == 409 and "measure of its hazard" in refused.json()["detail"]
    await client.post(f"{PATH}/{permit['id']}/end", json={"reason": "r"}, headers=headers)
    assert [d["kind"] for d in (await client.get("/api/v1/zones/smelter", headers=headers)).json()["in_force"]] == ["stop_order"]


async def test_the_kinds_of_work_are_told_with_their_longest_validity(client: httpx.AsyncClient, system: System) -> None:
    items = {w["work"]: w for w in (await client.get("/api/v1/works", headers=of(system, "enterprise"))).json()["items"]}
    assert list(items) == list(WORKS) and items["hot_work"]["name"] == {"zh": "动火", "en": "hot work"}
    assert {level["level"]: level["longest_hours"] for level in items["hot_work"]["levels"]} == {"special": 8, "first": 8, "second": 72}
    assert "flame" in items["hot_work"]["explains"]


@pytest.mark.parametrize(("role", "hears"), [("operator", True), ("enterprise", True), ("enterprise:chem", False)])
def test_what_is_declared_comes_over_the_feed_to_who_may_see_it(server: Server, role: str, hears: bool) -> None:
    system = server.system
    with httpx.Client(base_url=server.url) as desk:
        answer = desk.post(PATH, json=body(system), headers=of(system, "enterprise"))
        assert answer.status_code == 201
    server.run(system.position())
    server.post(alarm("afterwards", device="CAM-2" if role == "enterprise:chem" else "CAM-1"))
    name, _, enterprise = role.partition(":")
    with listening(server, system.token(name, enterprise or ("alu" if name == "enterprise" else None)), after=0) as feed:
        told = [data for event, _, data in until_incident(feed) if event == "declaration"]
    assert [notice["id"] for notice in told] == ([answer.json()["id"]] if hears else [])
    if hears:
        assert told[0]["event_name"]["zh"] == "登记" and told[0]["declaration"]["work_name"]["zh"] == "动火"
