"""The page of alarm quality (报警质量) in a real Chromium: figures with targets and verdicts, the strip by key, bad actors, every state."""

import re
from typing import Any

import httpx
import msgspec
import pytest
from playwright.sync_api import Page, expect

from hazards.zones import Position
from storage.site_store import apply_site
from tests.api import scene
from tests.api.conftest import Server, alarm, bearer
from tests.api.test_console import CONTRAST, Open, at, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)

UNTRANSLATED = re.compile(r"\b(?:quality|page|error|severity|since)\.[a-z_0-9]+(?:\.[a-z_0-9]+)*\b")
HOUR = 3600
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


def events() -> list[dict[str, Any]]:
    """A day: something every hour, a chattering gas alarm that floods the room three hours ago, and what still stands."""
    found = []
    for hour in range(23):
        for device, kind in (("CAM-9", "intrusion"), ("CAM-7", "smoke"))[: 1 + hour % 2]:
            found.append(at((24 - hour) * HOUR - 700, alarm(f"h-{hour}-{device}", device=device, kind=kind, action="pulse")))
    for n in range(60):
        action = "cleared" if n % 2 else "raised"
        found.append(at(3 * HOUR - 10 * n, alarm(f"g-{n}", device="G-201", kind="flammable_gas_high", action=action)))
    return [*found, at(1300, alarm("flame", device="CAM-1"))]


@pytest.fixture
def busy(park: Server) -> Server:  # noqa: F811
    park.post(*sorted(events(), key=lambda event: event["time"]))
    return park


def quality_of(open_page: Open, size: str = "wide") -> Page:  # noqa: F811
    page = open_page(size)
    live(page)
    page.locator("[data-page=quality]").click()
    expect(page.locator(".quality-head h2")).to_have_text("报警质量")
    return page


def figure(page: Page, name: str) -> Any:
    return page.locator(f"[data-figure={name}]")


def test_figures_show_target_verdict_and_who_says_so(open_page: Open, busy: Server) -> None:  # noqa: F811
    page = quality_of(open_page)
    expect(figure(page, "rate_average")).to_contain_text("良好")
    expect(figure(page, "rate_average")).to_contain_text("目标 ≤ 1，可承受 ≤ 2 · EEMUA 191")
    expect(figure(page, "rate_maximum")).to_contain_text("过载")
    expect(figure(page, "chattering")).to_contain_text("ISA-18.2（待核对原文）")
    expect(figure(page, "acknowledged_median")).to_contain_text("平台默认")
    expect(figure(page, "flood_count").locator("b")).to_have_text("1")
    expect(page.locator(".flood-list tbody tr")).to_have_count(1)
    expect(page.locator(".as-of")).to_contain_text("仅演示报警")
    expect(page.locator(".actors").first.locator("tbody tr").first).to_contain_text("G-201")
    tallest = page.locator("svg.strip .rate-bar").evaluate_all("all => Math.max(...all.map((e) => e.getBoundingClientRect().height))")
    assert 120 < tallest < 160, "the highest period fills the strip"
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
    page.get_by_role("button", name="English").click()
    expect(page.locator(".quality-head h2")).to_have_text("Alarm quality")
    expect(figure(page, "rate_maximum")).to_contain_text("overloaded")
    assert not UNTRANSLATED.findall(page.inner_text("body")) and not re.search("[\u4e00-\u9fff]", page.inner_text(".quality-groups"))


def test_by_keyboard_alone_each_period_is_read_and_the_window_changed(open_page: Open, busy: Server) -> None:  # noqa: F811
    page = open_page()
    live(page)
    for _ in range(page.locator("[data-page]").count() - 1):
        page.keyboard.press("g")
    strip = page.locator("svg.strip")
    expect(strip.locator(".rate-bar")).to_have_count(144)
    assert "泛滥 1 次" in (strip.get_attribute("aria-label") or "")
    strip.focus()
    page.keyboard.press("Home")
    first = page.locator(".readout").inner_text()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".readout")).not_to_have_text(first)
    while "超过 10 条" not in page.locator(".readout").inner_text():
        page.keyboard.press("ArrowRight")
    assert re.search(r"至 .+：\d\d 条，超过 10 条", page.locator(".readout").inner_text())
    page.locator("[data-days='7']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-days='7']")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("svg.strip .rate-bar")).to_have_count(144)  # of 7 periods each
    expect(page.locator("[data-days='7']")).to_be_focused()
    page.locator("svg.strip").focus()
    page.keyboard.press("End")
    expect(page.locator(".readout")).to_contain_text("条/10 分钟")


def test_a_bad_actor_leads_to_its_incidents(open_page: Open, busy: Server) -> None:  # noqa: F811
    page = quality_of(open_page)
    page.locator(".actors").first.get_by_role("button", name="G-201").click()
    expect(page.locator(".row[data-id]")).to_have_count(1)
    expect(page.locator(".row[data-id] .where")).to_contain_text("储罐区")
    assert page.locator(".search").input_value() == "G-201"
    page.locator(".search").fill("")
    expect(page.locator(".row[data-id]").nth(3)).to_be_visible()


def test_no_alarm_no_network_and_a_refusal_are_designed(open_page: Open, park: Server) -> None:  # noqa: F811
    page = quality_of(open_page)
    expect(page.get_by_text("该时段没有报警")).to_be_visible()
    expect(figure(page, "standing").locator("b")).to_have_text("0")
    page.route("**/api/v1/alarm-quality*", lambda route: route.abort())
    page.locator("[data-days='31']").click()
    expect(page.locator(".quality .state")).to_contain_text("网络")
    page.unroute("**/api/v1/alarm-quality*")
    page.get_by_role("button", name="重试").click()
    expect(page.get_by_text("该时段没有报警")).to_be_visible()
    page.route("**/api/v1/alarm-quality*", lambda route: route.abort())
    page.clock.install()
    page.locator("[data-page=incidents]").click()
    page.locator("[data-page=quality]").click()
    expect(page.locator(".as-of.wrong")).to_contain_text("无法更新")
    expect(page.get_by_text("该时段没有报警")).to_be_visible()


def test_positions_are_chosen_and_stand_beside_each_other(open_page: Open, busy: Server) -> None:  # noqa: F811
    positions = [Position("west", "西区岗", ["smelter"]), Position("tanks", "罐区岗", ["tank"], seats=2)]
    with busy.system.database.write() as connection:
        apply_site(connection, msgspec.structs.replace(scene.SITE, positions=positions), by="test", now=2)
    busy.run(busy.system.reload_site())
    page = quality_of(open_page)
    expect(page.locator(".positions tbody tr")).to_have_count(2)
    page.locator(".position select").select_option("tanks")
    expect(page.locator(".actors").first.locator("tbody tr")).to_have_count(1)
    path = f"{busy.url}/api/v1/alarm-quality?position=tanks&synthetic=true"
    answer = httpx.get(path, headers=bearer(busy.system.token("operator"))).json()
    highest = next(f["value"] for f in answer["figures"] if f["name"] == "rate_maximum")
    assert answer["seats"] == 2 and highest == max(answer["counts"]) / 2
    expect(figure(page, "rate_maximum").locator("b")).to_have_text(f"{highest:g}")


def test_a_phone_shows_one_column_without_scrolling_sideways(open_page: Open, busy: Server) -> None:  # noqa: F811
    page = quality_of(open_page, "phone")
    expect(figure(page, "rate_average")).to_be_visible()
    for element in ("html", ".quality"):
        assert page.evaluate(f"document.querySelector('{element}').scrollWidth <= innerWidth"), element
    small = page.locator(".quality button:visible, .quality select:visible").evaluate_all(
        "all => all.filter((e) => e.getBoundingClientRect().height < 44).map((e) => e.outerHTML)"
    )
    assert small == []
