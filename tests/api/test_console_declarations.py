"""The page 作业票与申报 in a real Chromium: an enterprise enters a permit and ends it, the desk shows it and silences a single alarm."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from storage.site_store import apply_site
from tests.api.conftest import Server, alarm, bearer
from tests.api.ledger import BY_HAND
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.touch import within_reach

UNTRANSLATED = re.compile(r"\b(?:declarations?|detail|wrong|page|do|zone)\.[a-z_]+(?:\.[a-z_]+)*\b")
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


def enter(park: Server, role: str, enterprise: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: F811
    """By the API, then on the feed."""
    ends = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    headers = bearer(park.system.token(role, enterprise))
    answer = httpx.post(f"{park.url}/api/v1/declarations", json={"ends_at": ends, **fields}, headers=headers)
    assert answer.status_code == 201, answer.text
    park.run(park.system.position())
    made: dict[str, Any] = answer.json()
    return made


def page_of(open_page: Open, user: str, size: str = "wide") -> Page:  # noqa: F811
    page = open_page(size, user=user)
    live(page)
    page.locator("[data-page=declarations]").click()
    expect(page.locator(".declaration-page h1")).to_be_visible()
    return page


def sound(page: Page) -> None:
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
    if folder := os.environ.get("BIHUAN_TEST_PICTURES"):
        name = re.sub(r"\W+", "-", os.environ.get("PYTEST_CURRENT_TEST", "page").split("::")[-1])
        page.screenshot(path=str(Path(folder) / f"{name}-{len(list(Path(folder).glob(f'{name}*')))}.png"))


def test_an_enterprise_enters_a_permit_and_ends_it_and_the_room_hears_of_it(open_page: Open, park: Server) -> None:  # noqa: F811
    park.system.user("li", "enterprise", "alu")
    room, page = page_of(open_page, "wang"), page_of(open_page, "li")
    expect(page.locator(".force .none")).to_have_text("当前没有生效的作业票或申报")
    page.get_by_role("button", name="登记作业票").click()
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog [name=work]")).to_have_attribute("aria-invalid", "true")
    page.locator("dialog [name=zone]").select_option("smelter")
    page.locator("dialog [name=work]").select_option("hot_work")
    page.locator("dialog [name=level]").select_option("second")
    expect(page.locator("dialog .longest")).to_have_text("此类作业票最长 3 天")
    page.locator("dialog [name=guardian]").fill("王五")
    page.locator("dialog [name=ends_at]").fill("2020-01-01T10:00")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .wrong-here:visible")).to_contain_text("结束时间须晚于开始时间")
    page.locator("dialog [name=ends_at]").fill("")  # an end is proposed again
    page.locator("dialog [name=level]").select_option("first")
    sound(page)
    page.locator("dialog button[type=submit]").click()
    row = page.locator(".force .declaration")
    expect(row).to_contain_text("作业票 动火 一级")
    expect(row).to_contain_text("监护人 王五")
    expect(page.locator(".force .zone h3")).to_have_text("熔铸车间")
    park.run(park.system.position())
    expect(room.locator(".toast", has_text="登记：作业票 动火 一级 熔铸车间")).to_be_visible()
    expect(room.locator(".force .declaration")).to_contain_text("示例铝业")
    expect(room.get_by_role("button", name="登记作业票")).to_have_count(0)
    row.get_by_role("button", name="提前结束").click()
    page.locator("dialog [name=reason]").fill("完工")
    page.locator("dialog button[type=submit]").click()
    over = page.locator(".over .declaration")
    expect(over).to_contain_text("已提前结束")
    expect(over).to_contain_text("li")
    expect(over).to_contain_text("完工")
    expect(page.locator(".force .declaration")).to_have_count(0)
    sound(page)


def test_the_desk_shows_the_permit_and_silences_a_single_alarm_for_a_limited_time(open_page: Open, park: Server) -> None:  # noqa: F811
    enter(park, "enterprise", "alu", kind="permit", zone="smelter", work="hot_work", guardian="王五")
    park.post(alarm("a", message="炉前"), alarm("m", device="G-310", kind="methane_high"))
    page = open_page()
    live(page)
    page.locator(".row[data-id]", has_text="明火").click()
    expect(page.locator(".detail .declared")).to_contain_text(re.compile(r"作业票 动火 \d\d-\d\d \d\d:\d\d–.*\d\d:\d\d 监护人 王五"))
    page.get_by_role("button", name="搁置或停用").click()
    page.locator("dialog [name=minutes]").select_option("15")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .wrong-here:visible")).to_have_text("请填写此项")
    page.locator("dialog [name=reason]").fill("镜头反光")
    sound(page)
    page.locator("dialog button[type=submit]").click()
    expect(page.locator(".detail .declared[data-kind=shelved]")).to_contain_text("搁置")
    page.get_by_role("button", name="结束搁置").click()
    page.locator("dialog [name=reason]").fill("已处理")
    page.locator("dialog button[type=submit]").click()
    expect(page.get_by_role("button", name="搁置或停用")).to_be_visible()
    expect(page.locator(".detail .declared[data-kind=shelved]")).to_have_count(0)
    sound(page)
    page.locator(".row[data-id]", has_text="甲烷").click()
    expect(page.locator(".detail .story li").first).to_contain_text("甲烷")
    expect(page.get_by_role("button", name="搁置或停用")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_it_is_one_column_and_the_buttons_are_large(open_page: Open, park: Server, language: str) -> None:  # noqa: F811
    park.system.user("li", "enterprise", "alu")
    enter(park, "enterprise", "alu", kind="calibration", zone="smelter", devices=["T-101"], reason="季度标校")
    enter(park, "bureau", kind="key_period", zone="", reason="防汛")
    page = page_of(open_page, "li", "phone")
    if language == "en":
        page.get_by_role("button", name="EN").click()
        expect(page.locator(".declaration-page h1")).to_have_text("Permits and declarations")
    expect(page.locator(".force .declaration")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    within_reach(page.locator(".force .declaration .do button").first)
    sound(page)
    page.locator("[data-kind=permit]").click()
    expect(page.locator("dialog [name=guardian]")).to_be_visible()
    sound(page)


@pytest.mark.parametrize(("language", "said"), [("zh", "此区域已责令停止作业"), ("en", "Work is stopped in this zone")])
def test_a_permit_where_work_is_stopped_is_refused_in_words_that_name_the_order(
    open_page: Open, park: Server, language: str, said: str  # noqa: F811
) -> None:  # fmt: skip
    headers = bearer(park.system.token("department"))
    hazard = httpx.post(f"{park.url}/api/v1/hazards", json=BY_HAND, headers=headers).json()
    order = {"command": "measure", "kind": "stop_work", "authority": "应急局7号"}
    assert httpx.post(f"{park.url}/api/v1/hazards/{hazard['id']}/commands", json=order, headers=headers).status_code == 200
    park.system.user("li", "enterprise", "alu")
    page = page_of(open_page, "li")
    if language == "en":
        page.get_by_role("button", name="EN").click()
    page.locator("[data-kind=permit]").click()
    page.locator("dialog [name=zone]").select_option("smelter")
    page.locator("dialog [name=work]").select_option("hot_work")
    page.locator("dialog [name=guardian]").fill("王五")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .refusal")).to_contain_text(said)
    expect(page.locator("dialog .refusal")).to_contain_text("应急局7号")
    sound(page)


def test_a_written_end_of_a_permit_stays_and_is_refused_at_its_field_when_it_is_too_late(open_page: Open, park: Server) -> None:  # noqa: F811
    park.system.user("li", "enterprise", "alu")
    page = page_of(open_page, "li")
    page.locator("[data-kind=permit]").click()
    dialog = page.locator("dialog")
    until, start = dialog.locator("[name=ends_at]"), dialog.locator("[name=starts_at]")
    dialog.locator("[name=work]").select_option("hot_work")
    proposed = until.input_value()
    assert proposed, "an end nobody wrote is proposed"
    tomorrow = (datetime.fromisoformat(proposed) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    start.fill(tomorrow)
    start.dispatch_event("change")
    assert until.input_value() > tomorrow, "and moves with the beginning"
    mine = (datetime.fromisoformat(tomorrow) + timedelta(hours=30)).strftime("%Y-%m-%dT%H:%M")
    until.fill(mine)
    dialog.locator("[name=level]").select_option("special")
    start.dispatch_event("change")
    assert until.input_value() == mine, "what somebody wrote stays"
    expect(dialog.locator(".wrong-here:visible")).to_have_text("最长 8 小时")
    if dialog.locator("[name=zone]").input_value() == "":
        dialog.locator("[name=zone]").select_option("smelter")
    dialog.locator("[name=guardian]").fill("王五")
    dialog.locator("button[type=submit]").click()
    expect(until).to_have_attribute("aria-invalid", "true")
    until.fill((datetime.fromisoformat(tomorrow) + timedelta(hours=6)).strftime("%Y-%m-%dT%H:%M"))
    dialog.locator("button[type=submit]").click()
    expect(page.locator("dialog")).to_have_count(0)


def test_a_zone_without_devices_says_so_where_devices_are_asked_for(open_page: Open, park: Server) -> None:  # noqa: F811
    with park.system.database.write() as connection:
        site = replace(park.system.site, devices=[each for each in park.system.site.devices if each.zone != "office"])
        apply_site(connection, site, by="test", now=2)
    park.run(park.system.reload_site())
    park.system.user("li", "enterprise", "alu")
    page = page_of(open_page, "li")
    page.locator("[data-kind=calibration]").click()
    devices = page.locator("dialog .field", has=page.locator("[name=devices]"))
    expect(devices).to_contain_text("请先选择区域")
    page.locator("dialog [name=zone]").select_option("office")
    expect(devices).to_contain_text("该区域没有登记的设备")
    page.locator("dialog [name=zone]").select_option("smelter")
    expect(devices.locator("p")).to_be_hidden()
