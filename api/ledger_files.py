"""The ledger's table as CSV and as an Excel workbook, row by row with bounded memory. Both block: call them on threads.

A cell that a spreadsheet would take for a formula is text: in CSV it gets an apostrophe before it, in a workbook its type says so.
What must not go in: which rows and columns (``api/ledger_table.py``), SQL, HTTP.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from api.ledger_table import COLUMNS, Cell

BOM = "\ufeff".encode()
"""Excel takes a CSV file without it for one of its local code page."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
ROWS_A_SHEET = 1_000_000  # Excel ends at 1,048,576
LONGEST_TEXT = 32_767  # characters of a cell in Excel


def harmless(text: str) -> str:
    """``text`` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def csv_lines(rows: Iterable[Sequence[Cell]]) -> bytes:
    """Rows as CSV (RFC 4180, UTF-8, without BOM)."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_csv_cell(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")


def _csv_cell(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    return harmless(cell.replace("\x00", "")) if isinstance(cell, str) else cell


class LedgerWorkbook:
    """A workbook at ``path``, written row by row by way of files beside it."""

    def __init__(self, path: Path, headings: Sequence[str]) -> None:
        options = {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(str(path), options)
        self._bold = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._headings, self._row, self._sheets = headings, 0, 0
        self._sheet = self._new_sheet()

    def close(self) -> None:
        """Put the workbook together; it is whole afterwards."""
        self._filter()
        self._book.close()

    def add(self, rows: Iterable[Sequence[Cell]]) -> None:
        """The next rows."""
        for row in rows:
            if self._row > ROWS_A_SHEET:
                self._filter()
                self._sheet = self._new_sheet()
            self._write(row)

    def _new_sheet(self) -> Worksheet:
        self._sheets += 1
        sheet = self._book.add_worksheet("台账 ledger" if self._sheets == 1 else f"台账 ledger {self._sheets}")
        for place, column in enumerate(COLUMNS):
            sheet.set_column(place, place, column.width)
        sheet.freeze_panes(1, 2)
        for place, heading in enumerate(self._headings):
            sheet.write_string(0, place, heading, self._bold)
        self._row = 1
        return sheet

    def _filter(self) -> None:
        self._sheet.autofilter(0, 0, max(self._row - 1, 0), len(self._headings) - 1)

    def _write(self, row: Sequence[Cell]) -> None:
        sheet, number = self._sheet, self._row
        for place, cell in enumerate(row):
            if cell is None or cell == "":
                continue
            if isinstance(cell, str):
                sheet.write_string(number, place, cell if len(cell) <= LONGEST_TEXT else cell[: LONGEST_TEXT - 1] + "…")
            elif isinstance(cell, datetime):
                if cell.year >= 1900:
                    sheet.write_datetime(number, place, cell, self._time)
            else:
                sheet.write_number(number, place, cell)
        self._row += 1
