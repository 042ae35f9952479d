"""Self-inspect, self-correct, self-report (003(21)), and acceptance: a second person for 一般, authorities above that, never the claimant.

The evidence gate stands before claim, acceptance and closing: what the zone's own devices say counts more than what is claimed."""

from typing import Any

import pytest

from tests.api.conftest import alarm
from tests.api.ledger import PNG, Ledger, paper

DONE = {"note": "已整改完毕"}


async def test_an_enterprise_reports_its_own_finding_and_its_second_person_accepts(ledger: Ledger) -> None:
    li, sun = await ledger.come("li", "enterprise", "alu"), await ledger.come("sun", "enterprise", "alu")
    hazard = await ledger.put_down(li, grade="general")
    assert (hazard["origin"], hazard["origin_name"]["zh"], hazard["proposed_by"]) == ("self_inspection", "企业自查", li)
    await ledger.last(hazard, "proposed", "self_report", "clause")
    assert (await ledger.read(hazard, "department"))["state"] == "proposed", "the authorities see it at once"
    await ledger.done(hazard, "department", "confirm", grade="general")
    received = await ledger.done(hazard, li, "receive", note="已收到")
    assert received["received_by"] == li and received["tracks"]["receipt"] == "received"
    await ledger.last(hazard, "received", "receipt", "platform_default")
    await ledger.refused(hazard, li, "receive", 409, "receipt")
    await ledger.done(hazard, li, "start_rectification")
    await ledger.done(hazard, li, "claim", **DONE, evidence=[paper()])
    for command, fields in (("accept", {}), ("inspect", {"posts": [], "passed": True, "note": "合格"})):
        problem = await ledger.refused(hazard, li, command, 403, "second_person", **fields)
        assert f"{li} claimed" in problem["detail"]
    accepted = await ledger.done(hazard, sun, "accept")
    assert accepted["accepted_by"] == sun
    await ledger.refused(hazard, li, "close", 403, "second_person")
    assert (await ledger.done(hazard, sun, "close"))["closed_by"] == sun
    await ledger.last(hazard, "closed", "close_by_list", "clause")


async def test_the_authorities_sample_what_an_enterprise_accepted_itself(ledger: Ledger) -> None:
    hazard = await ledger.rectifying("enterprise:alu", "general")
    await ledger.done(hazard, "enterprise:alu", "claim", **DONE, evidence=[paper()])
    await ledger.done(hazard, "enterprise:alu2", "accept")
    refused = await ledger.done(hazard, "department", "refuse", reason="抽查不合格")
    assert (refused["state"], refused["accepted_by"]) == ("rectifying", None)
    await ledger.last(hazard, "refused", "refusal", "platform_default")


@pytest.mark.parametrize("grade", ["serious", "major"])
async def test_above_general_only_authorities_accept_refuse_and_close(ledger: Ledger, grade: str) -> None:
    hazard = await ledger.rectifying(grade=grade)
    await ledger.done(hazard, "enterprise:alu", "claim", **DONE, evidence=[paper()])
    for command, fields in (("accept", {}), ("refuse", {"reason": "x"}), ("close", {})):
        await ledger.refused(hazard, "enterprise:alu2", command, 403, "accepted_by_authority", **fields)
    for who, rule in (("operator", "acceptance"), ("district_leader", "acceptance"), ("safety_office", "acceptance")):
        await ledger.refused(hazard, who, "accept", 403, rule)


async def test_an_authority_that_rectified_itself_does_not_accept_itself(ledger: Ledger) -> None:
    """On a pipeline without an enterprise the department rectifies."""
    hazard = await ledger.put_down(zone="pipeline")
    await ledger.done(hazard, "bureau", "confirm", grade="serious")
    await ledger.refused(hazard, "bureau", "start_rectification", 403, "responsible_party")
    await ledger.done(hazard, "department", "start_rectification")
    await ledger.done(hazard, "department", "claim", **DONE, evidence=[paper()])
    await ledger.refused(hazard, "department", "accept", 403, "second_person")
    assert (await ledger.done(hazard, "bureau", "accept"))["state"] == "accepted"


async def burning(ledger: Ledger) -> dict[str, Any]:
    """A flame before the camera, and the hazard that was put down for it."""
    await ledger.alarm(alarm("a"))
    (incident,) = (await ledger.get("/incidents")).json()["items"]
    hazard = await ledger.put_down("operator", incident=incident["id"])
    await ledger.done(hazard, "department", "confirm", grade="serious")
    return await ledger.done(hazard, "enterprise:alu", "start_rectification") | {"incident": incident["id"]}


async def test_while_the_alarm_fires_nothing_is_claimed_accepted_or_closed(ledger: Ledger) -> None:
    hazard = await burning(ledger)

    async def refuted(who: str, command: str, why: str, **fields: Any) -> None:
        problem = await ledger.refused(hazard, who, command, 409, "evidence_gate", **fields)
        (evidence,) = problem["gate"]["evidence"]
        assert (problem["gate"]["verdict"], evidence["why"], evidence["incident"]) == ("refuted", why, hazard["incident"])
        assert evidence["url"] == f"/api/v1/incidents/{hazard['incident']}" and evidence["devices"] == ["CAM-1"]
        details = await ledger.last(hazard, "gate_refused", "evidence_gate", "platform_default")
        assert details["command"] == command and details["gate"]["evidence"][0]["incident"] == hazard["incident"]

    await refuted("enterprise:alu", "claim", "standing", **DONE, evidence=[paper()])
    length = len(await ledger.record(hazard))
    await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_gate", **DONE)
    assert len(await ledger.record(hazard)) == length, "the same refusal once more is not news"
    await ledger.alarm(alarm("b", action="cleared"))
    await ledger.done(hazard, "enterprise:alu", "claim", **DONE)
    await ledger.alarm(alarm("c"))
    await refuted("department", "accept", "standing")
    await ledger.alarm(alarm("d", action="cleared"))
    await refuted("department", "accept", "raised_since")
    await ledger.done(hazard, "department", "refuse", reason="复燃")
    await ledger.done(hazard, "enterprise:alu", "claim", **DONE)
    await ledger.done(hazard, "department", "accept")
    await ledger.alarm(alarm("e"))
    await refuted("bureau", "close", "standing")
    assert (await ledger.read(hazard))["state"] == "accepted"


async def test_a_named_role_goes_on_against_the_evidence_with_a_reason_and_that_is_on_the_record(ledger: Ledger) -> None:
    hazard = await burning(ledger)
    why = {"override_reason": "摄像机被焊花误触发，已现场核实"}
    await ledger.refused(hazard, "enterprise:alu", "claim", 403, "gate_override", **DONE, **why)
    await ledger.alarm(alarm("b", action="cleared"))
    await ledger.done(hazard, "enterprise:alu", "claim", **DONE)
    await ledger.alarm(alarm("c"))
    for who in ("department", "park_command"):
        await ledger.refused(hazard, who, "accept", 403, "gate_override", **why)
    accepted = await ledger.done(hazard, "bureau", "accept", **why)
    (override,) = accepted["overrides"]
    assert (override["question"], override["verdict"], override["reason"]) == ("accept", "refuted", why["override_reason"])
    details = await ledger.last(hazard, "accepted", "acceptance", "clause")
    assert details["override_basis"]["rule"] == "gate_override" and details["gate"]["verdict"] == "refuted"


async def test_where_no_device_can_tell_photos_or_documents_of_afterwards_are_needed(ledger: Ledger) -> None:
    hazard = await ledger.rectifying()
    for evidence in ([], [paper(stage="before")]):
        problem = await ledger.refused(hazard, "enterprise:alu", "claim", 409, "evidence_instead", **DONE, evidence=evidence)
        assert problem["gate"]["verdict"] == "not_applicable" and problem["gate"]["verdict_name"]["zh"].startswith("不适用")
    kept = await ledger.client.post(f"/api/v1/hazards/{hazard['id']}/evidence", content=PNG,
                                    headers=ledger.of("enterprise:alu") | {"Content-Type": "image/png"})  # fmt: skip
    both = [paper(stage="before"), paper(sha256=kept.json()["sha256"], document="")]
    claimed = await ledger.done(hazard, "enterprise:alu", "claim", **DONE, evidence=both)
    assert [p["stage"] for p in claimed["claim"]["evidence"]] == ["before", "after"] and claimed["claim"]["verdict"] == "not_applicable"
    assert claimed["claim"]["evidence"][1]["url"].endswith(kept.json()["sha256"])
