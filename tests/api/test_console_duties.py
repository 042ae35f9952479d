"""The duties of bodies (履职) on the console in a real Chromium: what is due, who did it last, recording it, who hears of it."""

import asyncio
import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from hazards.ledger.duties import following
from hazards.scope import EVERYTHING
from storage.duties import finish_duty, list_duties
from storage.ledger_clocks import Keeper
from tests.api.conftest import Server
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.test_duties import Silence
from tests.api.touch import within_reach

UNTRANSLATED = re.compile(r"\b(?:duties|duty|page|due|wrong|role)\.[a-z_]+(?:\.[a-z_]+)*\b")
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


def look(park: Server, *, days: float = 0) -> None:  # noqa: F811
    """A round of the clocks, as if it were ``days`` from now."""
    now = park.system.now() + timedelta(days=days) // timedelta(microseconds=1)
    park.run(Keeper(park.system.database, Silence(), lambda: now).round(asyncio.Event()))


@pytest.fixture
def begun(park: Server) -> Server:  # noqa: F811
    """Duties since three months: those of the month before last were done, last month's was not by the command."""
    for name, role in (("zhao", "department"), ("qian", "park_command"), ("an", "safety_office")):
        park.system.user(name, role)
    for days in (-92, -61, -31, 0):
        look(park, days=days)
    with park.system.database.write() as connection:
        found = list_duties(connection, EVERYTHING, limit=100)[0]
        for duty in found:
            latest = max(d.period for d in found if d.name == duty.name)
            if duty.period != latest and not (duty.post == "park_command" and following(duty.period) == latest):
                finish_duty(connection, duty.id, EVERYTHING, by="zhao", note="检查12家企业，发现隐患31处", now=duty.due_at - 1)
    return park


def duties_of(open_page: Open, user: str, size: str = "wide") -> Page:  # noqa: F811
    page = open_page(size, user=user)
    live(page)
    page.locator("[data-page=duties]").click()
    expect(page.locator(".duty-list.open .duty[data-id]").first).to_be_visible()
    return page


def test_each_duty_says_whose_until_when_and_who_did_it_last_and_is_recorded_by_its_post(open_page: Open, begun: Server) -> None:  # noqa: F811
    page = duties_of(open_page, "qian")
    late = page.locator(".duty-list.open .duty.late")
    expect(late.first).to_contain_text("园区攻坚指挥部")
    expect(late.first.locator(".due")).to_contain_text("已超期")
    others = page.locator(".duty-list.open .duty[data-id*='monthly_inspection:department']")
    expect(others).to_contain_text("行业主管部门")
    expect(others).to_contain_text("zhao")
    expect(others.locator(".due")).to_contain_text("剩")
    expect(others.get_by_role("button", name="登记完成")).to_have_count(0)
    count = late.count()
    expect(page.locator("[data-page=duties] .count")).to_have_text(re.compile(r"\d+"))

    identity = late.first.get_attribute("data-id")
    late.first.get_by_role("button", name="登记完成").click()
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .wrong-here:visible")).to_have_text("请填写此项")
    page.locator("dialog [name=note]").fill("检查9家，报告编号 JC-11")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog")).to_have_count(0)
    done = page.locator(f".duty-list.done .duty[data-id='{identity}']")
    expect(done).to_contain_text("逾期完成")
    expect(done).to_contain_text("qian")
    expect(done).to_contain_text("JC-11")
    expect(late).to_have_count(count - 1)
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))


def test_who_was_slower_hears_who_recorded_it_and_keeps_what_was_written(open_page: Open, begun: Server) -> None:  # noqa: F811
    page = duties_of(open_page, "zhao")
    row = page.locator(".duty-list.open .duty[data-id*=':department:']").first
    identity = row.get_attribute("data-id") or ""
    row.get_by_role("button", name="登记完成").click()
    page.locator("dialog [name=note]").fill("已检查")
    with begun.system.database.write() as connection:
        finish_duty(connection, identity, EVERYTHING, by="sun", note="", now=begun.system.now())
    page.locator("dialog button[type=submit]").click()
    expect(page.locator("dialog .refusal")).to_have_text("sun 已登记完成")
    assert page.locator("dialog [name=note]").input_value() == "已检查"


def test_those_who_are_told_hear_of_a_point_and_those_who_have_no_duties_have_no_page(open_page: Open, begun: Server) -> None:  # noqa: F811
    page = duties_of(open_page, "an")
    expect(page.get_by_role("button", name="登记完成")).to_have_count(0)
    look(begun, days=120)
    begun.run(begun.system.position())
    expect(page.locator(".toast", has_text="履职逾期").first).to_be_visible()
    begun.system.user("fenxi", "analyst")
    analyst = open_page(user="fenxi")
    live(analyst)
    expect(analyst.locator("[data-page=duties]")).to_have_count(0)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_it_is_one_column_and_the_button_is_large(open_page: Open, begun: Server, language: str) -> None:  # noqa: F811
    page = duties_of(open_page, "qian", "phone")
    if language == "en":
        page.get_by_role("button", name="EN").click()
        expect(page.locator(".duty-list.open h2")).to_contain_text("To be done")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    within_reach(page.locator(".duty-list.open .do button").first)
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
