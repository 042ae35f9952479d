"""The console in a real Chromium: sign-in, the live list, keys, and every state that is not the happy one."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from sqlalchemy import delete

from storage import schema
from tests.api import scene
from tests.api.conftest import PASSWORD, Server, System, alarm, bearer, run_server
from tests.api.touch import within_reach

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
SIZES = {"wide": (1920, 1080), "phone": (390, 844)}


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    if not Path(CHROMIUM).exists():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("needs Debian's chromium")
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    made = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield made
    made.close()


@pytest.fixture
def park(tmp_path: Path) -> Iterator[Server]:
    system = scene.made(tmp_path)
    system.user("wang", "operator")
    yield from run_server(system)
    system.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, park: Server) -> Iterator[Open]:
    """Opens the console; a script error or a breach of the content policy fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_it(size: str = "wide", *, user: str | None = "wang") -> Page:
        width, height = SIZES[size]
        context = browser.new_context(viewport={"width": width, "height": height}, has_touch=size == "phone")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda e: errors.append(str(e)))
        page.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
        page.goto(park.url)
        if user is not None:
            sign_in(page, user)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert errors == []


def sign_in(page: Page, user: str, password: str = PASSWORD) -> None:
    page.fill("[name=username]", user)
    page.fill("[name=password]", password)
    page.click("button[type=submit]")


def rows(page: Page) -> list[str]:
    return page.locator(".row[data-id] .where").all_inner_texts()


def at(seconds_ago: int, event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds_ago))}


def live(page: Page) -> None:
    expect(page.locator(".line[data-state=live]")).to_be_visible(timeout=15_000)


def test_sign_in_is_chinese_says_what_was_wrong_and_switches_language(open_page: Open) -> None:
    page = open_page(user=None)
    expect(page.get_by_role("button", name="登录")).to_be_visible()
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    sign_in(page, "wang", "not the password")
    expect(page.locator(".message")).to_have_text("用户名或密码不正确")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    sign_in(page, "wang")
    expect(page.get_by_text("No open incidents")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_an_alarm_appears_by_itself_with_its_picture_and_is_acknowledged_by_key(open_page: Open, park: Server) -> None:
    page = open_page()
    live(page)
    expect(page.get_by_text("没有未关闭的事件")).to_be_visible()
    picture = park.system.evidence.put(scene.picture("flame", 1), media_type="image/jpeg", device="CAM-1", zone="smelter", taken_at=1)
    park.post(alarm("live", snapshot=picture, message="3 号炉前出现明火"))
    row = page.locator(".row[data-id]")
    expect(row).to_contain_text("明火")
    expect(row.locator(".glyph[data-severity='2'] polygon.shape")).to_have_count(1)  # shape, letter and colour
    expect(row.locator(".glyph .letter")).to_have_text("2")
    expect(row.locator(".certainty")).to_have_text("待核实")
    expect(row.locator(".since")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d · "))
    expect(page.locator(".picture img")).to_have_js_property("naturalWidth", 960)
    expect(page.locator(".detail .story")).to_contain_text("第一条")
    page.keyboard.press("a")
    expect(row.locator(".word")).to_have_text("已确认")
    expect(page.locator(".detail .head .word")).to_contain_text("已确认")
    (incident,) = httpx.get(f"{park.url}/api/v1/incidents", headers=bearer(park.system.token("operator"))).json()["items"]
    assert incident["acknowledged_by"] == "wang"


def test_a_second_independent_source_is_seen_to_make_it_surer_and_graver_and_the_desk_says_why(open_page: Open, park: Server) -> None:
    page = open_page()
    live(page)
    park.post(alarm("seen"))
    row = page.locator(".row[data-id]")
    expect(row.locator(".glyph .letter")).to_have_text("2")
    page.keyboard.press("a")
    expect(row.locator(".word")).to_have_text("已确认")
    park.post(alarm("hot", device="T-101", kind="temperature_high"))
    expect(row.locator(".glyph[data-severity='1'].calls polygon.shape")).to_have_count(1)
    expect(row.locator(".certainty")).to_have_text("已印证")
    expect(row.locator(".word")).to_have_text("未确认")
    said = re.compile(r"摄像机 CAM-1 于 \d\d:\d\d:\d\d 报明火；传感器 T-101 于 \d\d:\d\d:\d\d 报温度高。.*印证（平台默认规则，非文件条款）")
    expect(page.locator(".facts .sentence")).to_have_text(said)
    expect(page.locator(".story li .note", has_text="待核实 → 已印证")).to_be_visible()
    expect(page.locator(".story li .note", has_text="2 紧急 → 1 特急")).to_be_visible()
    expect(page.locator(".story li .why", has_text="可信度升为“已印证”")).to_be_visible()


@pytest.mark.parametrize(("language", "said"), [("中文", "迟到 2 小时 3 分收到"), ("EN", "received 2 h 3 min late")])
def test_what_was_received_late_says_by_how_much(open_page: Open, park: Server, language: str, said: str) -> None:
    page = open_page()
    live(page)
    if language == "EN":
        page.get_by_role("button", name="EN").click()
    park.post(at(2 * 3600 + 3 * 60, alarm("late")), alarm("hot", device="T-101", kind="temperature_high"))
    expect(page.locator(".story .flag", has_text=said)).to_have_count(2)  # the alarm and the opening


def test_what_a_colleague_does_is_seen_at_once_without_the_rows_moving(open_page: Open, park: Server) -> None:
    scene.play(park)
    page = open_page()
    live(page)
    before = rows(page)
    token = bearer(park.system.token("operator"))
    tank = next(i for i in httpx.get(f"{park.url}/api/v1/incidents?family=gas&zone=tank", headers=token).json()["items"])
    httpx.post(f"{park.url}/api/v1/incidents/{tank['id']}/commands", json={"command": "acknowledge"}, headers=token)
    park.run(park.system.position())
    expect(page.locator(f".row[data-id='{tank['id']}'] .word")).to_have_text("已确认")
    assert rows(page) == before


def test_keys_move_comment_shelve_search_and_help(open_page: Open, park: Server) -> None:
    scene.play(park)
    page = open_page()
    live(page)
    chosen = page.locator(".row[aria-selected=true]")
    expect(chosen).to_contain_text("明火")  # the newest of the gravest, not just the newest
    page.keyboard.press("j")
    expect(chosen).to_contain_text("可燃气体")
    page.keyboard.press("k")
    expect(chosen).to_contain_text("明火")
    page.keyboard.press("s")
    page.get_by_role("button", name="1 小时").click()
    page.locator("dialog textarea").fill("检修")
    page.get_by_role("button", name="提交").click()
    expect(chosen.locator(".word")).to_have_text("已搁置")
    page.get_by_role("button", name="备注").click()
    page.locator("dialog textarea").fill("<b>已到现场</b>")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".story .note").filter(has_text="<b>已到现场</b>")).to_have_count(1)  # text, never markup
    page.keyboard.press("?")
    expect(page.locator("dialog")).to_contain_text("快捷键")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("危废")
    expect(page.locator(".row[data-id]")).to_have_count(1)
    page.keyboard.type("没有的东西")
    expect(page.get_by_text("没有符合条件的事件")).to_be_visible()
    page.get_by_role("button", name="清除筛选").click()
    expect(page.locator(".row[data-id]")).to_have_count(10)
    page.keyboard.press("/")
    page.keyboard.type("危废")
    expect(page.locator(".row[data-id]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".row[data-id]")).to_have_count(10)
    expect(page.locator(".search")).to_have_value("")


def test_what_comes_back_stands_on_top_and_says_so_and_is_closed_by_hand(open_page: Open, park: Server) -> None:
    park.post(at(300, alarm("old", device="CAM-2")), at(20, alarm("ended", device="CAM-2", action="cleared")))
    park.post(alarm("other", device="P-11", kind="power_lost"))
    page = open_page()
    live(page)
    page.mouse.move(5, 5)
    expect(page.locator(".row[data-id]").first).to_contain_text("消防泵房")
    park.post(alarm("back", device="CAM-2"))
    first = page.locator(".row[data-id]").first
    expect(first).to_contain_text("危废库")
    expect(first.locator(".raised")).to_have_text(re.compile(r"^再次 \d\d:\d\d:\d\d$"))
    first.click()
    page.get_by_role("button", name="关闭", exact=True).click()
    page.locator("dialog textarea").fill("误报")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".detail .head .word")).to_contain_text("已关闭")
    expect(page.locator(".story .note").filter(has_text="误报")).to_have_count(1)


def test_a_state_with_labels_stays_within_its_row(open_page: Open, park: Server) -> None:
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    headers = bearer(park.system.token("enterprise", "alu"))
    permit = {"kind": "permit", "work": "hot_work", "level": "first", "guardian": "王五"}
    for more in ({"kind": "calibration", "devices": ["T-101"], "reason": "标校"}, permit):
        answer = httpx.post(f"{park.url}/api/v1/declarations", json={"zone": "smelter", "ends_at": ends, **more}, headers=headers)
        assert answer.status_code == 201, answer.text
    park.post(alarm("cal", "T-101", "temperature_high"), alarm("work", "CAM-1", "flame"), alarm("real", "CAM-1", "temperature_high_high"))
    page = open_page()
    live(page)
    word = page.locator(".row .word")
    expect(word.locator(".label")).to_have_count(2)
    expect(word).to_have_attribute("title", re.compile("^未确认 · .+ · .+$"))
    assert word.evaluate("e => e.scrollHeight <= e.parentElement.clientHeight")


def test_methane_is_offered_no_shelf_and_a_refusal_leaves_what_was_typed_with_the_reason(open_page: Open, park: Server) -> None:
    park.post(alarm("smoke", "CAM-1", "smoke"), alarm("methane", "G-310", "methane_high"))
    page = open_page()
    live(page)
    page.locator(".row[data-id]", has_text="厂外燃气管线").click()
    for name in ("搁置", "关闭"):
        button = page.locator(".actions button", has_text=name)
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", re.compile("甲烷超限报警"))
    expect(page.locator(".actions .never")).to_have_text("甲烷超限：不能搁置，持续期间不能关闭")
    page.keyboard.press("s")
    expect(page.locator(".toast")).to_contain_text("不能搁置")
    expect(page.locator("dialog")).to_have_count(0)
    page.locator(".row[data-id]", has_text="熔铸车间").click()
    page.locator(".actions button", has_text="搁置").click()
    page.locator("dialog textarea").fill("检修焊机")
    (smoke,) = (i for i in of_operator(park) if i["zone"] == "smelter")
    done = {"command": "close", "reason": "误报"}
    headers = bearer(park.system.token("operator"))
    assert httpx.post(f"{park.url}/api/v1/incidents/{smoke['id']}/commands", json=done, headers=headers).status_code == 200
    page.get_by_role("button", name="提交").click()
    expect(page.locator("dialog .refusal")).to_contain_text("事件已经关闭")
    expect(page.locator("dialog .refusal")).to_contain_text("the incident is closed")
    expect(page.locator("dialog textarea")).to_have_value("检修焊机")
    page.get_by_role("button", name="取消", exact=True).click()
    expect(page.locator(".detail .head .word")).to_contain_text("已关闭")


def of_operator(park: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{park.url}/api/v1/incidents", headers=bearer(park.system.token("operator"))).json()["items"]
    return found


def test_what_became_graver_stands_on_top_and_is_named_by_its_gravest_kind_first(open_page: Open, park: Server) -> None:
    park.post(at(900, alarm("gas", "G-201", "flammable_gas_high_high", severity=2)))
    for n, device in enumerate(("CAM-7", "CAM-9", "CAM-12")):
        park.post(at(600 - n * 60, alarm(f"later-{n}", device, "intrusion")))
    page = open_page()
    live(page)
    expect(page.locator(".row[data-id]")).to_have_count(4)
    assert "储罐区" in rows(page)[-1]
    page.keyboard.press("End")
    park.post(alarm("methane", "G-201", "methane_high_high"))
    first = page.locator(".row[data-id]").first
    expect(first).to_contain_text("储罐区")
    expect(first.locator(".kinds")).to_have_text(re.compile("^甲烷浓度高高 · "))
    expect(first.locator(".raised")).to_contain_text("升级")
    page.reload()
    expect(first).to_contain_text("储罐区")


def test_new_rows_wait_while_the_operator_types_or_has_scrolled(open_page: Open, park: Server) -> None:
    park.post(*(alarm(f"n{n}", device=f"N-{n}", kind="device_fault") for n in range(40)))
    park.system.later(minutes=11)  # that flood is over
    page = open_page()
    live(page)
    page.evaluate("document.querySelector('.rows').scrollTop = 400")
    first = rows(page)[0]
    park.post(*(alarm(f"late{n}", device=device) for n, device in enumerate(("CAM-1", "G-201", "CAM-2"))))
    button = page.locator(".arrivals")
    expect(button).to_have_text("3 条新告警")
    assert rows(page)[0] == first
    button.click()
    expect(button).to_be_hidden()
    assert page.evaluate("document.querySelector('.rows').scrollTop") == 0
    page.keyboard.press("/")
    park.post(alarm("typed", device="P-11"))
    expect(button).to_have_text("1 条新告警")
    page.keyboard.press("Escape")
    page.mouse.move(5, 5)
    expect(button).to_be_hidden(timeout=10_000)
    expect(page.locator(".row[data-id]").first).to_contain_text("消防泵房")


def test_a_broken_line_says_so_across_the_top_and_catches_up(open_page: Open, park: Server) -> None:
    page = open_page()
    live(page)
    page.context.set_offline(True)
    expect(page.locator(".banner")).to_contain_text("网络已断开")
    park.post(alarm("meanwhile"))
    page.context.set_offline(False)
    expect(page.locator(".row[data-id]")).to_contain_text("明火", timeout=20_000)
    expect(page.locator(".banner")).to_be_hidden()


def test_alarms_that_wait_to_be_applied_are_told(open_page: Open, park: Server) -> None:
    page = open_page()
    live(page)
    with park.system.database.write() as connection:
        at = int((time.time() - 30) * 1e6)
        connection.execute(schema.forwarders.insert().values(journal="j", unapplied=5, oldest_at=at, updated_at=at))
    expect(page.locator(".banner")).to_contain_text("报警处理滞后")


def test_a_session_that_is_over_leads_to_the_sign_in(open_page: Open, park: Server) -> None:
    park.post(alarm("a"))
    page = open_page()
    live(page)
    with park.system.database.write() as connection:
        connection.execute(delete(schema.sessions))
    page.keyboard.press("a")
    expect(page.locator(".message")).to_have_text("会话已结束，请重新登录")


def test_one_changes_ones_own_password(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("button", name="wang").click()
    for name, value in (("old", PASSWORD), ("new", "a whole new one"), ("again", "a whole new one")):
        page.fill(f"dialog [name={name}]", value)
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".toast")).to_have_text("密码已修改")
    page.get_by_role("button", name="退出").click()
    sign_in(page, "wang", "a whole new one")
    expect(page.get_by_text("没有未关闭的事件")).to_be_visible()


def test_a_role_without_commands_sees_why_there_are_none(open_page: Open, park: Server) -> None:
    park.system.user("fenxi", "analyst")
    park.post(alarm("a"))
    page = open_page(user="fenxi")
    expect(page.locator(".actions")).to_contain_text("当前角色“分析员”不能进行此操作")
    expect(page.locator(".actions button")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.locator(".toast")).to_contain_text("当前角色“分析员”不能进行此操作")
    page.keyboard.press("?")
    expect(page.locator(".keys dd").filter(has_text="无此权限")).to_have_count(3)
    expect(page.locator(".keys dd").filter(has_text="尚未启用")).to_have_count(1)


def test_a_list_that_can_not_be_loaded_offers_another_try(open_page: Open, park: Server) -> None:
    page = open_page(user=None)
    page.route("**/api/v1/incidents?*", lambda route: route.fulfill(status=503, body="{}"))
    sign_in(page, "wang")
    expect(page.get_by_text("读取失败")).to_be_visible()
    page.unroute("**/api/v1/incidents?*")
    page.get_by_role("button", name="重试").click()
    expect(page.get_by_text("没有未关闭的事件")).to_be_visible()


def test_on_a_phone_one_thing_at_a_time_with_targets_for_thumbs(open_page: Open, park: Server) -> None:
    scene.play(park)
    page = open_page("phone")
    live(page)
    expect(page.locator(".detail")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".row[data-id]").nth(1).tap()
    acknowledge = page.get_by_role("button", name="确认", exact=True)
    expect(acknowledge).to_be_visible()
    for button in page.locator(".detail button:visible").all():
        within_reach(button)
    acknowledge.tap()
    expect(page.locator(".detail .head .word")).to_contain_text("已确认")
    page.get_by_role("button", name="返回列表").tap()
    expect(page.locator(".detail")).to_be_hidden()


def test_text_has_contrast_and_a_severity_is_known_without_colour(open_page: Open, park: Server) -> None:
    """WCAG contrast of every visible text at least 4.5:1, against the ground it stands on."""
    scene.play(park)
    page = open_page()
    live(page)
    low = page.evaluate(CONTRAST)
    assert low == []
    shapes = page.locator(".facets .glyph .shape").evaluate_all(
        "(shapes) => shapes.map((s) => s.tagName + (s.getAttribute('points') ?? ''))"
    )
    assert len(shapes) == len(set(shapes)) == 4


def test_every_text_of_the_pages_comes_from_a_catalogue() -> None:
    folder = Path(__file__).parents[2] / "api" / "console"
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for file in folder.glob("*.js"):
        code = "\n".join(line for line in file.read_text("utf-8").splitlines() if not line.strip().startswith(("//", "/**", "*")))
        assert not chinese.search(code), f"{file.name} has a Chinese text of its own"
    used = {key for file in folder.glob("*.js") for key in re.findall(r"""\bt\("([a-z_.]+)"[,)]""", file.read_text("utf-8"))}
    known = json.loads((folder / "catalogue" / "zh.json").read_text("utf-8")).keys()
    assert used - known == set()


def test_a_system_knows_it_is_synthetic(open_page: Open, park: Server) -> None:
    park.post(alarm("a"))
    page = open_page()
    expect(page.locator(".bar .mark .long")).to_have_text("演示数据 SYNTHETIC")
    expect(page.locator(".picture .mark")).to_have_text("演示数据 SYNTHETIC")
    assert isinstance(park.system, System)


CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const linear = (v) => (v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r) + .7152 * linear(g) + .0722 * linear(b);
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > .5) return c;
    }
    return [17, 21, 26];
  };
  const low = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || e.closest("svg, noscript, script, [aria-hidden=true], .visually-hidden")) continue;
    if (!e.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.push(`${e.className} ${e.textContent.slice(0, 20)} ${ratio.toFixed(2)}`);
  }
  return low;
}"""


def test_in_a_flood_the_less_grave_wait_in_a_row_a_zone_until_somebody_wants_them(park: Server, open_page: Open) -> None:
    page = open_page()
    for n in range(14):
        park.post(alarm(f"flood-{n}", device=f"N-{n}", kind="device_fault"))
    park.post(alarm("methane-in-flood", device="N-98", kind="methane_high"))
    group = page.locator(".flood .group[data-zone='unassigned']")
    expect(group).to_be_visible(timeout=30_000)
    expect(group).to_contain_text("14")
    page.reload()  # the desk is in flood all the same
    expect(group).to_contain_text("14")
    expect(page.locator(".row[data-severity='3']")).to_have_count(0)
    expect(page.locator(".row[data-severity='1']").first).to_be_visible()
    if folder := os.environ.get("BIHUAN_TEST_PICTURES"):
        page.screenshot(path=str(Path(folder) / "flood.png"))
    group.click()
    expect(page.locator(".row[data-severity='3']").first).to_be_visible()
    expect(group).to_have_attribute("aria-expanded", "true")


def test_the_gravest_are_on_the_desk_however_many_came_after_them(park: Server, open_page: Open) -> None:
    park.post(at(3600, alarm("long-ago", device="N-0", kind="oxygen_low")))
    for begin in range(1, 106, 35):
        park.post(*[alarm(f"later-{n}", device=f"N-{n}", kind="device_fault") for n in range(begin, begin + 35)])
    page = open_page()
    expect(page.locator(".row[data-severity='1']", has_text="氧含量低")).to_be_visible()
