"""Drawing masks and areas over a camera's picture in a real Chromium: what comes out is what the site file takes."""

from pathlib import Path

from playwright.sync_api import Page, expect

from bihuan.site_file import parse_site
from tests.api import scene
from tests.api.conftest import Server
from tests.api.test_console import CONTRAST, Open, browser, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.test_console_cameras import HOW, UNTRANSLATED, cameras, note

SITE = """
site: {{id: p, name: 园区}}
enterprises: [{{id: alu, name: 铝业}}]
zones: [{{id: smelter, name: 熔铸车间, enterprise: alu, grade: red, polygon: [[0, 0], [60, 0], [60, 40], [0, 40]]}}]
devices:
  - id: CAM-1
    zone: smelter
    type: camera
    url: rtsp://10.0.0.7/1
    detectors: [flame, intrusion]
{lines}
"""
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


def click(page: Page, *corners: tuple[float, float]) -> None:
    box = page.locator(".draw-on").bounding_box()
    assert box is not None
    for x, y in corners:
        page.locator(".draw-on").click(position={"x": x * box["width"], "y": y * box["height"]})


def test_what_is_drawn_is_what_the_site_file_takes(open_page: Open, park: Server, tmp_path: Path) -> None:  # noqa: F811
    note(park, HOW)
    park.system.user("root", "administrator")
    park.system.registry.devices["CAM-1"].detectors[:] = ["flame", "intrusion"]
    page = cameras(open_page, user="root")
    page.locator("[data-id='CAM-1']").click()
    page.get_by_role("button", name="画区域").click()
    expect(page.locator(".toast")).to_have_text("暂无画面，无法绘制")
    park.system.evidence.show("CAM-1", scene.picture("person", 1))
    page.get_by_role("button", name="画区域").click()
    expect(page.locator(".draw-on img")).to_have_js_property("naturalWidth", 960)
    click(page, (0.1, 0.1), (0.3, 0.1), (0.3, 0.4), (0.9, 0.9))
    page.get_by_role("button", name="撤销一点").click()
    page.get_by_role("button", name="再画一块屏蔽区").click()
    click(page, (0.6, 0.6), (0.8, 0.6), (0.8, 0.8), (0.6, 0.8))
    page.locator("dialog select").select_option("intrusion")
    click(page, (0.2, 0.5), (0.7, 0.5), (0.7, 0.95))
    expect(page.locator("dialog")).to_contain_text("3 个顶点")
    lines = page.locator("dialog textarea").input_value()
    text = SITE.format(lines="\n".join(f"    {line}" for line in lines.splitlines()))
    (camera,) = parse_site(text.encode(), file="site", folder=tmp_path).site.devices
    masks = camera.settings["masks"]
    assert [len(mask) for mask in masks] == [3, 4] and len(camera.areas["intrusion"]) == 3
    for found, wanted in ((masks[0], (0.3, 0.4)), (masks[1], (0.8, 0.8)), (camera.areas["intrusion"], (0.7, 0.95))):
        assert any(abs(x - wanted[0]) < 0.01 and abs(y - wanted[1]) < 0.01 for x, y in found), (found, wanted)
    page.get_by_role("button", name="复制").click()
    expect(page.locator(".drawing .buttons span")).to_have_text("已复制")
    assert page.evaluate(CONTRAST) == [] and not UNTRANSLATED.findall(page.inner_text("body"))
