"""挂牌整改 and 挂牌督办 (001(15)) are two lists: each has number, supervisor and date, and is lifted (摘牌) before the hazard is closed."""

from tests.api.ledger import Ledger, paper

LISTED = {"number": "挂-2026-3", "supervisor": "园区攻坚指挥部"}
SUPERVISED = {"number": "督-2026-1", "supervisor": "区安委办"}


async def test_a_major_hazard_is_listed_with_number_and_supervisor_and_lifted_when_it_is_accepted(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="major")
    await ledger.refused(hazard, "enterprise:alu", "list", 403, "listing", **LISTED)
    nameless = await ledger.give(hazard, "park_command", "list", number=" ", supervisor="x")
    assert (nameless.status_code, nameless.json()["pointer"]) == (422, "/number")
    listed = await ledger.done(hazard, "park_command", "list", **LISTED)
    (entry,) = listed["listings"]
    assert (entry["number"], entry["supervisor"], entry["lifted_at"]) == ("挂-2026-3", "园区攻坚指挥部", None) and entry["at"]
    assert listed["track_names"]["listing"]["zh"]
    await ledger.last(hazard, "listed", "listing", "clause")
    await ledger.refused(hazard, "bureau", "list", 409, "listing", **LISTED)
    await ledger.refused(hazard, "park_command", "lift_listing", 409, "lifted_before_closing")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.inspected(hazard)
    await ledger.done(hazard, "department", "accept")
    problem = await ledger.refused(hazard, "bureau", "close", 409, "lifted_before_closing")
    assert "listing" in problem["detail"] and problem["hint"] == "lift the listing first"
    lifted = await ledger.done(hazard, "park_command", "lift_listing", note="整改到位")
    assert lifted["listings"][0]["lifted_at"] and lifted["tracks"]["listing"] == "lifted"
    assert (await ledger.last(hazard, "listing_lifted", "listing", "clause"))["number"] == "挂-2026-3"
    assert (await ledger.done(hazard, "bureau", "close"))["state"] == "closed"


async def test_lesser_grades_are_not_listed_and_one_that_was_major_is_taken_off(ledger: Ledger) -> None:
    serious = await ledger.rectifying(grade="serious")
    problem = await ledger.refused(serious, "park_command", "list", 409, "listing", **LISTED)
    assert "grade serious" in problem["detail"]
    major = await ledger.confirmed(grade="major", kind="documents")
    await ledger.done(major, "park_command", "list", **LISTED)
    await ledger.done(major, "department", "regrade", grade="serious", reason="经专家论证降级")
    assert (await ledger.done(major, "park_command", "lift_listing"))["tracks"]["listing"] == "lifted"


async def test_what_is_overdue_is_supervised_too_by_our_default_and_closed_only_when_that_is_lifted(ledger: Ledger) -> None:
    hazard = await ledger.rectifying()
    await ledger.refused(hazard, "district_leader", "supervise", 409, "supervision", **SUPERVISED)
    ledger.later(days=16)
    await ledger.refused(hazard, "enterprise:alu", "supervise", 403, "supervision", **SUPERVISED)
    await ledger.done(hazard, "district_leader", "supervise", **SUPERVISED)
    await ledger.last(hazard, "supervised", "supervision_when_overdue", "platform_default")
    await ledger.refused(hazard, "safety_office", "lift_supervision", 409, "supervision")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.done(hazard, "department", "accept")
    problem = await ledger.refused(hazard, "department", "close", 409, "lifted_before_closing")
    assert "supervision" in problem["detail"]
    lifted = await ledger.done(hazard, "safety_office", "lift_supervision")
    assert lifted["supervisions"][0]["lifted_by"] and lifted["supervisions"][0]["number"] == "督-2026-1"
    await ledger.last(hazard, "supervision_lifted", "supervision", "clause")
    assert (await ledger.done(hazard, "department", "close"))["state"] == "closed"
