"""Patrol rounds in a real Chromium: starting one, judging each camera, what is left unjudged, the record of it."""

import httpx
from playwright.sync_api import Page, expect

from tests.api import scene
from tests.api.conftest import Server, alarm, bearer
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.test_console_cameras import HOW, UNTRANSLATED, cameras, note
from tests.api.touch import within_reach

expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


def begun(page: Page, seconds: int, *zones: str) -> None:
    page.locator("[data-view=patrols]").click()
    page.locator(".pane").get_by_role("button", name="开始巡查").click()
    for zone in zones:
        page.locator(f"dialog [value={zone}]").check()
    page.locator("dialog [name=seconds]").fill(str(seconds))
    page.locator("dialog button[type=submit]").click()
    expect(page.locator(".patrol-run")).to_be_visible()


def test_each_camera_is_judged_and_the_record_says_by_whom(open_page: Open, park: Server) -> None:  # noqa: F811
    note(park, HOW)
    picture = park.system.evidence.put(scene.picture("person", 1), media_type="image/jpeg", device="CAM-1", zone="smelter", taken_at=1)
    park.post(alarm("seen", device="CAM-1", snapshot=picture))
    page = cameras(open_page)
    begun(page, 60, "smelter", "depot")
    title = page.locator(".patrol-run h2")
    expect(title).to_have_text("CAM-2 · 危废库")
    expect(page.locator(".stage .picture")).to_contain_text("暂无画面")
    page.keyboard.press("x")
    expect(page.locator(".stage .said")).to_have_text("请写明异常情况")
    page.keyboard.type("画面中断，已通知企业")
    page.locator(".judge").get_by_role("button", name="异常").click()
    expect(title).to_have_text("CAM-1 · 熔铸车间")
    expect(page.locator(".stage img")).to_have_js_property("naturalWidth", 960)
    assert page.evaluate(CONTRAST) == []
    page.keyboard.press("n")
    expect(title).to_have_text("已全部看过，未判定 0 台")
    page.get_by_role("button", name="结束巡查").click()
    row = page.locator(".rounds .round")
    expect(row.locator(".counts")).to_have_text("正常 1异常 1")
    row.locator("summary").click()
    expect(row.locator("[data-camera='CAM-1']")).to_contain_text("wang")
    expect(row.locator("[data-camera='CAM-2']")).to_contain_text("异常 · 画面中断，已通知企业")
    expect(row.locator("[data-camera='CAM-1']")).to_contain_text("判定时没有最新画面")  # the picture of an alarm is no look at it now
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
    (kept,) = httpx.get(f"{park.url}/api/v1/patrol-rounds", headers=bearer(park.system.token("operator"))).json()["items"]
    assert (kept["started_by"], kept["ended_by"], kept["normal"], kept["abnormal"], kept["seconds"]) == ("wang", "wang", 1, 1, 60)


def test_it_goes_on_by_itself_waits_for_who_writes_and_what_nobody_judged_stays_open(open_page: Open, park: Server) -> None:  # noqa: F811
    note(park, HOW)
    page = cameras(open_page)
    begun(page, 3, "smelter", "depot")
    title = page.locator(".patrol-run h2")
    expect(title).to_have_text("CAM-2 · 危废库")
    page.locator(".stage textarea").fill("看不清")
    page.wait_for_timeout(4500)
    expect(title).to_have_text("CAM-2 · 危废库")
    page.locator(".stage textarea").fill("")
    page.locator(".patrol-list button").first.focus()
    expect(title).to_have_text("已全部看过，未判定 2 台")
    page.reload()
    live(page)
    page.locator("[data-page=cameras]").click()
    page.locator("[data-view=patrols]").click()
    expect(page.locator(".round .counts")).to_contain_text("未判定 2")
    page.get_by_role("button", name="继续巡查").click()
    expect(page.locator(".patrol-list [aria-current=true]")).to_have_count(1)
    park.system.user("fenxi", "analyst")
    analyst = cameras(open_page, user="fenxi")
    analyst.locator("[data-view=patrols]").click()
    expect(analyst.locator(".round")).to_contain_text("进行中")
    expect(analyst.get_by_role("button", name="开始巡查")).to_have_count(0)


def test_on_a_phone_a_round_is_judged_by_thumb(open_page: Open, park: Server) -> None:  # noqa: F811
    note(park, HOW)
    page = cameras(open_page, "phone")
    begun(page, 60)
    for name in ("正常", "异常", "无画面"):
        within_reach(page.locator(".judge").get_by_role("button", name=name))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
