"""InfluxDB's CSV answers to runs of points. Pure. What must not go in: queries."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from storage.series.port import SeriesRun, SeriesTags

_FIELDS = ("count", "min", "mean", "max", "last")
_BETWEEN = re.compile(r"\r?\n\r?\n")


def runs_of(answer: str, *, raw: bool) -> list[SeriesRun]:
    """Runs from a CSV answer without annotations: a column each for _time (RFC 3339), the tags, and _value or a roll-up's fields."""
    runs = []
    for header, found in _tables(answer):
        place = {name: n for n, name in enumerate(header)}
        rows = [row for row in found if raw or _is_whole(row, place)]
        if not rows:
            continue
        columns = list(zip(*rows, strict=True))

        def numbers(name: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
            return np.array(columns[place[name]], float)  # noqa: B023 (used in this round)

        def tag(name: str) -> str:
            return rows[0][place[name]] if name in place else ""  # noqa: B023 (used in this round)

        tags = SeriesTags(tag("device"), tag("metric"), tag("zone"), tag("enterprise"), tag("unit"))
        at = np.array([t.removesuffix("Z") for t in columns[place["_time"]]], "datetime64[us]").astype(np.int64)
        if raw:
            runs.append(SeriesRun(tags, at, numbers("_value")))
        else:
            count = numbers("count").astype(np.int64)
            runs.append(SeriesRun(tags, at, numbers("last"), count, numbers("min"), numbers("mean"), numbers("max")))
    return runs


def _is_whole(row: Sequence[str], place: Mapping[str, int]) -> bool:
    """A roll-up that is being written at the moment of the question may lack a field: it is whole a moment later."""
    return all(field in place and row[place[field]] for field in _FIELDS)


def _tables(answer: str) -> Iterator[tuple[list[str], Sequence[list[str]]]]:
    """(header, rows) of each table: tables of one header follow each other, numbered in column ``table``."""
    for part in _BETWEEN.split(answer):
        lines = list(csv.reader(io.StringIO(part.strip("\r\n"))))
        if len(lines) < 2:
            continue
        header, number = lines[0], lines[0].index("table")
        rows: list[list[str]] = []
        for line in lines[1:]:
            if rows and line[number] != rows[0][number]:
                yield header, rows
                rows = []
            rows.append(line)
        yield header, rows
