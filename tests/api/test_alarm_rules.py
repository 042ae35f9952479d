"""Alarm rules over the API: who reads, changes and withdraws them, what is refused and where, what each sees of others' zones, fuzz."""

import json
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from schemathesis import GenerationMode, openapi
from sqlalchemy import func, select

from bihuan.policy_file import shipped
from hazards.kind_sheets import OF_KINDS, ON_SITE
from hazards.response_sheets import OF_ANYTHING, OF_ENDINGS, OF_FAMILIES
from hazards.rules import AlarmRule, Comparison, Override, Words
from hazards.zones import Device
from storage import schema
from storage.site_store import apply_site
from tests.api.conftest import SITE, System, alarm, bearer
from tests.rules import rule

RULES = "/api/v1/alarm-rules"
DEVICES = [*SITE.devices, Device("T-102", "smelter", "sensor", settings={"metric": "temperature"})]
OVERRIDES = {"smelter": Override(limit=70.0, reason="新炉"), "tank": Override(limit=50.0)}


def body(each: AlarmRule, version: int = 0, reason: str = "试运行") -> dict[str, Any]:
    return {"rule": msgspec.to_builtins(each), "version": version, "reason": reason}


@pytest.fixture
async def desk(client: httpx.AsyncClient, system: System) -> "Desk":
    with system.database.write() as connection:
        rules = [rule(overrides=OVERRIDES), rule("tank_hot", zones=["tank"])]
        apply_site(connection, replace(SITE, devices=DEVICES, rules=rules), by="file", now=1)
    await system.reload_site()
    return Desk(client, system)


class Desk:
    """Roles at the API."""

    def __init__(self, client: httpx.AsyncClient, system: System) -> None:
        self.client, self.system, self.known = client, system, dict[tuple[str, str | None, str | None], dict[str, str]]()

    def of(self, role: str, enterprise: str | None = None, district: str | None = None) -> dict[str, str]:
        key = (role, enterprise, district)
        if key not in self.known:
            self.known[key] = bearer(self.system.token(role, enterprise, district))
        return self.known[key]

    async def get(self, path: str = "", role: str = "operator", status: int = 200, **who: str) -> Any:
        answer = await self.client.get(RULES + path, headers=self.of(role, **who))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def put(self, each: AlarmRule, version: int = 0, role: str = "bureau", status: int = 200, **who: str) -> Any:
        answer = await self.client.put(f"{RULES}/{each.id}", json=body(each, version), headers=self.of(role, **who))
        assert answer.status_code == status, answer.text
        return answer.json()

    async def post(self, path: str, sent: dict[str, Any], role: str = "bureau", status: int = 200, **who: str) -> Any:
        answer = await self.client.post(RULES + path, json=sent, headers=self.of(role, **who))
        assert answer.status_code == status, answer.text
        return answer.json()


def names(page: dict[str, Any]) -> list[str]:
    return [row["id"] for row in page["items"] if row["source"] != "pack"]


async def test_rules_are_listed_by_metric_zone_and_source_and_page_by_page(desk: Desk) -> None:
    await desk.put(rule("melt_new", metric="pressure", unit="kPa"))
    assert names(await desk.get()) == ["melt_hot", "melt_new", "tank_hot"]
    assert names(await desk.get("?metric=pressure")) == ["melt_new"]
    assert names(await desk.get("?zone=smelter&metric=temperature")) == ["melt_hot"] and names(await desk.get("?zone=nowhere")) == []
    assert names(await desk.get("?source=console")) == ["melt_new"]
    first = await desk.get("?source=site&limit=1")
    assert names(await desk.get(f"?source=site&limit=1&cursor={first['next']}")) == ["tank_hot"]


async def test_a_rule_says_in_one_sentence_what_it_means_where_it_holds_and_what_to_do(desk: Desk) -> None:
    shown = await desk.get("/melt_hot")
    assert shown["meaning"]["zh"] == "各区域：温度达到或高于 80 ℃，发出 2 级报警“温度高”；回差 2 ℃；2 个区域另有规定。"
    assert shown["meaning"]["en"].startswith("Every zone: when temperature is at or above 80 ℃, an alarm “temperature high” of")
    first = shown["reach"][0]
    assert (first["zone"], first["limit"], first["sensors"]) == ("smelter", 70.0, ["T-102"])
    assert first["others"] == ["T-101"], "it has limits of its own, which win"
    assert {z["zone"]: z["limit"] for z in shown["reach"]} == {"smelter": 70.0, "tank": 50.0, "depot": 80.0, "pipeline": 80.0}
    sheet = shown["response"]
    assert (sheet["within"], sheet["within_seconds"]) == ({"zh": "3 分钟", "en": "3 min"}, 180)
    assert [each["zh"] for each in sheet["call"]] == ["值班长", "园区攻坚指挥部"]
    assert (shown["source"], shown["version"], shown["may_change"], shown["file"]) == ("site", 1, False, None)


async def test_a_change_is_in_force_at_once_and_in_the_history_with_its_reason(desk: Desk, system: System) -> None:
    changed = await desk.put(rule(limit=60.0), 1)
    assert [changed[name] for name in ("version", "limit", "source", "basis")] == [2, 60.0, "console", "site"]
    assert changed["file"]["limit"] == 80.0
    assert system.registry.rules["melt_hot"].limit == 60.0
    page = await desk.get("/melt_hot/versions")
    assert [(v["version"], v["change"], v["reason"], v["rule"]["limit"]) for v in page["items"]] == [
        (2, "edited", "试运行", 60.0), (1, "file", "", 80.0)]  # fmt: skip
    first = await desk.get("/melt_hot/versions?limit=1")
    assert [v["version"] for v in (await desk.get(f"/melt_hot/versions?cursor={first['next']}"))["items"]] == [1]
    await desk.get("/melt_hot/versions?cursor=x", status=422)


async def test_who_saves_over_anothers_change_is_told_of_it_and_nothing_is_lost(desk: Desk) -> None:
    await desk.put(rule(limit=60.0), 1)
    problem = await desk.put(rule(limit=65.0), 1, status=409, role="administrator")
    assert [(c["number"], c["event_name"]["zh"]) for c in problem["changes"]] == [(2, "修改")]
    assert (await desk.get("/melt_hot"))["limit"] == 60.0


async def test_withdrawing_and_restoring(desk: Desk) -> None:
    await desk.put(rule(limit=60.0), 1)
    back = await desk.post("/melt_hot/withdraw", {"version": 2, "reason": "试运行结束"})
    assert (back["source"], back["limit"], back["may_withdraw"]) == ("site", 80.0, False)
    again = await desk.post("/melt_hot/restore", {"version": 3, "number": 2, "reason": "还要用"})
    assert (again["source"], again["limit"], again["change"]) == ("console", 60.0, "restored")
    assert (await desk.get("/melt_hot/versions"))["items"][0]["restored"] == 2
    await desk.post("/melt_hot/restore", {"version": 4, "number": 9, "reason": "x"}, status=404)
    await desk.post("/melt_hot/withdraw", {"version": 1, "reason": "x"}, status=409)
    await desk.put(rule("melt_new"))
    gone = await desk.post("/melt_new/withdraw", {"version": 1, "reason": "x"})
    assert gone["withdrawn"] and names(await desk.get("?withdrawn=true")) == ["melt_new"]
    assert "melt_new" not in names(await desk.get())


REFUSED = {
    "/rule/limit": rule(limit=None),
    "/rule/response/cause/zh": replace(rule(), response=replace(rule().response, cause=replace(rule().response.cause, zh=" "))),
    "/rule/unit": rule(unit="kPa"),
    "/rule/zones/0": rule(zones=["nowhere"]),
    "/rule/overrides/smelter/reason": rule(overrides={"smelter": Override(enabled=False)}),
    "/rule/enabled": rule(metric="methane", unit="%vol", limit=0.8, severity=1, deadband=0.0, enabled=False),
    "/rule/id": rule("Nice"),
}


@pytest.mark.parametrize("pointer", REFUSED)
async def test_what_is_wrong_is_named_by_its_field_when_tried_and_when_saved(desk: Desk, pointer: str) -> None:
    each = REFUSED[pointer]
    tried = await desk.post("/check", {"rule": msgspec.to_builtins(each)}, status=422, role="operator")
    saved = await desk.put(each, status=422)
    assert tried["pointer"] == saved["pointer"] == pointer


async def test_trying_a_rule_changes_nothing_and_says_where_it_would_hold(desk: Desk) -> None:
    tried = await desk.post("/check", {"rule": msgspec.to_builtins(rule("melt_try", grades=["red"]))}, role="analyst")
    assert ([z["zone"] for z in tried["reach"]], tried["sensors"], tried["kind"]) == (["smelter", "tank"], 1, "temperature_high")
    await desk.get("/melt_try", status=404)


async def test_only_those_who_answer_for_monitoring_change_rules(desk: Desk) -> None:
    for role in ("operator", "analyst", "park_command", "department", "district_leader"):
        await desk.put(rule(limit=60.0), 1, role=role, status=403)
        assert (await desk.get("/melt_hot", role=role))["may_change"] is False
    await desk.put(rule(limit=60.0), 1, role="safety_office")
    assert (await desk.get("/melt_hot", role="administrator"))["may_change"] is True


async def test_an_enterprise_reads_the_rules_of_its_own_zones_and_nothing_of_others(desk: Desk) -> None:
    alu = {"role": "enterprise", "enterprise": "alu"}
    assert names(await desk.get(**alu)) == ["melt_hot"] and names(await desk.get("?zone=tank", **alu)) == []
    shown = await desk.get("/melt_hot", **alu)
    assert list(shown["rule"]["overrides"]) == ["smelter"] and [z["zone"] for z in shown["reach"]] == ["smelter"]
    assert "tank" not in json.dumps(shown) and "储罐" not in json.dumps(shown, ensure_ascii=False)
    await desk.get("/tank_hot", status=404, **alu)
    await desk.get("/melt_hot/versions", status=403, **alu)
    await desk.post("/check", {"rule": msgspec.to_builtins(rule())}, status=403, **alu)


async def test_a_district_changes_rules_that_are_for_its_own_zones_only(desk: Desk, system: System) -> None:
    zones = [replace(zone, district="360111" if zone.id == "smelter" else "360112") for zone in SITE.zones]
    with system.database.write() as connection:
        rules = [rule(overrides=OVERRIDES), rule("tank_hot", zones=["tank"]), rule("own_hot", zones=["smelter"])]
        apply_site(connection, replace(SITE, district="3601", zones=zones, rules=rules), by="file", now=2)
    await system.reload_site()
    assert names(await desk.get(role="bureau", district="360111")) == ["melt_hot", "own_hot"]
    shown = await desk.get("/melt_hot", role="bureau", district="360111")
    assert list(shown["rule"]["overrides"]) == ["smelter"] and shown["may_change"] is False
    refused = await desk.put(rule(limit=60.0), 1, status=403, district="360111")
    assert refused["rule"] == "alarm_rule_scope"
    await desk.put(rule("own_hot", zones=["smelter", "tank"]), 1, status=403, district="360111")
    await desk.put(rule("tank_hot", zones=["smelter"]), 1, status=404, district="360111")
    assert (await desk.put(rule("own_hot", zones=["smelter"], limit=60.0), 1, district="360111"))["version"] == 2


def _marks(system: System) -> list[Any]:
    with system.database.read() as connection:
        counts = (select(func.count()).select_from(table) for table in (schema.alarm_rules, schema.hazard_events))
        return [connection.execute(count).scalar() for count in counts]


ODD = [b"", b"{", b"null", b"[]", b"{}", b"\xff\xfe", b'{"rule": 7}', b"[" * 3000, b'{"rule": {"id": "' + b"x" * 70_000 + b'"}}',
       *(json.dumps(body(rule(), 1)).replace(old, new).encode() for old, new in (
           ("80.0", "NaN"), ("80.0", "1e999"), ("80.0", "true"), ('"version": 1', '"version": 123456789012345678901234567890'),
           ("\\u8bd5\\u8fd0\\u884c", "\\u0000"), ("\\u8bd5\\u8fd0\\u884c", "\\ud800"), ("melt_hot", "melt\\u0000"), ("Cel", "\\udfff"),
           ("180000000", "99999999999999999999999"), ('"severity": 2', '"severity": 1e400'), ('"unit"', '"odd"')))]  # fmt: skip


async def test_what_no_schema_makes_is_refused_and_changes_nothing(desk: Desk, system: System) -> None:
    before = _marks(system)
    headers = desk.of("administrator") | {"Content-Type": "application/json"}
    for content in ODD:
        answer = await desk.client.put(f"{RULES}/melt_hot", content=content, headers=headers)
        assert answer.status_code in (413, 422), (answer.status_code, content[:80])
    assert _marks(system) == before


def test_no_body_breaks_anything_and_an_error_changes_nothing(system: System) -> None:
    headers, statuses = bearer(system.token("administrator")), set[int]()
    operation = openapi.from_asgi("/openapi.json", system.app)[f"{RULES}/{{id}}"]["PUT"]
    modes = (GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    good = msgspec.to_builtins(rule("fuzzed"))

    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])

    @seed(20261126)
    @given(cases, st.sets(st.sampled_from(sorted(good))), st.booleans())
    @settings(max_examples=40, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def run(case: Any, kept: set[str], whole: bool) -> None:
        kept = kept | set(good) if whole else kept
        if isinstance(case.body, dict) and isinstance(case.body.get("rule"), dict):
            case.path_parameters = {"id": "fuzzed"}
            mixed = {k: v for k, v in case.body["rule"].items() if k in good.keys() - kept or not whole} | {k: good[k] for k in kept}
            case.body = case.body | {"rule": mixed} | ({"version": 0, "reason": "x"} if whole else {})
        before = _marks(system)
        answer = case.call(headers=headers)
        statuses.add(answer.status_code)
        assert answer.status_code in {200, 404, 405, 409, 413, 422}, answer.text
        assert answer.status_code == 200 or _marks(system) == before

    run()
    assert {200, 409, 422} <= statuses


async def test_an_incident_carries_the_response_sheet_of_the_rule_of_its_gravest_alarm(desk: Desk, system: System) -> None:
    other = replace(rule().response, action=Words("降温", "cool it down"))
    await desk.put(rule("cool", response=other, kind="temperature_low", compares=Comparison.LOW, limit=1.0))
    headers = desk.of("operator")
    sent = [
        alarm("a", "T-101", "temperature_high", severity=2, rule_id="melt_hot"),
        alarm("b", "T-101", "temperature_rising", severity=3, rule_id="cool"),
    ]
    assert (await desk.client.post("/api/v1/alarms", json=sent, headers=headers)).status_code == 202
    assert (await desk.client.post("/api/v1/alarms", json=[alarm("c", "P-1", "temperature_low")], headers=headers)).status_code == 202
    assert (await desk.client.post("/api/v1/alarms", json=[alarm("d", "CAM-2", "never_heard_of")], headers=headers)).status_code == 202
    await system.apply()
    items = (await desk.client.get("/api/v1/incidents", headers=headers)).json()["items"]
    found = {each["zone"]: (await desk.client.get(f"/api/v1/incidents/{each['id']}", headers=headers)).json()["response"] for each in items}
    assert (found["smelter"]["rule"], found["smelter"]["action"]["zh"]) == ("melt_hot", "停炉并疏散")
    assert (found["pipeline"]["rule"], found["pipeline"]["kind"], found["pipeline"]["action"]["zh"]) == (None, "temperature_low", "降温")
    assert (found["depot"]["rule"], found["depot"]["kind"]) == (None, "never_heard_of") and found["depot"]["action"]["zh"]


async def test_the_sheet_is_that_of_the_gravest_alarm_that_stands_whatever_raised_it(desk: Desk, system: System) -> None:
    """A milder alarm by a rule, even one that is over, once hid what to do about methane."""
    headers = desk.of("operator")

    async def sheet_after(*sent: dict[str, Any]) -> tuple[str | None, str]:
        assert (await desk.client.post("/api/v1/alarms", json=list(sent), headers=headers)).status_code == 202
        await system.apply()
        (incident,) = (await desk.client.get("/api/v1/incidents?zone=tank", headers=headers)).json()["items"]
        found = (await desk.client.get(f"/api/v1/incidents/{incident['id']}", headers=headers)).json()["response"]
        return found["rule"], found["kind"]

    by_rule = {"severity": 2, "rule_id": "tank_hot"}
    assert await sheet_after(alarm("a", "G-201", "flammable_gas_high", **by_rule)) == ("tank_hot", "temperature_high")
    assert await sheet_after(alarm("b", "G-201", "methane_high_high")) == (None, "methane_high_high")
    await sheet_after(*(alarm(f"again-{n}", "G-201", "flammable_gas_high", **by_rule) for n in range(60)))
    assert await sheet_after(alarm("c", "G-201", "flammable_gas_high", "cleared")) == (None, "methane_high_high")
    again = [alarm("d", "G-201", "flammable_gas_high", **by_rule), alarm("e", "G-201", "methane_high_high", "cleared")]
    assert await sheet_after(*again) == ("tank_hot", "temperature_high")  # what stands decides before what was graver
    assert await sheet_after(alarm("f", "G-201", "flammable_gas_high", "cleared")) == (None, "methane_high_high")  # nothing stands


async def test_an_alarm_of_a_metric_of_the_sites_own_bears_the_name_of_its_rule(desk: Desk, system: System) -> None:
    named = Words("抽采甲烷浓度低", "drained methane low")
    await desk.put(rule("drained_low", metric="drained_methane", compares=Comparison.LOW, limit=30.0, name=named, unit="%vol"))
    headers = desk.of("operator")
    assert (await desk.client.post("/api/v1/alarms", json=[alarm("a", "P-1", "drained_methane_low")], headers=headers)).status_code == 202
    await system.apply()
    (incident,) = (await desk.client.get("/api/v1/incidents", headers=headers)).json()["items"]
    assert [each["name"] for each in incident["kind_names"]] == [{"zh": "抽采甲烷浓度低", "en": "drained methane low"}]


def test_whom_the_sheets_of_the_platform_and_of_the_packs_call_is_named_in_english() -> None:
    sheets = [*OF_KINDS.values(), *OF_ENDINGS.values(), *OF_FAMILIES.values(), OF_ANYTHING]
    sheets += [each.response for name in ("guangyuan", "shanxi") for each in shipped(name).alarm_rules]
    posts = {post.name for name in ("guangyuan", "shanxi") for post in shipped(name).posts}
    assert [who for sheet in sheets for who in sheet.call if who not in posts and who not in ON_SITE and not who.isdigit()] == []
