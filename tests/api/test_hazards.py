"""Hazards through the API, by role: the whole loop, each refusal with its rule and basis, scope, files, and the live feed."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest

from api.hazard_requests import HazardCommand
from api.roles import Role
from hazards.ledger.lifecycle import COMMANDS
from tests.api.conftest import Server, System, alarm, bearer
from tests.api.ledger import BY_HAND, PLAN, PNG, Ledger, paper
from tests.api.test_feed import listening
from tests.packs import POLICY


@pytest.fixture
def ledger(client: httpx.AsyncClient, system: System) -> Ledger:
    return Ledger(client, system)


async def test_a_serious_hazard_from_the_flame_to_its_closing(ledger: Ledger) -> None:
    assert (await ledger.client.post("/api/v1/alarms", json=alarm("a"), headers=ledger.of("operator"))).status_code == 202
    await ledger.system.apply()
    (incident,) = (await ledger.get("/incidents")).json()["items"]
    answer = await ledger.post("/hazards", "operator", incident=incident["id"])
    assert answer.status_code == 201
    hazard = answer.json()
    assert (hazard["kind"], hazard["grade"], hazard["confirmed"], hazard["origin"]) == ("fire", "serious", False, "incident")
    assert hazard["title"] == "熔铸车间：火灾隐患（明火）" and hazard["due_ruling"]["rule"] == "provisional_clock"
    again = await ledger.post("/hazards", "bureau", incident=incident["id"])
    assert again.status_code == 200 and again.json()["id"] == hazard["id"]

    await ledger.refused(hazard, "operator", "confirm", 403, "confirmed_by_person", grade="serious")
    await ledger.refused(hazard, "enterprise:alu", "start_rectification", 409, "confirmed_before_rectification")
    evacuated = await ledger.done(hazard, "enterprise:alu", "measure", kind="evacuate", authority="值班长")
    assert evacuated["measures"][0]["kind_name"]["zh"] == "撤离人员"
    confirmed = await ledger.done(hazard, "department", "confirm", grade="serious")
    due = datetime.fromisoformat(confirmed["due_at"])
    assert due.strftime("%H:%M:%S%z") == "23:59:59+0800"
    begun = datetime.fromisoformat(confirmed["confirmed_at"])
    assert due.utcoffset() == begun.utcoffset() and due.date() - begun.date() == timedelta(days=15)
    assert confirmed["due_ruling"]["basis"] == "interpretation"
    await ledger.done(hazard, "enterprise:alu", "start_rectification")

    problem = await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_gate", note="已灭火")
    (evidence,) = problem["gate"]["evidence"]
    assert (evidence["incident"], evidence["why"], evidence["devices"]) == (incident["id"], "standing", ["CAM-1"])
    assert problem["gate"]["verdict"] == "refuted" and problem["ruling"]["basis_name"]["zh"] == "平台默认规则，非文件条款"
    await ledger.client.post("/api/v1/alarms", json=alarm("b", action="cleared"), headers=ledger.of("operator"))
    await ledger.system.apply()
    claimed = await ledger.done(hazard, "enterprise:alu", "claim", note="已灭火，更换密封", evidence=[paper()])
    assert claimed["gate"]["question"] == "accept" and claimed["gate"]["verdict"] == "clear"
    taken = datetime.fromisoformat(claimed["claim"]["evidence"][0]["taken_at"])
    assert taken.utcoffset() == timedelta(hours=8) and [p["counts"] for p in claimed["gate"]["papers"]] == [True]

    await ledger.client.post("/api/v1/alarms", json=alarm("c"), headers=ledger.of("operator"))
    await ledger.system.apply()
    problem = await ledger.refused(hazard, "department", "accept", 409, "evidence_gate")
    assert problem["gate"]["evidence"][0]["raised"] == 1
    await ledger.client.post("/api/v1/alarms", json=alarm("d", action="cleared"), headers=ledger.of("operator"))
    await ledger.system.apply()
    problem = await ledger.refused(hazard, "department", "accept", 409, "evidence_gate")
    assert problem["gate"]["evidence"][0]["why"] == "raised_since"
    await ledger.done(hazard, "department", "refuse", reason="复燃，未整改到位")
    await ledger.done(hazard, "enterprise:alu", "claim", note="再次整改")
    await ledger.refused(hazard, "enterprise:alu2", "accept", 403, "accepted_by_authority")
    await ledger.done(hazard, "department", "accept", note="现场核实")
    await ledger.done(hazard, "enterprise:alu", "end_measure", measure=evacuated["measures"][0]["number"])
    closed = await ledger.done(hazard, "bureau", "close")
    assert closed["state"] == "closed" and closed["gate"] is None and closed["state_name"]["zh"] == "已销号"
    assert (await ledger.give(hazard, "bureau", "close")).status_code == 409

    events = (await ledger.get(f"/hazards/{hazard['id']}/events")).json()["items"]
    assert [e["event"] for e in events] == [
        "proposed", "measure_taken", "confirmed", "rectification_started", "gate_refused", "claimed", "gate_refused", "refused",
        "claimed", "accepted", "measure_ended", "closed",
    ]  # fmt: skip
    digest = "0" * 64
    for number, event in enumerate(events, 1):
        digest = sha256(digest.encode() + event["recorded"].encode()).hexdigest()
        assert (event["number"], event["digest"]) == (number, digest)
    assert events[-1]["ruling"]["sources"][0] == {
        "document": "004", "clause": "19", "title": {"zh": "江西省2020年文件", "en": "Jiangxi province, 2020"}, "standing": "unknown",
        "standing_name": {"zh": "效力未核实", "en": "standing not verified"},
    }  # fmt: skip


async def test_a_major_hazard_needs_criterion_and_all_five_commitments(ledger: Ledger) -> None:
    hazard = await ledger.put_down(grade="major")
    problem = await ledger.refused(hazard, "bureau", "confirm", 422, "criterion_for_major", grade="major")
    assert problem["pointer"] == "/criterion"
    await ledger.done(hazard, "bureau", "confirm", grade="major", criterion="demo-5")
    problem = await ledger.refused(hazard, "enterprise:alu", "start_rectification", 409, "plan_before_rectification")
    assert problem["ruling"]["sources"][0]["standing"] == "draft"
    four = {name: text for name, text in PLAN.items() if name != "contingency"}
    problem = await ledger.refused(hazard, "enterprise:alu", "plan", 422, "five_commitments", **four)
    assert problem["pointer"] == "/contingency" and problem["basis"] == "clause"
    await ledger.refused(hazard, "enterprise:alu", "measure", 403, "coercive_measures", kind="seal", authority="x")
    sealed = await ledger.done(hazard, "park_command", "measure", kind="seal", authority="指挥部", until="2099-01-01T00:00:00+08:00")
    await ledger.done(hazard, "park_command", "end_measure", measure=sealed["measures"][0]["number"])
    assert (await ledger.done(hazard, "enterprise:alu", "plan", **PLAN))["plan"]["funds"] == "5万元"
    await ledger.refused(hazard, "enterprise:alu", "start_rectification", 409, "plan_approval")
    assert (await ledger.done(hazard, "department", "approve_plan"))["plan"]["approved_at"]
    rectifying = await ledger.done(hazard, "enterprise:alu", "start_rectification")
    assert rectifying["gate"]["verdict"] == "not_applicable" and rectifying["gate"]["reasons"] == ["no_watcher", "papers_needed"]
    problem = await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_instead", note="已培训")
    assert problem["gate"]["verdict"] == "not_applicable"
    await ledger.done(hazard, "enterprise:alu", "claim", note="已培训", evidence=[paper()])
    await ledger.refused(hazard, "department", "accept", 409, "expert_acceptance")
    await ledger.inspected(hazard)
    assert (await ledger.done(hazard, "department", "accept"))["state"] == "accepted"


async def test_a_general_hazard_is_accepted_by_a_second_person_of_the_enterprise(ledger: Ledger) -> None:
    hazard = await ledger.put_down("enterprise:alu", grade="general")
    assert hazard["origin"] == "self_inspection"
    await ledger.done(hazard, "department", "confirm", grade="general")
    await ledger.done(hazard, "enterprise:alu", "start_rectification")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.refused(hazard, "enterprise:alu", "accept", 403, "second_person")
    await ledger.done(hazard, "enterprise:alu2", "accept")
    await ledger.refused(hazard, "enterprise:alu", "close", 403, "second_person")
    assert (await ledger.done(hazard, "enterprise:alu2", "close"))["state"] == "closed"


async def test_the_hazard_says_what_the_caller_may_do_and_why_not(ledger: Ledger) -> None:
    hazard = await ledger.put_down()

    async def allowed(who: str) -> dict[str, Any]:
        found = (await ledger.get(f"/hazards/{hazard['id']}", who)).json()["commands"]
        assert [c["command"] for c in found] == list(COMMANDS) or {c["command"] for c in found} == set(COMMANDS)
        assert all(c["allowed"] == (c["why_not"] is None) and c["name"]["zh"] for c in found)
        return {c["command"]: c["why_not"]["rule"] if c["why_not"] else None for c in found}

    of_department, of_enterprise, of_analyst = await allowed("department"), await allowed("enterprise:alu"), await allowed("analyst")
    assert of_department["confirm"] is None and of_department["claim"] == "responsible_party"
    assert of_enterprise["confirm"] == "confirmed_by_person" and of_enterprise["measure"] is None and of_enterprise["claim"] == "claim"
    assert of_analyst["comment"] == "record" and None not in of_analyst.values()


BODIES: dict[str, dict[str, Any]] = {
    "confirm": {"grade": "odd"}, "regrade": {"grade": "odd", "reason": "x"}, "measure": {"kind": "odd", "authority": "x"},
    "end_measure": {"measure": 1}, "report": {"to": "department", "recipient": "x"}, "publish": {"place": "x"},
    "list": {"number": "x", "supervisor": "x"}, "request_extension": {"days": 1, "cause": "odd", "reason": "x"},
    "file_extension": {"number": "x"}, "supervise": {"number": "x", "supervisor": "x"}, "summon": {"with_whom": "x", "note": "x"},
    "refer": {"to": "x", "number": "x", "reason": "x"}, "waive_penalty": {"item": "odd", "reason": "x"}, "claim": {"note": "x"},
    "inspect": {"posts": [], "passed": True, "note": "x"}, "transfer": {"to": "x", "reason": "x"}, "merge": {"into": "x", "reason": "x"},
    "comment": {"text": "x"}, **{name: {"reason": "x"} for name in ("dismiss", "return_plan", "refuse_extension", "refuse", "reopen")},
}  # fmt: skip
"""A body for each command that needs one; none of them has much of an effect."""


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_gives_exactly_the_commands_that_the_pack_gives_it(ledger: Ledger, role: Role) -> None:
    hazard = await ledger.put_down()
    who = f"{role.value}:alu" if role is Role.ENTERPRISE else role.value
    for command, right in POLICY.commands.items():
        path = "/hazards" if command == "propose" else f"/hazards/{hazard['id']}/commands"
        answer = await ledger.post(path, who, **({} if command == "propose" else {"command": command}), **BODIES.get(command, {}))
        if role.value not in right.roles:
            assert answer.status_code == 403, (command, answer.text)
            if role is not Role.ANALYST:  # whom the route itself does not let in
                assert answer.json()["rule"] == right.rule and f"{role.value} may not" in answer.json()["detail"]
        else:
            assert answer.status_code != 403 or f"{role.value} may not {command.replace('_', ' ')}" not in answer.json()["detail"] or (
                answer.json()["rule"] == "accepted_by_authority"), (command, answer.text)  # fmt: skip


def test_every_command_of_the_domain_has_its_model_and_its_roles() -> None:
    names = {model.model_fields["command"].annotation.__args__[0] for model in HazardCommand.__args__[0].__args__}  # type: ignore[attr-defined]
    assert names == set(COMMANDS) == set(POLICY.commands) - {"propose"}
    assert all(Role.ADMINISTRATOR in right.roles for right in POLICY.commands.values())


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/zone"), ({"zone": "smelter", "kind": "fire", "grade": "serious"}, "/title"), (BY_HAND | {"zone": "nowhere"}, "/zone"),
     (BY_HAND | {"grade": "odd"}, "/grade"), (BY_HAND | {"kind": "Odd!"}, "/kind"), (BY_HAND | {"title": "x" * 201}, "/title"),
     (BY_HAND | {"title": "a\x00"}, "/title"), (BY_HAND | {"more": 1}, "/more"), ({"incident": "nothing"}, None)],
)  # fmt: skip
async def test_a_proposal_that_is_none_is_refused_by_field(ledger: Ledger, body: dict[str, Any], pointer: str | None) -> None:
    answer = await ledger.post("/hazards", "operator", **body)
    assert answer.status_code == (404 if pointer is None else 422) and answer.json().get("pointer") == pointer
    assert (await ledger.get("/hazards")).json()["items"] == []


@pytest.mark.parametrize(
    ("command", "fields", "pointer"),
    [("explode", {}, ""), ("confirm", {}, "/grade"), ("confirm", {"grade": "odd"}, "/grade"), ("comment", {"text": " "}, "/text"),
     ("measure", {"kind": "evacuate", "authority": "x", "start": "2020-01-01T00:00:00"}, "/start"),
     ("measure", {"kind": "evacuate", "authority": "x", "start": "2099-01-01T00:00:00Z"}, "/start"),
     ("measure", {"kind": "evacuate", "authority": "x", "start": "2999-01-01T00:00:00Z"}, "/start"),
     ("measure", {"kind": "evacuate", "authority": "x", "until": "1969-01-01T00:00:00Z"}, "/until"),
     ("end_measure", {"measure": 7}, "/measure"), ("comment", {"text": "x", "version": 9}, "/version")],
)  # fmt: skip
async def test_a_command_that_is_none_is_422_and_changes_nothing(
    ledger: Ledger, command: str, fields: dict[str, Any], pointer: str
) -> None:
    hazard = await ledger.put_down()
    answer = await ledger.give(hazard, "administrator", command, **fields)
    assert answer.status_code == 422 and answer.json()["pointer"] == pointer
    assert (await ledger.get(f"/hazards/{hazard['id']}")).json()["version"] == 1


async def test_a_stale_version_and_a_used_command_id_are_clear_conflicts(ledger: Ledger) -> None:
    hazard = await ledger.put_down()
    await ledger.done(hazard, "department", "confirm", grade="serious", version=1)
    answer = await ledger.give(hazard, "bureau", "confirm", grade="general", version=1)
    assert (
        answer.status_code == 409 and answer.json()["type"] == "urn:bihuan:problem:conflict" and "at version 2" in answer.json()["detail"]
    )
    first = await ledger.done(hazard, "bureau", "comment", text="x", command_id="k1")
    second = await ledger.done(hazard, "bureau", "comment", text="x", command_id="k1")
    assert first["version"] == second["version"] == 3
    assert (await ledger.give(hazard, "department", "comment", text="y", command_id="k1")).status_code == 409
    twice = [await ledger.post("/hazards", "operator", **BY_HAND, command_id="p1") for _ in range(2)]
    assert [a.status_code for a in twice] == [201, 200] and twice[0].json()["id"] == twice[1].json()["id"] != hazard["id"]


async def test_an_enterprise_sees_and_touches_only_its_own(ledger: Ledger) -> None:
    own, theirs = await ledger.put_down(), await ledger.put_down(zone="depot")
    nobodys = await ledger.put_down(zone="pipeline")
    assert [h["id"] for h in (await ledger.get("/hazards", "enterprise:alu")).json()["items"]] == [own["id"]]
    for hazard in (theirs, nobodys):
        path = f"/hazards/{hazard['id']}"
        for suffix in ("", "/events"):
            assert (await ledger.get(path + suffix, "enterprise:alu")).status_code == 404
        for command in ({"command": "comment", "text": "x"}, {"command": "confirm", "grade": "general"}):
            assert (await ledger.post(path + "/commands", "enterprise:alu", **command)).status_code == 404
        kept = await ledger.client.post(
            f"/api/v1{path}/evidence", content=PNG, headers=ledger.of("enterprise:alu") | {"Content-Type": "image/png"}
        )
        assert kept.status_code == 404
    assert (await ledger.post("/hazards", "enterprise:alu", **(BY_HAND | {"zone": "depot"}))).json()["pointer"] == "/zone"


async def test_files_of_evidence_are_kept_by_content_and_seen_by_their_own(ledger: Ledger) -> None:
    hazard = await ledger.put_down()
    await ledger.done(hazard, "department", "confirm", grade="serious")
    await ledger.done(hazard, "enterprise:alu", "start_rectification")
    path = f"/api/v1/hazards/{hazard['id']}/evidence"

    async def upload(data: bytes, media_type: str = "image/png", who: str = "enterprise:alu") -> httpx.Response:
        return await ledger.client.post(path, content=data, headers=ledger.of(who) | {"Content-Type": media_type})

    answer = await upload(PNG)
    assert answer.status_code == 201 and answer.json()["sha256"] == sha256(PNG).hexdigest()
    assert (await upload(PNG)).status_code == 201, "the same file again is the same file"
    assert (await upload(b"")).status_code == 422 and (await upload(b"x", "text/html")).status_code == 422
    assert (await upload(b"hello", "image/jpeg")).status_code == (await upload(PNG, "application/pdf")).status_code == 422, "no such file"
    assert (await upload(b"x" * 10_000_001)).status_code == 413 and (await upload(PNG, who="analyst")).status_code == 403
    foreign = paper(sha256="0" * 64, document="")
    refused = await ledger.give(hazard, "enterprise:alu", "claim", note="x", evidence=[foreign])
    assert refused.status_code == 422 and refused.json()["pointer"] == "/evidence/0/sha256"
    claimed = await ledger.done(hazard, "enterprise:alu", "claim", note="x", evidence=[paper(sha256=answer.json()["sha256"], document="")])
    url = claimed["claim"]["evidence"][0]["url"]
    for who, status in (("enterprise:alu", 200), ("department", 200), ("enterprise:chem", 404)):
        seen = await ledger.client.get(url, headers=ledger.of(who))
        assert seen.status_code == status and (status != 200 or seen.content == PNG)


async def test_the_same_file_is_evidence_in_every_zone_for_which_it_was_uploaded(ledger: Ledger) -> None:
    hazards = [await ledger.rectifying(zone=zone) for zone in ("smelter", "depot")]  # of alu, of chem
    named = paper(sha256=sha256(PNG).hexdigest(), document="")
    for hazard, own, other in zip(hazards, ("enterprise:alu", "enterprise:chem"), ("enterprise:chem", "enterprise:alu"), strict=True):
        kept = await ledger.client.post(
            f"/api/v1/hazards/{hazard['id']}/evidence", content=PNG, headers=ledger.of(own) | {"Content-Type": "image/png"}
        )
        assert kept.status_code == 201
        claimed = await ledger.done(hazard, own, "claim", note="x", evidence=[named])
        url = claimed["claim"]["evidence"][0]["url"]
        assert (await ledger.client.get(url, headers=ledger.of(own))).content == PNG
        seen = await ledger.client.get(url, headers=ledger.of(other))
        assert seen.status_code == (404 if hazard is hazards[0] else 200), "who never uploaded it does not see it"


async def test_lists_filter_page_and_clamp(ledger: Ledger) -> None:
    made = [
        await ledger.put_down(zone=zone, grade=grade) for zone, grade in (("smelter", "general"), ("depot", "major"), ("tank", "serious"))
    ]
    await ledger.done(made[2], "department", "dismiss", reason="不属隐患")

    async def zones(query: str) -> list[str]:
        return [h["zone"] for h in (await ledger.get(f"/hazards{query}")).json()["items"]]

    assert await zones("") == ["tank", "depot", "smelter"] and await zones("?state=proposed&state=dismissed&limit=1") == ["tank"]
    assert await zones("?state=proposed") == ["depot", "smelter"] and await zones("?enterprise=chem") == ["tank", "depot"]
    assert await zones("?grade=major&grade=general&zone=depot") == ["depot"] and await zones("?overdue=true") == []
    assert await zones("?overdue=false") == ["tank", "depot", "smelter"]
    with ledger.system.database.write() as connection:
        late = int((datetime.now(UTC) - timedelta(days=1)).timestamp() * 1e6)
        connection.exec_driver_sql(f"UPDATE hazards SET due_at = {late}, body = json_set(body, '$.due_at', {late})")
    assert await zones("?overdue=true") == ["depot", "smelter"]
    assert [h["overdue"] for h in (await ledger.get("/hazards")).json()["items"]] == [False, True, True]
    seen, cursor = [], ""
    while True:
        page = (await ledger.get(f"/hazards?limit=1{cursor}")).json()
        seen += [h["id"] for h in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == [h["id"] for h in reversed(made)]
    for wrong in ("cursor=nonsense", "state=odd", "zone=%00", "overdue=maybe"):
        assert (await ledger.get(f"/hazards?{wrong}")).status_code == 422, wrong


def test_hazards_come_on_the_feed_within_their_scope_and_can_be_resumed(server: Server) -> None:
    system = server.system
    token, alu, chem = system.token("operator"), system.token("enterprise", "alu"), system.token("enterprise", "chem")

    def put_down(zone: str) -> dict[str, Any]:
        answer = httpx.post(f"{server.url}/api/v1/hazards", json=BY_HAND | {"zone": zone}, headers=bearer(token))
        server.run(system.position())
        made: dict[str, Any] = answer.json()
        return made

    with listening(server, token) as all_of_it, listening(server, alu) as own:
        assert all_of_it.next()[0] == own.next()[0] == "status"
        server.post(alarm("a", device="G-201", kind="flammable_gas_high"))
        theirs, ours = put_down("depot"), put_down("smelter")
        assert all_of_it.next()[0] == "incident"
        event, position, seen = all_of_it.next()
        assert (event, seen["id"], seen["state_name"]["zh"]) == ("hazard", theirs["id"], "待确认")
        assert seen["basis"]["kind"] == "platform_default"
        assert all_of_it.next()[2]["id"] == ours["id"]
        event, _, seen = own.next()
        assert (event, seen["id"]) == ("hazard", ours["id"])
    with listening(server, token, last=position) as resumed, listening(server, chem, after=0) as others:
        assert [resumed.next()[0], resumed.next()[0], resumed.next()[2]["id"]] == ["status", "flood", ours["id"]]
        assert [others.next()[0] for _ in range(3)] == ["status", "flood", "incident"] and others.next()[2]["id"] == theirs["id"]
