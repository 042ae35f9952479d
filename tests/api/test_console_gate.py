"""The evidence gate and refusals on the console in a real Chromium: each piece of evidence, what is wrong at its field, one's language."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.api.conftest import Server, System, alarm, run_server
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, playwright  # noqa: F401 (fixtures)
from tests.api.test_console_hazards import begin, by_api, choose, fill, put_down, submit
from tests.api.test_gate import measured

UNTRANSLATED = re.compile(r"\b(?:gate|refused|wrong|hazard)\.[a-z_]+(?:\.[a-z_]+)*\b")
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture
def park(tmp_path: Path) -> Iterator[Server]:
    """A park whose sensor T-101 has limits."""
    system = System(tmp_path)
    for name, role, enterprise in (("wang", "operator", None), ("zhao", "department", None), ("wu", "enterprise", "alu")):
        system.user(name, role, enterprise)
    yield from run_server(system)
    system.close()


def rectifying(park: Server, **fields: Any) -> str:
    hazard: str = put_down(park, zone="smelter", **fields)["id"]
    by_api(park, hazard, "department", "confirm", grade="serious")
    by_api(park, hazard, "enterprise", "start_rectification", "alu")
    return hazard


def page_of(open_page: Open, user: str, hazard: str, size: str = "wide", language: str = "zh") -> Page:  # noqa: F811
    page = open_page(size, user=user)
    live(page)
    if language == "en":
        page.get_by_role("button", name="English").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.locator("[data-page=hazards]").click()
    choose(page, hazard)
    return page


@pytest.mark.parametrize("size", ["wide", "phone"])
def test_every_piece_of_evidence_is_drawn_with_its_link(open_page: Open, park: Server, size: str) -> None:  # noqa: F811
    hazard = rectifying(park, kind="heat", title="炉壳超温")
    proof = {"stage": "after", "place": "3 号炉前", "document": "检修单 17"}
    times = [datetime.now(UTC) + timedelta(days=days) for days in (-1, 0)]
    park.run(measured(park.system, 41.5, 1))
    papers = [{**proof, "taken_at": at.isoformat()} for at in times]
    by_api(park, hazard, "enterprise", "claim", "alu", note="已降温", evidence=papers)
    park.system.later(minutes=30)
    park.run(measured(park.system, 66, 600))
    park.run(measured(park.system, 42, 1))
    park.post(alarm("hot", device="T-101", kind="temperature_high"))
    page = page_of(open_page, "zhao", hazard, size)
    gate = page.locator(".hazard-detail .gate")
    expect(gate).to_have_attribute("data-verdict", "refuted")
    expect(gate).to_contain_text("核对区间")
    sensor = gate.locator(".sensors li")
    expect(sensor).to_contain_text("T-101 · 温度")
    expect(sensor).to_contain_text("申请验收之后传感器曾超限")
    expect(sensor).to_contain_text(re.compile("高限 60 ℃.*读数 66 ℃.*最新 42 ℃"))
    answer = page.request.get(park.url + (sensor.locator("a").get_attribute("href") or ""))
    assert answer.ok and answer.json()["points"]
    watcher = gate.locator(".watchers li")
    expect(watcher).to_contain_text("T-101")
    expect(watcher).to_contain_text("有效")
    expect(gate.locator(".papers li")).to_have_text([re.compile("材料早于整改开始时间"), re.compile("整改后材料有效")])
    expect(gate.locator(".ruling").last).to_be_visible()
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]  # type: ignore[index]
    gate.scroll_into_view_if_needed()
    gate.locator(".incidents .link").click()
    expect(page.locator(".detail:not(.hazard-detail) .head h2")).to_be_visible()


@pytest.mark.parametrize(("language", "missing", "early"), [
    ("zh", "须补充整改后的照片或文件，写明时间和地点", "材料早于整改开始时间"),
    ("en", "Add photos or documents of the state after rectification", "from before the rectification began"),
])  # fmt: skip
def test_a_claim_without_a_photo_or_with_an_early_one_says_so_at_the_field(
    open_page: Open, park: Server, language: str, missing: str, early: str  # noqa: F811
) -> None:  # fmt: skip
    hazard = rectifying(park, kind="training", title="未培训上岗")
    page = page_of(open_page, "wu", hazard, language=language)
    begin(page, "claim")
    fill(page, note="已培训")
    submit(page)
    field = page.locator("dialog .field:has(> div > .papers)")
    expect(field.locator("> .wrong-here")).to_contain_text(missing)
    expect(page.locator("dialog .refusal .verdict")).to_be_visible()
    field.locator("button").last.click()
    expect(field.locator("> .wrong-here")).to_be_hidden()
    fill(page, place="培训室", document="签到表", taken_at="2026-01-05T10:00")
    submit(page)
    expect(field.locator(".wrong-here:visible")).to_contain_text(early)
    expect(page.locator("dialog [name=taken_at]")).to_have_attribute("aria-invalid", "true")
    assert not UNTRANSLATED.findall(page.inner_text("body"))


def test_a_refusal_is_said_in_chinese_and_in_the_server_s_words_where_there_are_none(open_page: Open, park: Server) -> None:  # noqa: F811
    page = open_page(user="zhao")
    live(page)
    refused = page.evaluate(
        """async () => {
          const { refusalBlock, wrongWord } = await import("/console/refusals.js");
          const words = (problem) => [...refusalBlock(problem, "?").children].map((each) => each.textContent).join(" | ");
          return [words({ rule: "second_person", detail: "zhao claimed the rectification and can't accept it" }),
            words({ rule: "five_commitments", detail: "a hazard that is claimed takes no plan", hint: "it waits for acceptance" }),
            words({ rule: "supervision", detail: "the role analyst may not supervise" }),
            words({ rule: "city_rule", detail: "not on Sundays" }),
            wrongWord({ pointer: "/evidence/0/place", detail: "1 to 200 characters belong here" }),
            wrongWord({ pointer: "/reason", detail: "String should have at most 1000 characters" })];
        }"""
    )
    assert refused == [
        "申请验收的人不能自己验收或销号，须由另一人办理",
        "此隐患现在的状态不能办理此项 | a hazard that is claimed takes no plan; it waits for acceptance",
        "您的角色不能办理此项", "? | not on Sundays", "最多 200 个字", "最多 1000 个字",
    ]  # fmt: skip
