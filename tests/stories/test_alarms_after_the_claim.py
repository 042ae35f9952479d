"""Alarms and hazards, both ways: an alarm after the claim marks it, one after the closing brings it back, a later one is a repeat."""

from typing import Any

from tests.api.conftest import alarm
from tests.api.ledger import Ledger, paper


async def hot(ledger: Ledger, name: str, zone: str = "smelter") -> dict[str, Any]:
    """A sensor's alarm that comes and ends a minute later; its incident, the newest of the zone."""
    await ledger.alarm(alarm(f"{name}-1", device="T-101", kind="temperature_high"))
    ledger.later(minutes=1)
    await ledger.alarm(alarm(f"{name}-2", device="T-101", kind="temperature_high", action="cleared"))
    found: dict[str, Any] = (await ledger.get(f"/incidents?zone={zone}")).json()["items"][0]
    return found


async def claimed(ledger: Ledger, hazard: dict[str, Any]) -> None:
    await ledger.done(hazard, "enterprise:alu", "claim", note="已降温", evidence=[paper()])


async def closed(ledger: Ledger, hazard: dict[str, Any]) -> dict[str, Any]:
    await claimed(ledger, hazard)
    await ledger.done(hazard, "department", "accept")
    return await ledger.done(hazard, "department", "close")


async def why(ledger: Ledger, hazard: dict[str, Any], who: str = "operator") -> list[tuple[str, str]]:
    """(incident, why) of a hazard, newest first."""
    page = (await ledger.get(f"/hazards/{hazard['id']}/incidents", who)).json()
    assert all(item["why_name"]["zh"] and item["incident"]["zone"] == hazard["zone"] for item in page["items"]) and page["next"] is None
    return [(item["incident"]["id"], item["why"]) for item in page["items"]]


async def test_an_alarm_marks_the_claim_then_brings_the_closed_one_back_and_a_month_later_is_a_repeat(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(kind="heat", title="炉壁超温")
    await claimed(ledger, hazard)
    first = await hot(ledger, "a")
    details = await ledger.last(hazard, "alarm_since_claim", "alarm_since_claim", "platform_default")
    assert (details["incident"], details["device"], details["alarm"]) == (first["id"], "T-101", "temperature_high")
    marked = await ledger.read(hazard)
    assert marked["alarm_since_claim"] and [a["incident"] for a in marked["alarms_since_claim"]] == [first["id"]]
    assert [h["id"] for h in (await ledger.get("/hazards?mark=alarm_since_claim")).json()["items"]] == [hazard["id"]]
    problem = await ledger.refused(hazard, "department", "accept", 409, "evidence_gate")
    assert problem["gate"]["verdict"] == "refuted"

    await ledger.done(hazard, "department", "refuse", reason="又报警")
    assert not (await ledger.read(hazard))["alarm_since_claim"]
    ledger.later(hours=1)
    await closed(ledger, hazard)
    ledger.later(days=1)
    second = await hot(ledger, "b")
    details = await ledger.last(hazard, "reopened", "recurrence_by_alarm", "platform_default")
    assert details["incident"] == second["id"] != first["id"]
    back = await ledger.read(hazard)
    assert (back["state"], back["actor"], back["incidents"], back["closed_at"]) == ("confirmed", "bihuan", [second["id"]], None)
    shown = (await ledger.get(f"/incidents/{second['id']}")).json()
    assert [(h["id"], h["same"], h["state"], h["overdue"]) for h in shown["hazards"]] == [(hazard["id"], True, "confirmed", False)]
    assert (shown["open_hazards"], shown["overdue_hazards"], shown["hazards"][0]["due_at"]) == (1, 0, back["due_at"])
    assert await why(ledger, hazard) == [(second["id"], "recurrence"), (first["id"], "since_claim")]
    assert [h["id"] for h in (await ledger.get(f"/hazards?incident={first['id']}")).json()["items"]] == [hazard["id"]]

    await ledger.done(hazard, "enterprise:alu", "start_rectification")
    await closed(ledger, hazard)
    ledger.later(days=31)
    third = await hot(ledger, "c")
    assert (await ledger.read(hazard))["state"] == "closed"
    repeat, _ = (await ledger.get("/hazards")).json()["items"]
    assert (repeat["state"], repeat["repeated"], repeat["incident"]) == ("proposed", True, third["id"])
    repeat = await ledger.read(repeat)
    assert (repeat["repeat_of"], repeat["proposed_grade"], repeat["origin"]) == ([hazard["id"]], "major", "rule")
    assert "T-101" in repeat["description"] and await why(ledger, repeat) == [(third["id"], "origin")]
    because = (await ledger.record(repeat))[0]["details"]["because"]
    assert (because["rule"], because["severity"], because["certainty"]) == ("recurrence_by_alarm", 2, "possible")
    assert because["zh"] in repeat["description"] and "T-101" in because["en"]


async def test_an_overdue_hazard_makes_its_alarms_graver_until_it_is_accepted(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(kind="heat", title="炉壁超温")
    assert (await hot(ledger, "a"))["severity"] == 2
    ledger.later(days=16)
    await ledger.tick()
    late = await hot(ledger, "b")
    assert (late["severity"], late["overdue_hazards"]) == (1, 1)
    alarms = (await ledger.get(f"/incidents/{late['id']}/alarms")).json()["items"]
    assert alarms[0]["kind"] == "temperature_high"
    assert [w for _, w in await why(ledger, hazard)] == ["same_kind", "same_kind"]


async def test_both_ways_end_at_ones_own_enterprise(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(kind="heat", title="炉壁超温")
    incident = await hot(ledger, "a")
    assert await why(ledger, hazard, "enterprise:alu") == [(incident["id"], "same_kind")]
    assert (await ledger.get(f"/hazards/{hazard['id']}/incidents", "enterprise:chem")).status_code == 404
    assert (await ledger.get(f"/incidents/{incident['id']}", "enterprise:chem")).status_code == 404
    own = (await ledger.get(f"/incidents/{incident['id']}", "enterprise:alu")).json()
    assert [h["id"] for h in own["hazards"]] == [hazard["id"]] and own["hazards"][0]["state_name"]["zh"]


async def test_the_incidents_of_a_hazard_come_page_by_page(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(kind="heat", title="炉壁超温")
    made = []
    for n in range(5):
        made.append((await hot(ledger, f"{n}"))["id"])
        ledger.later(minutes=20)
    await ledger.alarm(alarm("x", device="CAM-1", kind="intrusion"))
    found, cursor = [], ""
    while cursor is not None:
        page = (await ledger.get(f"/hazards/{hazard['id']}/incidents?limit=2{cursor}")).json()
        found += [item["incident"]["id"] for item in page["items"]]
        cursor = f"&cursor={page['next']}" if page["next"] else None
    assert found == made[::-1]
