"""A machine's token puts down what another system found, took or noted; deciding and signing is a person's, whatever the role."""

import pytest

from hazards.ledger.commands import MACHINES_MAY
from hazards.ledger.lifecycle import COMMANDS
from tests.api.ledger import PLAN, Ledger

DECISIONS = {
    "confirm": {"grade": "serious"}, "refuse_extension": {"reason": "x"}, "claim": {"note": "已整改"}, "accept": {}, "close": {},
    "sign_extension": {}, "plan": PLAN, "dismiss": {"reason": "x"}, "end_measure": {"measure": 2}, "lift_listing": {},
}  # fmt: skip


async def test_another_system_proposes_takes_measures_and_notes(ledger: Ledger) -> None:
    made = await ledger.put_down("machine:bureau", origin="other_system", reference="双预-2026-88")
    assert (made["origin"], made["state"]) == ("other_system", "proposed") and made["proposed_by"].startswith("token:")
    await ledger.done(made, "machine:enterprise:alu", "measure", kind="evacuate", authority="企业双预系统")
    await ledger.done(made, "machine:enterprise:alu", "comment", text="现场已拉警戒线")
    assert {row["command"] for row in made["commands"] if row["allowed"]} == MACHINES_MAY & COMMANDS.keys()


@pytest.mark.parametrize("command", DECISIONS)
async def test_no_machine_decides_or_signs_and_is_told_who_does(ledger: Ledger, command: str) -> None:
    hazard = await ledger.put_down()
    problem = await ledger.refused(hazard, "machine:administrator", command, 403, "decided_by_person", **DECISIONS[command])
    assert problem["basis"] == "platform_default" and "sign in" in problem["hint"] and "comment, measure, propose" in problem["hint"]
    rows = {row["command"]: row for row in (await ledger.read(hazard, "machine:administrator"))["commands"]}
    assert not rows[command]["allowed"] and rows[command]["why_not"]["rule"] == "decided_by_person"


async def test_the_role_is_looked_at_first(ledger: Ledger) -> None:
    hazard = await ledger.put_down()
    await ledger.refused(hazard, "machine:enterprise:alu", "confirm", 403, "confirmed_by_person", grade="serious")
