"""Refusing to rectify a major hazard can be a crime (001(15), 003(22)): it is referred (移送) with its record."""

from tests.api.ledger import Ledger

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
    await ledger.last(hazard, "referred", "referral", "clause")
    entry = (await ledger.record(hazard))[-1]
    assert [(s["document"], s["clause"]) for s in entry["ruling"]["sources"]] == [("001", "15"), ("003", "22")]
    await ledger.refused(hazard, "bureau", "refer", 409, "referral", **LETTER)


async def test_a_lesser_hazard_is_not_referred(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(grade="serious")
    problem = await ledger.refused(hazard, "bureau", "refer", 409, "referral", **LETTER)
    assert "grade serious" in problem["detail"]
