"""An enterprise's profile (企业档案) on the console in a real Chromium: reached from a hazard, shown to the enterprise's own people."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.api.conftest import Server
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.test_console_hazards import put_down

UNTRANSLATED = re.compile(r"\b(?:enterprise|page|due|role)\.[a-z_]+(?:\.[a-z_]+)*\b")
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture
def ledger(park: Server) -> list[str]:  # noqa: F811
    """Hazards of three enterprises; one enterprise has the same kind three times."""
    for name, role, enterprise in (("zhao", "department", None), ("qi", "enterprise", "chem")):
        park.system.user(name, role, enterprise)
    made = [put_down(park, title=f"疏散通道封闭 {n}") for n in range(3)]
    made.append(put_down(park, zone="tank", kind="gas", grade="major", title="可燃气体报警装置停用"))
    put_down(park, zone="smelter", kind="heat", title="别家的隐患")
    return [hazard["id"] for hazard in made]


def test_from_a_hazard_to_its_enterprise_and_back_to_another_hazard(open_page: Open, ledger: list[str]) -> None:  # noqa: F811
    page = open_page(user="zhao")
    live(page)
    page.locator("[data-page=hazards]").click()
    page.locator(f".row.hazard[data-id='{ledger[0]}']").click()
    page.locator(".hazard-detail .link.enterprise").click()
    profile = page.locator(".profile")
    expect(profile.locator("h2")).to_have_text("示例化工")
    expect(page.locator(".enterprises .facet[aria-pressed=true]")).to_have_text("示例化工")
    expect(profile.locator(".figure").first).to_contain_text("4")
    expect(profile.locator("tbody tr").first).to_contain_text("重大")
    expect(profile.locator(".repeats")).to_contain_text("2 次")
    expect(profile.locator(".raised-to")).to_contain_text("每季度 2 次")
    expect(profile.locator(".raised-to .ruling")).to_be_visible()
    expect(profile.locator(".row.hazard")).to_have_count(4)
    expect(profile).not_to_contain_text("别家的隐患")
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
    profile.locator(f".row.hazard[data-id='{ledger[3]}']").click()
    expect(page.locator(".hazard-detail h2")).to_have_text("可燃气体报警装置停用")


def test_the_profile_follows_what_happens(open_page: Open, park: Server, ledger: list[str]) -> None:  # noqa: F811
    page = open_page(user="zhao")
    live(page)
    page.locator("[data-page=enterprises]").click()
    page.locator(".enterprises .facets input").fill("化工")
    expect(page.locator(".enterprises .facet")).to_have_count(1)
    page.locator(".enterprises .facet").click()
    expect(page.locator(".profile .row.hazard")).to_have_count(4)
    page.locator(".enterprises .facets input").blur()
    put_down(park, kind="electrical", title="配电箱未上锁")
    park.run(park.system.position())
    expect(page.locator(".profile .row.hazard")).to_have_count(5)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_its_own_people_see_theirs_alone_on_a_phone_in_one_column(open_page: Open, ledger: list[str], language: str) -> None:  # noqa: F811
    page: Page = open_page("phone", user="qi")
    live(page)
    if language == "en":
        page.get_by_role("button", name="English").click()
    page.locator("[data-page=enterprises]").click()
    expect(page.locator(".profile h2")).to_have_text("示例化工")
    expect(page.locator(".enterprises .facet")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
