"""`bihuan ledger export`: the ledger as a file, whole or not at all. What must not go in: columns, formats."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.ledger_files import BOM, LedgerWorkbook, csv_lines
from api.ledger_table import Cell, LedgerTable
from api.present import Presenter
from api.present_hazards import HazardPresenter
from api.words import Words
from bihuan.configuration import Settings
from bihuan.preparation import now_us, open_ledger
from hazards.errors import BadInput, Misconfigured
from hazards.ledger.lifecycle import State
from hazards.scope import EVERYTHING
from storage.database import Database
from storage.hazard_facts import policy_of
from storage.hazard_queries import list_hazards
from storage.site_store import load_registry

ROWS_A_PAGE = 500


def export(settings: Settings, target: Path, filters: dict[str, Any]) -> str:
    """Write the ledger to ``target``; a line about it. ``filters``: as ``list_hazards`` takes them. Raises BadInput, Misconfigured."""
    if target.suffix not in (".xlsx", ".csv"):
        raise BadInput("is no kind of file that can be written", where=str(target), hint="give FILE.xlsx or FILE.csv")
    known = {state.value for state in State}
    if unknown := [state for state in filters.get("states", ()) if state not in known]:
        raise BadInput(f"there is no state {unknown[0]!r}", where="--state", hint=", ".join(sorted(known)))
    if not settings.database and not settings.ledger_path.is_file():
        raise Misconfigured("there is no ledger", where=settings.data)
    database = open_ledger(settings)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            made = Path(folder) / target.name
            count = _write(made, database, filters)
            with made.open("rb") as file:
                os.fsync(file.fileno())
            made.replace(target)
    except OSError as e:
        raise Misconfigured(f"can't be written: {e.strerror}", where=str(target)) from e
    finally:
        database.close()
    return f"{target}: {count} hazards"


def _write(target: Path, database: Database, filters: dict[str, Any]) -> int:
    now = now_us()
    with database.read() as connection:
        registry = load_registry(connection)
    table = LedgerTable(HazardPresenter(Presenter(registry, Words.load(), now=now), policy_of(registry)))
    count = 0
    if target.suffix == ".csv":
        with target.open("wb") as file:
            file.write(BOM + csv_lines([table.headings()]))
            for rows in _pages(table, database, now, filters):
                file.write(csv_lines(rows))
                count += len(rows)
        return count
    book = LedgerWorkbook(target, table.headings())
    for rows in _pages(table, database, now, filters):
        book.add(rows)
        count += len(rows)
    book.close()
    return count


def _pages(table: LedgerTable, database: Database, now: int, filters: dict[str, Any]) -> Iterator[list[list[Cell]]]:
    """Each in a short snapshot of its own: a running system is not held up."""
    cursor: str | None = None
    while True:
        with database.read() as connection:
            found, cursor = list_hazards(connection, scope=EVERYTHING, now=now, cursor=cursor, limit=ROWS_A_PAGE, **filters)
        yield [table.row(hazard) for hazard in found]
        if cursor is None:
            return
