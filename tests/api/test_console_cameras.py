"""The page of cameras in a real Chromium: how each is, zones that nobody sees, the latest picture, holds on evidence."""

import os
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hazards.cameras import CameraStatus
from storage.camera_statuses import note_cameras
from tests.api import scene
from tests.api.conftest import Server, alarm
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.touch import within_reach

UNTRANSLATED = re.compile(r"\b(?:cameras?|areas|hold|evidence|page|wrong|patrols?)\.[a-z_]+(?:\.[a-z_]+)*\b")
HOW: dict[str, dict[str, Any]] = {
    "CAM-1": {"zone": "smelter", "watching": "burst", "received_rate": 12.0, "analysed_rate": 2.0, "bitrate": 512_000, "age": 0.3,
              "width": 704, "height": 576, "reconnects": 1, "figures": {"people_inside": 3.0}, "cost": 0.021},
    "CAM-2": {"zone": "depot", "state": "lost", "what": "no answer in time", "offline": True, "reconnects": 4},
    "CAM-7": {"zone": "store", "raised": ["tamper"], "received_rate": 12.0, "drift": 7.5},
    "CAM-9": {"zone": "gate", "received_rate": 25.0, "analysed_rate": 4.0, "problems": {"model": "the model file is not there"}},
}  # fmt: skip
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


def note(park: Server, how: dict[str, dict[str, Any]]) -> None:  # noqa: F811
    """The cameras as they are now; CAM-12 was not heard of."""
    system = park.system
    now = system.now()
    found = [CameraStatus(**{"camera": name, "state": "live", "noted_at": now, "last_at": now} | row) for name, row in how.items()]
    with system.database.write() as connection:
        note_cameras(connection, found, now=system.now())


def cameras(open_page: Open, size: str = "wide", user: str = "wang") -> Page:  # noqa: F811
    page = open_page(size, user=user)
    live(page)
    page.locator("[data-page=cameras]").click()
    expect(page.locator(".row.camera").first).to_be_visible()
    return page


def test_each_camera_says_how_it_is_and_a_zone_that_nobody_sees_stands_on_top(open_page: Open, park: Server) -> None:  # noqa: F811
    note(park, HOW)
    page = cameras(open_page)
    expect(page.locator(".blind-zones")).to_contain_text("1 个红色或橙色区域没有可用画面")
    expect(page.locator(".blind-zones button")).to_have_text(re.compile("危废库"))
    expect(page.locator(".unwatched-zones")).to_contain_text("没有摄像机的红色或橙色区域 3 个")
    rows = page.locator(".row.camera")
    assert [r.get_attribute("data-id") for r in rows.all()] == ["CAM-2", "CAM-7", "CAM-12", "CAM-9", "CAM-1"], "the worst first"
    expect(rows.nth(0)).to_contain_text("no answer in time")
    expect(rows.nth(1)).to_contain_text("摄像机遮挡或移动")
    expect(rows.nth(2)).to_contain_text("未上报")
    expect(rows.nth(4)).to_contain_text("区内人数 3")
    rows.nth(4).click()
    facts = page.locator(".camera-detail .facts")
    expect(facts).to_contain_text("接收 12.0，分析 2.0 帧/秒")
    expect(facts).to_contain_text("704×576")
    page.keyboard.press("k")
    expect(facts).to_contain_text("the model file is not there")
    page.locator("[data-facet='trouble:clock']").click()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("CAM-7")
    page.locator("[data-facet='trouble:clock']").click()
    page.locator("[data-facet='zone:gate']").click()
    expect(rows).to_have_count(1)
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))


def test_the_page_follows_by_itself_and_shows_the_picture_of_the_last_alarm_where_there_is_no_newer_one(
    open_page: Open, park: Server  # noqa: F811
) -> None:  # fmt: skip
    note(park, HOW)
    page = cameras(open_page)
    page.locator("[data-id='CAM-1']").click()
    expect(page.locator(".camera-detail .picture")).to_contain_text("暂无画面")
    note(park, HOW | {"CAM-2": {"zone": "depot"}})
    expect(page.locator(".blind-zones")).to_be_hidden()
    expect(page.locator("[data-id='CAM-2']")).to_contain_text("正常")
    picture = park.system.evidence.put(scene.picture("flame", 1), media_type="image/jpeg", device="CAM-9", zone="gate", taken_at=1)
    park.post(alarm("seen", device="CAM-9", snapshot=picture))
    page.locator("[data-id='CAM-9']").click()
    expect(page.locator(".camera-detail .picture img")).to_have_js_property("naturalWidth", 960)
    expect(page.locator(".camera-detail figcaption")).to_contain_text("无最新画面")


def test_the_newest_frame_is_shown_as_soon_as_there_is_one_and_an_old_one_says_so(open_page: Open, park: Server) -> None:  # noqa: F811
    note(park, HOW)
    page = cameras(open_page)
    page.locator("[data-id='CAM-1']").click()
    expect(page.locator(".camera-detail .picture")).to_contain_text("暂无画面")
    park.system.evidence.show("CAM-1", scene.picture("person", 2))
    expect(page.locator(".camera-detail .picture img")).to_have_js_property("naturalWidth", 960)
    caption = page.locator(".camera-detail figcaption")
    expect(caption).to_have_text(re.compile(r"^CAM-1 · \d\d:\d\d:\d\d 的画面$"))
    (file,) = (park.system.folder / "evidence" / "latest").iterdir()
    hour_ago = file.stat().st_mtime - 3600
    os.utime(file, (hour_ago, hour_ago))
    expect(caption).to_contain_text("已过 1 小时")


def test_an_authority_holds_the_evidence_of_a_zone_and_lifts_it(open_page: Open, park: Server) -> None:  # noqa: F811
    park.system.user("zhao", "bureau")
    page = cameras(open_page, user="zhao")
    page.locator("[data-view=holds]").click()
    expect(page.locator(".pane")).to_contain_text("没有有效的封存")
    page.locator(".pane").get_by_role("button", name="封存证据").click()
    page.locator("dialog [name=zone]").select_option("smelter")
    page.locator("dialog [name=reason]").fill("11·26 事故调查")
    page.locator("dialog button[type=submit]").click()
    hold = page.locator(".hold-list[data-list=standing] .hold")
    expect(hold).to_contain_text("熔铸车间")
    expect(hold).to_contain_text("11·26 事故调查")
    operator = cameras(open_page)
    operator.locator("[data-view=holds]").click()
    expect(operator.locator(".hold-list[data-list=standing] .hold")).to_have_count(1)
    expect(operator.get_by_role("button", name="解除封存")).to_have_count(0)
    hold.get_by_role("button", name="解除封存").click()
    page.locator("dialog [name=reason]").fill("调查结束")
    page.locator("dialog button[type=submit]").click()
    expect(page.locator(".hold-list[data-list=lifted] .hold")).to_contain_text("调查结束")
    expect(page.locator(".hold-list[data-list=standing] .hold")).to_have_count(0)
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_on_a_phone_it_is_one_column(open_page: Open, park: Server, language: str) -> None:  # noqa: F811
    note(park, HOW)
    page = cameras(open_page, "phone")
    if language == "en":
        page.get_by_role("button", name="EN").click()
        expect(page.locator(".blind-zones")).to_contain_text("Blind zones")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    within_reach(page.locator(".row.camera").first)
    within_reach(page.locator(".blind-zones button").first)
    page.locator(".row.camera").first.click()
    expect(page.locator(".camera-detail.open .facts")).to_be_visible()
    within_reach(page.locator(".camera-detail .back"))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
