"""Refusing to rectify a major hazard can be a crime (001(15), 003(22)): it is referred (移送) with its record."""

from tests.api.ledger import Ledger, paper

LETTER = {"to": "区公安分局", "number": "移-2026-1", "reason": "经约谈仍拒不整改重大隐患"}


async def test_a_major_hazard_is_referred_once_with_a_letter_and_the_record_stands_behind_it(ledger: Ledger) -> None:
    hazard = await ledger.put_down("operator", grade="major")
    problem = await ledger.refused(hazard, "bureau", "refer", 409, "provisional_clock", **LETTER)
    assert problem["basis"] == "platform_default"
    await ledger.done(hazard, "department", "confirm", grade="major", criterion="demo-5")
    for who in ("operator", "enterprise:alu", "district_leader"):
        await ledger.refused(hazard, who, "refer", 403, "referral", **LETTER)
    unnumbered = await ledger.give(hazard, "bureau", "refer", **LETTER | {"number": ""})
    assert (unnumbered.status_code, unnumbered.json()["pointer"]) == (422, "/number")
    referred = await ledger.done(hazard, "bureau", "refer", **LETTER)
    assert (referred["referral"]["to"], referred["referral"]["number"], referred["state"]) == ("区公安分局", "移-2026-1", "confirmed")
    await ledger.last(hazard, "referred", "referred_in_time", "platform_default")
    await ledger.refused(hazard, "bureau", "refer", 409, "referral", **LETTER)


async def test_the_clause_is_cited_where_the_limit_was_missed(ledger: Ledger) -> None:
    hazard = await ledger.confirmed(grade="major")
    ledger.later(days=17)
    await ledger.tick()
    await ledger.done(hazard, "bureau", "refer", **LETTER)
    await ledger.last(hazard, "referred", "referral", "clause")
    entry = (await ledger.record(hazard))[-1]
    assert [(s["document"], s["clause"]) for s in entry["ruling"]["sources"]] == [("001", "15"), ("003", "22")]


async def test_a_reopened_hazard_is_not_referred_yet_and_its_record_keeps_the_earlier_one(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="major")
    await ledger.done(hazard, "bureau", "refer", **LETTER)
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.inspected(hazard)
    await ledger.done(hazard, "department", "accept")
    closed = await ledger.done(hazard, "department", "close")
    assert closed["referral"]["number"] == "移-2026-1"
    back = await ledger.done(hazard, "department", "reopen", reason="复发")
    assert back["referral"] is None and "referral" not in back["tracks"]
    again = await ledger.done(hazard, "bureau", "refer", **LETTER | {"number": "移-2026-9"})
    assert again["referral"]["number"] == "移-2026-9"
    assert [e["details"]["number"] for e in await ledger.record(hazard) if e["event"] == "referred"] == ["移-2026-1", "移-2026-9"]


async def test_a_lesser_hazard_is_not_referred(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="serious")
    problem = await ledger.refused(hazard, "bureau", "refer", 409, "referral", **LETTER)
    assert "grade serious" in problem["detail"]
