"""Failed pushes on the console, in a real Chromium."""

import httpx
from playwright.sync_api import expect

from storage.deliveries import State, put_deliveries, sync_endpoints
from tests.api.conftest import Server, bearer
from tests.api.test_console import Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.test_deliveries import ALU, CITY, attempted, row


def test_failed_pushes_are_counted_in_the_bar_and_can_be_sent_again(open_page: Open, park: Server) -> None:  # noqa: F811
    with park.system.database.write() as connection:
        sync_endpoints(connection, [ALU, CITY], now=1)
        put_deliveries(connection, [row(e, n) for e in (ALU, CITY) for n in (1, 2)])
    attempted(park.system, ALU, 1, 410, State.DEAD, gone=True)
    attempted(park.system, CITY, 1, 500, State.DEAD)
    page = open_page()
    live(page)
    badge = page.locator(".bar .push")
    expect(badge).to_have_text("推送失败 2")
    badge.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("接收端已停用：HTTP 410")
    assert "hunter2" not in dialog.inner_text()
    dialog.get_by_role("button", name="重新启用").click()
    expect(dialog.get_by_role("button", name="重新启用")).to_have_count(0)
    for left in (1, 0):
        dialog.get_by_role("button", name="重新推送").first.click()
        expect(dialog.get_by_role("button", name="重新推送")).to_have_count(left)
    expect(dialog).to_contain_text("没有失败的推送")
    dialog.get_by_role("button", name="关闭").click()
    expect(badge).to_be_hidden()
    headers = bearer(park.system.token("operator"))
    waiting = httpx.get(f"{park.url}/api/v1/deliveries?state=waiting", headers=headers).json()["items"]
    assert {d["replayed_by"] for d in waiting if d["replayed_at"]} == {"wang"}


def test_while_all_goes_well_nothing_is_shown(open_page: Open, park: Server) -> None:  # noqa: F811
    page = open_page()
    live(page)
    expect(page.locator(".bar .push")).to_be_hidden()
