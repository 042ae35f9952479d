"""Incidents to those who may see them, commands by those who may give them, each with its clear refusal."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.conftest import System, alarm, bearer


async def opened(client: httpx.AsyncClient, system: System, *events: dict[str, Any]) -> list[dict[str, Any]]:
    assert (await client.post("/api/v1/alarms", json=list(events))).status_code == 202
    await system.apply()
    items: list[dict[str, Any]] = (await client.get("/api/v1/incidents")).json()["items"]
    return items


async def command(client: httpx.AsyncClient, incident: dict[str, Any], name: str, **fields: Any) -> httpx.Response:
    return await client.post(f"/api/v1/incidents/{incident['id']}/commands", json={"command": name, **fields})


async def test_acknowledge_assign_comment_shelve_and_their_record(operator: httpx.AsyncClient, system: System) -> None:
    system.user("wang", "operator")
    (incident,) = await opened(operator, system, alarm("a"))
    done = (await command(operator, incident, "acknowledge", version=incident["version"])).json()
    assert done["annunciation"] == "acknowledged" and done["acknowledged_by"].startswith("token:") and done["acknowledged_at"]
    assert (await command(operator, incident, "assign", to="wang")).json()["assigned_to"] == "wang"
    assert (await command(operator, incident, "comment", text="已到现场")).status_code == 200
    shelved = (await command(operator, incident, "shelve", minutes=30, reason="检修")).json()
    assert shelved["annunciation"] == "shelved" and shelved["shelve_reason"] == "检修"
    assert (await command(operator, incident, "unshelve")).json()["shelved_until"] is None
    events = (await operator.get(f"/api/v1/incidents/{incident['id']}/events")).json()["items"]
    assert [e["event"] for e in events] == ["opened", "acknowledged", "assigned", "commented", "shelved", "unshelved"]
    assert events[3]["details"]["text"] == "已到现场" and events[3]["event_name"]["zh"] == "备注"


async def test_what_was_received_late_says_so_in_the_incidents_record(operator: httpx.AsyncClient, system: System) -> None:
    then = (datetime.now(UTC) - timedelta(hours=2, minutes=3)).isoformat()
    (incident,) = await opened(operator, system, {**alarm("a"), "time": then})
    await opened(operator, system, alarm("b", device="T-101", kind="temperature_high"))
    events = (await operator.get(f"/api/v1/incidents/{incident['id']}/events")).json()["items"]
    alarms = (await operator.get(f"/api/v1/incidents/{incident['id']}/alarms")).json()["items"]
    for late, in_time in ((events[0], events[1]), (alarms[0], alarms[1])):
        assert 7380 <= late["late_seconds"] < 7400 and in_time["late_seconds"] is None


async def test_assigning_to_nobody_known_is_refused(operator: httpx.AsyncClient, system: System) -> None:
    (incident,) = await opened(operator, system, alarm("a"))
    refused = await command(operator, incident, "assign", to="wnag")
    assert refused.status_code == 422 and refused.json()["pointer"] == "/to"


async def test_closing_by_hand_needs_a_reason_and_is_on_the_record(operator: httpx.AsyncClient, system: System) -> None:
    (incident,) = await opened(operator, system, alarm("a"))
    assert (await command(operator, incident, "close", reason=" ")).json()["pointer"] == "/reason"
    done = (await command(operator, incident, "close", reason="误报，已核实")).json()
    assert done["state"] == "closed" and done["why"] == {"zh": "人工关闭", "en": "closed by hand"}
    last = (await operator.get(f"/api/v1/incidents/{incident['id']}/events")).json()["items"][-1]
    assert last["event"] == "closed" and last["details"]["reason"] == "误报，已核实"
    assert (await command(operator, incident, "close", reason="x")).status_code == 409


async def test_an_incident_says_when_it_was_last_raised_and_why_without_gaps(operator: httpx.AsyncClient, system: System) -> None:
    (first,) = await opened(operator, system, alarm("a"))
    (again,) = await opened(operator, system, alarm("b"))
    assert again["raised_at"] == first["raised_at"] is not None
    assert again["reason"] == "opened" and again["alarm_count"] == 2, "a repetition is not why it is there"


async def test_a_second_source_makes_an_acknowledged_incident_surer_graver_and_unacknowledged_again(
    operator: httpx.AsyncClient, system: System
) -> None:  # fmt: skip
    (seen,) = await opened(operator, system, alarm("a"))
    assert (seen["severity"], seen["certainty"], seen["family"]) == (2, "possible", "fire")
    assert (await command(operator, seen, "acknowledge")).json()["annunciation"] == "acknowledged"
    (now,) = await opened(operator, system, alarm("b", device="T-101", kind="temperature_high"))
    assert (now["id"], now["severity"], now["certainty"], now["annunciation"]) == (seen["id"], 1, "observed", "unacknowledged")
    why = now["corroboration"]
    assert (why["rule"], why["basis"], why["needs"]) == ("fire", "platform_default", "modalities")
    assert [(s["device"], s["kind"], s["modality"]) for s in why["sources"]] == [
        ("CAM-1", "flame", "camera"), ("T-101", "temperature_high", "sensor")]  # fmt: skip
    assert "CAM-1" in why["sentence"]["en"] and "independent kinds of evidence agree (platform default, no clause)" in why["sentence"]["en"]
    alarms = (await operator.get(f"/api/v1/incidents/{now['id']}/alarms")).json()["items"]
    assert alarms[-1]["reason"] == "corroborated" and alarms[-1]["why"]["zh"].endswith("可信度升为“已印证”")
    events = (await operator.get(f"/api/v1/incidents/{now['id']}/events")).json()["items"]
    assert [e["event"] for e in events] == ["opened", "acknowledged", "certainty_raised", "severity_raised"]
    assert events[-1]["details"]["from"] == 2 and events[-1]["why"] == why["sentence"] and events[0]["why"] is None
    assert (await command(operator, now, "acknowledge")).json()["annunciation"] == "acknowledged"


async def test_an_acknowledged_incident_stays_so_while_alarms_repeat_and_clear(operator: httpx.AsyncClient, system: System) -> None:
    (incident,) = await opened(operator, system, alarm("a"))
    await command(operator, incident, "acknowledge")
    (again,) = await opened(operator, system, alarm("b"), alarm("c", action="cleared"))
    assert again["state"] == "cleared" and again["annunciation"] == "acknowledged" and again["alarm_count"] == 3


async def test_what_the_state_does_not_allow_is_409(operator: httpx.AsyncClient, system: System) -> None:
    (incident,) = await opened(operator, system, alarm("a"))
    await command(operator, incident, "acknowledge")
    twice = await command(operator, incident, "acknowledge")
    assert twice.status_code == 409 and twice.json()["type"] == "urn:bihuan:problem:not-in-state"
    assert (await command(operator, incident, "unshelve")).status_code == 409
    stale = await command(operator, incident, "comment", text="x", version=incident["version"])
    assert stale.status_code == 409 and stale.json()["type"] == "urn:bihuan:problem:conflict"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"command": "explode"}, ""), ({}, ""), ({"command": "comment"}, "/text"), ({"command": "comment", "text": "  "}, "/text"),
     ({"command": "shelve", "minutes": 0, "reason": "x"}, "/minutes"), ({"command": "shelve", "minutes": 5}, "/reason"),
     ({"command": "acknowledge", "version": "1"}, "/version"), ({"command": "comment", "text": "a\x00b"}, "/text")],
)  # fmt: skip
async def test_a_command_that_is_not_one_is_422_by_field(
    operator: httpx.AsyncClient, system: System, body: dict[str, Any], pointer: str
) -> None:
    (incident,) = await opened(operator, system, alarm("a"))
    answer = await operator.post(f"/api/v1/incidents/{incident['id']}/commands", json=body)
    assert answer.status_code == 422 and answer.json()["pointer"] == pointer


async def test_an_enterprise_sees_only_its_own_everywhere(client: httpx.AsyncClient, operator: httpx.AsyncClient, system: System) -> None:
    picture = system.evidence.put(b"\xff\xd8picture", media_type="image/jpeg", device="CAM-2", zone="depot", taken_at=1)
    events = (
        alarm("a"),
        alarm("b", device="CAM-2", snapshot=picture),
        alarm("c", device="P-1", kind="power_lost"),
        alarm("d", device="??"),
    )
    by_zone = {i["zone"]: i for i in await opened(operator, system, *events)}
    assert set(by_zone) == {"smelter", "depot", "pipeline", "unassigned"}
    alu, chem = bearer(system.token("enterprise", "alu")), bearer(system.token("enterprise", "chem"))
    assert [i["zone"] for i in (await client.get("/api/v1/incidents", headers=alu)).json()["items"]] == ["smelter"]
    for zone in ("depot", "pipeline", "unassigned"):
        path = f"/api/v1/incidents/{by_zone[zone]['id']}"
        for suffix in ("", "/alarms", "/events"):
            assert (await client.get(path + suffix, headers=alu)).status_code == 404
        for name in ({"command": "comment", "text": "x"}, {"command": "acknowledge"}):
            assert (await client.post(path + "/commands", json=name, headers=alu)).status_code == 404
    for path, own in (("zones", ["smelter"]), ("devices", ["CAM-1", "T-101"]), ("enterprises", ["alu"])):
        assert [x["id"] for x in (await client.get(f"/api/v1/{path}", headers=alu)).json()["items"]] == own
    for path in ("zones/tank", "zones/pipeline", "devices/G-201", "enterprises/chem"):
        assert (await client.get(f"/api/v1/{path}", headers=alu)).status_code == 404
    url = by_zone["depot"]["snapshot_url"]
    assert (await client.get(url, headers=alu)).status_code == 404
    seen = await client.get(url, headers=chem)
    assert seen.content == b"\xff\xd8picture" and seen.headers["content-type"] == "image/jpeg"
    assert (await client.get(url, headers={**chem, "If-None-Match": seen.headers["etag"]})).status_code == 304


async def test_quoting_a_foreign_picture_in_an_own_alarm_opens_nothing(client: httpx.AsyncClient, system: System) -> None:
    picture = system.evidence.put(b"foreign", media_type="image/jpeg", device="CAM-2", zone="depot", taken_at=1)
    alu = bearer(system.token("enterprise", "alu"))
    assert (await client.post("/api/v1/alarms", json=alarm("thief", snapshot=picture), headers=alu)).status_code == 202
    await system.apply()
    assert (await client.get(f"/api/v1/evidence/{picture}", headers=alu)).status_code == 404


async def test_an_enterprise_may_comment_but_not_silence(client: httpx.AsyncClient, operator: httpx.AsyncClient, system: System) -> None:
    (incident,) = await opened(operator, system, alarm("a"))
    alu = bearer(system.token("enterprise", "alu"))
    path = f"/api/v1/incidents/{incident['id']}/commands"
    refused = await client.post(path, json={"command": "acknowledge"}, headers=alu)
    assert refused.status_code == 403 and refused.json()["rule"] == "command acknowledge" and refused.json()["basis"] == "platform_default"
    assert (await client.post(path, json={"command": "comment", "text": "已派人"}, headers=alu)).status_code == 200


async def test_lists_page_filter_and_clamp(operator: httpx.AsyncClient, system: System) -> None:
    await opened(operator, system, *(alarm(f"x{n}", device=f"X-{n}", kind="device_fault") for n in range(7)), alarm("f"))
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await operator.get(f"/api/v1/incidents?limit=3{cursor}")).json()
        seen += [i["id"] for i in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert len(seen) == len(set(seen)) == 8
    assert len((await operator.get("/api/v1/incidents?limit=-5")).json()["items"]) == 1
    assert len((await operator.get(f"/api/v1/incidents?limit={10**30}")).json()["items"]) == 8
    assert len((await operator.get("/api/v1/incidents?severity=2&state=active&acknowledged=false")).json()["items"]) == 1
    assert (await operator.get("/api/v1/incidents?family=fire&zone=smelter")).json()["items"][0]["zone"] == "smelter"
    for wrong in ("cursor=nonsense", "state=odd", "severity=9", "zone=%00", "acknowledged=maybe"):
        answer = await operator.get(f"/api/v1/incidents?{wrong}")
        assert answer.status_code == 422, wrong
        assert wrong.startswith("cursor") or answer.json()["pointer"] == wrong.partition("=")[0]
    for unreadable in ("", "abc", "1.5"):
        assert len((await operator.get(f"/api/v1/incidents?limit={unreadable}")).json()["items"]) == 8
    assert len((await operator.get("/api/v1/zones?limit=2")).json()["items"]) == 2


async def test_the_password_in_a_cameras_address_is_never_shown(client: httpx.AsyncClient, system: System) -> None:
    headers = bearer(system.token("administrator"))
    for path in ("/api/v1/devices", "/api/v1/devices/CAM-1", "/api/v1/site"):
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 200 and "hunter2" not in answer.text and "***@10.0.0.7" in answer.text


SITE_FILE = """
site: {id: park, name: 新园区, time_zone: Asia/Shanghai}
enterprises: [{id: alu, name: 示例铝业}]
zones: [{id: smelter, name: 熔铸车间, enterprise: alu, grade: GRADE, polygon: [[0, 0], [60, 0], [60, 40], [0, 40]]}]
devices: [{id: NEW-1, zone: smelter, type: sensor, metric: temperature, unit: Cel}]
"""


async def test_a_site_file_is_checked_by_line_and_applied(client: httpx.AsyncClient, system: System) -> None:
    headers = {**bearer(system.token("administrator")), "Content-Type": "application/yaml"}
    wrong = await client.post("/api/v1/site/check", content=SITE_FILE.replace("GRADE", "purple").encode(), headers=headers)
    assert wrong.status_code == 422 and wrong.json()["errors"][0]["line"] == 4
    good = SITE_FILE.replace("GRADE", "red").encode()
    assert (await client.post("/api/v1/site/check", content=good, headers=headers)).json()["zones"] == 1
    assert (await client.get("/api/v1/devices/NEW-1", headers=headers)).status_code == 404
    applied = (await client.put("/api/v1/site", content=good, headers=headers)).json()
    assert applied["added"]["devices"] == ["NEW-1"] and "CAM-1" in applied["removed"]["devices"]
    assert (await client.get("/api/v1/devices/NEW-1", headers=headers)).status_code == 200
    assert (await client.put("/api/v1/site", content=good, headers=headers)).json()["version"] == applied["version"]


async def test_an_alarm_that_is_no_longer_judged_is_not_said_to_be_normal(operator: httpx.AsyncClient, system: System) -> None:
    (incident,) = await opened(operator, system, alarm("a", "T-101", "temperature_high"))
    await opened(operator, system, alarm("b", "T-101", "temperature_high", "cleared", reason="rule_removed"))
    shown = (await operator.get(f"/api/v1/incidents/{incident['id']}")).json()
    assert shown["reason"] == "rule_removed" and "非恢复正常" in shown["why"]["zh"] and "not known to be normal" in shown["why"]["en"]
    assert shown["annunciation"] == "cleared_unacknowledged" and shown["annunciation_name"]["zh"] == "已结束（非恢复） · 未确认"
    last = (await operator.get(f"/api/v1/incidents/{incident['id']}/alarms")).json()["items"][-1]
    assert last["reason"] == "ended" and last["why"] == shown["why"]
    event = (await operator.get(f"/api/v1/incidents/{incident['id']}/events")).json()["items"][-1]
    assert event["event_name"]["zh"] == "结束（非恢复正常）" and event["why"] == shown["why"]


async def test_the_same_picture_of_two_enterprises_is_seen_by_both_and_by_nobody_else(client: httpx.AsyncClient, system: System) -> None:
    """A camera that shows nothing new makes the same bytes as another: each enterprise sees that of its own zone."""
    put = {"media_type": "image/jpeg", "taken_at": 1}
    for device, zone in (("CAM-2", "depot"), ("CAM-1", "smelter")):
        picture = system.evidence.put(b"\xff\xd8black", device=device, zone=zone, **put)
    headers = {name: bearer(system.token("enterprise", name)) for name in ("alu", "chem")}
    assert (await client.get(f"/api/v1/evidence/{picture}", headers=headers["alu"])).status_code == 404, "no alarm of its own quotes it"
    sent = [alarm("a", "CAM-1", snapshot=picture), alarm("b", "CAM-2", snapshot=picture)]
    assert (await client.post("/api/v1/alarms", json=sent, headers=bearer(system.token("operator")))).status_code == 202
    await system.apply()
    for own in headers.values():
        assert (await client.get(f"/api/v1/evidence/{picture}", headers=own)).status_code == 200
    other = system.evidence.put(b"\xff\xd8secret", device="CAM-2", zone="depot", **put)
    sent = [alarm("c", "CAM-1", snapshot=other)]
    await client.post("/api/v1/alarms", json=sent, headers=headers["alu"])
    await system.apply()
    assert (await client.get(f"/api/v1/evidence/{other}", headers=headers["alu"])).status_code == 404, "a quoted hash opens nothing"
