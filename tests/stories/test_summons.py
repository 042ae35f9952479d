"""Not done in time (001(15)): within 3 days a leader summons (约谈) the legal representative; an overdue 一般 goes to the principal."""

from datetime import datetime, timedelta

from tests.api.ledger import Ledger, paper

HELD = {"post": "district_leader", "with_whom": "法定代表人 陈某", "place": "区政府二号会议室", "note": "限3日内报整改承诺"}


async def test_the_clock_says_that_a_summons_is_due_and_a_leader_holds_it_in_time(ledger: Ledger) -> None:
    hazard = await ledger.rectifying()
    problem = await ledger.refused(hazard, "district_leader", "summon", 409, "summons", **HELD)
    assert problem["detail"] == "it is not overdue" and problem["basis"] == "clause"
    ledger.later(days=16)
    await ledger.tick()
    late = await ledger.read(hazard)
    assert late["overdue"] and late["overdue_at"] and late["tracks"]["summons"] == "due"
    (waiting,) = late["summons"]
    assert waiting["held_at"] is None
    due = datetime.fromisoformat(waiting["due_at"])
    assert due.date() - datetime.fromisoformat(late["due_at"]).date() == timedelta(days=3)
    by_clock = [e for e in await ledger.record(hazard) if e["event"] in ("overdue", "summons_due")]
    assert [(e["ruling"]["rule"], e["ruling"]["basis"], e["role"]) for e in by_clock] == [
        ("overdue", "clause", "platform"), ("summons", "clause", "platform"),
    ]  # fmt: skip
    length = len(await ledger.record(hazard))
    await ledger.tick()
    assert len(await ledger.record(hazard)) == length, "each point once"

    for who in ("department", "safety_office", "enterprise:alu", "operator"):
        await ledger.refused(hazard, who, "summon", 403, "summons", **HELD)
    by_nobody = await ledger.give(hazard, "district_leader", "summon", **HELD | {"post": "enterprise"})
    assert (by_nobody.status_code, by_nobody.json()["pointer"]) == (422, "/post")
    held = await ledger.done(hazard, "district_leader", "summon", **HELD)
    (summons,) = held["summons"]
    assert (summons["held_by"], summons["with_whom"], held["tracks"]["summons"]) == ("district_leader", HELD["with_whom"], "held")
    assert summons["held_at"] and summons["due_at"] == waiting["due_at"]
    assert (await ledger.last(hazard, "summoned", "summons", "clause"))["in_time"] is True
    await ledger.refused(hazard, "district_leader", "summon", 409, "summons", **HELD)


async def test_a_summons_held_too_late_says_so(ledger: Ledger) -> None:
    hazard = await ledger.rectifying()
    ledger.later(days=16)
    await ledger.tick()
    ledger.later(days=4)
    await ledger.done(hazard, "park_command", "summon", **HELD | {"post": "park_command"})
    assert (await ledger.last(hazard, "summoned", "summons", "clause"))["in_time"] is False


async def test_an_overdue_general_hazard_summons_nobody_and_goes_to_the_principal(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="general")
    ledger.later(days=2)
    await ledger.tick()
    assert (await ledger.read(hazard))["tracks"].get("summons") is None
    overdue = next(e for e in await ledger.record(hazard) if e["event"] == "overdue")
    assert (overdue["ruling"]["rule"], overdue["ruling"]["basis"]) == ("summons_scope", "interpretation")
    problem = await ledger.refused(hazard, "district_leader", "summon", 409, "summons_scope", **HELD)
    assert problem["basis"] == "interpretation" and "general" in problem["detail"]


async def test_what_is_accepted_in_time_summons_nobody_and_a_claim_alone_stops_no_clock(ledger: Ledger) -> None:
    accepted, claimed = await ledger.rectifying(), await ledger.rectifying(kind="documents")
    for hazard in (accepted, claimed):
        await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.done(accepted, "department", "accept")
    ledger.later(days=16)
    await ledger.tick()
    assert not (await ledger.read(accepted))["overdue"] and (await ledger.read(claimed))["overdue"]
    await ledger.refused(accepted, "district_leader", "summon", 409, "summons", **HELD)
    assert (await ledger.read(claimed))["tracks"]["summons"] == "due"
