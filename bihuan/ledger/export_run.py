"""`bihuan ledger export`: the ledger as a file, whole or not at all. What must not go in: columns, formats."""

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Any

from api.ledger_files import BOM, LedgerWorkbook, csv_lines
from api.ledger_pages import ledger_pages
from api.ledger_table import LedgerTable
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
from storage.site_store import load_registry


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
            count = asyncio.run(_write(made, database, filters))
            with made.open("rb") as file:
                os.fsync(file.fileno())
            made.replace(target)
    except OSError as e:
        raise Misconfigured(f"can't be written: {e.strerror}", where=str(target)) from e
    finally:
        database.close()
    return f"{target}: {count} hazards"


async def _write(target: Path, database: Database, filters: dict[str, Any]) -> int:
    now = now_us()
    registry = await database.reading(load_registry)
    table = LedgerTable(HazardPresenter(Presenter(registry, Words.load(), now=now), policy_of(registry)))
    pages, count = ledger_pages(database, table, scope=EVERYTHING, now=now, **filters), 0
    if target.suffix == ".csv":
        with target.open("wb") as file:
            file.write(BOM + csv_lines([table.headings()]))
            async for rows in pages:
                file.write(csv_lines(rows))
                count += len(rows)
        return count
    book = LedgerWorkbook(target, table.headings())
    async for rows in pages:
        book.add(rows)
        count += len(rows)
    book.close()
    return count
