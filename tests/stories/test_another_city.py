"""The same ledger in another city: Shanxi's pack has other grades, posts, limits; and a city that changes its pack meanwhile."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bihuan.policy_file import shipped
from storage.site_store import apply_site
from tests.api.conftest import System
from tests.api.ledger import PLAN, Ledger, paper
from tests.stories.conftest import STORY_SITE

SHANXI = replace(STORY_SITE, policy="shanxi")


@pytest.fixture
def system(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[System]:
    made = System(tmp_path, site=getattr(request, "param", SHANXI))
    yield made
    made.close()


async def by_its_rules(ledger: Ledger, hazard: dict[str, Any], pack: str) -> list[dict[str, Any]]:
    """Its record, every entry of which follows a rule of that pack."""
    record = await ledger.record(hazard)
    rules, version = shipped(pack).rules, shipped(pack).version
    assert {e["policy"] for e in record} == {version} and {e["ruling"]["rule"] for e in record} <= rules.keys()
    return record


async def test_a_major_hazard_goes_the_whole_way_by_shanxis_rules(ledger: Ledger) -> None:
    hazard = await ledger.put_down("enterprise:alu", grade="major")
    await ledger.refused(hazard, "department", "confirm", 422, "criterion_for_major", grade="major")
    hazard = await ledger.done(hazard, "department", "confirm", grade="major", criterion="demo-5")
    confirmed, due = (datetime.fromisoformat(hazard[name]) for name in ("confirmed_at", "due_at"))
    assert (due.date() - confirmed.date()).days == 30
    for to, who in (("department", "应急局"), ("staff_congress", "职代会")):
        await ledger.done(hazard, "enterprise:alu", "report", to=to, recipient=who)
    await ledger.done(hazard, "enterprise:alu", "publish", place="厂区公示栏", until="2099-01-01T00:00:00+08:00")
    await ledger.done(hazard, "bureau", "list", number="晋挂-1", supervisor="应急局")
    await ledger.done(hazard, "enterprise:alu", "plan", **PLAN)
    await ledger.done(hazard, "bureau", "approve_plan")
    await ledger.done(hazard, "enterprise:alu", "start_rectification")
    await ledger.done(hazard, "enterprise:alu", "request_extension", days=10, cause="supply", reason="防爆电机到货延期")
    signers = [await ledger.come(name, role) for name, role in (("zhao", "department"), ("sun", "bureau"), ("wu", "safety_office"))]
    await ledger.prove(*signers)
    for name in signers:
        hazard = await ledger.done(hazard, name, "sign_extension")
    assert (datetime.fromisoformat(hazard["due_at"]).date() - due.date()).days == 10
    await ledger.refused(hazard, "enterprise:alu", "request_extension", 409, "extension_cap", days=1, cause="supply", reason="再延")
    await ledger.done(hazard, "bureau", "file_extension", number="晋备-1")
    await ledger.done(hazard, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.refused(hazard, "department", "accept", 403, "accepted_by_authority")
    await ledger.refused(hazard, "bureau", "accept", 409, "expert_acceptance")
    await ledger.done(hazard, "bureau", "inspect", posts=["bureau"], experts=["郑工", "何工"], passed=True, note="合格")
    await ledger.done(hazard, "bureau", "accept")
    await ledger.done(hazard, "bureau", "lift_listing", note="摘牌")
    closed = await ledger.done(hazard, "bureau", "close")
    assert closed["state"] == "closed"
    assert "omitted" not in (await by_its_rules(ledger, closed, "shanxi"))[-1]["details"]


async def test_a_missed_limit_is_summoned_for_and_referred_by_shanxis_rules(ledger: Ledger) -> None:
    hazard = await ledger.rectifying("operator", "major")
    ledger.later(days=31)
    await ledger.tick()
    late = await ledger.read(hazard, "administrator")
    assert late["overdue"] and late["tracks"]["summons"] == "due"
    await ledger.done(hazard, "district_leader", "summon", with_whom="法定代表人", note="限期整改")
    await ledger.done(hazard, "bureau", "refer", to="公安局", number="移-1", reason="拒不整改")
    await by_its_rules(ledger, hazard, "shanxi")


@pytest.mark.parametrize("system", [STORY_SITE], indirect=True)
async def test_a_hazard_keeps_its_rules_when_the_city_changes_to_another_pack(ledger: Ledger, system: System) -> None:
    old = await ledger.rectifying()  # 较大, which Shanxi has not
    with system.database.write() as connection:
        apply_site(connection, SHANXI, by="test", now=system.now())
    await system.reload_site()
    assert (await ledger.get("/policy")).json()["version"] == shipped("shanxi").version
    await ledger.done(old, "enterprise:alu", "request_extension", days=3, cause="weather", reason="暴雨")
    signers = [await ledger.come("qian", "park_command"), await ledger.come("zhao", "department")]
    await ledger.prove(*signers)
    for name in signers:
        await ledger.done(old, name, "sign_extension")
    await ledger.done(old, "enterprise:alu", "claim", note="已整改", evidence=[paper()])
    await ledger.done(old, "park_command", "accept")
    await ledger.done(old, "park_command", "close")
    await by_its_rules(ledger, old, "guangyuan")
    new = await ledger.put_down(kind="fire", zone="depot", grade="general")
    assert (await by_its_rules(ledger, new, "shanxi"))[0]["event"] == "proposed"
    due = date.fromisoformat(new["due_at"][:10])
    assert (due - date.fromisoformat(new["opened_at"][:10])).days >= 7, "seven working days"
