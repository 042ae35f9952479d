"""A major hazard (001(16), 003(21)): reported at once and twice (双报告), published, rectified only by a plan with the 五落实."""

import pytest

from tests.api.ledger import INSPECTED, PLAN, Ledger, paper


async def test_it_is_reported_to_the_department_and_to_the_staff_congress_from_the_first_minute(ledger: Ledger) -> None:
    hazard = await ledger.put_down("enterprise:alu", grade="major")
    await ledger.refused(hazard, "operator", "report", 403, "double_report", to="department", recipient="x")
    at_once = await ledger.done(hazard, "enterprise:alu", "report", to="department", recipient="工信局 王科长", note="电话报告")
    assert at_once["tracks"]["report"] == "to_department"
    await ledger.last(hazard, "reported_to_department", "report_at_once", "clause")
    await ledger.refused(hazard, "enterprise:alu", "report", 409, "double_report", to="department", recipient="工信局")
    both = await ledger.done(hazard, "enterprise:alu", "report", to="staff_congress", recipient="三届二次职代会")
    assert both["tracks"]["report"] == "to_both" and [r["to"] for r in both["reports"]] == ["department", "staff_congress"]
    await ledger.last(hazard, "reported_to_congress", "double_report", "clause")


async def test_it_is_published_after_confirmation_and_lesser_ones_are_not(ledger: Ledger) -> None:
    hazard = await ledger.confirmed("enterprise:alu", "major")
    await ledger.refused(hazard, "operator", "publish", 403, "publication", place="厂区公示栏")
    past = await ledger.give(hazard, "enterprise:alu", "publish", place="厂区公示栏", until="2020-01-01T00:00:00+08:00")
    assert (past.status_code, past.json()["pointer"]) == (422, "/until")
    shown = await ledger.done(hazard, "enterprise:alu", "publish", place="厂区公示栏", until="2099-01-01T00:00:00+08:00")
    assert (shown["publications"][0]["place"], shown["tracks"]["publication"]) == ("厂区公示栏", "published")
    await ledger.last(hazard, "published", "publication", "clause")
    serious = await ledger.confirmed("enterprise:alu", kind="documents")
    await ledger.refused(serious, "enterprise:alu", "publish", 409, "publication", place="厂区公示栏")


@pytest.mark.parametrize("missing", list(PLAN))
async def test_a_plan_with_four_of_five_commitments_is_none(ledger: Ledger, missing: str) -> None:
    hazard = await ledger.confirmed(grade="major")
    for four in ({n: t for n, t in PLAN.items() if n != missing}, PLAN | {missing: "  "}):
        problem = await ledger.refused(hazard, "enterprise:alu", "plan", 422, "five_commitments", **four)
        assert problem["pointer"] == f"/{missing}" and problem["basis"] == "clause"
        assert [(s["document"], s["clause"]) for s in problem["ruling"]["sources"]] == [("001", "16"), ("003", "21")]
    await ledger.refused(hazard, "enterprise:alu", "start_rectification", 409, "plan_before_rectification")


async def test_permanent_rectification_waits_for_an_approved_plan_and_a_returned_one_is_done_again(ledger: Ledger) -> None:
    hazard = await ledger.confirmed(grade="major")
    problem = await ledger.refused(hazard, "enterprise:alu", "start_rectification", 409, "plan_before_rectification")
    assert problem["basis"] == "interpretation" and "measures are possible now" in problem["hint"]
    await ledger.refused(hazard, "park_command", "approve_plan", 409, "plan_approval")
    await ledger.refused(hazard, "park_command", "plan", 403, "responsible_party", **PLAN)
    assert (await ledger.done(hazard, "enterprise:alu", "plan", **PLAN))["state"] == "planned"
    await ledger.last(hazard, "plan_filed", "five_commitments", "clause")
    await ledger.refused(hazard, "enterprise:alu", "start_rectification", 409, "plan_approval")
    await ledger.refused(hazard, "enterprise:alu", "approve_plan", 403, "plan_approval")
    returned = await ledger.done(hazard, "department", "return_plan", reason="资金未落实到账")
    assert (returned["state"], returned["plan"]["returned_for"]) == ("confirmed", "资金未落实到账")
    await ledger.last(hazard, "plan_returned", "plan_approval", "platform_default")
    await ledger.refused(hazard, "department", "approve_plan", 409, "plan_approval")
    await ledger.done(hazard, "enterprise:alu", "plan", **PLAN | {"funds": "5万元，已到账"})
    approved = await ledger.done(hazard, "department", "approve_plan")
    assert approved["plan"]["approved_by"] and approved["plan"]["funds"] == "5万元，已到账"
    await ledger.last(hazard, "plan_approved", "plan_approval", "platform_default")
    assert (await ledger.done(hazard, "enterprise:alu", "start_rectification"))["state"] == "rectifying"


async def test_one_that_turns_major_while_it_is_rectified_needs_the_plan_before_its_claim(ledger: Ledger) -> None:
    hazard = await ledger.rectifying()
    await ledger.done(hazard, "department", "regrade", grade="major", criterion="demo-5", reason="达到判定标准")
    await ledger.refused(hazard, "enterprise:alu", "claim", 409, "plan_before_rectification", note="已整改", evidence=[paper()])
    await ledger.done(hazard, "enterprise:alu", "plan", **PLAN)
    await ledger.refused(hazard, "enterprise:alu", "claim", 409, "plan_approval", note="已整改", evidence=[paper()])
    await ledger.done(hazard, "department", "approve_plan")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])


async def test_it_is_accepted_after_an_inspection_by_command_department_and_an_expert(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="major")
    await ledger.refused(hazard, "department", "inspect", 409, "acceptance", **INSPECTED)
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.refused(hazard, "enterprise:alu2", "inspect", 403, "accepted_by_authority", **INSPECTED)
    for who, wanting, missing in (
        ("department", {}, "park_command"), ("park_command", {"passed": False, "note": "联锁未投用"}, "park_command"),
        ("department", {"experts": []}, "park_command"), ("bureau", {"posts": ["bureau"]}, "park_command"),
        ("park_command", {"experts": []}, "park_command, department"),
    ):  # fmt: skip
        await ledger.done(hazard, who, "inspect", **INSPECTED | {"posts": [who]} | wanting)
        problem = await ledger.refused(hazard, "department", "accept", 409, "expert_acceptance")
        assert f"missing: {missing} with 1 expert" in problem["detail"] and problem["basis"] == "platform_default"
    strange = await ledger.give(hazard, "department", "inspect", **INSPECTED | {"posts": ["department", "fire_brigade"]})
    assert (strange.status_code, strange.json()["pointer"]) == (422, "/posts/1")
    whole = await ledger.done(hazard, "department", "inspect", **INSPECTED)
    assert whole["inspections"][-1]["experts"] == ["郑工"] and len(whole["inspections"]) == 6
    await ledger.last(hazard, "inspected", "expert_acceptance", "platform_default")
    assert (await ledger.done(hazard, "department", "accept"))["state"] == "accepted"
    await ledger.done(hazard, "department", "refuse", reason="抽查发现联锁又被摘除")
    await ledger.done(hazard, "enterprise:alu", "claim", note="再次整改", evidence=[paper()])
    await ledger.refused(hazard, "department", "accept", 409, "expert_acceptance")


async def test_each_post_inspects_by_a_person_who_holds_it_and_nobody_for_two(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="major")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    both = INSPECTED | {"posts": ["park_command", "department"]}
    for who in ("department", "park_command", "bureau"):
        problem = await ledger.refused(hazard, who, "inspect", 403, "expert_acceptance", **both)
        assert "does not inspect for" in problem["detail"] and problem["hint"] == "a person of that post records it"
    assert (await ledger.read(hazard, "department"))["choices"]["own_posts"] == ["department"]
    problem = await ledger.refused(hazard, "administrator", "inspect", 422, "expert_acceptance", **both)
    assert problem["pointer"] == "/posts", "also who stands in for both is one person"
    await ledger.done(hazard, "administrator", "inspect", **INSPECTED)
    problem = await ledger.refused(hazard, "administrator", "inspect", 403, "expert_acceptance", **INSPECTED | {"posts": ["park_command"]})
    assert "another person's" in problem["detail"]
    await ledger.refused(hazard, "department", "accept", 409, "expert_acceptance")
    await ledger.done(hazard, "park_command", "inspect", **INSPECTED | {"posts": ["park_command"], "experts": []})
    assert (await ledger.done(hazard, "department", "accept"))["state"] == "accepted"
