"""The rows of the ledger's table, page by page, for every file that is made of it. What must not go in: files, columns, HTTP."""

from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Connection

from api.ledger_table import Cell, LedgerTable
from hazards.scope import Scope
from storage.database import Database
from storage.hazard_queries import list_hazards

ROWS_A_PAGE = 500


async def ledger_pages(
    database: Database, table: LedgerTable, *, scope: Scope, now: int, **filters: Any
) -> AsyncIterator[list[list[Cell]]]:
    """What ``list_hazards`` finds with ``filters``. Each page in a short snapshot of its own, so that a running system is not held up,
    read and made into cells on a reading thread."""

    def read(connection: Connection, cursor: str | None) -> tuple[list[list[Cell]], str | None]:
        found, following = list_hazards(connection, scope=scope, now=now, cursor=cursor, limit=ROWS_A_PAGE, **filters)
        return [table.row(hazard) for hazard in found], following

    rows, cursor = await database.reading(lambda c: read(c, None))
    yield rows
    while cursor is not None:
        rows, cursor = await database.reading(lambda c, after=cursor: read(c, after))  # type: ignore[misc]
        yield rows
