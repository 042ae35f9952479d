"""The ledger as a whole through the API: its export as CSV and workbook, and the anchors that a bureau keeps."""

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import openpyxl
import pytest

from api.ledger_files import LedgerWorkbook, harmless
from api.ledger_table import COLUMNS
from bihuan.ledger.anchoring import Anchoring, AnchorPlan
from bihuan.ledger.key import is_signed
from hazards.ledger.anchors import digest_of, read_document
from storage import schema
from tests.api.conftest import System, bearer
from tests.api.test_hazards import Ledger
from tests.packs import RECORDED

EXPORT = "/hazards/export"


@pytest.fixture
def ledger(client: httpx.AsyncClient, system: System) -> Ledger:
    return Ledger(client, system)


def csv_rows(answer: httpx.Response) -> list[dict[str, str]]:
    """By the English word of the heading."""
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/csv; charset=utf-8", answer.text
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def sheet_rows(answer: httpx.Response) -> list[tuple[Any, ...]]:
    assert answer.status_code == 200, answer.text
    book = openpyxl.load_workbook(io.BytesIO(answer.content), read_only=True)
    return list(book.worksheets[0].iter_rows(values_only=True))


async def test_both_files_hold_what_the_list_holds_in_the_sites_time(ledger: Ledger) -> None:
    made = await ledger.put_down(description="第一行\n第二行, \"引号\"")
    await ledger.done(made, "department", "confirm", grade="major", criterion="demo-5")
    shown = (await ledger.get("/hazards")).json()["items"][0]
    (row,) = csv_rows(await ledger.get(f"{EXPORT}?format=csv"))
    assert row["隐患编号 hazard"] == made["id"] and row["等级 grade"] == "重大 major" and row["状态 state"] == "已确认 confirmed"
    assert row["描述 description"] == "第一行\n第二行, \"引号\"" and row["等级已确认 grade confirmed"] == "是 yes"
    opened = datetime.fromisoformat(shown["opened_at"])
    assert row["登记时间 put down (Asia/Shanghai)"] == opened.strftime("%Y-%m-%d %H:%M:%S") and opened.utcoffset() is not None
    heading, cells = sheet_rows(await ledger.get(EXPORT))
    assert list(heading) == list(row) and len(heading) == len(COLUMNS)
    of = dict(zip(heading, cells, strict=True))
    assert of["整改期限 due (Asia/Shanghai)"] == datetime.fromisoformat(shown["due_at"]).replace(tzinfo=None)
    assert of["记录数 events on record"] == 2 and of["关联报警事件 incident"] is None and of["区域 zone"] == "熔铸车间"


async def test_names_in_one_language_when_asked(ledger: Ledger) -> None:
    await ledger.put_down()
    for language, heading, state in (("zh", "状态", "待确认"), ("en", "state", "to be confirmed")):
        (row,) = csv_rows(await ledger.get(f"{EXPORT}?format=csv&language={language}"))
        assert row[heading] == state


async def test_each_role_gets_what_its_list_shows_with_the_same_filters(ledger: Ledger) -> None:
    for title in ("甲", "乙"):
        await ledger.put_down(title=title)
    other = await ledger.put_down(zone="tank", grade="general", title="丙")
    await ledger.done(other, "department", "dismiss", reason="不成立")
    filters = ["", "zone=tank", "state=dismissed", "state=proposed&state=dismissed", "grade=general", "enterprise=alu", "overdue=false",
               "overdue=true", "incident=none"]  # fmt: skip
    for who in ("operator", "enterprise:alu", "enterprise:chem", "analyst"):
        for query in filters:
            listed = (await ledger.get(f"/hazards?{query}", who)).json()["items"]
            rows = csv_rows(await ledger.get(f"{EXPORT}?format=csv&{query}", who))
            assert [row["隐患编号 hazard"] for row in rows] == [hazard["id"] for hazard in listed], (who, query)
            assert [cells[0] for cells in sheet_rows(await ledger.get(f"{EXPORT}?{query}", who))[1:]] == [h["id"] for h in listed]
    assert len(csv_rows(await ledger.get(f"{EXPORT}?format=csv", "enterprise:chem"))) == 1


@pytest.mark.parametrize("query", ["format=pdf", "state=gone", "language=fr", "overdue=perhaps"])
async def test_what_it_does_not_know_is_refused(ledger: Ledger, query: str) -> None:
    assert (await ledger.get(f"{EXPORT}?{query}")).status_code == 422


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "  =cmd|' /C calc'!A0"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_formula_is_made_harmless(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["", "炉前明火", "a=b", "3-1", "'=1", "https://example.org"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


async def test_no_cell_is_a_formula_or_a_link(ledger: Ledger) -> None:
    for text in ("=HYPERLINK(\"http://x\")", "@SUM(A1:A9)", "https://example.org", "+8613800138000"):
        await ledger.put_down(title=text, description="=cmd|' /C calc'!A0")
    rows = csv_rows(await ledger.get(f"{EXPORT}?format=csv"))
    assert not [row for row in rows for value in row.values() if value.startswith(("=", "+", "-", "@"))]
    book = openpyxl.load_workbook(io.BytesIO((await ledger.get(EXPORT)).content))
    cells = [cell for cells in book.worksheets[0].iter_rows() for cell in cells]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "inlineStr"} and not [cell for cell in cells if cell.hyperlink]
    assert "=HYPERLINK(\"http://x\")" in [cell.value for cell in cells], "in a workbook the text is as it was written"


async def test_more_than_a_page_is_whole_and_each_once(ledger: Ledger, system: System) -> None:
    for n in range(3):
        await ledger.put_down(title=f"第 {n} 项")
    with system.database.write() as connection:
        made = list(connection.execute(schema.hazards.select()).mappings())
        copies = [(hazard, f"{hazard['id']}-{n}") for hazard in made for n in range(400)]
        rows_of_copies = [{**hazard, "id": name, "body": hazard["body"].replace(hazard["id"], name)} for hazard, name in copies]
        connection.execute(schema.hazards.insert(), rows_of_copies)
    rows = csv_rows(await ledger.get(f"{EXPORT}?format=csv"))
    cells = sheet_rows(await ledger.get(EXPORT))
    ids = [row["隐患编号 hazard"] for row in rows]
    assert len(ids) == len(set(ids)) == 1203 and [row[0] for row in cells[1:]] == ids


def test_a_long_ledger_goes_on_in_the_next_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.ledger_files.ROWS_A_SHEET", 3)
    book = LedgerWorkbook(tmp_path / "long.xlsx", ["a", "b"])
    book.add([["x", n] for n in range(7)])
    book.add([["y" * 40_000, None]])
    book.close()
    read = openpyxl.load_workbook(tmp_path / "long.xlsx")
    values = [list(sheet.iter_rows(values_only=True)) for sheet in read.worksheets]
    assert [len(rows) for rows in values] == [4, 4, 3] and {rows[0] for rows in values} == {("a", "b")}
    assert [row[1] for rows in values for row in rows[1:]] == [0, 1, 2, 3, 4, 5, 6, None] and len(values[2][-1][0]) == 32_767
    assert {path.name for path in tmp_path.iterdir()} == {"long.xlsx"}


# --- anchors ---
@pytest.fixture
async def anchored(ledger: Ledger, system: System, tmp_path: Path) -> Path:
    """Two days of a ledger with a hazard; the folder outside."""
    made = await ledger.put_down()
    outside, now = tmp_path / "outside", system.app.state.services.now()
    outside.mkdir()
    plan = AnchorPlan(key=tmp_path / "anchor.key", folder=str(outside), poll=60.0)
    job = Anchoring(system.database, plan, lambda: system.site, lambda: now)
    await job.step()
    await ledger.done(made, "operator", "comment", text="看过")
    now += 24 * 3600 * 1_000_000
    await job.step()
    return outside


async def test_a_bureau_can_list_and_keep_every_anchor(ledger: Ledger, anchored: Path) -> None:
    page = (await ledger.get("/ledger/anchors?limit=1", "bureau")).json()
    rest = (await ledger.get(f"/ledger/anchors?cursor={page['next']}", "bureau")).json()
    newest, first = page["items"][0], rest["items"][0]
    assert (newest["number"], first["number"], rest["next"]) == (2, 1, None)
    assert (first["events"], newest["events"], newest["hazards"], newest["changed"]) == (1 + RECORDED, 2 + RECORDED, 1 + RECORDED, 1)
    assert newest["previous"] == first["digest"] == digest_of(first["statement"].encode())
    assert is_signed(newest["statement"].encode(), newest["signature"], newest["key"])
    (delivery,) = newest["deliveries"]
    assert delivery["way"] == "folder" and delivery["delivered_at"] and not delivery["failed"]
    files = sorted(anchored.iterdir())
    for anchor, path in zip((first, newest), files, strict=True):
        answer = await ledger.client.get(anchor["url"], headers=ledger.of("bureau"))
        assert answer.content == path.read_bytes() and answer.headers["content-type"] == "application/json"
        assert read_document(answer.content).heads


async def test_an_enterprise_gets_no_anchors_and_others_no_anchor_that_is_not_there(ledger: Ledger, anchored: Path, system: System) -> None:
    for path in ("/ledger/anchors", "/ledger/anchors/1"):
        assert (await ledger.get(path, "enterprise:alu")).status_code == 403
        for role in ("administrator", "operator", "park_command", "department", "bureau", "district_leader", "safety_office", "analyst"):
            assert (await ledger.get(path, role)).status_code == 200
    of_a_district = bearer(system.token("bureau", district="510802"))
    for path, status in (("/ledger/anchors", 200), ("/ledger/anchors/1", 403)):
        assert (await ledger.client.get(f"/api/v1{path}", headers=of_a_district)).status_code == status
    assert (await ledger.get("/ledger/anchors/3")).status_code == 404
    assert (await ledger.get("/ledger/anchors/x")).status_code == 422


async def test_an_anchor_whose_bytes_were_spoiled_is_still_listed(ledger: Ledger, anchored: Path, system: System) -> None:
    with system.database.write() as connection:
        connection.exec_driver_sql("UPDATE anchors SET body = x'7bff' WHERE number = 1")
    spoiled = (await ledger.get("/ledger/anchors")).json()["items"][1]
    assert spoiled["number"] == 1 and spoiled["events"] is None and spoiled["key"] is None
