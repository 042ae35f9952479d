"""Who sees what (003(20)): an enterprise its own, the authorities of the district all of it, nobody anything sideways."""

import pytest

from tests.api.ledger import Ledger


@pytest.mark.parametrize("who", ["operator", "park_command", "department", "bureau", "district_leader", "safety_office", "analyst"])
async def test_the_authorities_of_the_district_see_every_hazard_and_its_record(ledger: Ledger, who: str) -> None:
    made = [await ledger.put_down(zone=zone) for zone in ("smelter", "depot", "pipeline", "quarry")]
    seen = (await ledger.get("/hazards", who)).json()["items"]
    assert {h["id"] for h in seen} == {h["id"] for h in made}
    for hazard in made:
        assert (await ledger.get(f"/hazards/{hazard['id']}/events", who)).status_code == 200


async def test_an_enterprise_sees_and_commands_only_its_own(ledger: Ledger) -> None:
    own, theirs, nobodys = [await ledger.put_down(zone=zone) for zone in ("smelter", "depot", "pipeline")]
    assert [h["id"] for h in (await ledger.get("/hazards", "enterprise:alu")).json()["items"]] == [own["id"]]
    assert (await ledger.get(f"/hazards?enterprise={theirs['enterprise']}", "enterprise:alu")).json()["items"] == []
    for hazard in (theirs, nobodys):
        before = await ledger.standing(hazard)
        for command in ({"command": "measure", "kind": "evacuate", "authority": "x"}, {"command": "comment", "text": "x"}):
            answer = await ledger.post(f"/hazards/{hazard['id']}/commands", "enterprise:alu", **command)
            assert answer.status_code == 404, "as if it were not there"
        assert await ledger.standing(hazard) == before


async def test_hazards_of_two_enterprises_are_never_merged(ledger: Ledger) -> None:
    ours, theirs = await ledger.confirmed(), await ledger.confirmed(zone="depot")
    answer = await ledger.give(ours, "department", "merge", into=theirs["id"], reason="x")
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/into")
    assert "one zone, enterprise and kind" in answer.json()["detail"]
