"""Declared work and stop orders (002, 003(22), 001(32)): entered by the enterprise, ended by it, armed by a measure of a hazard alone."""

from typing import Any

import httpx
import pytest

from hazards.declarations import Declaration, Declared
from storage.declarations import declarations_in_force, declarations_revision
from storage.incidents import wake_zones
from tests.api.conftest import System, alarm
from tests.api.ledger import BY_HAND, Ledger
from tests.api.test_declarations import PATH, at, body


def armed(system: System, zone: str, hours: float = 0) -> list[Declaration]:
    """What the parts that judge alarms of ``zone`` read."""
    now = system.now() + int(hours * 3600) * 1_000_000
    with system.database.read() as connection:
        return [d for d in declarations_in_force(connection, [zone], now=now) if d.holds(now)]


async def entered(ledger: Ledger, who: str, **fields: Any) -> dict[str, Any]:
    answer = await ledger.client.post(PATH, json=body(ledger.system) | fields, headers=ledger.of(who))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def passes(ledger: Ledger, **time: float) -> dict[str, Any]:
    """Time passes, a worker looks; the one incident there is."""
    ledger.later(**time)
    await ledger.system.database.writing(lambda c: wake_zones(c, now=ledger.system.now()))
    (incident,) = (await ledger.client.get("/api/v1/incidents", headers=ledger.of("operator"))).json()["items"]
    found: dict[str, Any] = incident
    return found


async def in_force(ledger: Ledger, zone: str) -> list[str]:
    shown = (await ledger.client.get(f"/api/v1/zones/{zone}", headers=ledger.of("operator"))).json()["in_force"]
    return [declaration["id"] for declaration in shown]


async def test_an_enterprise_enters_a_permit_the_room_sees_it_and_it_is_over_when_the_work_is(ledger: Ledger, system: System) -> None:
    permit = await entered(ledger, "enterprise:alu", level="first")
    assert [d.id for d in armed(system, "smelter")] == [permit["id"]] == await in_force(ledger, "smelter")
    assert armed(system, "tank") == []
    system.later(hours=1)
    ended = await ledger.client.post(f"{PATH}/{permit['id']}/end", json={"reason": "完工"}, headers=ledger.of("enterprise:alu"))
    assert ended.json()["standing"] == "ended"
    assert armed(system, "smelter") == [] and await in_force(ledger, "smelter") == []
    assert [d.kind for d in armed(system, "smelter", hours=-0.5)] == [Declared.PERMIT], "a late alarm of the work is still explained"


async def test_an_alarm_that_called_before_the_enterprise_declared_a_calibration_calls_until_it_is_acknowledged(
    ledger: Ledger, system: System
) -> None:
    await ledger.alarm(alarm("1", "T-101", "flammable_gas_high"))
    assert (await passes(ledger))["annunciation"] == "unacknowledged"
    await entered(ledger, "enterprise:alu", kind="calibration", devices=["T-101"], work="", guardian="")
    gas = await passes(ledger, seconds=5)
    assert (gas["annunciation"], gas["quiet"], [label["label"] for label in gas["labels"]]) == ("unacknowledged", None, ["calibration"])
    await ledger.alarm(alarm("2", "T-101", "flammable_gas_high", "cleared"))
    for hours in (0, 1, 3):
        gas = await passes(ledger, hours=hours)
        assert (gas["annunciation"], gas["quiet"], gas["acknowledged_by"]) == ("cleared_unacknowledged", None, None)


async def test_the_room_can_stop_declared_work_and_nobody_declares_for_another(ledger: Ledger, system: System) -> None:
    permit = await entered(ledger, "enterprise:alu")
    headers = ledger.of("enterprise:chem")
    assert (await ledger.client.post(PATH, json=body(system), headers=headers)).status_code == 422, "no zone of its own"
    assert (await ledger.client.post(f"{PATH}/{permit['id']}/end", json={"reason": "r"}, headers=headers)).status_code == 404
    stopped = await ledger.client.post(f"{PATH}/{permit['id']}/end", json={"reason": "监护人离岗"}, headers=ledger.of("operator"))
    assert stopped.json()["ended_why"] == "监护人离岗" and armed(system, "smelter") == []


async def test_a_permit_expires_by_itself_and_is_not_entered_afterwards(ledger: Ledger, system: System) -> None:
    await entered(ledger, "enterprise:alu")
    system.later(hours=3)
    assert armed(system, "smelter") == []
    late = await ledger.client.post(PATH, json=body(system, starts_at=at(system, hours=-2)), headers=ledger.of("enterprise:alu"))
    assert late.status_code == 422 and late.json()["pointer"] == "/starts_at"


@pytest.mark.parametrize("kind", ["stop_production", "cut_electricity", "seal"])
async def test_a_stop_order_arms_the_zone_by_itself_and_disarms_it_when_it_is_lifted(ledger: Ledger, system: System, kind: str) -> None:
    hazard = await ledger.put_down(**BY_HAND)
    with system.database.read() as connection:
        before = declarations_revision(connection)
    taken = await ledger.done(hazard, "bureau", "measure", kind=kind, authority="区应急管理局第12号决定")
    (order,) = armed(system, "smelter")
    assert (order.kind, order.measure, order.reason) == (Declared.STOP_ORDER, kind, "区应急管理局第12号决定")
    assert await in_force(ledger, "smelter") == [order.id] and armed(system, "tank") == []
    with system.database.read() as connection:
        assert declarations_revision(connection) > before, "who watches notices"
    await ledger.done(hazard, "bureau", "end_measure", measure=taken["measures"][0]["number"])
    assert armed(system, "smelter") == [] and await in_force(ledger, "smelter") == []


async def test_where_the_bureau_stops_work_a_permit_counts_for_nothing_and_none_is_entered(ledger: Ledger, system: System) -> None:
    permit = await entered(ledger, "enterprise:alu")
    hazard = await ledger.put_down(**BY_HAND)
    taken = await ledger.done(hazard, "bureau", "measure", kind="stop_work", authority="区应急管理局第13号决定")
    await ledger.alarm(alarm("1", "CAM-1", "hot_work_seen"))
    seen = await passes(ledger)
    assert (seen["annunciation"], seen["reason"], seen["severity"]) == ("unacknowledged", "without_permit", 2)
    assert [label["name"]["zh"] for label in seen["labels"]] == ["作业票无效：已责令停止作业"]
    refused = await ledger.client.post(PATH, json=body(system), headers=ledger.of("enterprise:alu"))
    assert refused.status_code == 409 and "stop_work (区应急管理局第13号决定)" in refused.json()["detail"]
    await ledger.done(hazard, "bureau", "end_measure", measure=taken["measures"][0]["number"])
    assert [label["label"] for label in (await passes(ledger, seconds=2))["labels"]] == ["permit"]
    assert (await entered(ledger, "enterprise:alu"))["id"] != permit["id"]


async def test_methane_over_limit_is_calibrated_in_the_open_and_never_silenced(ledger: Ledger, client: httpx.AsyncClient) -> None:
    methane = {"kind": "shelved", "devices": ["T-101"], "alarms": ["methane_high"], "reason": "r", "work": "", "guardian": ""}
    for kind in ("shelved", "out_of_service"):
        refused = await client.post(PATH, json=body(ledger.system) | methane | {"kind": kind}, headers=ledger.of("operator"))
        assert refused.status_code == 422 and refused.json()["pointer"] == "/alarms/0" and "never silenced" in refused.json()["detail"]
    await entered(ledger, "enterprise:alu", **methane | {"kind": "calibration"})
