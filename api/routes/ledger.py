"""The ledger as a whole: its export, and the daily anchors over it. What must not go in: SQL, what a table holds."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import IO, Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection
from starlette.requests import ClientDisconnect

from api.gate import GuardedRoute
from api.ledger_files import BOM, LedgerWorkbook, csv_lines
from api.ledger_pages import ledger_pages
from api.ledger_table import Cell, Language, LedgerTable
from api.present import Presenter
from api.present_hazards import HazardPresenter
from api.record_models import Anchor, AnchorDelivery, AnchorPage
from api.routes.common import Asking, Cursor, Filter, Limit, With, clamp
from api.routes.hazards import Grades, Marks, States
from hazards.errors import NotPermitted
from storage import anchors as store
from storage.anchor_files import document_parts
from storage.hazard_facts import policy_of

router = APIRouter(route_class=GuardedRoute, tags=["hazards"])

CSV, XLSX = "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_TABLE: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: _BINARY, XLSX: _BINARY}, "description": "the table as a file"}}
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}, "description": "the anchor as it is kept outside"}
}


# --- export ---
@router.get("/api/v1/hazards/export", summary="The ledger as a file", response_class=Response, responses=_TABLE)
async def export_hazards(
    request: Request, asking: Asking, services: With, format: Literal["xlsx", "csv"] = "xlsx", language: Language = "both",  # noqa: A002
    state: States = [], zone: Filter = None, enterprise: Filter = None, grade: Grades = [], incident: Filter = None,  # noqa: B006
    overdue: bool | None = None, mark: Marks = [],  # noqa: B006
) -> Response:  # fmt: skip
    """With the filters of the list, newest first, as of now; an enterprise gets its own. Text is text: nothing in it is a formula."""
    now = services.now()
    table = LedgerTable(HazardPresenter(services.presenter(), policy_of(services.registry())), language)

    pages = ledger_pages(
        services.database, table, scope=asking.scope, now=now, states=state, zone=zone, enterprise=enterprise, grades=grade,
        incident=incident, overdue=overdue, marks=mark,
    )  # fmt: skip
    day = Presenter(services.registry(), services.words, now=now).time(now).strftime("%Y%m%d")
    headers = {"Content-Disposition": f'attachment; filename="ledger-{day}.{format}"'}
    if format == "csv":
        return StreamingResponse(await _begun(_csv(table, pages)), media_type=f"{CSV}; charset=utf-8", headers=headers)
    async with services.exports:
        file = await _workbook(table, pages, request)
    return StreamingResponse(_sent(file), media_type=XLSX, headers=headers)


async def _csv(table: LedgerTable, pages: AsyncIterator[list[list[Cell]]]) -> AsyncIterator[bytes]:
    yield BOM + csv_lines([table.headings()])
    async for rows in pages:
        yield await asyncio.to_thread(csv_lines, rows)


async def _begun(parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """``parts`` once the first two are there: a database that is away is an error in full, not a file that breaks off."""
    first = [part async for part in _first(parts, 2)]

    async def whole() -> AsyncIterator[bytes]:
        for part in first:
            yield part
        async for part in parts:
            yield part

    return whole()


async def _first(parts: AsyncIterator[bytes], count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        try:
            yield await anext(parts)
        except StopAsyncIteration:
            return


async def _workbook(table: LedgerTable, pages: AsyncIterator[list[list[Cell]]], request: Request) -> IO[bytes]:
    """The finished workbook, open for reading; its name is gone already, so nothing is left behind however this ends."""
    with tempfile.TemporaryDirectory(prefix="bihuan-export-") as folder:
        path = Path(folder) / "ledger.xlsx"
        book = await asyncio.to_thread(LedgerWorkbook, path, table.headings())
        try:
            async for rows in pages:
                await asyncio.to_thread(book.add, rows)
                if await request.is_disconnected():
                    raise ClientDisconnect
        finally:
            await asyncio.to_thread(book.close)
        return path.open("rb")


async def _sent(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while part := await asyncio.to_thread(file.read, 1 << 18):
            yield part


# --- anchors ---
@router.get("/api/v1/ledger/anchors", summary="The daily anchors, newest first")
async def get_anchors(asking: Asking, services: With, cursor: Cursor = None, limit: Limit = 50) -> AnchorPage:
    """Each pins the whole ledger as it was after a day. Keep them elsewhere: `bihuan ledger verify` holds them against the ledger."""

    def work(connection: Connection) -> AnchorPage:
        rows, following = store.list_anchors(connection, cursor=cursor, limit=clamp(limit))
        sent = store.deliveries_of(connection, [row.number for row in rows])
        presenter = services.presenter()
        return AnchorPage(items=[_anchor(row, sent.get(row.number, []), presenter) for row in rows], next=following)

    return await services.database.reading(work)


@router.get("/api/v1/ledger/anchors/{number}", summary="One anchor to keep", response_class=Response, responses=_DOCUMENT)
async def get_anchor_document(number: Annotated[int, InPath(ge=0, le=2**31 - 1)], asking: Asking, services: With) -> Response:
    """The same bytes that are delivered to the folder of anchors: statement, signature, handovers of keys, heads.

    The heads name hazards of the whole site, so it is for those who see all of it."""
    if not asking.scope.everything:
        raise NotPermitted("an anchor names the hazards of every district", hint="ask the district above for it")
    row = await services.database.reading(lambda c: store.get_anchor(c, number))
    headers = {"Content-Disposition": f'attachment; filename="ledger-anchor-{row.number:06d}-{row.day}.json"'}
    parts = document_parts(row, store.heads_of(services.database, number))  # a plain iterator: read on threads
    return StreamingResponse(parts, media_type="application/json", headers=headers)


def _anchor(row: store.AnchorRow, deliveries: list[store.DeliveryRow], presenter: Presenter) -> Anchor:
    try:
        said = row.anchor()
    except msgspec.DecodeError:  # somebody spoiled it: `bihuan ledger verify` says so, the list must still be seen
        said = None
    return Anchor(
        number=row.number, first_day=said.first_day if said else row.day, day=row.day, created_at=presenter.time(row.created_at),
        events=said.events if said else None, hazards=said.hazards if said else None, changed=said.changed if said else None,
        previous=said.previous if said else None, key=said.key if said else None, digest=row.digest, signature=row.signature,
        statement=row.statement.decode("utf-8", "replace"), url=f"/api/v1/ledger/anchors/{row.number}",
        deliveries=[
            AnchorDelivery(
                way=d.place.partition(":")[0], delivered_at=presenter.time_or_none(d.delivered_at), attempts=d.attempts,
                tried_at=presenter.time_or_none(d.tried_at), failed=bool(d.trouble),
            ) for d in deliveries
        ],
    )  # fmt: skip
