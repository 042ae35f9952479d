"""From an incident to the open hazards of its zone and back, on the console in a real Chromium."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.api.conftest import Server, System, alarm, run_server
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, playwright  # noqa: F401 (fixtures)
from tests.api.test_console_gate import UNTRANSLATED, rectifying
from tests.api.test_console_hazards import by_api, put_down

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture
def park(tmp_path: Path) -> Iterator[Server]:
    system = System(tmp_path)
    system.user("wang", "operator")
    yield from run_server(system)
    system.close()


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_an_incident_leads_to_the_open_hazards_of_its_zone_and_each_back_to_its_incidents(
    open_page: Open, park: Server, size: str, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    hazard = rectifying(park, kind="fire", title="3 号炉前明火")
    put_down(park, zone="smelter", kind="training", grade="general", title="特种作业人员未持证上岗，" * 9)
    taken_at = datetime.fromtimestamp(park.system.now() / 1e6, UTC).isoformat()
    paper = {"stage": "after", "place": "3 号炉前", "document": "检修单 17", "taken_at": taken_at}
    by_api(park, hazard, "enterprise", "claim", "alu", note="已修复", evidence=[paper])
    park.post(alarm("again"))
    page = open_page(size)
    live(page)
    page.locator(".row[data-id]").first.click()
    lines = page.locator(".zone-hazards li[data-hazard]")
    expect(lines).to_have_count(2)
    first = lines.first
    expect(first).to_have_attribute("data-hazard", hazard)  # an alarm of its kind, though the other one is due before it
    expect(first).to_contain_text(re.compile(r"3 号炉前明火\s*剩 1[45] 天 .*待验收.*同类"))
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]
    facts = page.locator(".detail .facts dd")
    wide = facts.evaluate_all("all => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)")
    assert wide == [], "a long title stays where it belongs"
    page.screenshot(path=tmp_path / f"incident-{size}.png")
    first.locator(".link").click()
    expect(page.locator(".hazard-detail .tracks")).to_contain_text("申请验收后又报警")
    incidents = page.locator(".hazard-detail .own-incidents li")
    expect(incidents).to_have_count(1)
    expect(incidents).to_contain_text(re.compile("明火.*申请验收后报警", re.DOTALL))
    expect(page.locator(".hazard-detail .record")).to_contain_text("CAM-1")
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]
    incidents.scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / f"hazard-{size}.png")
    incidents.locator(".link").click()
    expect(page.locator(".detail:not(.hazard-detail) .head h2")).to_contain_text("明火")
