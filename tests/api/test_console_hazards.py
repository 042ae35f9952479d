"""The ledger on the console in a real Chromium: the whole loop by role, errors at their field, conflicts, the evidence, a phone."""

import re
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from storage import schema
from tests.api import scene
from tests.api.conftest import PASSWORD, Server, alarm, bearer
from tests.api.test_console import CONTRAST, Open, browser, live, open_page, park, playwright  # noqa: F401 (fixtures)
from tests.api.touch import within_reach

PLAN = {
    "responsibility": "陈卫东", "measures": "清空通道并加装门磁", "funds": "2 万元", "time": "十日内", "contingency": "期间停止装卸",
}  # fmt: skip
UNTRANSLATED = re.compile(r"\b(?:hazard|ledger|wrong|ask|help|gate|role)\.[a-z_]+(?:\.[a-z_]+)*\b")

At = Callable[..., Page]
expect.set_options(timeout=20_000)  # a busy machine is slow, not wrong


@pytest.fixture
def people(park: Server) -> None:  # noqa: F811
    for name, role, enterprise in (
        ("zhao", "department", None), ("qian", "park_command", None), ("sun", "bureau", None), ("qi", "enterprise", "chem"),
        ("fenxi", "analyst", None),
    ):  # fmt: skip
        park.system.user(name, role, enterprise)


@pytest.fixture
def desk(open_page: Open, park: Server, people: None) -> At:  # noqa: F811
    """The ledger's page of a person."""

    def open_it(user: str, size: str = "wide") -> Page:
        page = open_page(size, user=user)
        live(page)
        page.locator("[data-page=hazards]").click()
        return page

    return open_it


def fill(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        field = page.locator(f"dialog [name={name}]").locator("visible=true").first
        if field.evaluate("(e) => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def wait_for_news(page: Page) -> None:
    """Until the page shows the newest entry of its hazard: who commands an older one hears of a conflict, as is meant."""
    row = page.locator(".row.hazard[aria-selected=true]")
    if row.count():
        newest = "id => fetch(`/api/v1/hazards/${encodeURIComponent(id)}`).then((answer) => answer.json()).then((hazard) => hazard.version)"
        version = page.evaluate(newest, row.get_attribute("data-id"))
        expect(page.locator(".hazard-detail .record > ol > li")).to_have_count(version)


def begin(page: Page, command: str) -> None:
    """Open the form of ``command``, when the page has heard that it is possible: beside what comes next, or under what else can be done."""
    wait_for_news(page)
    offered = page.locator(f".hazard-detail :is([data-command={command}], [data-more~={command}])")
    expect(offered).to_be_visible()
    among_others = offered.get_attribute("data-more") is not None
    offered.click()
    if among_others:
        page.locator(f"dialog [data-command={command}]").click()
    expect(page.locator("dialog form")).to_be_visible()


def submit(page: Page) -> None:
    page.locator("dialog form button[type=submit]").click()


def give(page: Page, park: Server, command: str, **fields: str) -> None:  # noqa: F811
    """``command`` by its form, taken by the server and told to everybody's page."""
    begin(page, command)
    fill(page, **fields)
    submit(page)
    expect(page.locator("dialog")).to_have_count(0)
    park.run(park.system.position())


def put_down(park: Server, **fields: Any) -> dict[str, Any]:  # noqa: F811
    body = {"zone": "depot", "kind": "passage", "grade": "serious", "title": "疏散通道封闭"} | fields
    answer = httpx.post(f"{park.url}/api/v1/hazards", json=body, headers=bearer(park.system.token("operator")))
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def by_api(park: Server, hazard: str, role: str, command: str, enterprise: str | None = None, **fields: Any) -> dict[str, Any]:  # noqa: F811
    headers = park.system.person(f"{role}-{token_hex(4)}", role, enterprise)
    answer = httpx.post(f"{park.url}/api/v1/hazards/{hazard}/commands", json={"command": command, **fields}, headers=headers)
    assert answer.status_code == 200, answer.text
    park.run(park.system.position())
    after: dict[str, Any] = answer.json()
    return after


def long_ago(park: Server) -> None:  # noqa: F811
    """Everybody proved an hour ago who they are."""
    with park.system.database.write() as connection:
        connection.execute(update(schema.sessions).values(confirmed_at=schema.sessions.c.confirmed_at - 3600 * 1_000_000))


def choose(page: Page, hazard: str) -> None:
    page.locator(f".row.hazard[data-id='{hazard}']").click()
    expect(page.locator(".hazard-detail .record li").first).to_be_visible()


def wrong(page: Page, name: str) -> str:
    field = page.locator(f"dialog .field:has([name={name}])").locator("visible=true").last
    return field.locator(".wrong-here").inner_text()


def test_a_major_hazard_goes_round_the_whole_loop_by_role(desk: At, park: Server) -> None:  # noqa: F811
    zhao = desk("zhao")
    zhao.keyboard.press("n")
    fill(zhao, title="危废库疏散通道封闭", zone="depot", kind="passage", grade="major", origin="hotline", reference="12350-0917")
    submit(zhao)
    word = zhao.locator(".hazard-detail .head .word")
    expect(word).to_have_text("拟定重大 · 待确认")
    expect(zhao.locator(".hazard-detail .facts").first).to_contain_text("12350热线")
    expect(zhao.locator(".record")).to_contain_text("来源编号 12350-0917")
    expect(zhao.locator(".turn")).to_have_text("轮到您：确认定级")
    zhao.keyboard.press("a")
    submit(zhao)
    assert wrong(zhao, "criterion") == "请填写此项"
    fill(zhao, criterion="demo-4")
    submit(zhao)
    expect(word).to_have_text("重大 · 已确认")
    park.run(park.system.position())

    qian, qi = desk("qian"), desk("qi")
    expect(qian.locator(".turn")).to_have_text("轮到您：挂牌整改")
    give(qian, park, "list", number="GP-2024-028", supervisor="周建")
    expect(qian.locator(".hazard-detail .tracks")).to_contain_text("挂牌整改中")
    expect(qi.locator(".turn")).to_have_text("轮到您：签收")
    give(qi, park, "receive")
    give(qi, park, "report", to="department", recipient="应急局危化科")
    give(qi, park, "report", to="staff_congress", recipient="职代会")
    begin(qi, "plan")
    four = {name: text for name, text in PLAN.items() if name != "contingency"}
    fill(qi, **four)
    submit(qi)
    assert wrong(qi, "contingency") == "请填写此项"
    fill(qi, contingency=PLAN["contingency"])
    submit(qi)
    expect(qi.locator("dialog")).to_have_count(0)
    park.run(park.system.position())
    expect(qi.locator(".hazard-detail .head .word")).to_have_text("重大 · 方案已备")
    give(qi, park, "publish", place="厂区公示栏")
    expect(qi.locator(".turn")).to_have_text("等待应急局、行业主管部门、园区攻坚指挥部： 批准方案", use_inner_text=True)
    begin(qian, "approve_plan")
    expect(qian.locator("dialog .about")).to_contain_text("清空通道并加装门磁")
    submit(qian)
    expect(qian.locator("dialog")).to_have_count(0)
    park.run(park.system.position())
    give(qi, park, "start_rectification")

    long_ago(park)
    begin(qi, "request_extension")
    fill(qi, days="20", reason="台风红色预警")
    submit(qi)
    assert wrong(qi, "days") == "请填 1 到 15 之间的整数"
    fill(qi, days="5", cause="weather")
    submit(qi)
    expect(qi.locator("dialog")).to_have_count(0)
    park.run(park.system.position())
    due = qi.locator(".due-block > div")
    before = due.inner_text()

    expect(zhao.locator(".turn")).to_have_text("轮到您：签署延期")
    begin(zhao, "sign_extension")
    expect(zhao.locator("dialog .about")).to_contain_text("台风红色预警")
    fill(zhao, password="not mine")
    submit(zhao)
    expect(zhao.locator("dialog .wrong-here:visible")).to_have_text("当前密码不正确")
    fill(zhao, password=PASSWORD)
    submit(zhao)
    expect(zhao.locator("dialog")).to_have_count(0)
    park.run(park.system.position())
    expect(zhao.locator(".signatures .done")).to_contain_text("行业主管部门")
    expect(zhao.locator(".signatures .missing")).to_contain_text("园区攻坚指挥部")
    expect(zhao.locator(".turn")).to_have_text("等待园区攻坚指挥部： 签署延期", use_inner_text=True)
    assert due.inner_text() == before, "one of two signatures moves nothing"
    give(qian, park, "sign_extension", password=PASSWORD)
    expect(due).to_contain_text("已延期 5 天")
    assert due.inner_text() != before
    sun = desk("sun")
    expect(sun.locator(".turn")).to_have_text("轮到您：延期备案")
    give(sun, park, "file_extension", number="备〔2024〕9 号")
    expect(sun.locator(".turn")).to_have_text("轮到您：挂牌督办")
    give(sun, park, "supervise", number="DB-2024-006", supervisor="何敏")
    expect(sun.locator(".board")).to_have_count(2)
    expect(sun.locator(".card", has_text="DB-2024-006").locator("h3")).to_have_text("挂牌督办")
    expect(sun.locator(".card", has_text="GP-2024-028").locator("h3")).to_have_text("挂牌整改")
    expect(sun.locator(".row.hazard .tracks")).to_contain_text("挂牌督办中")

    claim(qi)
    park.run(park.system.position())
    expect(qian.locator(".turn")).to_have_text("轮到您：记录验收检查")
    begin(qian, "inspect")
    fill(qian, note="通道净宽 1.6 米")
    submit(qian)
    expect(qian.locator("dialog .wrong-here:visible")).to_have_count(2)  # passed or not, and the expert
    qian.locator("dialog").get_by_text("合格", exact=True).click()
    fill(qian, experts="刘工")
    submit(qian)
    expect(qian.locator(".inspection")).to_contain_text("专家：刘工")
    park.run(park.system.position())
    expect(zhao.locator(".turn")).to_have_text("轮到您：记录验收检查")
    begin(zhao, "inspect")
    zhao.locator("dialog").get_by_text("合格", exact=True).click()
    fill(zhao, note="现场核查合格", experts="刘工")
    submit(zhao)
    expect(zhao.locator(".inspection")).to_have_count(2)
    park.run(park.system.position())
    expect(zhao.locator(".turn")).to_have_text("轮到您：验收通过")
    give(zhao, park, "accept")
    expect(word).to_have_text("重大 · 待销号")
    for page, command in ((sun, "lift_supervision"), (sun, "lift_listing"), (zhao, "close")):
        give(page, park, command)
    expect(word).to_have_text("重大 · 已销号")
    expect(zhao.locator(".board.lifted")).to_have_count(2)
    expect(zhao.locator(".turn")).to_have_text("已办结")
    expect(zhao.locator(".record ol > li")).to_have_count(22)
    assert not UNTRANSLATED.findall(zhao.inner_text("body"))
    assert zhao.evaluate(CONTRAST) == []
    zhao.get_by_role("button", name="English").click()  # and stays on this page
    zhao.get_by_role("button", name="Closed or dismissed").click()
    expect(zhao.locator(".hazard-detail .board.lifted")).to_have_count(2)
    assert not UNTRANSLATED.findall(zhao.inner_text("body"))


def test_a_hazard_goes_from_the_incident_to_its_closing_on_the_screen(open_page: Open, desk: At, park: Server) -> None:  # noqa: F811
    """The department confirms, the enterprise is refused while the flame burns, then claims with a document; the department accepts."""
    park.system.user("wu", "enterprise", "alu")
    park.post(alarm("a", device="CAM-1"))
    page = open_page(user="zhao")
    live(page)
    page.keyboard.press("h")
    submit(page)
    expect(page.locator(".toast")).to_contain_text("隐患已登记")
    row, word = page.locator(".row.hazard[data-id]"), page.locator(".hazard-detail .head .word")
    expect(row).to_contain_text("熔铸车间：火灾隐患（明火）")
    expect(word).to_have_text("拟定较大 · 待确认")
    expect(page.locator(".due-block")).to_contain_text("暂计，待确认")
    begin(page, "confirm")
    expect(page.locator("dialog [name=criterion]").locator("visible=true")).to_have_count(0)  # only a major one names its item
    expect(page.locator("dialog .rules")).to_contain_text("期限自隐患及等级确认之时起算")
    submit(page)
    expect(word).to_have_text("较大 · 已确认")
    expect(row.locator(".due")).to_have_text(re.compile("^剩 15 天|^剩 14 天"))
    expect(page.locator(".due-block .ruling")).to_contain_text("对条款的解读 · 001(15) 征求意见稿")
    page.locator(".why-not summary").click()
    expect(page.locator(".why-not")).to_contain_text("有企业的区域由该企业整改")

    other = desk("wu")
    give(other, park, "receive")
    give(other, park, "start_rectification")
    expect(word).to_have_text("较大 · 整改中")  # the department's page hears it on the feed
    expect(other.locator(".gate")).to_have_attribute("data-verdict", "refuted")
    claim(other, finish=False)
    expect(other.locator("dialog .refusal")).to_contain_text("监测仍有异常")
    expect(other.locator("dialog .refusal")).to_contain_text("平台默认规则，非文件条款")
    expect(other.locator("dialog [name=override_reason]")).to_have_count(0)  # not for this role
    assert other.locator("dialog [name=note]").first.input_value() == "已更换密封", "what was typed stays"
    expect(other.locator(".record ol")).to_contain_text("监测数据不支持，未予通过")
    park.post(alarm("b", device="CAM-1", action="cleared"))
    submit(other)
    expect(other.locator(".hazard-detail .head .word")).to_have_text("较大 · 待验收")
    (hazard,) = httpx.get(f"{park.url}/api/v1/hazards", headers=bearer(park.system.token("operator"))).json()["items"]
    kept = httpx.get(f"{park.url}/api/v1/hazards/{hazard['id']}", headers=bearer(park.system.token("operator"))).json()["claim"]["evidence"]
    assert 0 <= time.time() - datetime.fromisoformat(kept[0]["taken_at"]).timestamp() < 600, "the site's wall clock, not this machine's"
    expect(other.locator(".paper")).to_have_js_property("naturalWidth", 960)
    park.run(park.system.position())
    for command, state in (("accept", "待销号"), ("close", "已销号")):
        expect(page.locator(f".hazard-detail [data-command={command}].primary")).to_be_visible()
        give(page, park, command)
        expect(word).to_have_text(f"较大 · {state}")
    expect(page.locator(".record ol > li")).to_have_count(8)
    page.get_by_role("button", name="查看事件").first.click()
    expect(page.locator(".detail .head h2")).to_have_text("明火")
    page.get_by_role("button", name="较大 · 已销号").click()
    expect(page.locator(".hazard-detail .head h2")).to_have_text("熔铸车间：火灾隐患（明火）")


def claim(page: Page, *, finish: bool = True) -> None:
    begin(page, "claim")
    fill(page, note="已更换密封")
    page.get_by_role("button", name="＋ 添加照片或文件").click()
    submit(page)
    assert wrong(page, "place") == "请填写此项"
    assert wrong(page, "document") == "请附照片或写明文件名称"
    page.locator("dialog [name=place]").fill("3 号炉前")
    for begins, found in ((b"MZ", "文件与其格式不符"), (b"", None)):
        photo = {"name": "after.jpg", "mimeType": "image/jpeg", "buffer": begins + scene.picture("flame", 3)}
        page.set_input_files("dialog [type=file]", files=[photo])  # type: ignore[list-item]
        submit(page)
        if found:
            expect(page.locator("dialog .wrong-here:visible")).to_contain_text(found)
    if finish:
        expect(page.locator("dialog")).to_have_count(0)


def test_the_bureau_goes_on_against_the_evidence_with_a_reason(desk: At, park: Server) -> None:  # noqa: F811
    hazard = put_down(park, zone="smelter", kind="fire", title="炉前明火")["id"]
    by_api(park, hazard, "department", "confirm", grade="serious")
    by_api(park, hazard, "enterprise", "start_rectification", "alu")
    proof = {"stage": "after", "taken_at": datetime.now(UTC).isoformat(), "place": "炉前", "document": "检修单"}
    by_api(park, hazard, "enterprise", "claim", "alu", note="已扑灭", evidence=[proof])
    park.post(alarm("again", device="CAM-1"))
    page = desk("sun")
    choose(page, hazard)
    begin(page, "accept")
    expect(page.locator("dialog .about")).to_contain_text("监测仍有异常")
    submit(page)
    expect(page.locator("dialog .refusal")).to_contain_text("明火")
    expect(page.locator("dialog button[type=submit]")).to_have_text("不采信设备证据，继续")
    submit(page)
    assert wrong(page, "override_reason") == "请填写此项"
    fill(page, override_reason="CAM-1 画面为焊接作业，已现场核实")
    submit(page)
    expect(page.locator(".hazard-detail .head .word")).to_have_text("较大 · 待销号")
    expect(page.locator(".override")).to_contain_text("CAM-1 画面为焊接作业，已现场核实")
    expect(page.locator(".override")).to_contain_text("监测仍有异常")


def test_a_proof_that_ran_out_while_the_form_was_open_is_asked_for_there(desk: At, park: Server) -> None:  # noqa: F811
    for title in ("第一条", "第二条"):
        hazard = put_down(park, title=title)["id"]
        by_api(park, hazard, "department", "confirm", grade="serious")
        by_api(park, hazard, "enterprise", "request_extension", "chem", days=3, cause="supply", reason="到货推迟")
    page = desk("zhao")
    page.locator(".row.hazard", has_text="第一条").click()
    give(page, park, "sign_extension", password=PASSWORD)
    page.locator(".row.hazard", has_text="第二条").click()
    expect(page.locator(".hazard-detail .head h2")).to_have_text("第二条")
    begin(page, "sign_extension")
    expect(page.locator("dialog [name=password]")).to_have_count(0)  # proved a moment ago
    long_ago(park)
    submit(page)
    expect(page.locator("dialog .refusal")).to_contain_text("签署须由本人在登录后再次验证身份")
    fill(page, password=PASSWORD)
    submit(page)
    expect(page.locator(".signatures .done")).to_contain_text("行业主管部门")


def test_what_the_server_finds_wrong_stands_at_its_field(desk: At, park: Server) -> None:  # noqa: F811
    put_down(park)
    page = desk("zhao")
    begin(page, "measure")
    fill(page, kind="evacuate", authority="指挥部", until="2026-01-01T10:00")
    submit(page)
    expect(page.locator("dialog .wrong-here:visible")).to_have_text("结束时间须晚于开始时间")
    expect(page.locator("dialog [name=until]")).to_be_focused()
    expect(page.locator("dialog [name=until]")).to_have_attribute("aria-invalid", "true")
    fill(page, until="2099-01-01T10:00")
    submit(page)
    expect(page.locator(".in-force")).to_contain_text("撤离人员")
    expect(page.locator(".in-force")).to_contain_text("至 2099-01-01 10:00")
    give(page, park, "end_measure")
    expect(page.locator(".in-force")).to_have_count(0)


def test_who_comes_second_sees_what_changed_and_keeps_what_was_typed(desk: At, park: Server) -> None:  # noqa: F811
    hazard = put_down(park)["id"]
    page = desk("zhao")
    begin(page, "dismiss")
    fill(page, reason="现场核实不属隐患")
    by_api(park, hazard, "park_command", "comment", text="我去看一下")
    submit(page)
    conflict = page.locator("dialog .conflict")
    expect(conflict).to_contain_text("其他人先操作了")
    expect(conflict).to_contain_text(re.compile(r"备注（park_command-\w+，\d\d:\d\d:\d\d）"))
    assert page.locator("dialog [name=reason]").input_value() == "现场核实不属隐患"
    expect(page.locator(".record ol")).to_contain_text("我去看一下")
    submit(page)
    expect(page.locator(".hazard-detail .phases")).to_have_text("— 已排除")


def test_without_network_nothing_is_lost(desk: At, park: Server) -> None:  # noqa: F811
    put_down(park)
    page = desk("zhao")
    begin(page, "comment")
    fill(page, text="通道两侧已拉警戒线")
    page.context.set_offline(True)
    submit(page)
    expect(page.locator("dialog .refusal")).to_have_text("网络不通，操作没有完成")
    page.context.set_offline(False)
    submit(page)
    expect(page.locator(".record ol")).to_contain_text("通道两侧已拉警戒线")


def test_repeats_and_duplicates_are_links(desk: At, park: Server) -> None:  # noqa: F811
    put_down(park)
    second = put_down(park, title="通道又被占")
    page = desk("sun")
    choose(page, second["id"])
    expect(page.locator(".hazard-detail .tracks")).to_contain_text("重复隐患")
    page.locator(".card", has_text="此前同类").get_by_role("button").first.click()
    expect(page.locator(".hazard-detail .head h2")).to_have_text("疏散通道封闭")
    begin(page, "merge")
    expect(page.locator("dialog [name=into] option")).to_have_count(1)
    fill(page, into=second["id"], reason="同一处")
    submit(page)
    expect(page.locator(".hazard-detail .phases")).to_have_text("— 已并案")
    page.locator(".card", has_text="已并入").get_by_role("button").first.click()
    expect(page.locator(".hazard-detail .head h2")).to_have_text("通道又被占")
    expect(page.locator(".card", has_text="并入的重复件")).to_be_visible()


def test_the_clocks_that_run_are_shown_with_their_points(desk: At, park: Server) -> None:  # noqa: F811
    hazard = put_down(park, grade="major")["id"]
    page = desk("zhao")
    expect(page.locator(".clocks")).to_contain_text("整改期限")
    by_api(park, hazard, "department", "confirm", grade="major", criterion="demo-4")
    for name in ("签收", "双报告", "公示", "挂牌整改", "整改方案"):
        expect(page.locator(".clocks > li > .top strong").get_by_text(name, exact=True)).to_be_visible()
    expect(page.locator(".points .ahead").first).to_contain_text("过半")
    expect(page.locator(".points").first).to_contain_text("提前 3 天")
    by_api(park, hazard, "park_command", "list", number="GP-1", supervisor="周建")
    expect(page.locator(".clocks > li > .top strong").get_by_text("挂牌整改", exact=True)).to_have_count(0)


def test_the_ledger_by_hand_overdue_filters_and_keys(desk: At, park: Server) -> None:  # noqa: F811
    for n, grade in enumerate(("general", "serious", "major")):
        put_down(park, zone="tank", kind=("work_permit", "training", "electrical")[n], grade=grade, title=f"第 {n} 条")
    with park.system.database.write() as connection:
        late = int((time.time() - 6 * 3600 - 60) * 1e6)
        where = "json_extract(body, '$.grade') = 'serious'"
        connection.exec_driver_sql(f"UPDATE hazards SET due_at = {late}, body = json_set(body, '$.due_at', {late}) WHERE {where}")
    page = desk("wang")
    titles = page.locator(".row.hazard .kinds")
    expect(titles).to_have_text(["第 1 条", "第 0 条", "第 2 条"])
    expect(page.locator(".row.hazard .due.late")).to_have_text(re.compile("^已超期 6 小时"))
    shapes = page.locator(".row.hazard .hazard-grade .shape").evaluate_all("(all) => all.map((s) => s.tagName)")
    assert sorted(shapes) == ["path", "polygon", "rect"], "a grade is known by its shape"
    page.keyboard.press("j")
    expect(page.locator(".hazard-detail .head h2")).to_have_text("第 0 条")
    page.get_by_role("button", name="已超期").click()
    expect(titles).to_have_text(["第 1 条"])
    page.get_by_role("button", name="已超期").click()
    page.get_by_role("button", name="重大", exact=True).click()
    expect(titles).to_have_text(["第 2 条"])
    page.get_by_role("button", name="挂牌督办中").click()
    expect(page.get_by_text("没有符合条件的隐患")).to_be_visible()
    page.get_by_role("button", name="清除筛选").click()
    expect(titles).to_have_count(3)
    page.get_by_role("button", name="＋ 登记隐患").click()
    fill(page, title="<b>消防泵断电</b>", zone="pump", kind="electrical")
    submit(page)
    expect(page.locator(".hazard-detail .head h2")).to_have_text("<b>消防泵断电</b>")  # text, never markup
    expect(titles).to_have_count(4)
    page.keyboard.press("a")
    expect(page.locator(".toast").last).to_contain_text("目前没有轮到您的事项")
    page.keyboard.press("?")
    expect(page.locator("dialog .keys")).to_contain_text("更多操作")
    page.keyboard.press("Escape")
    assert page.evaluate(CONTRAST) == []


def test_marks_narrow_the_list(desk: At, park: Server) -> None:  # noqa: F811
    first = put_down(park, title="第一条")["id"]
    put_down(park, kind="electrical", title="第二条")
    by_api(park, first, "department", "confirm", grade="major", criterion="demo-4")
    by_api(park, first, "park_command", "list", number="GP-1", supervisor="周建")
    page = desk("wang")
    titles = page.locator(".row.hazard .kinds")
    expect(titles).to_have_count(2)
    for mark, found in (("挂牌整改中", ["第一条"]), ("延期待签", [])):
        page.get_by_role("button", name=mark).click()
        expect(titles).to_have_text(found)
    page.get_by_role("button", name="清除筛选").click()
    expect(titles).to_have_count(2)


def test_the_export_has_the_filters_of_the_list(desk: At, park: Server) -> None:  # noqa: F811
    put_down(park, title="第一条")
    put_down(park, kind="electrical", grade="general", title="第二条")
    page = desk("wang")
    expect(page.locator(".row.hazard[data-id]")).to_have_count(2)
    page.get_by_role("button", name="一般", exact=True).click()
    expect(page.locator(".row.hazard .kinds")).to_have_text(["第二条"])
    with page.expect_download() as download:
        page.locator(".export").click()
    assert re.fullmatch(r"ledger-\d{8}\.xlsx", download.value.suggested_filename)
    with zipfile.ZipFile(download.value.path()) as book:
        text = "".join(book.read(name).decode("utf-8") for name in book.namelist() if name.endswith(".xml"))
    assert "第二条" in text and "第一条" not in text


def test_without_the_export_route_nothing_is_offered(open_page: Open, park: Server) -> None:  # noqa: F811
    page = open_page()
    live(page)
    page.route("**/api/v1/hazards/export?format=none", lambda route: route.fulfill(status=404, body="{}"))
    page.locator("[data-page=hazards]").click()
    expect(page.get_by_text("没有未销号的隐患")).to_be_visible()
    expect(page.locator(".export")).to_have_count(0)


def test_a_role_that_may_do_nothing_sees_whose_turn_it_is(desk: At, park: Server) -> None:  # noqa: F811
    put_down(park)
    page = desk("fenxi")
    expect(page.locator(".turn")).to_have_text("等待应急局、行业主管部门、园区攻坚指挥部： 确认定级", use_inner_text=True)
    expect(page.locator(".hazard-detail .actions")).to_contain_text("当前角色“分析员”不能进行此操作")
    expect(page.locator(".hazard-detail .actions button")).to_have_count(0)
    expect(page.locator(".put-down")).to_have_count(0)


def test_a_ledger_that_can_not_be_loaded_says_so(open_page: Open, park: Server) -> None:  # noqa: F811
    page = open_page()
    live(page)
    page.route("**/api/v1/hazards?*", lambda route: route.fulfill(status=503, body="{}"))
    page.locator("[data-page=hazards]").click()
    expect(page.locator(".ledger .list").get_by_text("读取失败")).to_be_visible()
    page.unroute("**/api/v1/hazards?*")
    page.get_by_role("button", name="重试").click()
    expect(page.get_by_text("没有未销号的隐患")).to_be_visible()


def test_the_ledger_on_a_phone(desk: At, park: Server) -> None:  # noqa: F811
    hazard = put_down(park, title="危废库消防通道堆放托盘，疏散指示灯损坏，雨季积水后叉车无法通行")["id"]
    by_api(park, hazard, "park_command", "measure", kind="stop_production", authority="行业主管部门 停产令〔2024〕17 号")
    page = desk("zhao", "phone")
    expect(page.locator(".row.hazard .word")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".row.hazard").tap()
    expect(page.locator(".hazard-detail [data-command=confirm]")).to_be_visible()
    expect(page.locator(".hazard-detail .record li").first).to_be_visible()
    reachable(page, ".hazard-detail")
    page.locator(".more-actions").tap()
    reachable(page, "dialog")
    page.locator("dialog [data-command=measure]").tap()
    expect(page.locator("dialog form")).to_be_visible()
    reachable(page, "dialog")
    assert page.evaluate(CONTRAST) == []
    page.locator("dialog").get_by_role("button", name="取消").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".hazard-detail .back").tap()
    expect(page.locator(".hazard-detail")).to_be_hidden()


def reachable(page: Page, where: str) -> None:
    """Every target is 44 px and within the width of the phone."""
    for target in page.locator(f"{where} :is(button, input, select, textarea):visible").all():
        within_reach(target)
