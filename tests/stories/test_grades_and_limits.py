"""The ledger in three grades (001(14)) and their limits (001(15)): 一般 at once, 较大 within its limit, 重大 in 15 days."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.ledger import Ledger


def due_in(hazard: dict[str, Any]) -> timedelta:
    """From the day of confirmation to the day on which it is due, which ends at 23:59:59 of the site."""
    due, confirmed = (datetime.fromisoformat(hazard[name]) for name in ("due_at", "confirmed_at"))
    assert due.strftime("%H:%M:%S%z") == "23:59:59+0800"
    return due.date() - confirmed.date()


@pytest.mark.parametrize(
    ("grade", "name", "days", "rule", "basis"),
    [("general", "一般", 0, "general_same_day", "interpretation"), ("serious", "较大", 15, "serious_limit", "interpretation"),
     ("major", "重大", 15, "major_limit", "clause")],
)  # fmt: skip
async def test_each_grade_has_its_limit_and_says_who_gives_it(
    ledger: Ledger, grade: str, name: str, days: int, rule: str, basis: str
) -> None:
    proposed = await ledger.put_down(grade=grade)
    assert (proposed["confirmed"], proposed["due_ruling"]["rule"], proposed["due_ruling"]["basis"]) == (
        False, "provisional_clock", "platform_default",
    )  # fmt: skip
    hazard = await ledger.done(proposed, "bureau", "confirm", grade=grade, criterion="demo-5")
    assert (hazard["grade_name"]["zh"], due_in(hazard)) == (name, timedelta(days=days))
    assert (hazard["due_ruling"]["rule"], hazard["due_ruling"]["basis"]) == (rule, basis)
    details = await ledger.last(hazard, "confirmed", "confirmed_by_person", "platform_default")
    assert (details["due_basis"]["rule"], details["clock_basis"]["rule"], details["clock_basis"]["kind"]) == (
        rule, "clock_start", "interpretation",
    )  # fmt: skip


async def test_a_rule_or_a_finder_only_proposes_and_an_authority_confirms_against_the_criteria(ledger: Ledger) -> None:
    hazard = await ledger.put_down("enterprise:alu", grade="major")
    for who in ("operator", "enterprise:alu", "district_leader", "safety_office"):
        await ledger.refused(hazard, who, "confirm", 403, "confirmed_by_person", grade="major", criterion="demo-5")
    for criterion in ({}, {"criterion": "工贸行业判定标准第三条"}):
        problem = await ledger.refused(hazard, "department", "confirm", 422, "criterion_for_major", grade="major", **criterion)
        assert problem["pointer"] == "/criterion" and "demo-5" in problem["hint"]
    assert (await ledger.done(hazard, "department", "confirm", grade="major", criterion="demo-5"))["criterion"] == "demo-5"
    await ledger.refused(hazard, "department", "confirm", 409, "confirmed_by_person", grade="general")


async def test_what_is_no_hazard_is_dismissed_by_an_authority_and_ends(ledger: Ledger) -> None:
    hazard = await ledger.put_down("operator")
    await ledger.refused(hazard, "enterprise:alu", "dismiss", 403, "dismissal", reason="不属隐患")
    assert (await ledger.done(hazard, "department", "dismiss", reason="经核实不属隐患"))["state"] == "dismissed"
    await ledger.last(hazard, "dismissed", "dismissal", "platform_default")
    await ledger.refused(hazard, "department", "confirm", 409, "confirmed_by_person", grade="serious")
    await ledger.done(hazard, "operator", "comment", text="已告知登记人")
    confirmed = await ledger.confirmed(kind="documents")
    await ledger.refused(confirmed, "department", "dismiss", 409, "dismissal", reason="误报")


async def test_a_wrong_grade_is_corrected_with_a_reason_and_counts_from_the_same_start(ledger: Ledger) -> None:
    hazard = await ledger.confirmed(grade="general")
    ledger.later(days=2)
    assert (await ledger.read(hazard))["overdue"]
    await ledger.refused(hazard, "enterprise:alu", "regrade", 403, "regrading", grade="serious", reason="扩大")
    problem = await ledger.refused(hazard, "bureau", "regrade", 422, "criterion_for_major", grade="major", reason="扩大")
    assert problem["pointer"] == "/criterion"
    again = await ledger.done(hazard, "bureau", "regrade", grade="serious", reason="影响范围扩大")
    assert due_in(again) == timedelta(days=15) and not again["overdue"]
    details = await ledger.last(hazard, "regraded", "regrading", "platform_default")
    assert (details["before"], details["grade"], details["reason"]) == ("general", "serious", "影响范围扩大")
    same = await ledger.give(hazard, "bureau", "regrade", grade="serious", reason="同级")
    assert (same.status_code, same.json()["pointer"]) == (422, "/grade")


async def test_nothing_is_rectified_before_a_person_has_confirmed(ledger: Ledger) -> None:
    hazard = await ledger.put_down()
    for command, rule, fields in (
        ("start_rectification", "confirmed_before_rectification", {}), ("claim", "claim", {"note": "已整改"}),
        ("receive", "receipt", {}), ("request_extension", "extension_cause", {"days": 3, "cause": "weather", "reason": "暴雨"}),
    ):  # fmt: skip
        await ledger.refused(hazard, "enterprise:alu", command, 409, rule, **fields)
    for who, command, fields in (
        ("department", "list", {"number": "挂-1", "supervisor": "指挥部"}), ("enterprise:alu", "publish", {"place": "公示栏"}),
        ("department", "refer", {"to": "公安", "number": "移-1", "reason": "拒不整改"}),
        ("department", "supervise", {"number": "督-1", "supervisor": "安委办"}),
    ):  # fmt: skip
        problem = await ledger.refused(hazard, who, command, 409, "provisional_clock", **fields)
        assert "waits for confirmation" in problem["hint"]


async def test_an_item_of_the_criteria_is_cited_only_for_hazards_of_its_kinds(ledger: Ledger) -> None:
    hazard = await ledger.put_down(kind="training", grade="major")
    offered = [item["name"] for item in hazard["choices"]["criteria"]["major"]]
    problem = await ledger.refused(hazard, "department", "confirm", 422, "criterion_for_major", grade="major", criterion="demo-4")
    assert problem["detail"] == "the item demo-4 is for hazards of passage; this one is of training"
    assert problem["pointer"] == "/criterion" and offered == ["demo-5"] and "demo-5" in problem["hint"] and "demo-4" not in problem["hint"]
    await ledger.done(hazard, "department", "confirm", grade="serious")
    await ledger.refused(hazard, "bureau", "regrade", 422, "criterion_for_major", grade="major", reason="扩大", criterion="demo-2")
    assert (await ledger.done(hazard, "bureau", "regrade", grade="major", reason="扩大", criterion="demo-5"))["criterion"] == "demo-5"
    blocked = await ledger.put_down(kind="passage", grade="major")
    assert [item["name"] for item in blocked["choices"]["criteria"]["major"]] == ["demo-4", "demo-5"]
    await ledger.done(blocked, "department", "confirm", grade="major", criterion="demo-4")
