"""What another system may do with a token of its own: all that its role may, but sign."""

import pytest

from hazards.ledger.commands import SIGNATURES
from tests.api.ledger import Ledger


async def test_another_system_proposes_takes_measures_and_notes(ledger: Ledger) -> None:
    made = await ledger.put_down("machine:bureau", origin="other_system", reference="双预-2026-88")
    assert (made["origin"], made["state"]) == ("other_system", "proposed") and made["proposed_by"].startswith("token:")
    await ledger.done(made, "machine:enterprise:alu", "measure", kind="evacuate", authority="企业双预系统")
    await ledger.done(made, "machine:enterprise:alu", "comment", text="现场已拉警戒线")


@pytest.mark.parametrize("command", sorted(SIGNATURES))
async def test_no_machine_signs_and_is_told_who_does(ledger: Ledger, command: str) -> None:
    hazard = await ledger.put_down()
    problem = await ledger.refused(hazard, "machine:park_command", command, 403, "signed_by_person")
    assert problem["basis"] == "platform_default" and "sign in" in problem["hint"]
    rows = {row["command"]: row for row in (await ledger.read(hazard, "machine:park_command"))["commands"]}
    assert not rows[command]["allowed"] and rows[command]["why_not"]["rule"] == "signed_by_person"
