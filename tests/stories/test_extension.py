"""Extension (延期, 001(15)): for objective causes, signed by park command and industry department, filed, then listed for supervision."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api.conftest import PASSWORD
from tests.api.ledger import Ledger

WEATHER = {"days": 10, "cause": "weather", "reason": "连续暴雨，吊装无法作业"}


@pytest.fixture
async def signers(ledger: Ledger) -> tuple[str, str]:
    """Somebody of the park command and somebody of the department, signed in."""
    return await ledger.come("qian", "park_command"), await ledger.come("zhao", "department")


async def requested(ledger: Ledger, **fields: Any) -> dict[str, Any]:
    hazard = await ledger.rectifying("enterprise:alu", **fields)
    return await ledger.done(hazard, "enterprise:alu", "request_extension", **WEATHER)


async def test_two_signatures_move_the_due_date_and_one_does_not(ledger: Ledger, signers: tuple[str, str]) -> None:
    command, department = signers
    hazard = await requested(ledger)
    asked = await ledger.last(hazard, "extension_requested", "extension_cause", "clause")
    assert asked["posts"] == ["park_command", "department"]
    due = datetime.fromisoformat(hazard["due_at"])
    await ledger.prove(command, department)
    once = await ledger.done(hazard, command, "sign_extension", note="情况属实")
    assert once["due_at"] == hazard["due_at"] and once["tracks"]["extension"] == "requested"
    assert (await ledger.last(hazard, "extension_signed", "extension_signed", "clause"))["missing"] == ["department"]
    granted = await ledger.done(hazard, department, "sign_extension")
    assert datetime.fromisoformat(granted["due_at"]) == due + timedelta(days=10) and granted["tracks"]["extension"] == "granted"
    (extension,) = granted["extensions"]
    assert [(s["post"], s["by"], s["role"]) for s in extension["signatures"]] == [
        ("park_command", "qian", "park_command"), ("department", "zhao", "department"),
    ]  # fmt: skip
    details = await ledger.last(hazard, "extension_granted", "extension_signed", "clause")
    assert (details["days"], details["missing"]) == (10, []) and details["due_at"] - details["due_before"] == 10 * 86400 * 10**6
    await ledger.refused(hazard, department, "sign_extension", 409, "extension_signed")


async def test_only_who_holds_a_post_signs_in_person_after_the_password_and_once(ledger: Ledger, signers: tuple[str, str]) -> None:
    command, _ = signers
    second = await ledger.come("sun", "park_command")
    hazard = await requested(ledger)
    await ledger.refused(hazard, "enterprise:alu", "sign_extension", 403, "extension_signed")
    for who in ("bureau", "safety_office"):
        await ledger.refused(hazard, who, "sign_extension", 403, "extension_signed")
    await ledger.refused(hazard, "machine:park_command", "sign_extension", 403, "signed_by_person")
    problem = await ledger.refused(hazard, command, "sign_extension", 403, "signature")
    assert "password" in problem["detail"] and "/session/confirm" in problem["hint"]
    wrong = await ledger.post("/session/confirm", command, password="not it")
    assert wrong.status_code == 403
    await ledger.refused(hazard, command, "sign_extension", 403, "signature")
    assert (await ledger.post("/session/confirm", "machine:park_command", password=PASSWORD)).status_code == 403, "a machine proves nothing"
    await ledger.prove(command)
    ledger.later(minutes=6)
    await ledger.refused(hazard, command, "sign_extension", 403, "signature")
    await ledger.prove(command, second)
    not_hers = await ledger.give(hazard, command, "sign_extension", post="department")
    assert (not_hers.status_code, not_hers.json()["rule"]) == (403, "extension_signed")
    await ledger.done(hazard, command, "sign_extension", post="park_command")
    problem = await ledger.refused(hazard, command, "sign_extension", 403, "signature")
    assert "the other signature is another person's" in problem["detail"]
    await ledger.refused(hazard, second, "sign_extension", 409, "extension_signed")
    assert (await ledger.read(hazard))["due_at"] == hazard["due_at"], "one post's signature, twice asked for, moves nothing"


async def test_one_person_does_not_sign_for_both_posts_whatever_the_role(ledger: Ledger) -> None:
    root = await ledger.come("root", "administrator")
    hazard = await requested(ledger)
    await ledger.prove(root)
    which = await ledger.give(hazard, root, "sign_extension")
    assert (which.status_code, which.json()["pointer"], which.json()["hint"]) == (422, "/post", "park_command, department")
    await ledger.done(hazard, root, "sign_extension", post="park_command")
    await ledger.refused(hazard, root, "sign_extension", 403, "signature", post="department")


async def test_only_objective_causes_and_no_more_than_the_cap(ledger: Ledger, signers: tuple[str, str]) -> None:
    hazard = await ledger.rectifying("enterprise:alu")
    problem = await ledger.refused(hazard, "enterprise:alu", "request_extension", 422, "extension_cause", **WEATHER | {"cause": "资金紧张"})
    assert problem["pointer"] == "/cause" and "weather" in problem["hint"] and problem["basis"] == "clause"
    problem = await ledger.refused(hazard, "enterprise:alu", "request_extension", 422, "extension_cap", **WEATHER | {"days": 16})
    assert problem["pointer"] == "/days" and problem["basis"] == "platform_default"
    await ledger.refused(hazard, "department", "request_extension", 403, "responsible_party", **WEATHER)
    for _ in range(2):
        await ledger.done(hazard, "enterprise:alu", "request_extension", **WEATHER)
        await ledger.refused(hazard, "enterprise:alu", "request_extension", 409, "extension_cause", **WEATHER)
        await ledger.prove(*signers)
        for name in signers:
            await ledger.done(hazard, name, "sign_extension")
    problem = await ledger.refused(hazard, "enterprise:alu", "request_extension", 409, "extension_cap", **WEATHER)
    assert "2 times" in problem["detail"]
    general = await ledger.rectifying("enterprise:alu", "general", kind="documents")
    await ledger.refused(general, "enterprise:alu", "request_extension", 409, "extension_signed", **WEATHER)


async def test_a_pending_request_stops_no_clock_and_after_the_deadline_nothing_is_signed_or_asked(
    ledger: Ledger, signers: tuple[str, str]
) -> None:
    hazard, late = await requested(ledger), await ledger.rectifying("enterprise:alu", kind="documents")
    await ledger.prove(*signers)
    await ledger.done(hazard, signers[0], "sign_extension")
    ledger.later(days=16)
    assert (await ledger.read(hazard))["overdue"]
    await ledger.sign_in(*signers)
    await ledger.prove(*signers)
    await ledger.refused(hazard, signers[1], "sign_extension", 409, "extension_in_time")
    problem = await ledger.refused(late, "enterprise:alu", "request_extension", 409, "extension_in_time", **WEATHER)
    assert "due date has passed" in problem["detail"]


async def test_a_refused_request_moves_nothing_and_another_may_follow(ledger: Ledger, signers: tuple[str, str]) -> None:
    hazard = await requested(ledger)
    await ledger.refused(hazard, "enterprise:alu", "refuse_extension", 403, "extension_signed", reason="x")
    await ledger.refused(hazard, "bureau", "refuse_extension", 403, "extension_signed", reason="x")
    refused = await ledger.done(hazard, signers[1], "refuse_extension", reason="未见吊装计划")
    assert refused["due_at"] == hazard["due_at"] and refused["extensions"][0]["refused_for"] == "未见吊装计划"
    await ledger.last(hazard, "extension_refused", "extension_signed", "clause")
    await ledger.prove(*signers)
    await ledger.refused(hazard, signers[0], "sign_extension", 409, "extension_signed")
    await ledger.refused(hazard, "bureau", "file_extension", 409, "extension_filed", number="备-1")
    again = await ledger.done(hazard, "enterprise:alu", "request_extension", **WEATHER)
    assert again["tracks"]["extension"] == "requested" and len(again["extensions"]) == 2


async def test_what_is_granted_is_filed_with_the_bureau_and_then_listed_for_supervision(ledger: Ledger, signers: tuple[str, str]) -> None:
    hazard = await requested(ledger)
    problem = await ledger.refused(hazard, "safety_office", "supervise", 409, "supervision", number="督-1", supervisor="区安委办")
    assert problem["hint"] == "file the granted extension first"
    await ledger.prove(*signers)
    for name in signers:
        await ledger.done(hazard, name, "sign_extension")
    await ledger.refused(hazard, "safety_office", "supervise", 409, "supervision", number="督-1", supervisor="区安委办")
    await ledger.refused(hazard, "enterprise:alu", "file_extension", 403, "extension_filed", number="备-1")
    filed = await ledger.done(hazard, "bureau", "file_extension", number="备-2026-17")
    assert filed["extensions"][0]["filing"] == "备-2026-17" and filed["tracks"]["extension"] == "filed"
    await ledger.last(hazard, "extension_filed", "extension_filed", "clause")
    supervised = await ledger.done(hazard, "safety_office", "supervise", number="督-1", supervisor="区安委办")
    assert supervised["supervisions"][0]["number"] == "督-1" and supervised["tracks"]["supervision"] == "supervised"
    await ledger.last(hazard, "supervised", "supervision", "clause")


async def test_outside_a_park_the_town_signs_and_that_is_our_default(ledger: Ledger, signers: tuple[str, str]) -> None:
    hazard = await ledger.rectifying("operator", zone="quarry")
    await ledger.done(hazard, "enterprise:stone", "request_extension", **WEATHER)
    assert (await ledger.read(hazard))["choices"]["signing_posts"] == ["town", "department"]
    await ledger.prove(*signers)
    await ledger.done(hazard, signers[0], "sign_extension")
    await ledger.last(hazard, "extension_signed", "extension_signed_outside", "platform_default")
    granted = await ledger.done(hazard, signers[1], "sign_extension")
    assert [s["post"] for s in granted["extensions"][0]["signatures"]] == ["town", "department"]
