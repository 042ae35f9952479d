"""First-offence and minor-offence lists, free check-ups (000(5)(7)): the penalty is waived, never the rectification."""

import pytest

from tests.api.ledger import Ledger, paper


@pytest.mark.parametrize("item", ["first_offence", "minor_offence", "check_up"])
async def test_a_waived_penalty_leaves_rectification_clock_and_summons_as_they_are(ledger: Ledger, item: str) -> None:
    origin = {"origin": "check_up"} if item == "check_up" else {}
    hazard = await ledger.rectifying("department", **origin)
    assert hazard["origin"] == ("check_up" if origin else "inspection")
    await ledger.refused(hazard, "enterprise:alu", "waive_penalty", 403, "waiver", item=item, reason="x")
    problem = await ledger.refused(hazard, "department", "waive_penalty", 422, "waiver", item="friend_of_mine", reason="x")
    assert problem["pointer"] == "/item" and item in problem["hint"]
    waived = await ledger.done(hazard, "department", "waive_penalty", item=item, reason="及时改正，后果轻微")
    assert (waived["waiver"]["item"], waived["state"], waived["due_at"]) == (item, "rectifying", hazard["due_at"])
    await ledger.last(hazard, "penalty_waived", "waiver", "clause")
    await ledger.refused(hazard, "department", "waive_penalty", 409, "waiver", item=item, reason="再次")

    await ledger.refused(hazard, "department", "close", 409, "close_by_list")
    ledger.later(days=16)
    await ledger.tick()
    late = await ledger.read(hazard)
    assert late["overdue"] and late["tracks"] == {"penalty": "waived", "summons": "due"}
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.done(hazard, "department", "accept")
    assert (await ledger.done(hazard, "department", "close"))["state"] == "closed"


async def test_a_penalty_can_be_waived_after_closing_but_not_before_confirmation(ledger: Ledger) -> None:
    hazard = await ledger.put_down()
    await ledger.refused(hazard, "department", "waive_penalty", 409, "waiver", item="first_offence", reason="x")
    await ledger.done(hazard, "department", "confirm", grade="serious")
    await ledger.done(hazard, "enterprise:alu", "start_rectification")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.done(hazard, "department", "accept")
    await ledger.done(hazard, "department", "close")
    assert (await ledger.done(hazard, "department", "waive_penalty", item="first_offence", reason="首次"))["state"] == "closed"
