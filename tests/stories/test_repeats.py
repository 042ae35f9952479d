"""Repeats (重复隐患, 004(28)): the same kind at the same enterprise within a year is marked and proposed a grade graver."""

from msgspec.structs import replace

from hazards.zones import Device
from storage.site_store import apply_site
from tests.api.conftest import alarm
from tests.api.ledger import Ledger, paper
from tests.stories.conftest import STORY_SITE


async def test_the_same_kind_at_the_same_enterprise_again_is_a_repeat_and_proposed_graver(ledger: Ledger) -> None:
    first = await ledger.put_down("enterprise:alu", grade="general", kind="electrical")
    assert not first["repeated"]
    again = await ledger.put_down("operator", grade="general", kind="electrical", title="配电箱敞开")
    assert (again["repeated"], again["repeat_of"], again["grade"], again["proposed_grade"]) == (True, [first["id"]], "serious", "serious")
    details = await ledger.last(again, "repeated", "repeat_window", "platform_default")
    assert (details["repeat_of"], details["inspections"]) == ([first["id"]], 2)
    assert (await ledger.done(again, "department", "confirm", grade="general"))["grade"] == "general", "a person decides"


async def test_what_repeats_nothing_is_not_marked(ledger: Ledger) -> None:
    first = await ledger.put_down(grade="general", kind="electrical")
    for fields in ({"kind": "guarding"}, {"kind": "electrical", "zone": "depot"}, {"kind": "electrical", "zone": "pipeline"}):
        other = await ledger.put_down(grade="general", **fields)
        assert (other["repeated"], other["grade"]) == (False, "general"), fields
    await ledger.done(first, "department", "dismiss", reason="误报")
    assert not (await ledger.put_down(grade="general", kind="electrical"))["repeated"], "a dismissed one was none"


async def test_after_a_year_it_is_no_repeat_and_a_recurrence_reopens_the_same_hazard(ledger: Ledger) -> None:
    hazard = await ledger.rectifying(kind="electrical")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.done(hazard, "department", "accept")
    await ledger.done(hazard, "department", "close")
    ledger.later(days=364)
    assert (await ledger.put_down(kind="electrical"))["repeat_of"] == [hazard["id"]]
    ledger.later(days=800)
    assert (await ledger.put_down(kind="electrical"))["repeat_of"] == []


async def test_the_profile_of_the_enterprise_shows_its_repeats_and_how_often_it_is_inspected(ledger: Ledger) -> None:
    before = (await ledger.get("/enterprises/alu")).json()
    assert (before["open_hazards"], before["repeats"], before["inspections"]) == (0, [], None)
    for _ in range(3):
        await ledger.put_down("enterprise:alu", grade="general", kind="electrical")
    after = (await ledger.get("/enterprises/alu", "enterprise:alu")).json()
    assert (after["open_hazards"], after["inspections"], after["inspections_ruling"]["rule"]) == (3, 2, "repeat_window")
    counts = {g["grade"]: (g["confirmed"], g["proposed"], g["overdue"]) for g in after["grades"]}
    assert counts == {"major": (0, 0, 0), "serious": (0, 2, 0), "general": (0, 1, 0)} and next(iter(counts)) == "major"
    assert after["repeat_days"] == 365 and "smelter" in [zone["id"] for zone in after["zones"]]
    assert [(r["kind"], r["count"], r["name"]["zh"]) for r in after["repeats"]] == [("electrical", 2, "电气安全隐患")]
    assert len((await ledger.get("/hazards?mark=repeated")).json()["items"]) == 2
    assert (await ledger.get("/hazards?mark=listed&mark=repeated")).json()["items"] == []


async def test_a_drill_in_a_real_park_makes_no_real_hazard_a_repeat_and_stays_out_of_the_profile(ledger: Ledger) -> None:
    drills = [Device(id=f"DRILL-{zone}", zone=zone, type="camera", settings={"synthetic": True}) for zone in ("tank", "depot")]
    with ledger.system.database.write() as connection:
        apply_site(connection, replace(STORY_SITE, devices=[*STORY_SITE.devices, *drills]), by="test", now=ledger.system.now())
    await ledger.system.reload_site()
    drilled = []
    for drill in drills:
        await ledger.alarm(alarm(drill.id, device=drill.id))
        (incident,) = (await ledger.get(f"/incidents?zone={drill.zone}")).json()["items"]
        drilled.append(await ledger.put_down(incident=incident["id"]))
    assert [(h["synthetic"], h["repeat_of"]) for h in drilled] == [(True, []), (True, [drilled[0]["id"]])]
    real = await ledger.put_down(zone="tank", grade="general", kind="fire")
    assert (real["synthetic"], real["repeated"], real["grade"]) == (False, False, "general")
    profile = (await ledger.get("/enterprises/chem")).json()
    assert (profile["open_hazards"], profile["repeats"]) == (1, [])
