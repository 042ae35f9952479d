"""Measures (管控措施, 003(22)): from the first minute, with authority, start and end; the hard ones are the authorities' own."""

import pytest

from tests.api.ledger import Ledger

ORDER = {"authority": "区应急管理局第12号决定"}


@pytest.mark.parametrize("kind", ["evacuate", "isolate", "stop_work"])
async def test_whoever_is_on_site_evacuates_isolates_and_stops_from_the_first_minute(ledger: Ledger, kind: str) -> None:
    hazard = await ledger.put_down()
    for who in ("operator", "enterprise:alu"):
        taken = await ledger.done(hazard, who, "measure", kind=kind, authority="当班值班长", note="先控后治")
        assert (taken["measures"][-1]["kind"], taken["measures"][-1]["ended_at"], taken["state"]) == (kind, None, "proposed")
        await ledger.last(hazard, "measure_taken", "measures_first_minute", "interpretation")
    await ledger.refused(hazard, "district_leader", "measure", 403, "measures_first_minute", kind=kind, authority="x")


@pytest.mark.parametrize("kind", ["stop_production", "cut_electricity", "stop_explosives", "seal"])
async def test_the_hard_measures_are_taken_and_ended_by_authorities_by_clause(ledger: Ledger, kind: str) -> None:
    hazard = await ledger.put_down("operator", grade="major")
    for who in ("operator", "enterprise:alu"):
        problem = await ledger.refused(hazard, who, "measure", 403, "coercive_measures", kind=kind, **ORDER)
        assert problem["basis"] == "clause" and problem["ruling"]["sources"][0]["document"] == "003"
    times = {"start": "2026-01-05T08:00:00+08:00", "until": "2099-01-20T08:00:00+08:00"}
    taken = await ledger.done(hazard, "bureau", "measure", kind=kind, **ORDER, **times)
    (measure,) = taken["measures"]
    assert {name: measure[name] for name in ("authority", "start", "until")} == ORDER | times and measure["kind_name"]["zh"]
    await ledger.last(hazard, "measure_taken", "coercive_measures", "clause")
    await ledger.refused(hazard, "enterprise:alu", "end_measure", 403, "coercive_measures", measure=measure["number"])
    ended = await ledger.done(hazard, "bureau", "end_measure", measure=measure["number"], note="整改后解除")
    assert ended["measures"][0]["ended_at"] and ended["measures"][0]["ended_by"]
    twice = await ledger.give(hazard, "bureau", "end_measure", measure=measure["number"])
    assert (twice.status_code, twice.json()["pointer"]) == (422, "/measure")


async def test_a_measure_outlives_the_hazard_until_somebody_ends_it(ledger: Ledger) -> None:
    hazard = await ledger.put_down()
    taken = await ledger.done(hazard, "bureau", "measure", kind="seal", **ORDER)
    await ledger.done(hazard, "department", "dismiss", reason="不属隐患")
    await ledger.refused(hazard, "bureau", "measure", 409, "measures_first_minute", kind="seal", **ORDER)
    ended = await ledger.done(hazard, "bureau", "end_measure", measure=taken["measures"][0]["number"])
    assert ended["measures"][0]["ended_at"] and ended["state"] == "dismissed"
